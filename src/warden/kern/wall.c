// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wall.c - what may come from a link to a sandbox to this host
 *
 * Everything is dropped by default, by rules that need nobody. What opens them
 * is one element of the set `awake`, which the kernel takes away when it has
 * not been put there again for some seconds: so all is shut when the daemon is
 * dead, stopped, or does not get on. A link's own rules are in a chain that is
 * called as the link.
 *
 * An accept here ends this table's say, and no other's; a drop is final.
 */
#include "kern/wall.h"

#include "base/fd.h"
#include "kern/netlink.h"
#include "kern/nft.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>
#include <sys/socket.h>

#define WALL_AWAKE   "awake"
#define WALL_LINKS   "links"
/* Before the usual filters: no other's accept must come first, though a drop
 * would hold anyway. */
#define WALL_PRIO    (NF_IP_PRI_FILTER - 10)

#define WALL_REMOVED (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE)

/* nft(8)'s numbers of types, for who lists the table */
#define TYPE_NFPROTO 2
#define TYPE_IFNAME  41
#define TYPE_VERDICT 0xffffff00u

static int wall_add_set(struct netlink *n, const char *name, uint32_t flags,
			uint32_t type, uint32_t len, uint32_t id)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h;

	if (!s)
		return -ENOMEM;
	nftnl_set_set_str(s, NFTNL_SET_TABLE, WALL_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, len);
	nftnl_set_set_u32(s, NFTNL_SET_ID, id);
	if (flags & NFT_SET_MAP)
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, TYPE_VERDICT);
	h = nft_message(n, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_ACK,
			"make an nf_tables set");
	nftnl_set_nlmsg_build_payload(h, s);
	nftnl_set_free(s);
	return 0;
}

/** wall_element() - Of `awake` (@link NULL), or of `links` */
static int wall_element(struct netlink *n, unsigned int type, const char *link)
{
	const uint8_t ip4 = NFPROTO_IPV4;
	char padded[IF_NAMESIZE] = "";
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();
	struct nlmsghdr *h;

	if (!s || !e) {
		if (s)
			nftnl_set_free(s);
		if (e)
			nftnl_set_elem_free(e);
		return -ENOMEM;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, WALL_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, link ? WALL_LINKS : WALL_AWAKE);
	if (link) {
		memcpy(padded, link, strnlen(link, sizeof(padded) - 1));
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, padded,
				   sizeof(padded));
		if (type == NFT_MSG_NEWSETELEM) {
			nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT,
					       (uint32_t)NFT_GOTO);
			nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_CHAIN, link);
		}
	} else {
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, &ip4, sizeof(ip4));
		nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT,
				       WALL_PATIENCE_S * 1000u);
	}
	nftnl_set_elem_add(s, e);
	h = nft_message(n, type, NLM_F_CREATE | NLM_F_ACK,
			"change an nf_tables set");
	nftnl_set_elems_nlmsg_build_payload(h, s);
	nftnl_set_free(s); /* and the element */
	return 0;
}

/** wall_empty() - Take all elements out of `awake` */
static int wall_empty(struct netlink *n)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h;

	if (!s)
		return -ENOMEM;
	nftnl_set_set_str(s, NFTNL_SET_TABLE, WALL_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, WALL_AWAKE);
	h = nft_message(n, NFT_MSG_DELSETELEM, NLM_F_ACK,
			"change an nf_tables set");
	nftnl_set_elems_nlmsg_build_payload(h, s);
	nftnl_set_free(s);
	return 0;
}

/* The family of an IPv6 packet is never in `awake`. */
static int wall_add_asleep(struct netlink *n, const char *chain, bool goes_out)
{
	struct rule r = rule_begin(WALL_TABLE, chain);

	rule_if_link(&r, goes_out, VETH_PREFIX);
	rule_unless_family_in(&r, WALL_AWAKE);
	rule_drop(&r);
	return nft_rule(n, &r, "shut links while nobody is awake");
}

static int wall_add_drop(struct netlink *n, const char *chain, bool goes_out)
{
	struct rule r = rule_begin(WALL_TABLE, chain);

	rule_if_link(&r, goes_out, VETH_PREFIX);
	rule_drop(&r);
	return nft_rule(n, &r, "drop what no rule lets pass");
}

static int wall_add_links(struct netlink *n)
{
	struct rule r = rule_begin(WALL_TABLE, "in");

	rule_by_iface(&r, WALL_LINKS);
	return nft_rule(n, &r, "ask a link's own rules");
}

static int wall_add_chains(struct netlink *n)
{
	static const struct nft_chain chains[] = {
		{ WALL_TABLE, "in", "filter", NF_INET_LOCAL_IN, WALL_PRIO },
		{ WALL_TABLE, "out", "filter", NF_INET_LOCAL_OUT, WALL_PRIO },
		{ WALL_TABLE, "forward", "filter", NF_INET_FORWARD, WALL_PRIO },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(chains) / sizeof(chains[0]);
	     i++)
		rc = nft_chain(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, &chains[i]);
	return rc;
}

static int wall_write(struct netlink *n)
{
	int rc = nft_table(n, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL,
			   WALL_TABLE);

	if (rc == 0)
		rc = wall_add_set(n, WALL_AWAKE, NFT_SET_TIMEOUT, TYPE_NFPROTO,
				  1, 1);
	if (rc == 0)
		rc = wall_add_set(n, WALL_LINKS, NFT_SET_MAP, TYPE_IFNAME,
				  IF_NAMESIZE, 2);
	if (rc == 0)
		rc = wall_add_chains(n);
	if (rc == 0)
		rc = wall_add_asleep(n, "in", false);
	if (rc == 0)
		rc = wall_add_links(n);
	if (rc == 0)
		rc = wall_add_drop(n, "in", false);
	if (rc == 0)
		rc = wall_add_asleep(n, "out", true);
	if (rc == 0)
		rc = wall_add_drop(n, "forward", false);
	if (rc == 0)
		rc = wall_add_drop(n, "forward", true);
	return rc;
}

