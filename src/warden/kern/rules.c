// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * rules.c - packet rules of the gate, by libnftnl
 *
 * `out` marks each SYN that leaves, so that routing sends it into the TUN;
 * `pre` hands a SYN that the worker gives back to the gate's listener; `in`
 * refuses those who call that listener by its own number. Nothing is tracked
 * and nothing is translated.
 *
 * A rule is written as the chain of its expressions: each rules_if_*() is a
 * condition, the last call is what happens.
 */
#include "kern/rules.h"

#include "kern/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>

#define RULES_TABLE "nsproxy"

#define IP4_DADDR 16
#define IP6_DADDR 24
#define TCP_DPORT 2
#define TCP_FLAGS 13

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

/**
 * struct rule - one rule while it is written
 * @ran_out:  An allocation failed; sticky
 */
struct rule {
	struct nftnl_rule *nft;
	bool ran_out;
};

static struct rule rules_begin(const char *chain)
{
	struct rule r = { .nft = nftnl_rule_alloc() };

	if (!r.nft) {
		r.ran_out = true;
		return r;
	}
	nftnl_rule_set_str(r.nft, NFTNL_RULE_TABLE, RULES_TABLE);
	nftnl_rule_set_str(r.nft, NFTNL_RULE_CHAIN, chain);
	return r;
}

/** rules_end() - Put the rule into the batch; it is gone afterwards */
static int rules_end(struct netlink *n, struct rule *r, const char *what)
{
	struct nlmsghdr *h;
	const int rc = r->ran_out ? -ENOMEM : 0;

	if (rc == 0) {
		h = rules_message(n, NFT_MSG_NEWRULE,
				  NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
				  what);
		nftnl_rule_nlmsg_build_payload(h, r->nft);
	}
	if (r->nft)
		nftnl_rule_free(r->nft);
	r->nft = NULL;
	return rc;
}

/** rules_expr() - Add an expression; NULL when memory ran out */
static struct nftnl_expr *rules_expr(struct rule *r, const char *name)
{
	struct nftnl_expr *e = r->ran_out ? NULL : nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(r->nft, e);
	else
		r->ran_out = true;
	return e;
}

static void rules_compare(struct rule *r, const void *with, uint32_t len)
{
	struct nftnl_expr *e = rules_expr(r, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, with, len);
}

static void rules_if_meta(struct rule *r, uint32_t key, const void *with,
			  uint32_t len)
{
	struct nftnl_expr *e = rules_expr(r, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	rules_compare(r, with, len);
}

static void rules_if_proto(struct rule *r, uint8_t proto)
{
	rules_if_meta(r, NFT_META_L4PROTO, &proto, sizeof(proto));
}

static void rules_if_iface(struct rule *r, const char *name)
{
	char padded[IFNAMSIZ] = "";

	memcpy(padded, name, strnlen(name, IFNAMSIZ - 1));
	rules_if_meta(r, NFT_META_IIFNAME, padded, sizeof(padded));
}

static void rules_load_bytes(struct rule *r, uint32_t base, uint32_t offset,
			     uint32_t len)
{
	struct nftnl_expr *e = rules_expr(r, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
}

/** rules_if_to() - Destination address; @len 1 compares the first octet */
static void rules_if_to(struct rule *r, int family, const void *ip,
			uint32_t len)
{
	const bool is_ip6 = family == AF_INET6;
	const uint8_t nfproto = is_ip6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	rules_if_meta(r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	rules_load_bytes(r, NFT_PAYLOAD_NETWORK_HEADER,
			 is_ip6 ? IP6_DADDR : IP4_DADDR, len);
	rules_compare(r, ip, len);
}

static void rules_if_port(struct rule *r, uint16_t port)
{
	const uint16_t wire = htons(port);

	rules_load_bytes(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_DPORT,
			 sizeof(wire));
	rules_compare(r, &wire, sizeof(wire));
}

/** rules_if_syn() - The first packet of a connection */
static void rules_if_syn(struct rule *r)
{
	const uint8_t mask = 0x12; /* SYN and ACK */
	const uint8_t none = 0;
	const uint8_t syn = 0x02;
	struct nftnl_expr *e;

	rules_load_bytes(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
	e = rules_expr(r, "bitwise");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, 1);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, 1);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &none, 1);
	rules_compare(r, &syn, sizeof(syn));
}

static void rules_set_register(struct rule *r, const void *data, uint32_t len)
{
	struct nftnl_expr *e = rules_expr(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void rules_mark(struct rule *r, uint32_t mark)
{
	struct nftnl_expr *e;

	rules_set_register(r, &mark, sizeof(mark));
	e = rules_expr(r, "meta");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void rules_accept(struct rule *r)
{
	struct nftnl_expr *e = rules_expr(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
}

/* What is exposed at a loopback address goes out like any far address. */
static int rules_add_expose(struct netlink *n, const struct rules *wish,
			    const struct addr *a, uint8_t proto)
{
	struct rule r = rules_begin("out");

	rules_if_to(&r, AF_INET, a->ip, 4);
	rules_if_proto(&r, proto);
	rules_if_port(&r, a->port);
	if (proto == IPPROTO_TCP)
		rules_if_syn(&r);
	rules_mark(&r, wish->mark);
	rules_accept(&r);
	return rules_end(n, &r, "expose a loopback address");
}

static int rules_add_own(struct netlink *n, int family, const void *ip,
			 uint32_t len)
{
	struct rule r = rules_begin("out");

	rules_if_to(&r, family, ip, len);
	rules_accept(&r);
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

	r = rules_begin("out");
	rules_if_proto(&r, IPPROTO_TCP);
	rules_if_syn(&r);
	rules_mark(&r, wish->mark);
	return rules_end(n, &r, "mark outgoing connections");
}

static int rules_add_tproxy(struct netlink *n, const struct rules *wish,
			    uint8_t nfproto)
{
	const uint16_t port = htons(wish->gate_port);
	struct rule r = rules_begin("pre");
	struct nftnl_expr *e;

	rules_if_iface(&r, wish->tun);
	rules_if_meta(&r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	rules_if_proto(&r, IPPROTO_TCP);
	rules_if_syn(&r);
	rules_set_register(&r, &port, sizeof(port));
	e = rules_expr(&r, "tproxy");
	if (e) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_TPROXY_FAMILY, nfproto);
		nftnl_expr_set_u32(e, NFTNL_EXPR_TPROXY_REG_PORT, NFT_REG_1);
	}
	return rules_end(n, &r, "hand SYNs to the gate (nft_tproxy)");
}

/* A connection to the listener by its own number would lead nowhere. */
static int rules_add_in(struct netlink *n, const struct rules *wish)
{
	struct rule r = rules_begin("in");
	struct nftnl_expr *e;

	rules_if_iface(&r, "lo");
	rules_if_proto(&r, IPPROTO_TCP);
	rules_if_port(&r, wish->gate_port);
	rules_if_syn(&r);
	e = rules_expr(&r, "reject");
	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE,
				   NFT_REJECT_TCP_RST);
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
