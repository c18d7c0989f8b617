// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * kept.c - addresses and routes of a link, while it moves between namespaces
 *
 * The kernel throws both away when a link moves. They are kept as the messages
 * it told them with, and said to it again with another index.
 */
#include "kern/kept.h"

#include "kern/dump.h"
#include "kern/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* Who made a route: so that the sandbox's own does not go home. */
#define KEPT_PROTO  110
#define KEPT_FAR    0x7fffffffu /* metric: all others go before it */
#define KEPT_TABLES 32000	/* priority of a rule, before table main */
#define KEPT_OWN    256		/* room for a message of our own */
#define KEPT_NEW    (NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)

/** struct kept_part - a message; its attributes follow the copied header */
struct kept_part {
	struct kept_part *next;
	struct nlmsghdr message[];
};

/** struct attrs - attributes by type; those beyond are not kept */
struct attrs {
	const struct nlattr *at[RTA_MAX + 1];
};

static int kept_attr(const struct nlattr *a, void *ctx)
{
	struct attrs *all = ctx;

	if (mnl_attr_get_type(a) <= RTA_MAX)
		all->at[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static struct attrs kept_attrs(const struct nlmsghdr *h)
{
	struct attrs all = { 0 };

	(void)mnl_attr_parse(h,
			     h->nlmsg_type == RTM_NEWADDR
				     ? sizeof(struct ifaddrmsg)
				     : sizeof(struct rtmsg),
			     kept_attr, &all); /* the callback has no faults */
	return all;
}

static int kept_add(struct kept *k, const struct nlmsghdr *h)
{
	struct kept_part *p = calloc(1, sizeof(*p) + h->nlmsg_len);

	if (!p) {
		k->rc = -ENOMEM;
		return MNL_CB_STOP;
	}
	memcpy(p->message, h, h->nlmsg_len);
	*k->end = p;
	k->end = &p->next;
	return MNL_CB_OK;
}

static int kept_address(const struct nlmsghdr *h, void *ctx)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct kept *k = ctx;

	if (h->nlmsg_type != RTM_NEWADDR || (int)m->ifa_index != k->index ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6))
		return MNL_CB_OK;
	return kept_add(k, h);
}

static uint32_t kept_table(const struct rtmsg *m, const struct attrs *all)
{
	return all->at[RTA_TABLE] ? mnl_attr_get_u32(all->at[RTA_TABLE])
				  : m->rtm_table;
}

static int kept_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct attrs all = kept_attrs(h);
	struct kept *k = ctx;

	if (h->nlmsg_type != RTM_NEWROUTE || !all.at[RTA_OIF] ||
	    (int)mnl_attr_get_u32(all.at[RTA_OIF]) != k->index ||
	    m->rtm_flags & RTM_F_CLONED || m->rtm_protocol == RTPROT_KERNEL ||
	    m->rtm_protocol == KEPT_PROTO ||
	    kept_table(m, &all) == RT_TABLE_LOCAL)
		return MNL_CB_OK;
	return kept_add(k, h);
}

int kept_read(struct kept *k, int index, struct fault *f)
{
	int rc;

	k->index = index;
	k->end = &k->first;
	rc = dump_all(RTM_GETADDR, AF_INET, kept_address, k);
	if (rc == 0)
		rc = dump_all(RTM_GETADDR, AF_INET6, kept_address, k);
	if (rc == 0)
		rc = dump_all(RTM_GETROUTE, AF_INET, kept_route, k);
	if (rc == 0)
		rc = dump_all(RTM_GETROUTE, AF_INET6, kept_route, k);
	if (rc == 0)
		rc = k->rc;
	return rc < 0 ? fault(f, rc, "read the addresses and routes of a link")
		      : 0;
}

/** kept_new() - A message of our own, as the kernel would tell it */
static struct nlmsghdr *kept_new(void *buf, uint16_t type)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	h->nlmsg_type = type;
	return h;
}

static int kept_take(struct kept *k, const struct nlmsghdr *h)
{
	k->end = k->end ? k->end : &k->first;
	return kept_add(k, h) == MNL_CB_OK ? 0 : k->rc;
}

int kept_want_address(struct kept *k, const struct addr *ip, uint8_t len)
{
	_Alignas(struct nlmsghdr) uint8_t buf[KEPT_OWN];
	struct nlmsghdr *h = kept_new(buf, RTM_NEWADDR);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->ifa_family = (uint8_t)ip->family;
	m->ifa_prefixlen = len;
	m->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(h, IFA_LOCAL, addr_size(ip), ip->ip);
	mnl_attr_put(h, IFA_ADDRESS, addr_size(ip), ip->ip);
	if (ip->family == AF_INET6)
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD);
	return kept_take(k, h);
}

int kept_want_route(struct kept *k, const struct addr *ip, uint8_t len)
{
	_Alignas(struct nlmsghdr) uint8_t buf[KEPT_OWN];
	struct nlmsghdr *h = kept_new(buf, RTM_NEWROUTE);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->rtm_family = (uint8_t)ip->family;
	m->rtm_dst_len = len;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_scope = RT_SCOPE_LINK;
	m->rtm_type = RTN_UNICAST;
	if (len > 0)
		mnl_attr_put(h, RTA_DST, addr_size(ip), ip->ip);
	return kept_take(k, h);
}

