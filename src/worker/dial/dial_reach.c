// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_reach.c - a connection to the first hop, or to the far end itself
 *
 * Addresses are tried in turn: the next one after a failure, or when one has
 * been silent for a while. Ends in dial_talk_begin() for a proxy, in
 * dial_end() for a direct way and when nothing can be reached.
 */
#include "dial/dial_own.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* How long an address may be silent while others wait: SYNs were sent after
 * 0 and 1 s by then. */
#define REACH_TRY_MS	 2500
/* Between two tries at a unix listener whose backlog is full: the kernel
 * offers nothing to wait on. */
#define REACH_BACKLOG_MS 50

static void dial_reach_next(struct dial *d);

static void dial_on_event(struct watch *w, uint32_t events)
{
	struct dial *d = container_of(w, struct dial, watch);

	(void)events; /* asking the socket tells more */
	if (d->state == DIAL_AT_CONNECT)
		dial_reach_event(d);
	while (d->state != DIAL_AT_CONNECT && d->state != DIAL_AT_END)
		if (dial_talk_step(d) == -EAGAIN)
			break;
}

static int dial_reach_watch(struct dial *d)
{
	/* Both directions, each change once: no EPOLL_CTL_MOD on the walk.
	 * Every step reads or writes until it is told to wait. */
	return loop_watch(d->way->loop, &d->watch, d->stream.fd,
			  EPOLLIN | EPOLLOUT | EPOLLET, dial_on_event);
}

static void dial_reach_drop(struct dial *d)
{
	if (d->ask)
		connector_forget(d->ask);
	d->ask = NULL;
	loop_unwatch(d->way->loop, &d->watch);
	stream_close(&d->stream);
}

/* A refusal says more than a silence or a missing route. */
static void dial_reach_note(struct dial *d, int err)
{
	if (d->err != -ECONNREFUSED)
		d->err = err;
}

static const char *dial_reach_text(int err)
{
	switch (-err) {
	case ECONNREFUSED:
		return "connection refused";
	case ETIMEDOUT:
		return "no answer to connect";
	case EHOSTUNREACH:
		return "no route to it";
	case ENETUNREACH:
		return "network unreachable";
	default:
		return strerror(-err);
	}
}

/* What a dead proxy looks like to the program inside */
static int dial_reach_errno(int err)
{
	switch (-err) {
	case ENOENT: /* no unix socket there: nobody listens */
	case ECONNREFUSED:
		return -ECONNREFUSED;
	case ENETUNREACH:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return err;
	default:
		return -EHOSTUNREACH;
	}
}

static void dial_reach_fail(struct dial *d)
{
	if (dial_hop(d)->kind == HOP_DIRECT) {
		/* All other reasons are the far end's. */
		if (d->err == -ENODEV)
			dial_blame(d, WAY_UNREACHED,
				   "there is no such interface; nothing was "
				   "sent around it");
		dial_end(d, d->err);
		return;
	}
	dial_blame(d, WAY_UNREACHED, "%s; nothing was sent around it",
		   dial_reach_text(d->err));
	dial_end(d, dial_reach_errno(d->err));
}

static void dial_reach_done(struct dial *d)
{
	if (dial_hop(d)->kind != HOP_DIRECT) {
		dial_talk_begin(d);
		return;
	}
	d->bound = d->addr[d->addr_next - 1];
	dial_end(d, 0);
}

/** dial_reach_take() - Go on with a socket, or not with an error */
static int dial_reach_take(struct dial *d, int fd)
{
	if (fd < 0)
		return fd;
	d->stream.fd = fd;
	return dial_reach_watch(d);
}

/* A unix connect is done at once, or never. */
static void dial_reach_path_done(struct dial *d, int rc)
{
	if (rc == 0) {
		dial_talk_begin(d);
		return;
	}
	dial_reach_drop(d);
	d->err = rc;
	if (rc == -EAGAIN) {
		d->try_due = d->way->loop->now_ms + REACH_BACKLOG_MS;
		dial_enter(d, DIAL_AT_CONNECT);
		return;
	}
	dial_reach_fail(d);
}

