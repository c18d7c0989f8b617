/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dns.h - DNS messages: names, queries in, answers out
 *
 * RFC 1035, 2308 (negative answers), 6891 (EDNS), 8482 (ANY). What becomes of
 * the records of somebody else's answer is in dns_upstream.h.
 */
#include "base/addr.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER	 12
#define DNS_NAME_ROOM	 255 /* octets of a name on the wire */
#define DNS_MESSAGE_MAX	 65535
#define DNS_QUERY_ROOM	 300  /* header, question, OPT */
#define DNS_UDP_MIN	 512  /* RFC 1035, 4.2.1 */
#define DNS_UDP_MAX	 4096 /* the most that is sent in a datagram */
#define DNS_UDP_ASK	 1232 /* what we ask for: no fragments */
#define DNS_TTL_OWN	 60   /* seconds; of all answers made here */
#define DNS_POINTERS_MAX 126  /* jumps in one compressed name */

/* Flags of the header (RFC 1035, 4.1.1; AD and CD: RFC 4035, 3.1.6). */
#define DNS_QR		 0x8000
#define DNS_OPCODE	 0x7800
#define DNS_TC		 0x0200
#define DNS_RD		 0x0100
#define DNS_RA		 0x0080
#define DNS_AD		 0x0020
#define DNS_CD		 0x0010
#define DNS_RCODE	 0x000f

#define DNS_CLASS_IN	 1

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_HINFO = 13,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
	DNS_META = 128, /* 128 to 254 are no record types (RFC 6895, 3.1) */
	DNS_ANY = 255,
};

/**
 * struct dns_name - a name in wire form, not compressed
 * @len:   Octets of @wire, the root's included; 0 for none
 * @wire:  Labels, letter case as it came
 */
struct dns_name {
	uint8_t len;
	uint8_t wire[DNS_NAME_ROOM];
};

/**
 * struct dns_query - what a client asks
 * @id, @flags:    As they came
 * @has_question:  @name, @type and @class are there
 * @has_opt:       It speaks EDNS, and so does the answer
 * @wants_dnssec:  Its DO bit
 * @udp_room:      Octets of answer it takes by UDP, in the bounds we keep
 */
struct dns_query {
	uint16_t id;
	uint16_t flags;
	bool has_question;
	struct dns_name name;
	uint16_t type;
	uint16_t class;
	bool has_opt;
	bool wants_dnssec;
	uint16_t udp_room;
};

/**
 * dns_name_get() - Read a name, following compression pointers
 * @r:    At the name; behind it afterwards
 * @msg:  The whole message from its first octet
 * @ret:  Result
 *
 * What a pointer points to must lie, up to its own end or pointer, in front of
 * what has been read (RFC 1035, 4.1.4: "prior occurrence"): there are no loops,
 * and no name runs into itself.
 *
 * Return: whether it was one; @r and @ret are untouched if not
 */
bool dns_name_get(struct rd *r, const struct rd *msg, struct dns_name *ret);

/**
 * dns_name_text() - As a host name
 * @n:    Name
 * @ret:  Room for NAME_MAX_LEN + 1; lower case, no last dot
 *
 * Return: whether text_name_ok() takes it; @ret is empty if not
 */
bool dns_name_text(const struct dns_name *n, char *ret);

/** dns_name_of_text() - The opposite. Return: whether @text is a host name */
bool dns_name_of_text(const char *text, struct dns_name *ret);

/** dns_name_lower() - Fold the letter case (RFC 4343) */
void dns_name_lower(struct dns_name *n);

/** dns_name_equal() - The same name, letter case ignored */
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);

/**
 * dns_name_under() - Is it this zone, or a name in it?
 * @n:     Name
 * @zone:  Wire form in lower case with the root's octet
 * @len:   Octets of @zone
 */
bool dns_name_under(const struct dns_name *n, const void *zone, size_t len);

/** dns_name_labels() - How many, without the root */
unsigned int dns_name_labels(const struct dns_name *n);

/**
 * dns_query_get() - Read a client's message
 * @msg, @len:  The whole message
 * @ret:        Result; @id and @flags are there unless -EPROTO
 *
 * EDNS options (client subnet, cookies, ...) are looked over and forgotten.
 * Octets behind the message make it malformed.
 *
 * Return: DNS_NOERROR, or the code that it must be answered with: DNS_FORMERR,
 * DNS_NOTIMP, DNS_BADVERS; -EPROTO when it must not be answered: too short for
 * a header, or no query
 */
int dns_query_get(const void *msg, size_t len, struct dns_query *ret);

/**
 * dns_query_put() - Write a query of our own
 * @w:   DNS_QUERY_ROOM suffices
 * @id:  To know the answer by
 * @q:   Question, letter case, DO and CD are taken from it; nothing else
 */
void dns_query_put(struct wr *w, uint16_t id, const struct dns_query *q);

/**
 * struct dns_answer - an answer in the making
 * @w:      Writer over the caller's room, less what the OPT will take
 * @room:   All of the room
 * @q_ref:  Query; borrowed until dns_answer_end()
 */
struct dns_answer {
	struct wr w;
	size_t room;
	const struct dns_query *q_ref;
	uint16_t answers;
	uint16_t authorities;
};

/**
 * dns_answer_begin() - Start an answer
 * @a:           Answer
 * @buf, @room:  Where to; @room is also what the client takes
 * @q:           Query that it answers
 *
 * Then call dns_answer_addr() and its kin, answers before the SOA, and
 * dns_answer_end(). The records belong to the name that was asked for.
 */
void dns_answer_begin(struct dns_answer *a, void *buf, size_t room,
		      const struct dns_query *q);
/** dns_answer_addr() - Add an A or AAAA record */
void dns_answer_addr(struct dns_answer *a, const struct addr *addr);
/** dns_answer_ptr() - Add a PTR record */
void dns_answer_ptr(struct dns_answer *a, const struct dns_name *name);
/** dns_answer_hinfo() - Add what ANY is answered with (RFC 8482, 4.2) */
void dns_answer_hinfo(struct dns_answer *a);
/** dns_answer_soa() - Add what makes a negative answer last (RFC 2308, 5) */
void dns_answer_soa(struct dns_answer *a);
/**
 * dns_answer_end() - Write the header and, for a client that had one, an OPT
 *
 * What does not fit is left out, all of it, and TC is set.
 *
 * Return: octets; 0 when there is no room for the question
 */
size_t dns_answer_end(struct dns_answer *a, enum dns_rcode rcode);

/** dns_opt_put() - Write our OPT record; @rcode gives the upper eight bits */
void dns_opt_put(struct wr *w, bool wants_dnssec, enum dns_rcode rcode);
/** DNS_OPT_SIZE - octets that dns_opt_put() writes */
#define DNS_OPT_SIZE 11

/** dns_question_put() - Write the question as it was asked */
void dns_question_put(struct wr *w, const struct dns_query *q);

/** dns_error() - A whole answer without records; as dns_answer_end() */
size_t dns_error(void *buf, size_t room, const struct dns_query *q,
		 enum dns_rcode rcode);

/** dns_cut() - The same with TC set: the client is to come again by TCP */
size_t dns_cut(void *buf, size_t room, const struct dns_query *q,
	       enum dns_rcode rcode);