/** wall_begin() - Open a transaction */
static int wall_begin(struct netlink **ret, struct fault *f)
{
	const int rc = netlink_new(NETLINK_NETFILTER, ret, f);

	if (rc == 0)
		nft_begin(*ret);
	return rc;
}

/** wall_commit() - Send it, if it could be written */
static int wall_commit(struct netlink *n, int rc, struct fault *f)
{
	if (rc < 0)
		return fault(f, rc, "write packet rules");
	nft_end(n);
	return netlink_commit(n, f);
}

int wall_make(struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	struct fault mine = { 0 };
	int rc = wall_begin(&n, f);

	if (rc < 0)
		return rc;
	rc = wall_commit(n, wall_write(n), &mine);
	if (rc == 0 || rc == -EEXIST)
		return 0; /* made whole, by us or another of us */
	if (f)
		*f = mine;
	return fault_hint(f, "links to the host need nf_tables and nft_ct: "
			     "sudo modprobe -a nf_tables nft_ct");
}

static int wall_add_port(struct netlink *n, const struct veth *v,
			 const struct veth_port *p)
{
	struct rule r = rule_begin(WALL_TABLE, v->link);

	rule_if_proto(&r, p->proto);
	rule_if_port(&r, p->port);
	rule_accept(&r);
	return nft_rule(n, &r, "open a port of the host");
}

/** wall_write_link() - From the one address to the other, and what is listed */
static int wall_write_link(struct netlink *n, const struct veth *v)
{
	struct rule r = rule_begin(WALL_TABLE, v->link);
	int rc;

	rule_unless_from(&r, v->inside);
	rule_drop(&r);
	rc = nft_rule(n, &r, "drop spoofed sources");
	if (rc < 0)
		return rc;
	r = rule_begin(WALL_TABLE, v->link);
	rule_unless_to(&r, v->host);
	rule_drop(&r);
	rc = nft_rule(n, &r, "drop what is for other addresses");
	if (rc < 0)
		return rc;
	r = rule_begin(WALL_TABLE, v->link);
	rule_if_established(&r);
	rule_accept(&r);
	rc = nft_rule(n, &r, "let answers pass (nft_ct)");
	for (unsigned int i = 0; rc == 0 && i < v->port_count; i++)
		rc = wall_add_port(n, v, &v->port[i]);
	if (rc < 0)
		return rc;
	return wall_add_drop(n, v->link, false);
}

/** wall_clear_chain() - Take a chain's rules away */
static void wall_clear_chain(struct netlink *n, const char *link)
{
	struct rule r = rule_begin(WALL_TABLE, link);
	struct nlmsghdr *h = nft_message(n, NFT_MSG_DELRULE, NLM_F_ACK,
					 "empty an nf_tables chain");

	(void)rule_end(&r, h);
}

int wall_let(const struct veth *v, struct fault *f)
{
	const struct nft_chain own = { WALL_TABLE, v->link, NULL, 0, 0 };
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = wall_begin(&n, f);

	if (rc < 0)
		return rc;
	rc = nft_chain(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, &own);
	if (rc == 0) {
		wall_clear_chain(n, v->link);
		rc = wall_write_link(n, v);
	}
	if (rc == 0)
		rc = wall_element(n, NFT_MSG_NEWSETELEM, v->link);
	return wall_commit(n, rc, f);
}

/** wall_drop_chain() - When nothing leads to it any more */
static void wall_drop_chain(const char *link)
{
	const struct nft_chain own = { WALL_TABLE, link, NULL, 0, 0 };
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;

	if (wall_begin(&n, NULL) < 0)
		return;
	wall_clear_chain(n, link);
	(void)wall_commit(n, nft_chain(n, NFT_MSG_DELCHAIN, 0, &own), NULL);
}

void wall_shut(const char *link)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;

	/* Twice, as one that is not there would stop the other. */
	if (wall_begin(&n, NULL) == 0)
		(void)wall_commit(n, wall_element(n, NFT_MSG_DELSETELEM, link),
				  NULL);
	wall_drop_chain(link);
}

int wall_wake(struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = wall_begin(&n, f);

	if (rc < 0)
		return rc;
	rc = wall_empty(n);
	if (rc == 0)
		rc = wall_element(n, NFT_MSG_NEWSETELEM, NULL);
	return wall_commit(n, rc, f);
}

void wall_sleep(void)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;

	if (wall_begin(&n, NULL) == 0)
		(void)wall_commit(n, wall_empty(n), NULL);
}

int wall_listen(int *ret_fd, struct fault *f)
{
	const struct sockaddr_nl at = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1u << (NFNLGRP_NFTABLES - 1),
	};
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    NETLINK_NETFILTER);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return fault(f, -errno, "listen for changes of packet rules");
	*ret_fd = fd_take(&fd);
	return 0;
}

bool wall_heard(int fd)
{
	_Alignas(struct nlmsghdr) uint8_t buf[16384];
	bool heard = false;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0 ||
	       (n < 0 && errno == ENOBUFS)) {
		const struct nlmsghdr *h = (const void *)buf;
		int left = (int)n;

		heard |= n < 0;
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			heard |= h->nlmsg_type == WALL_REMOVED;
	}
	return heard;
}

int wall_remove(void)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = wall_begin(&n, NULL);

	if (rc < 0)
		return rc;
	return wall_commit(n, nft_table(n, NFT_MSG_DELTABLE, 0, WALL_TABLE),
			   NULL);
}
