// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outlet_socks.c - UDP through a SOCKS5 proxy (RFC 1928, 7)
 *
 * Opened with a dial for UDP ASSOCIATE; meanwhile datagrams are queued. Then a
 * UDP socket connected to the relay carries them, and the TCP stream is only
 * watched: when it ends, so does the association. The relay's address is the
 * proxy's own: whatever the reply says, only its port is taken, so that a
 * reply can neither lead traffic astray nor fail for an address behind NAT.
 */
#include "dial/outlet_own.h"

#include "base/broken.h"
#include "base/fd.h"
#include "dial/dial.h"
#include "wire/socks5.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/**
 * enum outlet_socks_state - what an association waits for
 *
 * Neither asking nor open needs a deadline of ours: the dial has its own, and
 * the owner closes what is idle.
 */
enum outlet_socks_state {
	OUTLET_ASKING, /* @dial is alive; datagrams are queued */
	OUTLET_OPEN,   /* @stream and @fd are alive */
	OUTLET_DEAD, /* @err says why; the owner is told or will be by @task */
};

struct outlet_socks {
	struct outlet base;
	enum outlet_socks_state state;
	struct dial *dial;
	struct stream stream;
	int fd;
	struct watch stream_watch;
	struct watch watch;
	struct task task;
	struct outlet_queue queue;
	int err;
};

static struct outlet_socks *outlet_socks_of(struct outlet *o)
{
	return container_of(o, struct outlet_socks, base);
}

static void outlet_socks_shut(struct outlet_socks *o)
{
	struct loop *loop = o->base.way->loop;

	loop_unwatch(loop, &o->stream_watch);
	loop_unwatch(loop, &o->watch);
	loop_undefer(loop, &o->task);
	if (o->dial)
		dial_cancel(o->dial);
	o->dial = NULL;
	stream_close(&o->stream);
	fd_close(&o->fd);
}

static void outlet_socks_tell(struct task *t)
{
	struct outlet_socks *o = container_of(t, struct outlet_socks, task);
	struct outlet_user *u = o->base.user;
	const bool has_lost = o->queue.count > 0;

	outlet_socks_shut(o);
	outlet_queue_clear(&o->queue);
	outlet_enter(&o->base);
	if (has_lost)
		u->refused(u, NULL, o->err, 0);
	if (!o->base.is_closed)
		u->closed(u, o->err);
	(void)outlet_leave(&o->base);
}

/* The owner hears of it in a task, which also closes the sockets: this may be
 * called while the owner sends, or while datagrams are read. */
static void outlet_socks_die(struct outlet_socks *o, int err)
{
	if (o->state == OUTLET_DEAD)
		return;
	o->state = OUTLET_DEAD;
	o->err = err;
	loop_unwatch(o->base.way->loop, &o->stream_watch);
	loop_unwatch(o->base.way->loop, &o->watch);
	loop_defer(o->base.way->loop, &o->task, outlet_socks_tell);
}

static int outlet_socks_write(struct outlet_socks *o, const struct dest *to,
			      const void *data, size_t len)
{
	uint8_t head[SOCKS5_REPLY_MAX];
	struct wr w = wr_of(head, sizeof(head));
	struct iovec iov[2] = { { .iov_base = head } };
	int err;

	if (!socks5_udp_put(&w, to))
		return -EMSGSIZE;
	iov[0].iov_len = wr_used(&w);
	memcpy(&iov[1].iov_base, &data, sizeof(data)); /* only read from */
	iov[1].iov_len = len;
	/* sendmsg(2) could name another destination, so that a worker may not
	 * call it; the socket is connected and non-blocking. */
	if (writev(o->fd, iov, 2) >= 0)
		return 0;
	err = -errno;
	if (err == -EMSGSIZE)
		return err;
	/* Anything else is about the relay, not about @to. */
	if (!outlet_is_soft(err))
		outlet_socks_die(o, err);
	return 0;
}

static int outlet_socks_send(struct outlet *base, const struct dest *to,
			     const void *data, size_t len)
{
	struct outlet_socks *o = outlet_socks_of(base);

	switch (o->state) {
	case OUTLET_ASKING:
		return outlet_queue_put(&o->queue, to, data, len);
	case OUTLET_OPEN:
		return outlet_socks_write(o, to, data, len);
	case OUTLET_DEAD:
		break;
	}
	return -ECONNRESET;
}

/* What is no SOCKS5 datagram, or a fragment of one, is dropped. */
static void outlet_socks_take(struct outlet *base, const struct addr *from,
			      const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	struct dest peer;

	(void)from; /* the socket is connected: it is the relay */
	if (socks5_udp_get(&r, &peer) == 0)
		base->user->datagram(base->user, &peer, r.at, rd_left(&r));
}

