// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_udp.c - a SOCKS5 UDP association, from the server's side
 *
 * One UDP socket towards the client, one outlet towards the world: every peer
 * may answer (full cone). It lives as long as the client's TCP connection;
 * the outlet is opened by the first datagram and closed when nothing has come
 * or gone for SERVER_UDP_IDLE_MS.
 */
#include "flow/server_udp.h"

#include "base/fd.h"
#include "dial/outlet.h"
#include "flow/client.h"
#include "wire/socks5.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define UDP_BATCH 64 /* datagrams a turn */

/**
 * struct server_udp - an association
 * @fd:       Unconnected; owned
 * @client:   The one who may send; port 0 until the first datagram tells it
 * @user:     For the outlet's callbacks
 * @outlet:   NULL while idle
 * @idle:     Runs while there is an outlet
 * @used_ms:  When a datagram last came or went
 */
struct server_udp {
	struct server *server;
	int fd;
	struct watch watch;
	struct addr client;
	struct outlet_user user;
	struct outlet *outlet;
	struct timer idle;
	uint64_t used_ms;
};

static void udp_forget_outlet(struct server_udp *u)
{
	loop_untimer(u->server->loop, &u->idle);
	outlet_close(u->outlet);
	u->outlet = NULL;
}

void server_udp_close(struct server_udp *u)
{
	if (!u)
		return;
	udp_forget_outlet(u);
	loop_unwatch(u->server->loop, &u->watch);
	fd_close(&u->fd);
	free(u);
}

static void udp_idle(struct timer *t)
{
	struct server_udp *u = container_of(t, struct server_udp, idle);
	struct loop *loop = u->server->loop;
	const uint64_t idle_ms = loop->now_ms - u->used_ms;

	if (idle_ms >= SERVER_UDP_IDLE_MS ||
	    loop_timer(loop, t, SERVER_UDP_IDLE_MS - idle_ms, udp_idle) < 0)
		udp_forget_outlet(u);
}

/* A peer's datagram goes to the client, behind a header. */
static void udp_from_peer(struct outlet_user *user, const struct dest *from,
			  const void *data, size_t len)
{
	struct server_udp *u = container_of(user, struct server_udp, user);
	uint8_t head[SOCKS5_REPLY_MAX];
	struct wr w = wr_of(head, sizeof(head));
	struct sockaddr_storage ss;
	struct iovec iov[2];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	u->used_ms = u->server->loop->now_ms;
	if (u->client.port == 0 || !socks5_udp_put(&w, from))
		return;
	iov[0] = (struct iovec){ head, wr_used(&w) };
	iov[1] = (struct iovec){ NULL, len };
	memcpy(&iov[1].iov_base, &data, sizeof(data)); /* only read from */
	msg.msg_name = &ss;
	msg.msg_namelen = addr_to_sock(&u->client, &ss);
	(void)sendmsg(u->fd, &msg, MSG_NOSIGNAL); /* UDP may lose it */
}

static void udp_refused(struct outlet_user *user, const struct addr *to,
			int err, size_t len)
{
	/* SOCKS5 has no words for it. */
	(void)user, (void)to, (void)err, (void)len;
}

static void udp_closed(struct outlet_user *user, int err)
{
	(void)err; /* the next datagram tries again */
	udp_forget_outlet(container_of(user, struct server_udp, user));
}

/* Return: whether there is one to send by */
static bool udp_need_outlet(struct server_udp *u)
{
	struct server *s = u->server;

	if (u->outlet)
		return true;
	if (outlet_open(s->way, &u->user, &u->outlet) < 0) {
		u->outlet = NULL;
		return false;
	}
	if (loop_timer(s->loop, &u->idle, SERVER_UDP_IDLE_MS, udp_idle) < 0)
		udp_forget_outlet(u);
	return u->outlet != NULL;
}

/* Only the client's host may send, and from one port. */
static bool udp_may(struct server_udp *u, const struct addr *from)
{
	if (!addr_same_host(&u->client, from))
		return false;
	return u->client.port == 0 || u->client.port == from->port;
}

static void udp_from_client(struct server_udp *u, const struct addr *from,
			    const uint8_t *buf, size_t len)
{
	struct rd r = rd_of(buf, len);
	struct dest to;

	if (!udp_may(u, from) || socks5_udp_get(&r, &to) < 0)
		return;
	u->client.port = from->port;
	u->used_ms = u->server->loop->now_ms;
	if (udp_need_outlet(u))
		(void)outlet_send(u->outlet, &to, r.at, rd_left(&r));
}

static void udp_event(struct watch *w, uint32_t events)
{
	struct server_udp *u = container_of(w, struct server_udp, watch);
	uint8_t *buf = u->server->scratch;

	(void)events;
	for (int i = 0; i < UDP_BATCH; i++) {
		struct sockaddr_storage ss;
		socklen_t ss_len = sizeof(ss);
		struct addr from;
		const ssize_t n =
			recvfrom(u->fd, buf, SERVER_SCRATCH_BYTES, MSG_DONTWAIT,
				 (struct sockaddr *)&ss, &ss_len);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			continue; /* an ICMP error of something sent before */
		addr_from_sock(&from, &ss);
		udp_from_client(u, &from, buf, (size_t)n);
	}
}

/* A socket at the address that the client's connection came to. */
static int udp_bind(struct server_udp *u, int tcp, struct addr *ret_bound)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	struct addr at;

	if (getsockname(tcp, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	addr_from_sock(&at, &ss);
	if (at.family == AF_UNSPEC)
		return -EOPNOTSUPP;
	at.port = 0;
	len = addr_to_sock(&at, &ss);
	u->fd = socket(at.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0 || bind(u->fd, (struct sockaddr *)&ss, len) < 0)
		return -errno;
	len = sizeof(ss);
	if (getsockname(u->fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	addr_from_sock(ret_bound, &ss);
	return 0;
}

static int udp_know_client(struct server_udp *u, int tcp, uint16_t port)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);

	if (getpeername(tcp, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	addr_from_sock(&u->client, &ss);
	u->client.port = port;
	return 0;
}

int server_udp_open(struct server *s, int tcp, const struct dest *hint,
		    struct server_udp **ret, struct addr *ret_bound)
{
	struct server_udp *u = calloc(1, sizeof(*u));
	const int on = 1;
	struct addr bound;
	int rc;

	if (!u)
		return -ENOMEM;
	*u = (struct server_udp){
		.server = s,
		.fd = -1,
		.watch = { .fd = -1 },
		.user = { udp_from_peer, udp_refused, udp_closed },
	};
	/* A client that vanished must not keep it for ever. */
	(void)setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	rc = udp_bind(u, tcp, &bound);
	if (rc == 0)
		rc = udp_know_client(u, tcp, hint->addr.port);
	if (rc == 0)
		rc = loop_watch(s->loop, &u->watch, u->fd, EPOLLIN, udp_event);
	if (rc < 0) {
		server_udp_close(u);
		return rc;
	}
	*ret = u;
	*ret_bound = bound;
	return 0;
}
