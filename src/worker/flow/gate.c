// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gate.c - hold a SYN, dial, give the SYN back or refuse it
 *
 * Enter with gate_segment() for each TCP packet off the TUN. A SYN is kept
 * while the way out is dialled; on success the same SYN goes back into the
 * TUN, the kernel hands it to the listener by tproxy, completes the handshake,
 * and the accepted socket is paired with its dial by the four-tuple. From then
 * on the flow is the relay's.
 */
#include "flow/gate_own.h"
#include "flow/route.h"

#include <errno.h>

/** gate_unreach() - ICMP unreachable for a SYN */
static void gate_unreach(struct gate *g, enum unreach why,
			 const struct packet *syn)
{
	tun_put(g->tun,
		packet_put_unreach(tun_room(g->tun), PACKET_MAX, why, syn));
}

void gate_refuse(struct gate *g, int err, const struct packet *syn)
{
	switch (err) {
	case -ETIMEDOUT:
		return;
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		tun_put(g->tun,
			packet_put_rst(tun_room(g->tun), PACKET_MAX, syn));
		return;
	case -ENETUNREACH:
	case -EAFNOSUPPORT:
		gate_unreach(g, UNREACH_NET, syn);
		return;
	case -EACCES:
	case -EPERM:
		gate_unreach(g, UNREACH_ADMIN, syn);
		return;
	default:
		gate_unreach(g, UNREACH_HOST, syn);
	}
}

static void gate_syn(struct gate *g, const struct packet *syn)
{
	const struct flow_key key = { .src = syn->src, .dst = syn->dst };
	const struct route r = route_decide(g->plan, &syn->dst, true);
	struct flow *f;
	int rc;

	if (r.verdict == ROUTE_NAMES || r.verdict == ROUTE_SERVER) {
		/* Nothing to dial: accept finds its purpose by the address. */
		tun_put(g->tun,
			packet_put_bare_syn(tun_room(g->tun), PACKET_MAX, syn));
		return;
	}
	if (r.verdict == ROUTE_REFUSE || r.verdict == ROUTE_DROP) {
		gate_refuse(g, r.err, syn);
		return;
	}
	f = flow_find(g, &key);
	if (f) {
		flow_again(f, syn);
		return;
	}
	if (g->flow_count >= g->flow_max) {
		if (log_may(&g->full_gate, g->loop->now_ms, 5000))
			log_warn("%u connections are open, the most this "
				 "sandbox may have: new ones are refused",
				 g->flow_count);
		gate_refuse(g, -ECONNREFUSED, syn);
		return;
	}
	rc = flow_begin(g, &key, syn,
			r.verdict == ROUTE_EXPOSE ? g->direct : g->way);
	/* -EAGAIN: too many dials; the repeated SYN tries again. */
	if (rc < 0 && rc != -EAGAIN)
		gate_refuse(g, rc, syn);
}

void gate_segment(struct gate *g, const struct packet *p)
{
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		gate_syn(g, p);
	else
		/* A socket bound to nsp0 sends its later segments here too;
		 * they belong to kernel sockets inside. */
		tun_give(g->tun, p->raw, p->raw_len);
}

int gate_start(struct gate *g)
{
	list_init(&g->open);
	return map_init(&g->waiting, 4096);
}

void gate_drain(struct gate *g)
{
	for (size_t b = 0; b <= g->waiting.mask; b++) {
		struct map_node *n = g->waiting.bucket[b];

		while (n) {
			struct flow *f = container_of(n, struct flow, node);

			n = n->next;
			/* A SYN given back may be an accept by now. */
			if (f->state != FLOW_GIVEN)
				flow_bury(f);
		}
	}
}

void gate_retire(struct gate *g)
{
	gate_accept_rest(g);
	gate_close(g);
	gate_drain(g);
}

void gate_stop(struct gate *g)
{
	if (!g->waiting.bucket)
		return;
	gate_close(g);
	for (size_t b = 0; b <= g->waiting.mask; b++)
		while (g->waiting.bucket[b])
			flow_bury(container_of(g->waiting.bucket[b],
					       struct flow, node));
	while (!list_empty(&g->open)) {
		struct flow *f =
			container_of(g->open.next, struct flow, open_node);

		if (f->relay)
			relay_cancel(f->relay);
		if (f->http)
			relay_http_cancel(f->http);
		flow_bury(f);
	}
	map_fini(&g->waiting);
}
