// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dump.c - what this network namespace has: links, addresses, routes
 */
#include "kern/dump.h"

#include "kern/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_BUF   65536
#define DUMP_ATTRS 32 /* those that matter are below */

int dump_all(uint16_t type, unsigned char family, dump_fn *each, void *ctx)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char *buf = malloc(DUMP_BUF);
	struct nlmsghdr *h;
	ssize_t n = -1;
	int rc = -ENOMEM;

	if (!sock || !buf || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		goto out;
	h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	/* Each of the headers begins with the family, and is no longer. */
	*(unsigned char *)mnl_nlmsg_put_extra_header(
		h, sizeof(struct ifinfomsg)) = family;
	rc = mnl_socket_sendto(sock, h, h->nlmsg_len) < 0 ? -errno : MNL_CB_OK;
	while (rc > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(sock, buf, DUMP_BUF);
		rc = n < 0 ? -errno
			   : mnl_cb_run(buf, (size_t)n, 1,
					mnl_socket_get_portid(sock), each, ctx);
		if (n >= 0 && rc < 0)
			rc = -errno;
	}
out:
	free(buf);
	if (sock)
		(void)mnl_socket_close(sock);
	return rc < 0 ? rc : 0;
}

/** struct attrs - the attributes of a message, by type */
struct attrs {
	const struct nlattr *at[DUMP_ATTRS];
};

static int dump_keep_attr(const struct nlattr *a, void *ctx)
{
	struct attrs *all = ctx;

	if (mnl_attr_get_type(a) < DUMP_ATTRS)
		all->at[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

/** dump_ip4() - Is this attribute there, and an IPv4 address? */
static const void *dump_ip4(const struct attrs *all, unsigned int type)
{
	const struct nlattr *a = all->at[type];

	return a && mnl_attr_get_payload_len(a) == 4 ? mnl_attr_get_payload(a)
						     : NULL;
}

static uint32_t dump_mask(unsigned int len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

/** dump_take() - Return: MNL_CB_OK, or MNL_CB_ERROR with errno set */
static int dump_take(struct taken *t, const void *ip, unsigned int len)
{
	uint32_t net;

	if (t->count == t->room) {
		const size_t room = t->room * 2 + 64;
		struct taken_net *more =
			reallocarray(t->at, room, sizeof(*more));

		if (!more) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		t->at = more;
		t->room = room;
	}
	memcpy(&net, ip, sizeof(net));
	t->at[t->count++] = (struct taken_net){
		.net = ntohl(net) & dump_mask(len),
		.mask = dump_mask(len),
	};
	return MNL_CB_OK;
}

static int dump_address(const struct nlmsghdr *h, void *ctx)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	static const unsigned int types[] = { IFA_LOCAL, IFA_ADDRESS };
	struct attrs all = { 0 };
	int rc = mnl_attr_parse(h, sizeof(*m), dump_keep_attr, &all);

	for (int i = 0; rc == MNL_CB_OK && i < 2; i++) {
		const void *ip = dump_ip4(&all, types[i]);

		if (ip && m->ifa_prefixlen <= 32)
			rc = dump_take(ctx, ip, m->ifa_prefixlen);
	}
	return rc;
}

static int dump_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct attrs all = { 0 };
	const int rc = mnl_attr_parse(h, sizeof(*m), dump_keep_attr, &all);
	const void *ip = dump_ip4(&all, RTA_DST);

	if (rc != MNL_CB_OK || m->rtm_family != AF_INET || !ip ||
	    m->rtm_dst_len == 0 || m->rtm_dst_len > 32)
		return rc;
	return dump_take(ctx, ip, m->rtm_dst_len);
}

int dump_taken(struct taken *ret, struct fault *f)
{
	struct taken t = { 0 };
	int rc = dump_all(RTM_GETADDR, AF_INET, dump_address, &t);

	if (rc == 0)
		rc = dump_all(RTM_GETROUTE, AF_INET, dump_route, &t);
	if (rc < 0) {
		dump_fini(&t);
		return fault(f, rc, "read the routes of this host");
	}
	*ret = t;
	return 0;
}

void dump_fini(struct taken *t)
{
	free(t->at);
	*t = (struct taken){ 0 };
}

bool dump_clashes(const struct taken *t, uint32_t net, unsigned int len)
{
	for (size_t i = 0; i < t->count; i++) {
		const uint32_t both = t->at[i].mask & dump_mask(len);

		if ((net & both) == (t->at[i].net & both))
			return true;
	}
	return false;
}

uint32_t dump_behind(const struct taken *t, uint32_t net, unsigned int len)
{
	uint32_t last = net | ~dump_mask(len);

	for (size_t i = 0; i < t->count; i++) {
		const uint32_t both = t->at[i].mask & dump_mask(len);
		const uint32_t end = t->at[i].net | ~t->at[i].mask;

		if ((net & both) == (t->at[i].net & both) && end > last)
			last = end;
	}
	return last + 1;
}

/** struct named - links with an alias */
struct named {
	struct named_link {
		char link[IF_NAMESIZE];
		char alias[256];
	} * at;
	size_t count;
};

/** dump_text() - An attribute's text, cut to what fits */
static void dump_text(const struct nlattr *a, char *to, size_t room)
{
	const size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	if (len > 0)
		memcpy(to, mnl_attr_get_payload(a),
		       len < room ? len : room - 1);
}

static int dump_link(const struct nlmsghdr *h, void *ctx)
{
	struct named *all = ctx;
	struct named_link one = { 0 };
	struct attrs attrs = { 0 };
	struct named_link *more;
	const int rc = mnl_attr_parse(h, sizeof(struct ifinfomsg),
				      dump_keep_attr, &attrs);

	dump_text(attrs.at[IFLA_IFNAME], one.link, sizeof(one.link));
	dump_text(attrs.at[IFLA_IFALIAS], one.alias, sizeof(one.alias));
	if (rc != MNL_CB_OK || one.alias[0] == '\0')
		return rc;
	more = reallocarray(all->at, all->count + 1, sizeof(*more));
	if (!more) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	all->at = more;
	all->at[all->count++] = one;
	return MNL_CB_OK;
}

int dump_links(dump_link_fn *each, void *ctx)
{
	struct named all = { 0 };
	const int rc = dump_all(RTM_GETLINK, AF_UNSPEC, dump_link, &all);

	for (size_t i = 0; rc == 0 && i < all.count; i++)
		each(ctx, all.at[i].link, all.at[i].alias);
	free(all.at);
	return rc;
}
