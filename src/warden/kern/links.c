// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * links.c - lo, the TUN device, and which packets go where
 *
 * Runs once, inside a new network namespace. The order of the policy rules is
 * the heart of the gate:
 *
 *	  5  fwmark 1     -> table 100: into nsp0 (SYNs and what is exposed)
 *	 10  local        -> the sandbox's own addresses, over lo
 *	100  ipproto tcp  -> table 200: every address is local (AnyIP)
 *	     main         -> into nsp0 (UDP, ICMP, the rest)
 *
 * Table `local` stands behind the mark, since it would win otherwise and
 * 127.0.0.1 could not be exposed.
 */
#include "kern/links.h"

#include "base/fd.h"
#include "kern/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINKS_LO	1 /* ifindex of lo in every network namespace */
#define LINKS_MTU	65535
/* Packets that wait for the worker. Larger would let a flood of full-sized
 * datagrams hold more than 64 MiB of kernel memory. */
#define LINKS_QUEUE	1000
/* Octets in one packet over lo: IFLA_GSO_IPV4_MAX_SIZE is of Linux 6.3. */
#define LINKS_WIDE	262144
#define LINKS_WIDE_IP4	63
#define TABLE_INTO_TUN	100
#define TABLE_ANY_LOCAL 200

#define NL_DO		(NLM_F_ACK)
#define NL_NEW		(NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

int links_open_tun(bool stays, int *ret_fd, struct fault *f)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	auto_fd fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		const int rc = fault(f, -errno, "open /dev/net/tun");

		if (rc == -EACCES || rc == -EPERM)
			return fault_hint(f, "let users open it, as is usual: "
					     "sudo chmod 0666 /dev/net/tun");
		return fault_hint(f, "load the driver: sudo modprobe tun (in a "
				     "container: pass the device in)");
	}
	memcpy(ifr.ifr_name, LINKS_TUN, sizeof(LINKS_TUN));
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return fault(f, -errno, "make the TUN device " LINKS_TUN);
	if (stays && ioctl(fd, TUNSETPERSIST, 1) < 0)
		return fault(f, -errno, "make " LINKS_TUN " persistent");

	*ret_fd = fd_take(&fd);
	return 0;
}

int links_lend_tun(int fd, unsigned int uid, struct fault *f)
{
	auto_fd own = fd;

	if (ioctl(own, TUNSETOWNER, (unsigned long)uid) < 0)
		return fault(f, -errno, "lend " LINKS_TUN);
	if (ioctl(own, TUNSETPERSIST, 1) < 0)
		return fault(f, -errno, "make " LINKS_TUN " persistent");
	return 0;
}

/** links_put_ip() - Attribute with an IP address */
static void links_put_ip(struct nlmsghdr *h, uint16_t attr,
			 const struct addr *a)
{
	mnl_attr_put(h, attr, addr_size(a), a->ip);
}

static struct nlmsghdr *links_add_link(struct netlink *n, int index,
				       unsigned int flags, const char *what)
{
	struct nlmsghdr *h = netlink_add(n, RTM_NEWLINK, NL_DO, what);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	i->ifi_flags = flags;
	i->ifi_change = flags;
	return h;
}

/** links_add_tun() - Tame nsp0 before it comes up, then bring it up */
static void links_add_tun(struct netlink *n, int index, unsigned int mtu,
			  bool has_ip6)
{
	struct nlmsghdr *h;

	h = links_add_link(n, index, 0, "set MTU and queue of " LINKS_TUN);
	mnl_attr_put_u32(h, IFLA_MTU, mtu ? mtu : LINKS_MTU);
	mnl_attr_put_u32(h, IFLA_TXQLEN, LINKS_QUEUE);
	if (has_ip6) {
		struct nlattr *spec;
		struct nlattr *inet6;

		/* No link-local address, hence no router solicitation. */
		h = links_add_link(n, index, 0,
				   "forbid link-local addresses on " LINKS_TUN);
		spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
		inet6 = mnl_attr_nest_start(h, AF_INET6);
		mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE,
				IN6_ADDR_GEN_MODE_NONE);
		mnl_attr_nest_end(h, inet6);
		mnl_attr_nest_end(h, spec);
	}
	(void)links_add_link(n, index, IFF_UP, "bring up " LINKS_TUN);
}

static void links_add_addr(struct netlink *n, int index, const struct addr *a)
{
	struct nlmsghdr *h = netlink_add(n, RTM_NEWADDR, NL_NEW,
					 "set an address of " LINKS_TUN);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifa_family = (uint8_t)a->family;
	m->ifa_prefixlen = (uint8_t)(addr_size(a) * 8);
	m->ifa_scope = RT_SCOPE_UNIVERSE;
	m->ifa_index = (uint32_t)index;
	links_put_ip(h, IFA_LOCAL, a);
	links_put_ip(h, IFA_ADDRESS, a);
	if (a->family == AF_INET6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
}

/**
 * links_add_route() - A default route
 * @type:  RTN_LOCAL or RTN_UNICAST
 * @src:   Source address it suggests; also tells the family
 */
static void links_add_route(struct netlink *n, int index, uint32_t table,
			    uint8_t type, const struct addr *src)
{
	struct nlmsghdr *h =
		netlink_add(n, RTM_NEWROUTE, NL_NEW, "set a default route");
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->rtm_family = (uint8_t)src->family;
	m->rtm_table = (uint8_t)table;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	m->rtm_type = type;
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)index);
	links_put_ip(h, RTA_PREFSRC, src);
}

/**
 * links_add_rule() - "at @priority: what fits looks into @table"
 *
 * Return: message, for the condition
 */
