// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * front.c - UDP of an engine: the program that has a sandbox's TUN instead
 *
 * Enter with datagrams that the engine sends to a seat's address. What is in
 * them goes to udp.c as if it had come by the TUN, from an address that nobody
 * inside can have and that tells the seat; what udp.c and names answer comes
 * back by front_packet().
 */
#include "flow/front.h"

#include "base/fd.h"
#include "wire/socks5.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FRONT_BATCH    64 /* datagrams a turn */
/* Seats are 127.64.0.0 and up; FRONT_SEATS fit the last two octets. */
#define FRONT_NET_A    127
#define FRONT_NET_B    64
/* What udp.c knows a seat by: 0.64.x.y, or 100:: (RFC 6666) and x, y. */
#define FRONT_KEY_PORT 1

/**
 * struct front_seat - of one association
 * @client:  Who may send; family AF_UNSPEC until the first datagram tells it
 */
struct front_seat {
	struct front *front;
	struct addr client;
	bool is_taken;
};

/**
 * struct front - all of them
 * @port:  Of the socket
 * @next:  Where to look for a free seat: the one that was left last is taken
 *         last, so that late datagrams find nobody
 */
struct front {
	struct loop *loop;
	struct udp *udp;
	struct watch watch;
	int fd;
	uint16_t port;
	unsigned int next;
	uint8_t *room;
	struct front_seat seat[FRONT_SEATS];
};

int front_new(struct loop *loop, struct udp *udp, struct front **ret)
{
	struct front *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->loop = loop;
	f->udp = udp;
	f->watch.fd = f->fd = -1;
	f->room = malloc(PACKET_MAX);
	if (!f->room) {
		free(f);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < FRONT_SEATS; i++)
		f->seat[i].front = f;
	*ret = f;
	return 0;
}

void front_retire(struct front *f)
{
	loop_unwatch(f->loop, &f->watch);
	f->fd = -1;
}

void front_free(struct front *f)
{
	if (!f)
		return;
	front_retire(f);
	free(f->room);
	free(f);
}

/** front_seat_at() - The seat that two octets tell, or NULL */
static struct front_seat *front_seat_at(struct front *f, const uint8_t *ip)
{
	const unsigned int i = (unsigned int)(ip[0] << 8 | ip[1]);

	return i < FRONT_SEATS && f->seat[i].is_taken ? &f->seat[i] : NULL;
}

static void front_seat_put(const struct front_seat *s, uint8_t *ip)
{
	const size_t i = (size_t)(s - s->front->seat);

	ip[0] = (uint8_t)(i >> 8);
	ip[1] = (uint8_t)i;
}

/** front_key() - Who this is to udp.c: an endpoint of @family */
static struct addr front_key(const struct front_seat *s, uint16_t family)
{
	struct addr a = { .family = family, .port = FRONT_KEY_PORT };

	if (family == AF_INET) {
		a.ip[1] = FRONT_NET_B;
		front_seat_put(s, a.ip + 2);
	} else {
		a.ip[0] = 1;
		front_seat_put(s, a.ip + 14);
	}
	return a;
}

/** front_hear() - One datagram of the engine's, to the seat at @ip */
static void front_hear(struct front *f, const uint8_t *ip,
		       const struct addr *from, size_t len)
{
	struct front_seat *s = ip[0] == FRONT_NET_A && ip[1] == FRONT_NET_B
				       ? front_seat_at(f, ip + 2)
				       : NULL;
	struct rd r = rd_of(f->room, len);
	struct packet p = { .proto = IPPROTO_UDP };
	struct dest to;

	if (!s || socks5_udp_get(&r, &to) < 0 || to.name[0] != '\0')
		return;
	if (s->client.family == AF_UNSPEC)
		s->client = *from;
	if (!addr_equal(&s->client, from))
		return;
	p.src = front_key(s, to.addr.family);
	p.dst = to.addr;
	p.payload = r.at;
	p.payload_len = rd_left(&r);
	udp_datagram(f->udp, &p);
}