static void dial_reach_given(void *ctx, int fd)
{
	struct dial *d = ctx;
	int rc;

	d->ask = NULL;
	rc = dial_reach_take(d, fd);
	if (dial_hop(d)->path[0] != '\0') {
		dial_reach_path_done(d, rc);
	} else if (rc < 0) {
		dial_reach_note(d, rc);
		dial_reach_next(d);
	}
}

/** dial_reach_connect() - Connect, or ask for what does (@d->ask is set) */
static int dial_reach_connect(struct dial *d, enum outer_kind kind,
			      const struct addr *to)
{
	const struct way *w = d->way;
	const struct outer_wish wish = {
		.by = (uint16_t)w->by,
		.kind = (uint16_t)kind,
		.to = *to,
	};

	if (w->connector)
		return connector_ask(w->connector, &wish, dial_reach_given, d,
				     &d->ask);
	return dial_reach_take(d, way_socket(w, &wish));
}

static void dial_reach_path(struct dial *d)
{
	const struct addr nowhere = { 0 };
	const int rc = dial_reach_connect(d, OUTER_UNIX, &nowhere);

	if (!d->ask) {
		dial_reach_path_done(d, rc);
		return;
	}
	d->try_due = d->reach_due;
	dial_enter(d, DIAL_AT_CONNECT);
}

static void dial_reach_next(struct dial *d)
{
	const uint64_t now = d->way->loop->now_ms;

	dial_reach_drop(d);
	if (dial_hop(d)->path[0] != '\0') {
		dial_reach_path(d);
		return;
	}
	while (d->addr_next < d->addr_count) {
		const struct addr *a = &d->addr[d->addr_next++];
		const int rc = dial_reach_connect(d, OUTER_TCP, a);

		if (rc == 0) {
			d->try_due = d->addr_next < d->addr_count
					     ? now + REACH_TRY_MS
					     : d->reach_due;
			dial_enter(d, DIAL_AT_CONNECT);
			return;
		}
		dial_reach_drop(d);
		dial_reach_note(d, rc);
	}
	dial_reach_fail(d);
}

static void dial_reach_found(void *ctx, int err, const struct addr *addr,
			     unsigned int count)
{
	struct dial *d = ctx;

	d->lookup = NULL;
	if (err != 0) {
		dial_end(d, err);
		return;
	}
	for (unsigned int i = 0; i < count && i < RESOLVE_ADDRS; i++) {
		d->hosts[i] = addr[i];
		d->hosts[i].port = d->to.addr.port;
		d->addr_count = i + 1;
	}
	d->addr = d->hosts;
	dial_reach_next(d);
}

static void dial_reach_direct(struct dial *d)
{
	int rc;

	d->reach_due = d->total_due;
	if (d->to.addr.family != AF_UNSPEC) {
		d->addr = &d->to.addr;
		d->addr_count = 1;
		dial_reach_next(d);
		return;
	}
	if (!d->way->resolver) {
		dial_end(d, -EAFNOSUPPORT);
		return;
	}
	rc = resolve_start(d->way->resolver, d->to.name, dial_reach_found, d,
			   &d->lookup);
	if (rc < 0)
		dial_end(d, rc);
	else
		dial_enter(d, DIAL_AT_LOOKUP);
}

void dial_reach_begin(struct dial *d)
{
	const struct hop *h = dial_hop(d);

	d->err = -EHOSTUNREACH;
	if (h->kind == HOP_DIRECT) {
		dial_reach_direct(d);
		return;
	}
	d->reach_due = d->way->loop->now_ms + DIAL_CONNECT_MS;
	if (d->reach_due > d->total_due)
		d->reach_due = d->total_due;
	d->addr = h->addr;
	d->addr_count = h->addr_count;
	dial_reach_next(d);
}

void dial_reach_event(struct dial *d)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(d->stream.fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err == 0) {
		dial_reach_done(d);
		return;
	}
	dial_reach_note(d, -err);
	dial_reach_next(d);
}

void dial_reach_timeout(struct dial *d)
{
	if (d->way->loop->now_ms < d->reach_due) {
		if (d->stream.fd >= 0)
			dial_reach_note(d, -ETIMEDOUT);
		dial_reach_next(d);
		return;
	}
	dial_reach_drop(d);
	dial_reach_note(d, -ETIMEDOUT);
	dial_reach_fail(d);
}