static void kept_copy(struct nlmsghdr *to, const struct attrs *all,
		      const unsigned int *types, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct nlattr *a = all->at[types[i]];

		if (a)
			mnl_attr_put(to, a->nla_type,
				     mnl_attr_get_payload_len(a),
				     mnl_attr_get_payload(a));
	}
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void kept_say_address(struct netlink *n, const struct nlmsghdr *h,
			     int index)
{
	static const unsigned int types[] = {
		IFA_ADDRESS, IFA_LOCAL, IFA_LABEL,	 IFA_BROADCAST,
		IFA_ANYCAST, IFA_FLAGS, IFA_RT_PRIORITY, IFA_CACHEINFO,
	};
	const struct attrs all = kept_attrs(h);
	struct nlmsghdr *to = netlink_add(n, RTM_NEWADDR, KEPT_NEW,
					  "set an address of the link");
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(to, sizeof(*m));

	*m = *(const struct ifaddrmsg *)mnl_nlmsg_get_payload(h);
	m->ifa_index = (uint32_t)index;
	kept_copy(to, &all, types, COUNT(types));
}

static void kept_say_route(struct netlink *n, const struct nlmsghdr *h,
			   int index)
{
	static const unsigned int types[] = {
		RTA_DST,      RTA_SRC,	   RTA_GATEWAY, RTA_VIA,
		RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_FLOW,
		RTA_TABLE,    RTA_PREF,	   RTA_ENCAP,	RTA_ENCAP_TYPE,
	};
	const struct attrs all = kept_attrs(h);
	struct nlmsghdr *to = netlink_add(n, RTM_NEWROUTE, KEPT_NEW,
					  "set a route by the link");
	struct rtmsg *m = mnl_nlmsg_put_extra_header(to, sizeof(*m));

	*m = *(const struct rtmsg *)mnl_nlmsg_get_payload(h);
	m->rtm_flags &= RTNH_F_ONLINK;
	mnl_attr_put_u32(to, RTA_OIF, (uint32_t)index);
	kept_copy(to, &all, types, COUNT(types));
}

/** kept_say_default() - Where no other route leads */
static void kept_say_default(struct netlink *n, uint8_t family, int index)
{
	struct nlmsghdr *h =
		netlink_add(n, RTM_NEWROUTE, KEPT_NEW, "set a default route");
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->rtm_family = family;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = KEPT_PROTO;
	m->rtm_scope = RT_SCOPE_LINK;
	m->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)index);
	mnl_attr_put_u32(h, RTA_PRIORITY, KEPT_FAR);
}

/** kept_say_rule() - Look into a route's table, too */
static void kept_say_rule(struct netlink *n, const struct nlmsghdr *route)
{
	const struct attrs all = kept_attrs(route);
	const struct rtmsg *r = mnl_nlmsg_get_payload(route);
	const uint32_t table = kept_table(r, &all);
	struct nlmsghdr *h;
	struct fib_rule_hdr *m;

	if (table == RT_TABLE_MAIN || table == RT_TABLE_DEFAULT)
		return;
	/* The same rule twice is refused, and of no interest. */
	h = netlink_add(n, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL,
			"set a rule");
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->family = r->rtm_family;
	m->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(h, FRA_TABLE, table);
	mnl_attr_put_u32(h, FRA_PRIORITY, KEPT_TABLES);
}

/** kept_pass() - Those which others of the same kind lead over come last */
static int kept_pass(const struct nlmsghdr *h)
{
	const struct attrs all = kept_attrs(h);

	if (h->nlmsg_type == RTM_NEWADDR)
		return 0;
	return all.at[RTA_GATEWAY] || all.at[RTA_VIA] ? 2 : 1;
}

/** kept_say() - Return: 0 or -errno */
static int kept_say(struct netlink *n, const struct nlmsghdr *h, int index,
		    bool is_home, struct fault *f)
{
	if (h->nlmsg_len > NETLINK_OP_SIZE / 2)
		return fault(f, -EMSGSIZE, "set a route by the link");
	if (h->nlmsg_type == RTM_NEWADDR) {
		kept_say_address(n, h, index);
	} else {
		if (!is_home)
			kept_say_rule(n, h);
		kept_say_route(n, h, index);
	}
	return netlink_commit(n, f);
}

/** kept_leads() - Does an address of this family mean that packets go out? */
static bool kept_leads(const struct kept *k, uint8_t family)
{
	for (const struct kept_part *p = k->first; p; p = p->next) {
		const struct ifaddrmsg *m = mnl_nlmsg_get_payload(p->message);

		if (p->message->nlmsg_type == RTM_NEWADDR &&
		    m->ifa_family == family &&
		    m->ifa_scope == RT_SCOPE_UNIVERSE)
			return true;
	}
	return false;
}

int kept_put(const struct kept *k, int index, bool is_home, struct fault *f)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_ROUTE, &n, f);
	int bad = 0;

	if (rc < 0)
		return rc;
	for (int pass = 0; pass < 3; pass++)
		for (const struct kept_part *p = k->first; p; p = p->next) {
			if (kept_pass(p->message) != pass)
				continue;
			rc = kept_say(n, p->message, index, is_home,
				      bad ? NULL : f);
			bad = bad ? bad : rc;
		}
	for (size_t i = 0;
	     !bad && !is_home && !k->is_whole && i < COUNT(families); i++) {
		if (!kept_leads(k, families[i]))
			continue;
		kept_say_default(n, families[i], index);
		bad = netlink_commit(n, f);
	}
	return bad;
}