/** front_told() - The address a datagram was sent to, or NULL */
static const struct in_pktinfo *front_told(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			return (const void *)CMSG_DATA(c);
	return NULL;
}

static void front_event(struct watch *w, uint32_t events)
{
	struct front *f = container_of(w, struct front, watch);

	(void)events;
	for (int i = 0; i < FRONT_BATCH && f->fd >= 0; i++) {
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
		} control;
		struct sockaddr_storage ss;
		struct iovec iov = { f->room, PACKET_MAX };
		struct msghdr m = {
			.msg_name = &ss,
			.msg_namelen = sizeof(ss),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		const ssize_t n = recvmsg(f->fd, &m, MSG_DONTWAIT);
		const struct in_pktinfo *at;
		struct addr from;
		uint8_t ip[4];

		if (n < 0 && errno == EAGAIN)
			return;
		at = n < 0 ? NULL : front_told(&m);
		if (!at)
			continue; /* an ICMP error of something sent before */
		memcpy(ip, &at->ipi_addr, sizeof(ip));
		addr_from_sock(&from, &ss);
		front_hear(f, ip, &from, (size_t)n);
	}
}

int front_listen(struct front *f, int fd)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(ss);
	struct addr at;

	if (f->fd >= 0)
		return -EPROTO;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	addr_from_sock(&at, &ss);
	f->port = at.port;
	f->fd = fd;
	return loop_watch(f->loop, &f->watch, fd, EPOLLIN, front_event);
}

int front_sit(struct front *f, struct front_seat **ret, struct addr *ret_bound)
{
	if (f->fd < 0)
		return -EOPNOTSUPP;
	for (unsigned int i = 0; i < FRONT_SEATS; i++) {
		struct front_seat *s = &f->seat[f->next++ % FRONT_SEATS];

		if (s->is_taken)
			continue;
		s->is_taken = true;
		s->client = (struct addr){ .family = AF_UNSPEC };
		*ret_bound = (struct addr){
			.family = AF_INET,
			.port = f->port,
			.ip = { FRONT_NET_A, FRONT_NET_B },
		};
		front_seat_put(s, ret_bound->ip + 2);
		*ret = s;
		return 0;
	}
	return -EAGAIN;
}

void front_leave(struct front_seat *seat)
{
	struct addr key;

	if (!seat)
		return;
	key = front_key(seat, AF_INET);
	udp_forget(seat->front->udp, &key);
	key = front_key(seat, AF_INET6);
	udp_forget(seat->front->udp, &key);
	seat->is_taken = false;
}

/** front_send() - One datagram to the engine, from the address it knows the
 * seat by */
static void front_send(struct front *f, const struct front_seat *s,
		       const struct packet *p)
{
	static uint8_t said[SOCKS5_REPLY_MAX + PACKET_MAX];
	uint8_t ip[4] = { FRONT_NET_A, FRONT_NET_B };
	struct wr w = wr_of(said, sizeof(said));
	const struct dest from = { .addr = p->src };
	struct addr at;

	if (!socks5_udp_put(&w, &from))
		return;
	wr_bytes(&w, p->payload, p->payload_len);
	front_seat_put(s, ip + 2);
	at = addr_from_ip4(ip, 0);
	connector_say(f->udp->way->connector, f->fd, &at, &s->client, said,
		      wr_used(&w));
}

void front_packet(void *front, const struct packet *p)
{
	struct front *f = front;
	const struct front_seat *s;

	if (p->proto != IPPROTO_UDP || f->fd < 0 ||
	    p->dst.port != FRONT_KEY_PORT)
		return;
	s = front_seat_at(f, p->dst.ip + (p->dst.family == AF_INET ? 2 : 14));
	if (s && s->client.family != AF_UNSPEC)
		front_send(f, s, p);
}
