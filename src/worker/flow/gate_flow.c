// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gate_flow.c - one TCP flow: SYN held, dialled, given back, open
 *
 * Enter with flow_begin(); it ends in flow_bury(), from wherever.
 */
#include "flow/gate_own.h"
#include "flow/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const flow_state_name[] = {
	[FLOW_DIALING] = "dialing",
	[FLOW_GIVEN] = "given",
	[FLOW_SILENT] = "silent",
	[FLOW_OPEN] = "open",
};
_Static_assert(sizeof(flow_state_name) / sizeof(*flow_state_name) ==
		       FLOW_STATES,
	       "each state has a name");

struct flow *flow_find(struct gate *g, const struct flow_key *key)
{
	struct map_node *n =
		map_find(&g->waiting, map_hash(&g->waiting, key, sizeof(*key)));

	for (; n; n = map_again(n)) {
		struct flow *f = container_of(n, struct flow, node);

		if (!memcmp(&f->key, key, sizeof(*key)))
			return f;
	}
	return NULL;
}

void flow_bury(struct flow *f)
{
	struct gate *g = f->gate;

	log_trace("flow to port %u: %s -> buried", f->key.dst.port,
		  flow_state_name[f->state]);
	if (f->dial)
		dial_cancel(f->dial);
	stream_abort(&f->outer);
	loop_untimer(g->loop, &f->timer);
	if (f->state == FLOW_OPEN)
		list_del(&f->open_node);
	else
		map_del(&g->waiting, &f->node);
	names_drop(g->names, &f->key.dst);
	g->flow_count--;
	free(f);
}

static void flow_expired(struct timer *t)
{
	flow_bury(container_of(t, struct flow, timer));
}

/** flow_wait() - Enter a state that a deadline ends */
static void flow_wait(struct flow *f, enum flow_state next, uint64_t ms)
{
	log_trace("flow to port %u: %s -> %s", f->key.dst.port,
		  flow_state_name[f->state], flow_state_name[next]);
	f->state = next;
	if (loop_timer(f->gate->loop, &f->timer, ms, flow_expired) < 0)
		flow_bury(f);
}

static void flow_dialled(void *ctx, int err, struct stream s,
			 const struct addr *bound)
{
	struct flow *f = ctx;
	struct gate *g = f->gate;
	const uint16_t family = f->key.src.family;
	struct packet syn;

	(void)bound;
	f->dial = NULL;
	if (err == -ETIMEDOUT) {
		flow_wait(f, FLOW_SILENT, GATE_SILENT_MS);
		return;
	}
	if (err < 0) {
		if (packet_get(f->syn, f->syn_len, &syn) == 0)
			gate_refuse(g, err, &syn);
		flow_bury(f);
		return;
	}
	f->outer = s;
	tun_give(g->tun, f->syn, f->syn_len);
	flow_wait(f, FLOW_GIVEN, GATE_GIVEN_MS);
	gate_accept_given(g, family);
}

/** flow_dest() - What the way out is told for an address in the sandbox */
static int flow_dest(struct gate *g, const struct addr *dst, struct dest *to)
{
	const struct addr *alias = route_alias(g->plan, dst);

	*to = (struct dest){ .addr = alias ? *alias : *dst };
	if (alias || !names_is_leasable(dst))
		return 0;
	if (!names_of_lease(g->names, dst, to->name))
		return -EHOSTUNREACH;
	to->addr = (struct addr){ .port = dst->port };
	return 0;
}

/** flow_target() - Where a flow goes, if it may */
static int flow_target(struct gate *g, const struct addr *dst,
		       const struct way *way, struct dest *to)
{
	const int rc = flow_dest(g, dst, to);

	/* What is exposed is the host's own. */
	if (rc < 0 || way == g->direct)
		return rc;
	return route_may_leave(g->plan, to) ? 0 : -EACCES;
}

/** flow_keep_syn() - Remember (or replace) the SYN of a waiting flow */
static bool flow_keep_syn(struct flow *f, const struct packet *syn)
{
	const size_t len = packet_put_bare_syn(f->syn, sizeof(f->syn), syn);

	f->syn_len = (uint8_t)len;
	f->isn = syn->tcp_seq;
	return len > 0;
}

int flow_begin(struct gate *g, const struct flow_key *key,
	       const struct packet *syn, struct way *way)
{
	struct dest to;
	struct flow *f;
	int rc = flow_target(g, &key->dst, way, &to);

	if (rc < 0)
		return rc;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->gate = g;
	f->key = *key;
	f->forwards = way_forwards(way, &to);
	f->outer = STREAM_EMPTY;
	if (!flow_keep_syn(f, syn)) {
		free(f);
		return -EHOSTUNREACH;
	}
	rc = dial_start(way, DIAL_CONNECT, &to, flow_dialled, f, &f->dial);
	if (rc < 0) {
		free(f);
		return rc;
	}
	map_put(&g->waiting, &f->node,
		map_hash(&g->waiting, key, sizeof(*key)));
	names_hold(g->names, &key->dst);
	g->flow_count++;
	return 0;
}

void flow_again(struct flow *f, const struct packet *syn)
{
	const bool is_new = syn->tcp_seq != f->isn;

	/* The program gave up and tries again from the same port. */
	if (is_new && !flow_keep_syn(f, syn))
		return;
	/* Given back and lost (a full listen queue), or a new try: again. */
	if (f->state == FLOW_GIVEN)
		tun_give(f->gate->tun, f->syn, f->syn_len);
}

static void flow_ended(void *ctx, int err)
{
	struct flow *f = ctx;

	(void)err;
	f->relay = NULL;
	f->http = NULL;
	flow_bury(f);
}

/** flow_move() - Let the bytes flow */
static int flow_move(struct flow *f, int fd)
{
	struct gate *g = f->gate;
	struct dest to;

	if (!f->forwards)
		return relay_start(g->pool, fd, stream_take(&f->outer),
				   flow_ended, f, &f->relay);
	if (flow_dest(g, &f->key.dst, &to) < 0) {
		gate_reset(fd); /* cannot be: the lease is held */
		return -EHOSTUNREACH;
	}
	return relay_http_start(g->pool, g->way, &to, fd,
				stream_take(&f->outer), flow_ended, f,
				&f->http);
}

void flow_open(struct flow *f, int fd)
{
	struct gate *g = f->gate;

	loop_untimer(g->loop, &f->timer);
	map_del(&g->waiting, &f->node);
	list_add_tail(&g->open, &f->open_node);
	f->state = FLOW_OPEN;
	if (flow_move(f, fd) < 0)
		flow_bury(f);
}