static void outlet_socks_on_datagram(struct watch *w, uint32_t events)
{
	struct outlet_socks *o = container_of(w, struct outlet_socks, watch);
	int rc;

	(void)events;
	outlet_enter(&o->base);
	rc = outlet_receive(&o->base, o->fd, outlet_socks_take);
	/* Such as ECONNREFUSED: the relay is no more. */
	if (outlet_leave(&o->base) && rc < 0)
		outlet_socks_die(o, rc);
}

/* Nothing is said on it any more; what is, is dropped. */
static void outlet_socks_on_stream(struct watch *w, uint32_t events)
{
	struct outlet_socks *o =
		container_of(w, struct outlet_socks, stream_watch);
	uint8_t junk[512];
	const ssize_t n = stream_read(&o->stream, junk, sizeof(junk));

	(void)events;
	if (n == 0 || (n < 0 && n != -EAGAIN))
		outlet_socks_die(o, -ECONNRESET);
}

static int outlet_socks_relay(const struct outlet_socks *o,
			      const struct addr *bound, struct addr *ret)
{
	static const uint8_t loop4[4] = { 127, 0, 0, 1 };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (bound->port == 0)
		return -EIO;
	if (getpeername(o->stream.fd, (void *)&ss, &len) < 0)
		return -errno;
	if (broken(BROKEN_RELAY))
		*ret = *bound;
	else if (ss.ss_family == AF_UNIX && bound->family == AF_INET6)
		*ret = addr_from_ip6(&in6addr_loopback, 0);
	else if (ss.ss_family == AF_UNIX)
		*ret = addr_from_ip4(loop4, 0);
	else
		addr_from_sock(ret, &ss);
	ret->port = bound->port;
	return 0;
}

static int outlet_socks_connect(struct outlet_socks *o,
				const struct addr *bound)
{
	struct loop *loop = o->base.way->loop;
	struct addr relay;
	int rc = outlet_socks_relay(o, bound, &relay);

	if (rc < 0)
		return rc;
	rc = outlet_socket(o->base.way, OUTER_UDP, &relay);
	if (rc < 0)
		return rc;
	o->fd = rc;
	rc = loop_watch(loop, &o->watch, o->fd, EPOLLIN,
			outlet_socks_on_datagram);
	if (rc < 0)
		return rc;
	return loop_watch(loop, &o->stream_watch, o->stream.fd, EPOLLIN,
			  outlet_socks_on_stream);
}

static void outlet_socks_flush(struct outlet_socks *o)
{
	struct outlet_packet *p;

	while (o->state == OUTLET_OPEN && (p = outlet_queue_take(&o->queue))) {
		/* Too large with the header: lost, as UDP may be. */
		(void)outlet_socks_write(o, &p->to, p->data, p->len);
		free(p);
	}
}

static void outlet_socks_dialed(void *ctx, int err, struct stream s,
				const struct addr *bound)
{
	struct outlet_socks *o = ctx;

	o->dial = NULL;
	o->stream = s;
	if (err == 0)
		err = outlet_socks_connect(o, bound);
	if (err != 0) {
		outlet_socks_die(o, err);
		return;
	}
	o->state = OUTLET_OPEN;
	outlet_socks_flush(o);
}

static void outlet_socks_free(struct outlet *base)
{
	struct outlet_socks *o = outlet_socks_of(base);

	outlet_socks_shut(o);
	outlet_queue_clear(&o->queue);
	free(o);
}

static const struct outlet_kind outlet_socks_kind = {
	.send = outlet_socks_send,
	.free = outlet_socks_free,
};

struct outlet *outlet_socks_new(struct way *w, struct outlet_user *u,
				int *ret_err)
{
	struct outlet_socks *o = calloc(1, sizeof(*o));
	const struct dest nobody = { 0 };
	int rc;

	if (!o) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	o->base = (struct outlet){
		.kind = &outlet_socks_kind,
		.way = w,
		.user = u,
	};
	o->stream = STREAM_EMPTY;
	o->fd = -1;
	o->watch.fd = -1;
	o->stream_watch.fd = -1;
	outlet_queue_init(&o->queue);
	rc = dial_start(w, DIAL_ASSOCIATE, &nobody, outlet_socks_dialed, o,
			&o->dial);
	if (rc < 0) {
		free(o);
		*ret_err = rc;
		return NULL;
	}
	return &o->base;
}
