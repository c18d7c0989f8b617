/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * socks_ask.h - have the last proxy look names up, as Tor can
 *
 * Tor's RESOLVE and RESOLVE_PTR (torspec, socks-extensions): one connection a
 * look-up. It answers a name with one address, of which Tor chooses the family,
 * so the questions for A and AAAA share a look-up: one of them gets the
 * address, the other learns that there is none of its kind. How long an answer
 * holds Tor does not tell.
 */
#include "base/map.h"
#include "dial/dial.h"
#include "names/ask.h"

#define SOCKS_ASK_DIALS	   32	/* connections at once; the rest waits */
#define SOCKS_ASK_LOOKS	   2048 /* look-ups waiting, under way or known */
#define SOCKS_ASK_KNOWN_S  60	/* an answer holds */
#define SOCKS_ASK_ABSENT_S 10	/* "no such host", which may pass */

/**
 * struct socks_ask - the proxy as an upstream
 * @looks:       All look-ups by what they are about
 * @queued:      Those that wait for a connection, in order
 * @known:       Those with an answer, the oldest first
 * @count:       Of @looks
 * @dials:       Connections
 * @has_warned:  That the proxy has no such command was told
 */
struct socks_ask {
	struct loop *loop;
	struct way *way;
	struct map looks;
	struct list queued;
	struct list known;
	unsigned int count;
	unsigned int dials;
	bool has_warned;
};

/** socks_ask_init() - @way is borrowed; its last hop is SOCKS5. Return: 0 or
 * -ENOMEM; socks_ask_fini() takes half-built and zeroed ones, tells nobody */
int socks_ask_init(struct socks_ask *s, struct way *way);
void socks_ask_fini(struct socks_ask *s);

/**
 * socks_ask_start() - Ask
 * @a:  @a->q is for A or AAAA of a host name, or for PTR of a whole address
 *
 * The answer has no records and NXDOMAIN when the proxy says "host unreachable"
 * (Tor has no other word for it), SERVFAIL for any other failure it tells.
 *
 * Return: 0, or -errno: @a->fn is not called then
 */
int socks_ask_start(struct socks_ask *s, struct ask *a);

/** socks_ask_forget() - Do not wait any more. The look-up goes on, so that who
 * asks again finds the answer; its dial has a deadline */
void socks_ask_forget(struct ask *a);
