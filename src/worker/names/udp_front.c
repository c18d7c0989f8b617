// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * udp_front.c - take queries from bound UDP sockets, answer from there
 *
 * A resolver library drops an answer that does not come from the address it
 * asked, so each answer is sent from that very address (IP_PKTINFO).
 */
#include "names/udp_front.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define TURN_MAX  64   /* datagrams of one socket in one turn of the loop */
#define QUERY_MAX 4096 /* longer ones come cut, and are malformed */

/* Room for one of the two, aligned as cmsg(3) wants it. */
union pktinfo {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

void udp_front_init(struct udp_front *f, struct way *way, asker_fn *fn,
		    void *ctx)
{
	*f = (struct udp_front){
		.loop = way->loop,
		.connector = way->connector,
		.fn = fn,
		.ctx = ctx,
	};
}

void udp_front_fini(struct udp_front *f)
{
	for (unsigned int i = 0; i < f->count; i++) {
		loop_unwatch(f->loop, &f->door[i].watch);
		fd_close(&f->door[i].fd);
	}
	f->count = 0;
}

/** asked_get() - The address that a datagram was sent to; no port */
static struct addr asked_get(struct msghdr *m)
{
	struct addr none = { .family = AF_UNSPEC };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return addr_from_ip4(&info.ipi_addr, 0);
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return addr_from_ip6(&info.ipi6_addr, 0);
		}
	}
	return none;
}

/** door_recv() - Take one query. Return: 0 or -errno */
static int door_recv(struct udp_door *d)
{
	uint8_t buf[QUERY_MAX];
	struct sockaddr_storage ss = { 0 };
	union pktinfo info;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr m = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = info.room,
		.msg_controllen = sizeof(info.room),
	};
	struct asker who = {
		.kind = ASKER_SOCKET,
		.slot = (unsigned int)(d - d->front->door),
	};
	const ssize_t n = recvmsg(d->fd, &m, 0);

	if (n < 0)
		return -errno;
	addr_from_sock(&who.from, &ss);
	who.asked = asked_get(&m);
	if (addr_size(&who.from) > 0)
		(void)d->front->fn(d->front->ctx, &who, buf, (size_t)n);
	return 0;
}

static void door_ready(struct watch *w, uint32_t events)
{
	struct udp_door *d = container_of(w, struct udp_door, watch);
	int rc = 0;

	(void)events;
	for (int i = 0; i < TURN_MAX && rc != -EAGAIN; i++)
		rc = door_recv(d); /* other errors are of earlier answers */
}

int udp_front_add(struct udp_front *f, int fd)
{
	struct udp_door *d = &f->door[f->count];
	auto_fd own = fd;
	int rc;

	if (f->count == UDP_FRONT_DOORS)
		return -ENOSPC;
	*d = (struct udp_door){ .front = f, .fd = -1 };
	rc = fd_nonblock(fd);
	if (rc == 0)
		rc = loop_watch(f->loop, &d->watch, fd, EPOLLIN, door_ready);
	if (rc < 0)
		return rc;
	d->fd = fd_take(&own);
	f->count++;
	return 0;
}

void udp_front_reply(struct udp_front *f, const struct asker *who,
		     const void *msg, size_t len)
{
	connector_say(f->connector, f->door[who->slot].fd, &who->asked,
		      &who->from, msg, len);
}
