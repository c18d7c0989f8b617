// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * rules.c - packet rules of the gate, by libnftnl
 *
 * `out` marks each SYN that leaves, so that routing sends it into the TUN;
 * `pre` hands a SYN that the worker gives back to the gate's listener; `in`
 * refuses those who call that listener by its own number. Nothing is tracked
 * and nothing is translated.
 */
#include "kern/rules.h"

#include "kern/netlink.h"
#include "kern/rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <stddef.h>

#define RULES_TABLE "nsproxy"

static struct nlmsghdr *rules_message(struct netlink *n, unsigned int type,
				      uint16_t flags, const char *what)
{
	struct nlmsghdr *h = netlink_add(
		n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, what);
	struct nfgenmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->nfgen_family = NFPROTO_INET;
	m->version = NFNETLINK_V0;
	return h;
}

/** rules_edge() - First or last message of the transaction */
static void rules_edge(struct netlink *n, uint16_t type)
{
	struct nlmsghdr *h =
		netlink_add(n, type, 0, "load packet rules (nf_tables)");
	struct nfgenmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->nfgen_family = AF_UNSPEC;
	m->version = NFNETLINK_V0;
	m->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

static int rules_add_table(struct netlink *n)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h;

	if (!t)
		return -ENOMEM;
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, RULES_TABLE);
	h = rules_message(n, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK,
			  "make an nf_tables table");
	nftnl_table_nlmsg_build_payload(h, t);
	nftnl_table_free(t);
	return 0;
}

static int rules_add_chain(struct netlink *n, const char *name,
			   const char *type, uint32_t hook)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h;

	if (!c)
		return -ENOMEM;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, RULES_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, type);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, NF_IP_PRI_MANGLE);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	h = rules_message(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK,
			  "make an nf_tables chain");
	nftnl_chain_nlmsg_build_payload(h, c);
	nftnl_chain_free(c);
	return 0;
}

/** rules_end() - Put the rule into the batch; it is gone afterwards */
static int rules_end(struct netlink *n, struct rule *r, const char *what)
{
	return rule_end(r,
			rules_message(n, NFT_MSG_NEWRULE,
				      NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
				      what));
}

/* What is exposed at a loopback address goes out like any far address. */
static int rules_add_expose(struct netlink *n, const struct rules *wish,
			    const struct addr *a, uint8_t proto)
{
	struct rule r = rule_begin(RULES_TABLE, "out");

	rule_if_to(&r, AF_INET, a->ip, 4);
	rule_if_proto(&r, proto);
	rule_if_port(&r, a->port);
	if (proto == IPPROTO_TCP)
		rule_if_syn(&r);
	rule_mark(&r, wish->mark);
	rule_accept(&r);
	return rules_end(n, &r, "expose a loopback address");
}

static int rules_add_own(struct netlink *n, int family, const void *ip,
			 uint32_t len)
{
	struct rule r = rule_begin(RULES_TABLE, "out");

	rule_if_to(&r, family, ip, len);
	rule_accept(&r);
	return rules_end(n, &r, "let local addresses be local");
}

static int rules_add_out(struct netlink *n, const struct rules *wish)
{
	const uint8_t loopback4[] = { 127 };
	struct rule r;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < wish->expose_count; i++) {
		const struct addr *a = &wish->expose[i];

		rc = rules_add_expose(n, wish, a, IPPROTO_TCP);
		if (rc == 0)
			rc = rules_add_expose(n, wish, a, IPPROTO_UDP);
	}
	if (rc == 0)
		rc = rules_add_own(n, AF_INET, loopback4, sizeof(loopback4));
	if (rc == 0)
		rc = rules_add_own(n, AF_INET, wish->own4.ip, 4);
	if (rc == 0 && wish->own6.family == AF_INET6) {
		rc = rules_add_own(n, AF_INET6, &in6addr_loopback, 16);
		if (rc == 0)
			rc = rules_add_own(n, AF_INET6, wish->own6.ip, 16);
	}
	if (rc < 0)
		return rc;

	r = rule_begin(RULES_TABLE, "out");
	rule_if_proto(&r, IPPROTO_TCP);
	rule_if_syn(&r);
	rule_mark(&r, wish->mark);
	return rules_end(n, &r, "mark outgoing connections");
}

static int rules_add_tproxy(struct netlink *n, const struct rules *wish,
			    uint8_t nfproto)
{
	struct rule r = rule_begin(RULES_TABLE, "pre");

	rule_if_iface(&r, wish->tun);
	rule_if_meta(&r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	rule_if_proto(&r, IPPROTO_TCP);
	rule_if_syn(&r);
	rule_tproxy(&r, nfproto, wish->gate_port);
	return rules_end(n, &r, "hand SYNs to the gate (nft_tproxy)");
}

/* A connection to the listener by its own number would lead nowhere. */
static int rules_add_in(struct netlink *n, const struct rules *wish)
{
	struct rule r = rule_begin(RULES_TABLE, "in");

	rule_if_iface(&r, "lo");
	rule_if_proto(&r, IPPROTO_TCP);
	rule_if_port(&r, wish->gate_port);
	rule_if_syn(&r);
	rule_reset(&r);
	return rules_end(n, &r, "close the gate's own port (nft_reject)");
}

static int rules_write(struct netlink *n, const struct rules *wish)
{
	int rc = rules_add_table(n);

	if (rc == 0)
		rc = rules_add_chain(n, "out", "route", NF_INET_LOCAL_OUT);
	if (rc == 0)
		rc = rules_add_chain(n, "pre", "filter", NF_INET_PRE_ROUTING);
	if (rc == 0)
		rc = rules_add_chain(n, "in", "filter", NF_INET_LOCAL_IN);
	if (rc == 0)
		rc = rules_add_out(n, wish);
	if (rc == 0)
		rc = rules_add_tproxy(n, wish, NFPROTO_IPV4);
	if (rc == 0 && wish->own6.family == AF_INET6)
		rc = rules_add_tproxy(n, wish, NFPROTO_IPV6);
	if (rc == 0)
		rc = rules_add_in(n, wish);
	return rc;
}

int rules_load(const struct rules *r, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_NETFILTER, &n, f);

	if (rc < 0)
		return fault_hint(f, "the kernel needs nf_tables: "
				     "sudo modprobe nf_tables");
	rules_edge(n, NFNL_MSG_BATCH_BEGIN);
	rc = rules_write(n, r);
	if (rc < 0)
		return fault(f, rc, "write packet rules");
	rules_edge(n, NFNL_MSG_BATCH_END);
	rc = netlink_commit(n, f);
	if (rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT)
		return fault_hint(f, "the kernel needs these modules: sudo "
				     "modprobe -a nf_tables nft_tproxy "
				     "nft_reject_inet");
	return rc;
}

void rules_sweep(void)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h;

	if (t && netlink_new(NETLINK_NETFILTER, &n, NULL) == 0) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, RULES_TABLE);
		rules_edge(n, NFNL_MSG_BATCH_BEGIN);
		h = rules_message(n, NFT_MSG_DELTABLE, NLM_F_ACK,
				  "take back packet rules");
		nftnl_table_nlmsg_build_payload(h, t);
		rules_edge(n, NFNL_MSG_BATCH_END);
		(void)netlink_commit(n, NULL);
	}
	if (t)
		nftnl_table_free(t);
}
