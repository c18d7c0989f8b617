// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gate_accept.c - connections that the kernel has made of SYNs given back
 *
 * Each is paired with its flow by the four-tuple, or belongs to a service at
 * the gateway's address.
 */
#include "flow/gate_own.h"
#include "flow/route.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Accepts in one turn before other fds get theirs. */
#define GATE_BURST	   64
/* No fds left: let flows end before accepting again. */
#define GATE_REST_MS	   100
/* Of accepts, when a worker retires: as many as a listener holds (4096). */
#define GATE_RETIRE_BURSTS 64

void gate_reset(int fd)
{
	const struct linger hard = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(fd);
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

static void gate_rested(struct timer *t)
{
	struct gate_door *d = container_of(t, struct gate_door, rest);

	loop_want(d->gate->loop, &d->watch, EPOLLIN);
}

/** gate_accept_one() - Return: whether there may be more */
static bool gate_accept_one(struct gate_door *d)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	const int fd = accept4(d->fd, (struct sockaddr *)&peer, &len,
			       SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		gate_accepted(d->gate, fd, &peer);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		loop_want(d->gate->loop, &d->watch, 0);
		(void)loop_timer(d->gate->loop, &d->rest, GATE_REST_MS,
				 gate_rested);
	}
	return errno == ECONNABORTED || errno == EINTR;
}

static void gate_accept(struct watch *w, uint32_t events)
{
	struct gate_door *d = container_of(w, struct gate_door, watch);

	(void)events;
	for (int i = 0; i < GATE_BURST && gate_accept_one(d); i++)
		;
}

void gate_accept_given(struct gate *g, uint16_t family)
{
	for (unsigned int i = 0; i < g->door_count; i++)
		if (g->door[i].family == family && g->door[i].watch.events)
			(void)gate_accept_one(&g->door[i]);
}

int gate_listen(struct gate *g, int fd)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	struct gate_door *d;

	if (g->door_count == GATE_LISTENERS)
		return -E2BIG;
	d = &g->door[g->door_count];
	if (getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		return -errno;
	*d = (struct gate_door){ .gate = g, .fd = fd, .family = own.ss_family };
	g->door_count++;
	return loop_watch(g->loop, &d->watch, fd, EPOLLIN, gate_accept);
}

void gate_accept_rest(struct gate *g)
{
	/* The kernel makes the connection while the SYN is written back: those
	 * of ours are in the queue by now. */
	for (unsigned int i = 0; i < g->door_count; i++)
		for (int n = 0; n < GATE_RETIRE_BURSTS; n++)
			gate_accept(&g->door[i].watch, EPOLLIN);
}

void gate_close(struct gate *g)
{
	for (unsigned int i = 0; i < g->door_count; i++) {
		loop_unwatch(g->loop, &g->door[i].watch);
		loop_untimer(g->loop, &g->door[i].rest);
	}
}
