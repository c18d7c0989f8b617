// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * udp.c - datagrams between nsp0 and outlets
 *
 * Enter with udp_datagram(). Each inner endpoint (address and port) has one
 * association with an outlet of its own, so any peer may answer it (full cone,
 * RFC 4787 REQ-1 and REQ-8). Where the way out carries no UDP, the program gets
 * ICMP port unreachable at once.
 */
#include "flow/udp.h"

#include "base/log.h"
#include "bus/only.h"
#include "flow/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Datagrams taken from a door in one turn. */
#define UDP_DOOR_BURST 64

struct assoc_key {
	struct addr inner;
	uint16_t is_exposed; /* goes to the host itself, not by the way out */
};

/**
 * struct peer - a destination that the inner endpoint wrote to
 * @inner:    As the program sees it: maybe a lease
 * @name:     When it is a lease; owned; else NULL
 * @real:     The address that answered for the name, once known
 * @used_ms:  For replacement
 */
struct peer {
	struct addr inner;
	char *name;
	struct addr real;
	uint64_t used_ms;
};

/** struct assoc - an inner endpoint and its outlet; @has_heard: what passed
 * last came in */
struct assoc {
	struct map_node node;
	struct list age;
	struct udp *udp;
	struct assoc_key key;
	struct outlet_user user;
	struct outlet *outlet;
	uint64_t used_ms;
	bool has_heard;
	unsigned int peer_count;
	struct peer peer[UDP_PEERS];
};

static void peer_forget(struct assoc *a, struct peer *p)
{
	if (p->name)
		names_drop(a->udp->names, &p->inner);
	free(p->name);
	*p = (struct peer){ 0 };
}

static void assoc_bury(struct assoc *a)
{
	struct udp *u = a->udp;

	outlet_close(a->outlet);
	for (unsigned int i = 0; i < a->peer_count; i++)
		peer_forget(a, &a->peer[i]);
	map_del(&u->assocs, &a->node);
	list_del(&a->age);
	free(a);
}

/** assoc_unreach() - ICMP for something @a sent to @to, gone by now */
static void assoc_unreach(struct assoc *a, const struct addr *to,
			  enum unreach why, size_t len)
{
	struct tun *t = a->udp->tun;

	tun_put(t, packet_put_unreach_udp(tun_room(t), PACKET_MAX, why,
					  &a->key.inner, to, len));
}

static enum unreach udp_why(int err)
{
	switch (err) {
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
		return UNREACH_HOST;
	case -ENETUNREACH:
	case -EAFNOSUPPORT:
		return UNREACH_NET;
	case -EACCES:
	case -EPERM:
		return UNREACH_ADMIN;
	default:
		return UNREACH_PORT;
	}
}

/**
 * peer_of_reply() - Which address does the program know this sender by?
 *
 * A relay answers for a name with an address. The first answer from the right
 * port that no other peer explains is taken for the most recently used name.
 */
static struct addr peer_of_reply(struct assoc *a, const struct dest *from)
{
	struct peer *guess = NULL;

	for (unsigned int i = 0; i < a->peer_count; i++) {
		struct peer *p = &a->peer[i];

		if (from->name[0] != '\0') {
			if (p->name && p->inner.port == from->addr.port &&
			    !strcmp(p->name, from->name))
				return p->inner;
			continue;
		}
		if (addr_equal(p->real.family != AF_UNSPEC ? &p->real
							   : &p->inner,
			       &from->addr))
			return p->inner;
		if (p->name && p->real.family == AF_UNSPEC &&
		    p->inner.port == from->addr.port &&
		    (!guess || p->used_ms > guess->used_ms))
			guess = p;
	}
	if (!guess || from->name[0] != '\0')
		return from->addr;
	guess->real = from->addr;
	return guess->inner;
}

/** assoc_passes() - Something goes in, or out */
static void assoc_passes(struct assoc *a, bool is_in)
{
	if (a->has_heard != is_in)
		loop_talk(a->udp->loop);
	a->has_heard = is_in;
}

