/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * way.h - a way out: the chain of hops that traffic leaves by
 */
#include "base/loop.h"
#include "bus/plan.h"
#include "net/stream.h"

struct resolver;
struct tls_context;

/* Deadlines. All are absolute: a peer that dribbles does not stretch them. */
#define DIAL_CONNECT_MS 10000 /* TCP connect to the first hop */
#define DIAL_GREET_MS	10000 /* a hop's answers that need no far end */
#define DIAL_MS		30000 /* the whole dial; matches tcp_syn_retries inside */

/**
 * struct way - one way out of one worker; outlives all its dials and outlets
 * @loop:   Borrowed
 * @hop:    Borrowed from the plan
 * @count:  1 to PLAN_HOPS. [HOP_DIRECT] and [HOP_BLOCK] stand alone, but
 *          HOP_DIRECT may come first before proxies (its @dev then binds the
 *          first hop's socket)
 * @tls:    Owned; NULL unless a hop is HOP_HTTPS
 * @resolver: Borrowed; NULL where names cannot be looked up (all sandboxes)
 * @dials, @dial_max:  Dials under way and their cap
 */
struct way {
	struct loop *loop;
	const struct hop *hop;
	unsigned int count;
	struct tls_context *tls;
	struct resolver *resolver;
	unsigned int dials;
	unsigned int dial_max;
};

/**
 * way_init() - Make a way from a plan; reads trust anchors if it needs them
 * @w:     Result
 * @loop:  Borrowed
 * @p:     Plan; borrowed
 *
 * Return: 0, -ENOENT if TLS is needed and no trust anchors could be read,
 * -ENOMEM
 */
int way_init(struct way *w, struct loop *loop, const struct plan *p);
/** way_init_direct() - A way of one HOP_DIRECT without device (for `expose`) */
void way_init_direct(struct way *w, struct loop *loop);
void way_fini(struct way *w);

/** way_has_udp() - May outlets be tried? (one SOCKS5 hop, or direct) */
bool way_has_udp(const struct way *w);

/**
 * outer_socket() - The one place where outer sockets are born
 * @w:       Way; gives the device to bind to
 * @family:  AF_INET, AF_INET6, AF_UNIX
 * @type:    SOCK_STREAM or SOCK_DGRAM
 *
 * TCP gets NODELAY and keep-alive (idle 60 s, every 20 s, 5 times).
 *
 * Return: non-blocking, CLOEXEC socket, or -errno
 */
int outer_socket(const struct way *w, int family, int type);
