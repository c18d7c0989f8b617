// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * veth.c - a link between the host and a sandbox
 *
 * The host's end is called after its slot, one of the 2^22 networks /30 in
 * 10.0.0.0/8, so that a name says which addresses it has, and is marked by an
 * alias that tells whose it is. Both ends have one MAC address and no ARP:
 * what leaves one can only mean the other.
 */
#include "kern/veth.h"

#include "base/fd.h"
#include "base/text.h"
#include "kern/dump.h"
#include "kern/netlink.h"
#include "kern/rules.h"
#include "kern/sysctls.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define VETH_SLOTS	(1u << 22)
#define VETH_TRIES	4096
#define VETH_ALIAS	"nsproxy sandbox "
#define VETH_PREFIX_LEN 30
#define RULE_NEAR	50 /* behind table local, before AnyIP; see links.c */

#define NL_NEW		(NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

static const uint8_t veth_mac[6] = { 0x02, 'n', 's', 'p', 'v', 0x01 };

void veth_set_slot(struct veth *v, uint32_t slot)
{
	const uint32_t net = 10u << 24 | slot << 2;

	v->slot = slot;
	(void)snprintf(v->link, sizeof(v->link), VETH_PREFIX "%06x",
		       slot & (VETH_SLOTS - 1));
	for (int i = 0; i < 4; i++)
		v->host[i] = (uint8_t)(net >> (24 - 8 * i));
	memcpy(v->inside, v->host, sizeof(v->inside));
	v->host[3] |= 1;
	v->inside[3] |= 2;
}

/** veth_hold() - Nobody else in this namespace gets the slot meanwhile: an
 * abstract socket has one owner and ends with it */
static int veth_hold(const struct veth *v)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int len = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1,
				 "nsproxy-%s", v->link);
	auto_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				       1 + (size_t)len)) < 0)
		return -errno;
	return fd_take(&fd);
}

/** veth_first_slot() - FNV-1a of the name; never 10.0.0.0 */
static uint32_t veth_first_slot(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return (hash ^ hash >> 22) & (VETH_SLOTS - 1);
}

/** veth_try() - Return: whether the slot is ours now, or -errno */
static int veth_try(struct veth *v, uint32_t slot, const struct taken *taken,
		    int *ret_held)
{
	const uint32_t net = 10u << 24 | slot << 2;
	int fd;

	/* The first and the last: some think of them as broadcasts. */
	if (slot == 0 || slot >= VETH_SLOTS - 1 ||
	    dump_clashes(taken, net, VETH_PREFIX_LEN))
		return 0;
	veth_set_slot(v, slot);
	if (if_nametoindex(v->link) > 0)
		return 0;
	fd = veth_hold(v);
	if (fd == -EADDRINUSE)
		return 0;
	if (fd < 0)
		return fd;
	*ret_held = fd;
	return 1;
}

/** veth_probe() - Step by step, then behind what is in the way */
static int veth_probe(struct veth *v, const char *name,
		      const struct taken *taken, int *ret_held)
{
	uint32_t slot = veth_first_slot(name);
	int rc = v->slot ? veth_try(v, v->slot, taken, ret_held) : 0;

	for (int i = 0; rc == 0 && i < VETH_TRIES; i++) {
		rc = veth_try(v, slot, taken, ret_held);
		slot = dump_behind(taken, 10u << 24 | slot << 2,
				   VETH_PREFIX_LEN) >>
			       2 &
		       (VETH_SLOTS - 1);
	}
	return rc;
}

int veth_choose(struct veth *v, const char *name, int *ret_held,
		struct fault *f)
{
	struct taken taken;
	int rc = dump_taken(&taken, f);

	if (rc < 0)
		return rc;
	rc = veth_probe(v, name, &taken, ret_held);
	dump_fini(&taken);
	if (rc < 0)
		return fault(f, rc, "hold addresses for a link");
	if (rc > 0)
		return 0;
	(void)fault_plain(f, -EADDRNOTAVAIL,
			  "no two addresses of 10.0.0.0/8 are left for the "
			  "link to the host");
	return fault_hint(f, "some route of this host covers them all: see ip "
			     "route show table all");
}