static void assoc_touch(struct assoc *a)
{
	a->used_ms = a->udp->loop->now_ms;
	list_del(&a->age);
	list_add_tail(&a->udp->by_age, &a->age);
}

/**
 * assoc_may_hear() - Could the program have written to this sender?
 *
 * A proxy says who sent a datagram. It must not pass for the sandbox's own
 * loopback, the gateway, the name server or an exposed service.
 */
static bool assoc_may_hear(const struct assoc *a, const struct addr *from)
{
	const enum route_verdict may =
		a->key.is_exposed ? ROUTE_EXPOSE : ROUTE_WAY;

	return from->family == a->key.inner.family &&
	       route_decide(a->udp->plan, from, false).verdict == may;
}

/** udp_door_answer() - Send to the sandbox by the door at @from; Return:
 * whether there is one */
static bool udp_door_answer(struct udp *u, const struct addr *from,
			    const struct addr *to, const void *data, size_t len)
{
	const struct addr bound = { 0 };

	for (unsigned int i = 0; i < u->door_count; i++) {
		if (!addr_equal(&u->door[i].at, from))
			continue;
		connector_say(u->way->connector, u->door[i].fd, &bound, to,
			      data, len);
		return true;
	}
	return false;
}

static void assoc_datagram(struct outlet_user *user, const struct dest *from,
			   const void *data, size_t len)
{
	struct assoc *a = container_of(user, struct assoc, user);
	const struct addr inner = peer_of_reply(a, from);
	struct tun *t = a->udp->tun;

	/* Only what was sent out keeps an association alive (RFC 4787,
	 * REQ-6): a stranger's datagrams do not. */
	if (!assoc_may_hear(a, &inner))
		return;
	assoc_passes(a, true);
	if (addr_is_loopback(&inner) &&
	    udp_door_answer(a->udp, &inner, &a->key.inner, data, len))
		return;
	tun_put(t, packet_put_udp(tun_room(t), PACKET_MAX, &inner,
				  &a->key.inner, data, len));
}

static void assoc_refused(struct outlet_user *user, const struct addr *to,
			  int err, size_t len)
{
	struct assoc *a = container_of(user, struct assoc, user);
	const uint64_t now_ms = a->udp->loop->now_ms;
	const struct dest from = { .addr = to ? *to : (struct addr){ 0 } };
	struct addr inner;

	if (to) {
		inner = peer_of_reply(a, &from);
		if (inner.family == a->key.inner.family)
			assoc_unreach(a, &inner, udp_why(err), len);
		return;
	}
	/* What was queued is lost: whoever waits for an answer is told. */
	for (unsigned int i = 0; i < a->peer_count; i++)
		if (now_ms - a->peer[i].used_ms < 2 * DIAL_MS)
			assoc_unreach(a, &a->peer[i].inner, UNREACH_PORT, 0);
}

static void assoc_closed(struct outlet_user *user, int err)
{
	struct assoc *a = container_of(user, struct assoc, user);

	/* The next datagram makes a new one; if the way refused to carry UDP
	 * at all, it is told so at once for a while. */
	if (err == -EOPNOTSUPP || err == -EACCES || err == -ECONNREFUSED ||
	    err == -EHOSTUNREACH)
		a->udp->sulk_until_ms = a->udp->loop->now_ms + UDP_SULK_MS;
	assoc_bury(a);
}

static struct assoc *assoc_find(struct udp *u, const struct assoc_key *key)
{
	struct map_node *n =
		map_find(&u->assocs, map_hash(&u->assocs, key, sizeof(*key)));

	for (; n; n = map_again(n)) {
		struct assoc *a = container_of(n, struct assoc, node);

		if (!memcmp(&a->key, key, sizeof(*key)))
			return a;
	}
	return NULL;
}

