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
#include "flow/gate.h"

#include "base/text.h"
#include "flow/relay_http.h"
#include "flow/route.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Accepts in one turn before other fds get theirs. */
#define GATE_BURST	   64
/* No fds left: let flows end before accepting again. */
#define GATE_REST_MS	   100
/* Of accepts, when a worker retires: as many as a listener holds (4096). */
#define GATE_RETIRE_BURSTS 64

enum flow_state {
	FLOW_DIALING, /* SYN held; .dial is alive; ends by dial's deadline */
	FLOW_GIVEN,   /* SYN given back; .outer is alive; GATE_GIVEN_MS */
	FLOW_SILENT,  /* dial timed out; GATE_SILENT_MS */
	FLOW_OPEN,    /* .relay or .http is alive, not in the map; as long as it
			 lives */
	FLOW_STATES
};

static const char *const flow_state_name[] = {
	[FLOW_DIALING] = "dialing",
	[FLOW_GIVEN] = "given",
	[FLOW_SILENT] = "silent",
	[FLOW_OPEN] = "open",
};
_Static_assert(sizeof(flow_state_name) / sizeof(*flow_state_name) ==
		       FLOW_STATES,
	       "each state has a name");

struct flow_key {
	struct addr src;
	struct addr dst;
};

struct flow {
	struct map_node node;
	struct list open_node;
	struct gate *gate;
	struct flow_key key;
	enum flow_state state;
	struct timer timer;
	struct dial *dial;
	struct stream outer;
	struct relay *relay;
	struct relay_http *http;
	bool forwards;
	uint8_t syn[PACKET_SYN_ROOM];
	uint8_t syn_len;
	uint32_t isn;
};

static struct flow *flow_find(struct gate *g, const struct flow_key *key)
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

/** flow_bury() - Free a flow in any state; the relay must be gone or ended */
static void flow_bury(struct flow *f)
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

/** gate_unreach() - ICMP unreachable for a SYN */
static void gate_unreach(struct gate *g, enum unreach why,
			 const struct packet *syn)
{
	tun_put(g->tun,
		packet_put_unreach(tun_room(g->tun), PACKET_MAX, why, syn));
}

/**
 * gate_refuse() - Make the program's connect() fail with this error
 *
 * -ETIMEDOUT has no packet: the kernel itself ends connect() so, soon after
 * our own deadline (tcp_syn_retries in the sandbox fits it).
 */
static void gate_refuse(struct gate *g, int err, const struct packet *syn)
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

static void flow_dialled(void *ctx, int err, struct stream s,
			 const struct addr *bound)
{
	struct flow *f = ctx;
	struct gate *g = f->gate;
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
}

/** gate_dest() - What the way out is told for an address in the sandbox */
static int gate_dest(struct gate *g, const struct addr *dst, struct dest *to)
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

/** gate_target() - Where a flow goes, if it may */
static int gate_target(struct gate *g, const struct addr *dst,
		       const struct way *way, struct dest *to)
{
	const int rc = gate_dest(g, dst, to);

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

static int flow_begin(struct gate *g, const struct flow_key *key,
		      const struct packet *syn, struct way *way)
{
	struct dest to;
	struct flow *f;
	int rc = gate_target(g, &key->dst, way, &to);

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

/** flow_again() - A SYN for a flow that waits already */
static void flow_again(struct flow *f, const struct packet *syn)
{
	const bool is_new = syn->tcp_seq != f->isn;

	/* The program gave up and tries again from the same port. */
	if (is_new && !flow_keep_syn(f, syn))
		return;
	/* Given back and lost (a full listen queue), or a new try: again. */
	if (f->state == FLOW_GIVEN)
		tun_give(f->gate->tun, f->syn, f->syn_len);
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

static void gate_reset(int fd)
{
	const struct linger hard = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(fd);
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
	if (gate_dest(g, &f->key.dst, &to) < 0) {
		gate_reset(fd); /* cannot be: the lease is held */
		return -EHOSTUNREACH;
	}
	return relay_http_start(g->pool, g->way, &to, fd,
				stream_take(&f->outer), flow_ended, f,
				&f->http);
}

/** flow_open() - Pair an accepted socket with its dial */
static void flow_open(struct flow *f, int fd)
{
	struct gate *g = f->gate;

	loop_untimer(g->loop, &f->timer);
	map_del(&g->waiting, &f->node);
	list_add_tail(&g->open, &f->open_node);
	f->state = FLOW_OPEN;
	if (flow_move(f, fd) < 0)
		flow_bury(f);
}

static void gate_accepted(struct gate *g, int fd,
			  const struct sockaddr_storage *peer)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	struct flow_key key;
	struct flow *f;

	memset(&key, 0, sizeof(key));
	if (getsockname(fd, (struct sockaddr *)&own, &len) < 0) {
		(void)close(fd);
		return;
	}
	addr_from_sock(&key.src, peer);
	addr_from_sock(&key.dst, &own);
	f = flow_find(g, &key);
	if (f && f->state == FLOW_GIVEN) {
		flow_open(f, fd);
		return;
	}
	switch (route_decide(g->plan, &key.dst, true).verdict) {
	case ROUTE_NAMES:
		names_accept(g->names, fd);
		return;
	case ROUTE_SERVER:
		server_accept(g->server, fd);
		return;
	case ROUTE_WAY:
	case ROUTE_EXPOSE:
	case ROUTE_REFUSE:
	case ROUTE_DROP:
	case ROUTE_VERDICTS:
		gate_reset(fd);
	}
}

static void gate_accept(struct watch *w, uint32_t events);

static void gate_rested(struct timer *t)
{
	struct gate_door *d = container_of(t, struct gate_door, rest);

	loop_want(d->gate->loop, &d->watch, EPOLLIN);
}

static void gate_accept(struct watch *w, uint32_t events)
{
	struct gate_door *d = container_of(w, struct gate_door, watch);
	struct sockaddr_storage peer;

	(void)events;
	for (int i = 0; i < GATE_BURST; i++) {
		socklen_t len = sizeof(peer);
		const int fd = accept4(d->fd, (struct sockaddr *)&peer, &len,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			gate_accepted(d->gate, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			loop_want(d->gate->loop, &d->watch, 0);
			(void)loop_timer(d->gate->loop, &d->rest, GATE_REST_MS,
					 gate_rested);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

int gate_start(struct gate *g)
{
	list_init(&g->open);
	return map_init(&g->waiting, 4096);
}

int gate_listen(struct gate *g, int fd)
{
	struct gate_door *d;

	if (g->door_count == GATE_LISTENERS)
		return -E2BIG;
	d = &g->door[g->door_count];
	*d = (struct gate_door){ .gate = g, .fd = fd };
	g->door_count++;
	return loop_watch(g->loop, &d->watch, fd, EPOLLIN, gate_accept);
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

static void gate_close(struct gate *g)
{
	for (unsigned int i = 0; i < g->door_count; i++) {
		loop_unwatch(g->loop, &g->door[i].watch);
		loop_untimer(g->loop, &g->door[i].rest);
	}
}

void gate_retire(struct gate *g)
{
	/* The kernel makes the connection while the SYN is written back: those
	 * of ours are in the queue by now. */
	for (unsigned int i = 0; i < g->door_count; i++)
		for (int n = 0; n < GATE_RETIRE_BURSTS; n++)
			gate_accept(&g->door[i].watch, EPOLLIN);
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
