/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dns_upstream.h - the records of somebody else's answer
 *
 * An answer is checked (dns_upstream_check()), freed of what its client must
 * not see (dns_upstream_strip()), kept, and handed on with its age
 * (dns_upstream_relay()).
 */
#include "wire/dns.h"

enum dns_section {
	DNS_ANSWER,
	DNS_AUTHORITY,
	DNS_ADDITIONAL,
	DNS_SECTIONS
};

/**
 * struct dns_walk - where a walk over the records of a message is
 * @all:  The message
 * @r:    Behind the last record given
 * @left: Records to come, by section
 */
struct dns_walk {
	struct rd all;
	struct rd r;
	unsigned int left[DNS_SECTIONS];
};

/**
 * struct dns_rr - a record; offsets are into the message
 * @owner_at:  Its first octet
 * @ttl_at:    Its TTL
 * @data_at:   Its data
 * @end:       Behind it
 */
struct dns_rr {
	enum dns_section section;
	struct dns_name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	size_t owner_at;
	size_t ttl_at;
	size_t data_at;
	size_t end;
	struct rd data;
};

/**
 * struct dns_verdict - what an upstream's answer says
 * @id:        Of the message
 * @rcode:     With the upper bits of the OPT
 * @is_cut:    TC: not all of it; ask by TCP
 * @ttl_s:     How long it may be kept: the least TTL of its records; of a
 *             negative answer at most the SOA's minimum and an hour (RFC
 *             2308, 5), none without SOA
 */
struct dns_verdict {
	uint16_t id;
	unsigned int rcode;
	bool is_cut;
	uint32_t ttl_s;
};

#define DNS_NEGATIVE_MAX_S 3600
#define DNS_TTL_MAX_S	   86400

/**
 * dns_walk_begin() - Start at the first record
 * @msg, @len:  Message; borrowed
 * @w:          Walk
 *
 * Return: whether header and questions could be read
 */
bool dns_walk_begin(const void *msg, size_t len, struct dns_walk *w);

/** dns_walk_next() - Return: 1 with a record, 0 at the end, -EPROTO */
int dns_walk_next(struct dns_walk *w, struct dns_rr *ret);

/**
 * dns_upstream_check() - Is this the answer to our question?
 * @msg, @len:  What came
 * @q:          What was asked
 * @ret:        What it says
 *
 * Every record must be readable, and nothing be behind them. The question must
 * be there, not compressed, and the same but for its letter case; FORMERR and
 * NOTIMP may come without.
 *
 * Return: 0; -EPROTO if not
 */
int dns_upstream_check(const void *msg, size_t len, const struct dns_query *q,
		       struct dns_verdict *ret);

/**
 * dns_upstream_strip() - Copy an answer without OPT and address hints
 * @msg, @len:  Checked answer
 * @buf:        The copy; room for @len
 * @ret_len:    Octets of the copy
 *
 * SVCB and HTTPS records lose ipv4hint and ipv6hint, also from `mandatory`
 * (RFC 9460, 7.3 and 8): with them a program would connect past the answers to
 * A and AAAA. Compression pointers are led to where their names are now.
 *
 * Return: 0; -EPROTO for malformed SVCB data or names
 */
int dns_upstream_strip(const void *msg, size_t len, void *buf, size_t *ret_len);

/**
 * dns_upstream_relay() - Write an answer for a client
 * @buf, @room:  Where to; @room is also what the client takes
 * @q:           Its query
 * @msg, @len:   Checked and stripped answer to the same question
 * @age_s:       How old it is; TTLs are lowered by it (RFC 2181, 8)
 *
 * AA is cleared, RA set; AD is told to who asked with AD or DO (RFC 6840, 5.8).
 *
 * Return: octets; too long an answer is cut to the question with TC set; 0
 * when there is no room for that
 */
size_t dns_upstream_relay(void *buf, size_t room, const struct dns_query *q,
			  const void *msg, size_t len, uint32_t age_s);