/** veth_end() - An end's name, MAC address and flags */
static void veth_end(struct nlmsghdr *h, struct ifinfomsg *i, const char *name)
{
	/* What the host says to all of its links is not for sandboxes. */
	i->ifi_change = IFF_NOARP | IFF_MULTICAST;
	i->ifi_flags = IFF_NOARP;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(veth_mac), veth_mac);
}

static void veth_add_pair(struct netlink *n, const struct veth *v, int netns)
{
	struct nlmsghdr *h =
		netlink_add(n, RTM_NEWLINK, NL_NEW, "make a veth link (veth)");
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	struct nlattr *info;
	struct nlattr *data;
	struct nlattr *peer;

	veth_end(h, i, v->link);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	veth_end(h, i, VETH_INSIDE);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static struct nlmsghdr *veth_link_message(struct netlink *n, uint16_t type,
					  const char *link, const char *what)
{
	struct nlmsghdr *h = netlink_add(n, type, NLM_F_ACK, what);

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, link);
	return h;
}

static void veth_mark(struct netlink *n, const struct veth *v, const char *name)
{
	struct nlmsghdr *h =
		veth_link_message(n, RTM_NEWLINK, v->link, "mark the link");
	char alias[128];

	(void)snprintf(alias, sizeof(alias), VETH_ALIAS "%s", name);
	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
}

static void veth_up(struct netlink *n, const char *link)
{
	struct nlmsghdr *h =
		veth_link_message(n, RTM_NEWLINK, link, "bring the link up");
	struct ifinfomsg *i = mnl_nlmsg_get_payload(h);

	i->ifi_flags = i->ifi_change = IFF_UP;
}

static void veth_add_addr(struct netlink *n, const char *link,
			  const uint8_t ip[static 4])
{
	struct nlmsghdr *h = netlink_add(n, RTM_NEWADDR, NL_NEW,
					 "set an address of the link");
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifa_family = AF_INET;
	m->ifa_prefixlen = VETH_PREFIX_LEN;
	m->ifa_scope = RT_SCOPE_UNIVERSE;
	m->ifa_index = if_nametoindex(link);
	mnl_attr_put(h, IFA_LOCAL, 4, ip);
	mnl_attr_put(h, IFA_ADDRESS, 4, ip);
}

/** veth_add_rule() - What is for the host's end goes there, TCP too */
static void veth_add_rule(struct netlink *n, const struct veth *v)
{
	struct nlmsghdr *h =
		netlink_add(n, RTM_NEWRULE, NL_NEW, "set a routing rule");
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->family = AF_INET;
	m->table = RT_TABLE_MAIN;
	m->action = FR_ACT_TO_TBL;
	m->dst_len = 32;
	mnl_attr_put(h, FRA_DST, 4, v->host);
	mnl_attr_put_u32(h, FRA_PRIORITY, RULE_NEAR);
}

