// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * rule.c - the words that packet rules are written in, by libnftnl
 *
 * Each condition loads something into register 1 and compares it; each action
 * is an expression of its own. Running out of memory is sticky and told once,
 * by rule_end().
 */
#include "kern/rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* libnftnl/expr.h wants FILE */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define IP4_SADDR 12
#define IP4_DADDR 16
#define IP6_DADDR 24
#define TCP_DPORT 2
#define TCP_FLAGS 13

struct rule rule_begin(const char *table, const char *chain)
{
	struct rule r = { .nft = nftnl_rule_alloc() };

	if (!r.nft) {
		r.ran_out = true;
		return r;
	}
	nftnl_rule_set_str(r.nft, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r.nft, NFTNL_RULE_CHAIN, chain);
	return r;
}

/** rule_expr() - Add an expression; NULL when memory ran out */
static struct nftnl_expr *rule_expr(struct rule *r, const char *name)
{
	struct nftnl_expr *e = r->ran_out ? NULL : nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(r->nft, e);
	else
		r->ran_out = true;
	return e;
}

/** rule_compare_as() - @op is an NFT_CMP_* */
static void rule_compare_as(struct rule *r, uint32_t op, const void *with,
			    uint32_t len)
{
	struct nftnl_expr *e = rule_expr(r, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, with, len);
}

static void rule_compare(struct rule *r, const void *with, uint32_t len)
{
	rule_compare_as(r, NFT_CMP_EQ, with, len);
}

static void rule_load_meta(struct rule *r, uint32_t key)
{
	struct nftnl_expr *e = rule_expr(r, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void rule_if_meta(struct rule *r, uint32_t key, const void *with, uint32_t len)
{
	rule_load_meta(r, key);
	rule_compare(r, with, len);
}

void rule_if_proto(struct rule *r, uint8_t proto)
{
	rule_if_meta(r, NFT_META_L4PROTO, &proto, sizeof(proto));
}

void rule_if_iface(struct rule *r, const char *name)
{
	char padded[IFNAMSIZ] = "";

	memcpy(padded, name, strnlen(name, IFNAMSIZ - 1));
	rule_if_meta(r, NFT_META_IIFNAME, padded, sizeof(padded));
}

static void rule_load_bytes(struct rule *r, uint32_t base, uint32_t offset,
			    uint32_t len)
{
	struct nftnl_expr *e = rule_expr(r, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
}

void rule_if_to(struct rule *r, int family, const void *ip, uint32_t len)
{
	const bool is_ip6 = family == AF_INET6;
	const uint8_t nfproto = is_ip6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	rule_if_meta(r, NFT_META_NFPROTO, &nfproto, sizeof(nfproto));
	rule_load_bytes(r, NFT_PAYLOAD_NETWORK_HEADER,
			is_ip6 ? IP6_DADDR : IP4_DADDR, len);
	rule_compare(r, ip, len);
}

void rule_if_port(struct rule *r, uint16_t port)
{
	const uint16_t wire = htons(port);

	rule_load_bytes(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_DPORT,
			sizeof(wire));
	rule_compare(r, &wire, sizeof(wire));
}

void rule_if_link(struct rule *r, bool goes_out, const char *prefix)
{
	/* Without its NUL: the rest of the name may be anything. */
	rule_if_meta(r, goes_out ? NFT_META_OIFNAME : NFT_META_IIFNAME, prefix,
		     (uint32_t)strlen(prefix));
}

void rule_unless_from(struct rule *r, const uint8_t ip[static 4])
{
	rule_load_bytes(r, NFT_PAYLOAD_NETWORK_HEADER, IP4_SADDR, 4);
	rule_compare_as(r, NFT_CMP_NEQ, ip, 4);
}

void rule_unless_to(struct rule *r, const uint8_t ip[static 4])
{
	rule_load_bytes(r, NFT_PAYLOAD_NETWORK_HEADER, IP4_DADDR, 4);
	rule_compare_as(r, NFT_CMP_NEQ, ip, 4);
}

/** rule_lookup() - Is register 1 in a set, or what does a map say of it? */
static struct nftnl_expr *rule_lookup(struct rule *r, const char *set)
{
	struct nftnl_expr *e = rule_expr(r, "lookup");

	if (e) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	}
	return e;
}

void rule_unless_family_in(struct rule *r, const char *set)
{
	struct nftnl_expr *e;

	rule_load_meta(r, NFT_META_NFPROTO);
	e = rule_lookup(r, set);
	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS,
				   NFT_LOOKUP_F_INV);
}

void rule_by_iface(struct rule *r, const char *map)
{
	struct nftnl_expr *e;

	rule_load_meta(r, NFT_META_IIFNAME);
	e = rule_lookup(r, map);
	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

/** rule_keep_bits() - Of the @len bytes in register 1 */
static void rule_keep_bits(struct rule *r, const void *mask, uint32_t len)
{
	const uint32_t none = 0;
	struct nftnl_expr *e = rule_expr(r, "bitwise");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &none, len);
}

void rule_if_syn(struct rule *r)
{
	const uint8_t mask = 0x12; /* SYN and ACK */
	const uint8_t syn = 0x02;

	rule_load_bytes(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1);
	rule_keep_bits(r, &mask, 1);
	rule_compare(r, &syn, sizeof(syn));
}

void rule_if_established(struct rule *r)
{
	const uint32_t mask = 2; /* NF_CT_STATE_BIT(IP_CT_ESTABLISHED) */
	const uint32_t none = 0;
	struct nftnl_expr *e = rule_expr(r, "ct");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	rule_keep_bits(r, &mask, sizeof(mask));
	rule_compare_as(r, NFT_CMP_NEQ, &none, sizeof(none));
}

static void rule_verdict(struct rule *r, uint32_t verdict)
{
	struct nftnl_expr *e = rule_expr(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, verdict);
}

void rule_drop(struct rule *r)
{
	rule_verdict(r, NF_DROP);
}

static void rule_set_register(struct rule *r, const void *data, uint32_t len)
{
	struct nftnl_expr *e = rule_expr(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

void rule_mark(struct rule *r, uint32_t mark)
{
	struct nftnl_expr *e;

	rule_set_register(r, &mark, sizeof(mark));
	e = rule_expr(r, "meta");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

void rule_accept(struct rule *r)
{
	rule_verdict(r, NF_ACCEPT);
}

void rule_tproxy(struct rule *r, uint8_t nfproto, uint16_t port)
{
	const uint16_t wire = htons(port);
	struct nftnl_expr *e;

	rule_set_register(r, &wire, sizeof(wire));
	e = rule_expr(r, "tproxy");
	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_TPROXY_FAMILY, nfproto);
	nftnl_expr_set_u32(e, NFTNL_EXPR_TPROXY_REG_PORT, NFT_REG_1);
}

void rule_reset(struct rule *r)
{
	struct nftnl_expr *e = rule_expr(r, "reject");

	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE,
				   NFT_REJECT_TCP_RST);
}

int rule_end(struct rule *r, struct nlmsghdr *h)
{
	if (!r->ran_out && h)
		nftnl_rule_nlmsg_build_payload(h, r->nft);
	if (r->nft)
		nftnl_rule_free(r->nft);
	r->nft = NULL;
	return r->ran_out ? -ENOMEM : 0;
}
