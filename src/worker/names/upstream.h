/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * upstream.h - one DNS server behind the way out, by UDP and TCP; or the last
 * proxy, which looks names up itself
 */
#include "names/socks_ask.h"
#include "names/tcp_ask.h"
#include "names/udp_ask.h"

/** struct upstream - both ways to ask it; @is_tcp: never by UDP; @is_socks: by
 * @socks alone */
struct upstream {
	bool is_tcp;
	bool is_socks;
	struct udp_ask udp;
	struct tcp_ask tcp;
	struct socks_ask socks;
};

/** upstream_init() - @way is borrowed. upstream_fini() tells nobody */
void upstream_init(struct upstream *u, struct way *way,
		   const struct plan_server *s);
/** upstream_init_socks() - The last proxy itself. Return: 0 or -ENOMEM */
int upstream_init_socks(struct upstream *u, struct way *way);
void upstream_fini(struct upstream *u);

/**
 * struct upstream_ask - an ask that changes from UDP to TCP by itself
 * @ask:  See ask_fn; @ask.q and @ask.fn are the caller's to fill
 */
struct upstream_ask {
	struct ask ask;
	struct upstream *to;
	ask_fn *fn;
	bool is_udp;
};

/**
 * upstream_start() - Ask
 * @a:        @a->ask.q and @a->fn are set, the rest is not looked at
 * @by_tcp:   Do not try UDP
 *
 * By UDP first, if that is what the server is for; by TCP when UDP does not
 * get there or the answer is too long for it.
 *
 * Return: 0, or -errno: @a->fn is not called then
 */
int upstream_start(struct upstream *u, struct upstream_ask *a, bool by_tcp);

/** upstream_forget() - Do not wait any more; harmless when it has ended.
 * @is_late: as in tcp_ask_forget() */
void upstream_forget(struct upstream_ask *a, bool is_late);
