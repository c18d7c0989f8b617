/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * socks5.h - SOCKS5 (RFC 1928), user/password (RFC 1929)
 *
 * Each message has a _put that writes it and a _get that reads it. A _get
 * takes the whole message or nothing: 0 done and taken; -EAGAIN the message
 * is not here yet; -EPROTO it never will be. Reserved octets are ignored.
 * A _put returns false when the message breaks a limit of the RFC (then
 * nothing useful was written) or does not fit.
 */
#include "base/addr.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define SOCKS5_VERSION	     5
#define SOCKS5_REPLY_MAX     262 /* 4 + 1 + 255 + 2 */
#define SOCKS5_AUTH_NONE     0x00
#define SOCKS5_AUTH_PASSWORD 0x02
#define SOCKS5_AUTH_REFUSED  0xff

enum socks5_command {
	SOCKS5_CONNECT = 1,
	SOCKS5_BIND = 2,
	SOCKS5_UDP_ASSOCIATE = 3,
	/* Tor's own (torspec, socks-extensions): answered with an address, with
	 * a name. */
	SOCKS5_RESOLVE = 0xf0,
	SOCKS5_RESOLVE_PTR = 0xf1,
};

/* REP, RFC 1928, 6 */
enum socks5_code {
	SOCKS5_OK = 0,
	SOCKS5_FAILED = 1,
	SOCKS5_FORBIDDEN = 2,
	SOCKS5_NET_UNREACHABLE = 3,
	SOCKS5_HOST_UNREACHABLE = 4,
	SOCKS5_REFUSED = 5,
	SOCKS5_TTL_EXPIRED = 6,
	SOCKS5_BAD_COMMAND = 7,
	SOCKS5_BAD_ADDRESS = 8,
};

/**
 * socks5_errno() - What a reply code means to connect(2)
 * @code:  REP; codes from 0x09 up count as general failure (Tor's 0xF0..0xF7,
 *         proposal 304, as host unreachable)
 *
 * Return: 0, -EHOSTUNREACH (1, 4, unknown), -EACCES (2), -ENETUNREACH (3, 8),
 * -ECONNREFUSED (5), -ETIMEDOUT (6), -EOPNOTSUPP (7)
 */
int socks5_errno(uint8_t code);

/** socks5_code_of() - The reply code for an -errno; the inverse of the above */
enum socks5_code socks5_code_of(int err);

/** socks5_code_text() - "connection refused", "code 0x42", for messages */
const char *socks5_code_text(uint8_t code);

/** socks5_hello_put() - Client greeting: no-auth, and password if @has_auth.
 * With credentials only the password method is offered: no silent fall-back */
bool socks5_hello_put(struct wr *w, bool has_auth);
/** socks5_hello_get() - Server side: bit 0 of @methods no-auth, bit 1 password
 */
int socks5_hello_get(struct rd *r, uint8_t *methods);

/** socks5_choice_put() / _get() - Server's pick: a SOCKS5_AUTH_* octet */
bool socks5_choice_put(struct wr *w, uint8_t method);
int socks5_choice_get(struct rd *r, uint8_t *method);

/** socks5_login_put() - 1 to 255 octets of user, 0 to 255 of password */
bool socks5_login_put(struct wr *w, const char *user, const char *pass);
/** socks5_login_get() - @user and @pass: room for 256, NUL-terminated;
 * an embedded NUL is -EPROTO */
int socks5_login_get(struct rd *r, char *user, char *pass);

/** socks5_verdict_put() / _get() - RFC 1929 status: 0 is welcome. The version
 * octet of a verdict is not checked: servers send 1 and 5 */
bool socks5_verdict_put(struct wr *w, uint8_t status);
int socks5_verdict_get(struct rd *r, uint8_t *status);

/**
 * socks5_dest_put() - ATYP, address, port
 * @d:  A name (1 to 255 octets) if it has one, else the address; AF_UNSPEC
 *      without name is written as 0.0.0.0
 */
bool socks5_dest_put(struct wr *w, const struct dest *d);
/** socks5_dest_get() - An IP literal sent as a name becomes an address, and
 * v4-mapped IPv6 AF_INET; a name is lower-cased, loses its last dot, and must
 * pass text_name_ok() */
int socks5_dest_get(struct rd *r, struct dest *d);

bool socks5_request_put(struct wr *w, enum socks5_command cmd,
			const struct dest *d);
/** socks5_request_get() - @cmd is the octet as sent; -EAFNOSUPPORT for an ATYP
 * that is none of 1, 3, 4 */
int socks5_request_get(struct rd *r, uint8_t *cmd, struct dest *d);

bool socks5_reply_put(struct wr *w, uint8_t code, const struct addr *bound);
/** socks5_reply_get() - A bound name is skipped and gives AF_UNSPEC
 * and the port; v4-mapped IPv6 becomes AF_INET. A failure may have the ATYP 0,
 * as Tor's do when a look-up found nothing: it counts as no address */
int socks5_reply_get(struct rd *r, uint8_t *code, struct addr *bound);
/** socks5_found_get() - A reply to RESOLVE or RESOLVE_PTR: the same, but that a
 * name is kept if it is a host's, and no address; else @found is empty */
int socks5_found_get(struct rd *r, uint8_t *code, struct dest *found);

/** socks5_udp_put() - Header of a UDP datagram (RFC 1928, 7), FRAG 0 */
bool socks5_udp_put(struct wr *w, const struct dest *d);
/** socks5_udp_get() - What remains in @r is the payload; FRAG other than 0 is
 * -EOPNOTSUPP; a datagram is whole, so short ones are -EPROTO */
int socks5_udp_get(struct rd *r, struct dest *d);
