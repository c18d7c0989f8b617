// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * echo.c - ICMP echo
 *
 * A direct way sends the ping on from the host by an unprivileged ping socket
 * (ICMP datagram socket, net.ipv4.ping_group_range) and brings the real
 * answer. A proxy cannot carry ICMP: the program is told "prohibited" at once.
 * Only the gateway, which is this very process, answers by itself.
 */
#include "flow/echo.h"

#include "flow/route.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ICMP4_ECHO	 8
#define ICMP6_ECHO	 128
#define ICMP4_ECHO_REPLY 0
#define ICMP6_ECHO_REPLY 129
#define ICMP_HEADER	 8

static void ping_end(struct ping *p)
{
	loop_unwatch(p->echo->loop, &p->watch);
	loop_untimer(p->echo->loop, &p->timer);
	(void)close(p->fd);
	p->is_used = false;
}

static void ping_expired(struct timer *t)
{
	ping_end(container_of(t, struct ping, timer));
}

static void ping_answered(struct watch *w, uint32_t events)
{
	struct ping *p = container_of(w, struct ping, watch);
	struct tun *tun = p->echo->tun;
	uint8_t answer[ECHO_ROOM + ICMP_HEADER];
	const ssize_t n = recv(p->fd, answer, sizeof(answer), 0);

	(void)events;
	if (n >= ICMP_HEADER &&
	    (answer[0] == ICMP4_ECHO_REPLY || answer[0] == ICMP6_ECHO_REPLY))
		tun_put(tun,
			packet_put_echo_reply(tun_room(tun), PACKET_MAX,
					      &p->request, answer + ICMP_HEADER,
					      (size_t)n - ICMP_HEADER));
	if (n >= 0 || errno != EAGAIN)
		ping_end(p);
}

static struct ping *ping_free_slot(struct echo *e)
{
	for (unsigned int i = 0; i < ECHO_MAX; i++)
		if (!e->ping[i].is_used)
			return &e->ping[i];
	return NULL;
}

/** ping_start() - Send an echo request on from the host */
static int ping_start(struct echo *e, const struct packet *req)
{
	struct ping *p = ping_free_slot(e);
	uint8_t out[ECHO_ROOM + ICMP_HEADER] = { 0 };
	const struct outer_wish wish = {
		.by = (uint16_t)e->way->by,
		.kind = OUTER_PING,
		.to = req->dst,
	};
	int fd;

	if (!p || req->payload_len > ECHO_ROOM)
		return -ENOBUFS;
	fd = way_socket(e->way, &wish);
	if (fd < 0)
		return fd;
	/* The kernel writes identifier and checksum itself. */
	out[0] = req->icmp_type;
	out[6] = (uint8_t)(req->icmp_seq >> 8);
	out[7] = (uint8_t)req->icmp_seq;
	if (req->payload_len > 0)
		memcpy(out + ICMP_HEADER, req->payload, req->payload_len);
	if (send(fd, out, ICMP_HEADER + req->payload_len, MSG_NOSIGNAL) < 0) {
		const int err = -errno;

		(void)close(fd);
		return err;
	}
	*p = (struct ping){ .echo = e, .fd = fd, .is_used = true };
	p->request = *req;
	p->request.payload = p->request.raw = NULL;
	if (loop_timer(e->loop, &p->timer, ECHO_WAIT_MS, ping_expired) < 0 ||
	    loop_watch(e->loop, &p->watch, fd, EPOLLIN, ping_answered) < 0) {
		p->watch.fd = -1;
		ping_end(p);
	}
	return 0;
}

static enum unreach echo_why(int err)
{
	if (err == -ENETUNREACH)
		return UNREACH_NET;
	if (err == -EHOSTUNREACH)
		return UNREACH_HOST;
	return UNREACH_ADMIN;
}

void echo_packet(struct echo *e, const struct packet *p)
{
	const uint8_t ask = p->dst.family == AF_INET ? ICMP4_ECHO : ICMP6_ECHO;
	enum unreach why = UNREACH_ADMIN;
	struct addr to = p->dst;
	int rc;

	if (p->icmp_type != ask || addr_is_multicast(&p->dst))
		return; /* never answer an error with an error */
	if (route_is_gateway(&p->dst)) {
		tun_put(e->tun,
			packet_put_echo_reply(tun_room(e->tun), PACKET_MAX, p,
					      p->payload, p->payload_len));
		return;
	}
	/* The same addresses are odd for a ping as for a connection. */
	to.port = 7;
	if (e->way->count == 1 && e->way->hop[0].kind == HOP_DIRECT &&
	    route_may_leave(e->plan, &(struct dest){ .addr = to }) &&
	    route_decide(e->plan, &to, true).verdict == ROUTE_WAY) {
		rc = ping_start(e, p);
		if (rc == 0 || rc == -ENOBUFS)
			return;
		why = echo_why(rc);
	}
	tun_put(e->tun,
		packet_put_unreach(tun_room(e->tun), PACKET_MAX, why, p));
}

void echo_stop(struct echo *e)
{
	for (unsigned int i = 0; i < ECHO_MAX; i++)
		if (e->ping[i].is_used)
			ping_end(&e->ping[i]);
}