void udp_forget(struct udp *u, const struct addr *inner)
{
	for (uint16_t is_exposed = 0; is_exposed < 2; is_exposed++) {
		const struct assoc_key key = { *inner, is_exposed };
		struct assoc *a = u->assocs.bucket ? assoc_find(u, &key) : NULL;

		if (a)
			assoc_bury(a);
	}
}

static int assoc_open(struct udp *u, const struct assoc_key *key,
		      struct assoc **ret)
{
	struct assoc *a;
	int rc;

	if (u->assocs.count >= UDP_MAX)
		assoc_bury(container_of(u->by_age.next, struct assoc, age));
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->udp = u;
	a->key = *key;
	a->user = (struct outlet_user){
		.datagram = assoc_datagram,
		.refused = assoc_refused,
		.closed = assoc_closed,
	};
	rc = outlet_open(key->is_exposed ? u->direct : u->way, &a->user,
			 &a->outlet);
	if (rc < 0) {
		free(a);
		return rc;
	}
	map_put(&u->assocs, &a->node, map_hash(&u->assocs, key, sizeof(*key)));
	list_add_tail(&u->by_age, &a->age);
	*ret = a;
	return 0;
}

/** assoc_peer() - Remember whom @a writes to; replaces the longest unused */
static struct peer *assoc_peer(struct assoc *a, const struct addr *inner)
{
	struct peer *oldest = &a->peer[0];

	for (unsigned int i = 0; i < a->peer_count; i++) {
		struct peer *p = &a->peer[i];

		if (addr_equal(&p->inner, inner))
			return p;
		if (p->used_ms < oldest->used_ms)
			oldest = p;
	}
	if (a->peer_count < UDP_PEERS)
		oldest = &a->peer[a->peer_count++];
	else
		peer_forget(a, oldest);
	*oldest = (struct peer){ .inner = *inner };
	return oldest;
}

/** assoc_dest() - What the outlet is told for an inner destination */
static int assoc_dest(struct assoc *a, const struct addr *dst, struct dest *to)
{
	struct udp *u = a->udp;
	struct peer *p = assoc_peer(a, dst);

	const struct addr *alias = route_alias(u->plan, dst);

	p->used_ms = u->loop->now_ms;
	*to = (struct dest){ .addr = alias ? *alias : *dst };
	if (alias)
		p->real = *alias;
	if (alias || !names_is_leasable(dst))
		return 0;
	if (!names_of_lease(u->names, dst, to->name))
		return -EHOSTUNREACH;
	to->addr = (struct addr){ .port = dst->port };
	if (p->name && !strcmp(p->name, to->name))
		return 0;
	if (!p->name)
		names_hold(u->names, dst);
	free(p->name);
	p->real = (struct addr){ 0 };
	p->name = strdup(to->name);
	if (!p->name)
		names_drop(u->names, dst);
	return p->name ? 0 : -ENOMEM;
}

/** udp_may_leave() - Does the plan's list of names let it? */
static bool udp_may_leave(struct udp *u, const struct addr *dst)
{
	struct dest to = { .addr = *dst };

	if (!only_is_set(u->plan))
		return true; /* no look-up for each datagram */
	if (names_is_leasable(dst))
		(void)names_of_lease(u->names, dst, to.name);
	return route_may_leave(u->plan, &to);
}

static int udp_send(struct udp *u, const struct packet *p, bool is_exposed)
{
	const struct assoc_key key = { .inner = p->src,
				       .is_exposed = is_exposed };
	struct assoc *a = assoc_find(u, &key);
	struct dest to;
	int rc;

	if (!is_exposed && !udp_may_leave(u, &p->dst))
		return -EACCES;
	if (!a) {
		if (!is_exposed && u->loop->now_ms < u->sulk_until_ms)
			return -EOPNOTSUPP;
		rc = assoc_open(u, &key, &a);
		if (rc < 0)
			return rc;
	}
	assoc_touch(a);
	assoc_passes(a, false);
	rc = assoc_dest(a, &p->dst, &to);
	if (rc < 0)
		return rc;
	return outlet_send(a->outlet, &to, p->payload, p->payload_len);
}

