// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * upstream.c - ask a server by UDP, or TCP, or first one and then the other
 */
#include "names/upstream.h"

#include <errno.h>

void upstream_init(struct upstream *u, struct way *way,
		   const struct plan_server *s)
{
	u->is_tcp = s->is_tcp;
	udp_ask_init(&u->udp, way, &s->addr);
	tcp_ask_init(&u->tcp, way, &s->addr);
}

int upstream_init_socks(struct upstream *u, struct way *way)
{
	u->is_socks = true;
	u->is_tcp = true; /* no second try by another way */
	return socks_ask_init(&u->socks, way);
}

void upstream_fini(struct upstream *u)
{
	if (u->is_socks) {
		socks_ask_fini(&u->socks);
		return;
	}
	udp_ask_fini(&u->udp);
	tcp_ask_fini(&u->tcp);
}

/** on_end() - UDP or TCP has ended; @a->fn gets the same struct ask */
static void on_end(struct ask *ask, int err, const void *msg, size_t len,
		   const struct dns_verdict *v)
{
	struct upstream_ask *a = container_of(ask, struct upstream_ask, ask);

	if (err < 0 && a->is_udp) {
		a->is_udp = false;
		err = tcp_ask_start(&a->to->tcp, ask);
		if (err == 0)
			return;
	}
	a->fn(ask, err, msg, len, v);
}

int upstream_start(struct upstream *u, struct upstream_ask *a, bool by_tcp)
{
	a->to = u;
	if (u->is_socks) {
		a->is_udp = false;
		a->ask.fn = a->fn;
		return socks_ask_start(&u->socks, &a->ask);
	}
	a->ask.fn = on_end;
	a->is_udp =
		!u->is_tcp && !by_tcp && udp_ask_start(&u->udp, &a->ask) == 0;
	return a->is_udp ? 0 : tcp_ask_start(&u->tcp, &a->ask);
}

void upstream_forget(struct upstream_ask *a, bool is_late)
{
	if (!a->ask.by)
		return;
	if (a->to->is_socks)
		socks_ask_forget(&a->ask);
	else if (a->is_udp)
		udp_ask_forget(&a->to->udp, &a->ask);
	else
		tcp_ask_forget(&a->ask, is_late);
}
