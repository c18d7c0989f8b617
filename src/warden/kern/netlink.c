// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * netlink.c - a batch of requests to the kernel, and which of them failed
 *
 * Used by links.c and rules.c: they add messages, each with the words for its
 * failure; one sendto(2) carries them all.
 */
#include "kern/netlink.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The kernel answers before sendto(2) returns; this is for broken promises. */
#define NETLINK_PATIENCE_S 5

int netlink_new(int bus, struct netlink **ret, struct fault *f)
{
	const struct timeval patience = { .tv_sec = NETLINK_PATIENCE_S };
	struct netlink *n = calloc(1, sizeof(*n));
	int one = 1;
	int rc;

	if (!n)
		return fault(f, -ENOMEM, "open a netlink socket");
	n->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!n->sock || mnl_socket_bind(n->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = fault(f, -errno, "open a netlink socket");
		netlink_free(&n);
		return rc;
	}
	/* Answers without a copy of the request; only saves bytes. */
	(void)mnl_socket_setsockopt(n->sock, NETLINK_CAP_ACK, &one,
				    sizeof(one));
	(void)setsockopt(mnl_socket_get_fd(n->sock), SOL_SOCKET, SO_RCVTIMEO,
			 &patience, sizeof(patience));
	*ret = n;
	return 0;
}

void netlink_free(struct netlink **n)
{
	const int kept = errno;

	if (*n && (*n)->sock)
		(void)mnl_socket_close((*n)->sock);
	free(*n);
	*n = NULL;
	errno = kept;
}

/** netlink_used() - Bytes of the batch; the last message has grown since */
static size_t netlink_used(const struct netlink *n)
{
	if (!n->last)
		return 0;
	return (size_t)((const uint8_t *)n->last - n->buf) +
	       NLMSG_ALIGN(n->last->nlmsg_len);
}

struct nlmsghdr *netlink_add(struct netlink *n, uint16_t type, uint16_t flags,
			     const char *what)
{
	const size_t used = netlink_used(n);

	assert(n->count < NETLINK_OPS);
	assert(used + NETLINK_OP_SIZE <= sizeof(n->buf));
	n->last = mnl_nlmsg_put_header(n->buf + used);
	n->last->nlmsg_type = type;
	n->last->nlmsg_flags = NLM_F_REQUEST | flags;
	n->last->nlmsg_seq = n->count;
	n->what[n->count++] = what;
	if (flags & NLM_F_ACK)
		n->acks++;
	return n->last;
}

/** netlink_read() - Read one datagram of answers; 0 or a filled fault */
static int netlink_read(struct netlink *n, struct fault *f)
{
	_Alignas(struct nlmsghdr) uint8_t buf[16384];
	const ssize_t got = mnl_socket_recvfrom(n->sock, buf, sizeof(buf));
	const struct nlmsghdr *h = (const void *)buf;
	int left = (int)got;

	if (got < 0)
		return fault(f, -errno, "read the kernel's answer");
	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

		if (h->nlmsg_type != NLMSG_ERROR ||
		    mnl_nlmsg_get_payload_len(h) < sizeof(*e))
			continue;
		if (e->error != 0)
			return fault(f, e->error, "%s",
				     h->nlmsg_seq < n->count
					     ? n->what[h->nlmsg_seq]
					     : "talk to the kernel");
		n->acks--;
	}
	return 0;
}

int netlink_commit(struct netlink *n, struct fault *f)
{
	int rc = 0;

	if (n->count == 0)
		return 0;
	if (mnl_socket_sendto(n->sock, n->buf, netlink_used(n)) < 0)
		return fault(f, -errno, "%s", n->what[0]);
	while (rc == 0 && n->acks > 0)
		rc = netlink_read(n, f);
	n->count = 0;
	n->acks = 0;
	n->last = NULL;
	return rc;
}