/** veth_settle() - Settings of one end, while it is down */
static int veth_settle(const char *link, struct fault *f)
{
	static const struct {
		const char *name;
		const char *value;
		bool is_ip6;
	} wish[] = {
		{ "disable_ipv6", "1", true },
		{ "accept_ra", "0", true },
		{ "forwarding", "0", false },
		{ "rp_filter", "1", false },
		{ "accept_local", "0", false },
		{ "accept_redirects", "0", false },
		{ "send_redirects", "0", false },
		{ "accept_source_route", "0", false },
		{ "proxy_arp", "0", false },
		{ "route_localnet", "0", false },
		{ "arp_ignore", "8", false },
	};

	for (size_t i = 0; i < sizeof(wish) / sizeof(wish[0]); i++) {
		char path[128];
		const struct sysctl one[] = {
			{ path, wish[i].value, .may_fail = wish[i].is_ip6 },
			{ NULL },
		};
		int rc;

		(void)snprintf(path, sizeof(path), "ipv%d/conf/%s/%s",
			       wish[i].is_ip6 ? 6 : 4, link, wish[i].name);
		rc = sysctls_write(one, f);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/** veth_make_inside() - In the sandbox's namespace */
static int veth_make_inside(const struct veth *v, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_ROUTE, &n, f);

	if (rc == 0)
		rc = veth_settle(VETH_INSIDE, f);
	/* The rules first: without them, the gate would take it all. */
	if (rc == 0)
		rc = rules_add_link(VETH_INSIDE, v->host, v->inside, f);
	if (rc < 0)
		return rc;
	veth_add_addr(n, VETH_INSIDE, v->inside);
	veth_add_rule(n, v);
	veth_up(n, VETH_INSIDE);
	return netlink_commit(n, f);
}

static int veth_visit(const struct veth *v, int netns, struct fault *f)
{
	auto_fd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int rc;

	if (home < 0)
		return fault(f, -errno, "open /proc/self/ns/net");
	if (setns(netns, CLONE_NEWNET) < 0)
		return fault(f, -errno, "enter the sandbox's network");
	rc = veth_make_inside(v, f);
	if (setns(home, CLONE_NEWNET) < 0)
		return fault(f, -EIO, "come back from the sandbox's network");
	return rc;
}

int veth_make(const struct veth *v, const char *name, int netns,
	      struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_ROUTE, &n, f);

	if (rc < 0)
		return rc;
	veth_add_pair(n, v, netns);
	veth_mark(n, v, name);
	rc = netlink_commit(n, f);
	if (rc == -EOPNOTSUPP)
		return fault_hint(f, "the kernel needs this module: sudo "
				     "modprobe veth");
	if (rc == 0)
		rc = veth_settle(v->link, f);
	if (rc < 0)
		return rc;
	veth_add_addr(n, v->link, v->host);
	rc = netlink_commit(n, f);
	return rc < 0 ? rc : veth_visit(v, netns, f);
}

int veth_open(const struct veth *v, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = netlink_new(NETLINK_ROUTE, &n, f);

	if (rc < 0)
		return rc;
	veth_up(n, v->link);
	return netlink_commit(n, f);
}

static int veth_delete(const char *link)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = netlink_new(NETLINK_ROUTE, &n, NULL);

	if (rc < 0)
		return rc;
	(void)veth_link_message(n, RTM_DELLINK, link, "remove a link");
	return netlink_commit(n, NULL);
}

/** struct sweep - what veth_sweep() is about */
struct sweep {
	veth_keep_fn *keep;
	void *ctx;
	int removed;
	int failed;
};

static void veth_sweep_one(void *ctx, const char *link, const char *alias)
{
	struct sweep *s = ctx;
	int rc;

	if (!text_starts(link, VETH_PREFIX) ||
	    !text_starts(alias, VETH_ALIAS) ||
	    s->keep(s->ctx, link, alias + sizeof(VETH_ALIAS) - 1))
		return;
	rc = veth_delete(link);
	if (rc == 0)
		s->removed++;
	else if (rc != -ENODEV)
		s->failed = rc;
}

int veth_sweep(veth_keep_fn *keep, void *ctx)
{
	struct sweep s = { .keep = keep, .ctx = ctx };
	const int rc = dump_links(veth_sweep_one, &s);

	if (rc < 0)
		return rc;
	return s.failed < 0 ? s.failed : s.removed;
}

static bool veth_is_not(void *ctx, const char *link, const char *name)
{
	(void)link;
	return strcmp(name, ctx) != 0;
}

int veth_remove(const char *name)
{
	char copy[128];
	int rc;

	if (!text_copy(copy, sizeof(copy), name))
		return -ENAMETOOLONG;
	rc = veth_sweep(veth_is_not, copy);
	return rc < 0 ? rc : 0;
}