static void udp_refuse(struct udp *u, enum unreach why, const struct packet *p)
{
	tun_put(u->tun,
		packet_put_unreach(tun_room(u->tun), PACKET_MAX, why, p));
}

void udp_datagram(struct udp *u, const struct packet *p)
{
	const struct route r = route_decide(u->plan, &p->dst, false);
	int rc;

	switch (r.verdict) {
	case ROUTE_NAMES:
		names_datagram(u->names, &p->src, &p->dst, p->payload,
			       p->payload_len);
		return;
	case ROUTE_DROP:
		return;
	case ROUTE_REFUSE:
		/* A host or net unreachable is a soft error to a UDP socket:
		 * recv() would wait on. A port unreachable is told at once. */
		udp_refuse(u, UNREACH_PORT, p);
		return;
	case ROUTE_WAY:
	case ROUTE_EXPOSE:
		rc = udp_send(u, p, r.verdict == ROUTE_EXPOSE);
		/* A full queue is a lost datagram, as on any network. */
		if (rc < 0 && rc != -ENOBUFS && rc != -EAGAIN &&
		    rc != -EMSGSIZE)
			udp_refuse(u, UNREACH_PORT, p);
		return;
	case ROUTE_SERVER:
	case ROUTE_VERDICTS:
		udp_refuse(u, UNREACH_PORT, p);
	}
}

static void udp_door_read(struct watch *w, uint32_t events)
{
	struct udp_door *d = container_of(w, struct udp_door, watch);
	struct packet p = { .proto = IPPROTO_UDP, .dst = d->at };

	(void)events;
	for (int i = 0; i < UDP_DOOR_BURST; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		/* The TUN's room is free between two packets. */
		const ssize_t n =
			recvfrom(d->fd, tun_room(d->udp->tun), PACKET_MAX, 0,
				 (struct sockaddr *)&ss, &len);

		if (n < 0)
			return;
		addr_from_sock(&p.src, &ss);
		p.payload = tun_room(d->udp->tun);
		p.payload_len = (size_t)n;
		(void)udp_send(d->udp, &p, true); /* lost, then */
	}
}

int udp_listen(struct udp *u, int fd, unsigned int index)
{
	struct udp_door *d;

	if (index >= u->plan->expose_count || u->door_count == PLAN_EXPOSE)
		return -EPROTO;
	d = &u->door[u->door_count++];
	*d = (struct udp_door){
		.udp = u,
		.at = u->plan->expose[index].addr,
		.fd = fd,
	};
	return loop_watch(u->loop, &d->watch, fd, EPOLLIN, udp_door_read);
}

static void udp_sweep(struct timer *t)
{
	struct udp *u = container_of(t, struct udp, sweep);

	while (!list_empty(&u->by_age)) {
		struct assoc *a =
			container_of(u->by_age.next, struct assoc, age);

		if (u->loop->now_ms - a->used_ms < UDP_IDLE_MS)
			break;
		assoc_bury(a);
	}
	/* Without memory for a timer nothing idles out; caps still hold. */
	(void)loop_timer(u->loop, &u->sweep, UDP_IDLE_MS / 8, udp_sweep);
}

int udp_start(struct udp *u)
{
	int rc;

	list_init(&u->by_age);
	rc = map_init(&u->assocs, 1024);
	if (rc < 0)
		return rc;
	return loop_timer(u->loop, &u->sweep, UDP_IDLE_MS / 8, udp_sweep);
}

void udp_stop(struct udp *u)
{
	if (!u->assocs.bucket)
		return;
	loop_untimer(u->loop, &u->sweep);
	for (unsigned int i = 0; i < u->door_count; i++)
		loop_unwatch(u->loop, &u->door[i].watch);
	while (!list_empty(&u->by_age))
		assoc_bury(container_of(u->by_age.next, struct assoc, age));
	map_fini(&u->assocs);
}