static struct nlmsghdr *links_add_rule(struct netlink *n, int family,
				       uint32_t priority, uint32_t table)
{
	struct nlmsghdr *h =
		netlink_add(n, RTM_NEWRULE, NL_NEW, "set a routing rule");
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->family = (uint8_t)family;
	m->table = (uint8_t)table;
	m->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(h, FRA_PRIORITY, priority);
	return h;
}

static void links_add_rules(struct netlink *n, int family)
{
	struct nlmsghdr *h = links_add_rule(n, family, 5, TABLE_INTO_TUN);
	struct fib_rule_hdr *m;

	mnl_attr_put_u32(h, FRA_FWMARK, LINKS_MARK);
	(void)links_add_rule(n, family, 10, RT_TABLE_LOCAL);
	h = links_add_rule(n, family, 100, TABLE_ANY_LOCAL);
	mnl_attr_put_u8(h, FRA_IP_PROTO, IPPROTO_TCP);

	/* A priority of 0 is no condition to the kernel; the first rule that
	 * looks into table local is the one it was born with. */
	h = netlink_add(n, RTM_DELRULE, NL_DO, "move the rule for table local");
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->family = (uint8_t)family;
	m->table = RT_TABLE_LOCAL;
	m->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(h, FRA_PRIORITY, 0);
}

static void links_add_family(struct netlink *n, int tun, const struct addr *a,
			     bool is_plain)
{
	links_add_addr(n, tun, a);
	links_add_route(n, tun, RT_TABLE_MAIN, RTN_UNICAST, a);
	if (is_plain)
		return;
	links_add_route(n, tun, TABLE_INTO_TUN, RTN_UNICAST, a);
	links_add_route(n, LINKS_LO, TABLE_ANY_LOCAL, RTN_LOCAL, a);
	links_add_rules(n, a->family);
}

/** links_sweep_rule() - One of links_add_rules(), by what it looks for */
static struct nlmsghdr *links_sweep_rule(struct netlink *n, int family,
					 uint32_t priority, uint32_t table)
{
	struct nlmsghdr *h = links_add_rule(n, family, priority, table);

	h->nlmsg_type = RTM_DELRULE;
	h->nlmsg_flags = NLM_F_REQUEST;
	return h;
}

static void links_sweep_family(struct netlink *n, int family)
{
	struct nlmsghdr *h = links_add_rule(n, family, 0, RT_TABLE_LOCAL);
	struct rtmsg *m;

	/* First what must not be missing for a moment. */
	mnl_attr_put_u8(h, FRA_PROTOCOL, RTPROT_KERNEL);
	(void)links_sweep_rule(n, family, 10, RT_TABLE_LOCAL);
	h = links_sweep_rule(n, family, 5, TABLE_INTO_TUN);
	mnl_attr_put_u32(h, FRA_FWMARK, LINKS_MARK);
	h = links_sweep_rule(n, family, 100, TABLE_ANY_LOCAL);
	mnl_attr_put_u8(h, FRA_IP_PROTO, IPPROTO_TCP);
	h = netlink_add(n, RTM_DELROUTE, 0, "take back a default route");
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = (uint8_t)family;
	m->rtm_table = TABLE_ANY_LOCAL;
	m->rtm_scope = RT_SCOPE_NOWHERE;
	m->rtm_type = RTN_LOCAL;
	mnl_attr_put_u32(h, RTA_OIF, LINKS_LO);
}

void links_sweep(bool has_ip6)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;

	if (netlink_new(NETLINK_ROUTE, &n, NULL) < 0)
		return;
	links_sweep_family(n, AF_INET);
	if (has_ip6)
		links_sweep_family(n, AF_INET6);
	n->acks = 0; /* what was not there is of no interest */
	(void)netlink_commit(n, NULL);
}

static int links_find_tun(int *ret_index, struct fault *f)
{
	struct ifreq ifr = { 0 };
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(ifr.ifr_name, LINKS_TUN, sizeof(LINKS_TUN));
	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &ifr) < 0)
		return fault(f, -errno, "find the device " LINKS_TUN);
	*ret_index = ifr.ifr_ifindex;
	return 0;
}

int links_build_bare(struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = netlink_new(NETLINK_ROUTE, &n, f);

	if (rc < 0)
		return rc;
	(void)links_add_link(n, LINKS_LO, IFF_UP, "bring up lo");
	return netlink_commit(n, f);
}

int links_build(const struct links *l, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const bool has_ip6 = l->ip6.family == AF_INET6;
	int tun = 0;
	int rc;

	rc = links_find_tun(&tun, f);
	if (rc == 0)
		rc = netlink_new(NETLINK_ROUTE, &n, f);
	if (rc < 0)
		return rc;
	(void)links_add_link(n, LINKS_LO, IFF_UP, "bring up lo");
	links_add_tun(n, tun, l->mtu, has_ip6);
	links_add_family(n, tun, &l->ip4, l->is_plain);
	if (has_ip6)
		links_add_family(n, tun, &l->ip6, l->is_plain);
	return netlink_commit(n, f);
}

void links_widen_lo(void)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	struct nlmsghdr *h;

	if (netlink_new(NETLINK_ROUTE, &n, NULL) < 0)
		return;
	h = links_add_link(n, LINKS_LO, 0, "widen lo");
	mnl_attr_put_u32(h, IFLA_GSO_MAX_SIZE, LINKS_WIDE);
	mnl_attr_put_u32(h, LINKS_WIDE_IP4, LINKS_WIDE);
	n->acks = 0; /* older kernels know no such packets */
	(void)netlink_commit(n, NULL);
}

int links_raise_lo(struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = netlink_new(NETLINK_ROUTE, &n, f);

	if (rc < 0)
		return rc;
	(void)links_add_link(n, LINKS_LO, IFF_UP, "bring up lo");
	return netlink_commit(n, f);
}
