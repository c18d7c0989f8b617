// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * datagram.c - answer from the very address that was asked
 */
#include "base/datagram.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one of the two, aligned as cmsg(3) wants it. */
union pktinfo {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/** datagram_from() - Say which address a datagram is to come from */
static void datagram_from(struct msghdr *m, union pktinfo *info,
			  const struct addr *from)
{
	const bool is4 = from->family == AF_INET;
	struct in_pktinfo in4 = { 0 };
	struct in6_pktinfo in6 = { 0 };
	const size_t size = is4 ? sizeof(in4) : sizeof(in6);
	struct cmsghdr *c;

	memset(info, 0, sizeof(*info));
	m->msg_control = info->room;
	m->msg_controllen = CMSG_SPACE(size);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = is4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = is4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(&in4.ipi_spec_dst, from->ip, 4);
	memcpy(&in6.ipi6_addr, from->ip, 16);
	memcpy(CMSG_DATA(c), is4 ? (void *)&in4 : (void *)&in6, size);
}

void datagram_send(int fd, const struct addr *from, const struct addr *to,
		   const void *data, size_t len)
{
	struct sockaddr_storage ss;
	union pktinfo info;
	struct iovec iov = { .iov_len = len };
	struct msghdr m = {
		.msg_name = &ss,
		.msg_namelen = addr_to_sock(to, &ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	/* sendmsg(2) does not write through it. */
	memcpy(&iov.iov_base, &data, sizeof(data));
	if (addr_size(from) > 0 && from->family == to->family)
		datagram_from(&m, &info, from);
	(void)sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}
