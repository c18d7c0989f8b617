// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * nft.c - messages that rules.c and wall.c both need
 */
#include "kern/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

struct nlmsghdr *nft_message(struct netlink *n, unsigned int type,
			     uint16_t flags, const char *what)
{
	struct nlmsghdr *h = netlink_add(
		n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, what);
	struct nfgenmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->nfgen_family = NFPROTO_INET;
	m->version = NFNETLINK_V0;
	return h;
}

static void nft_edge(struct netlink *n, uint16_t type)
{
	struct nlmsghdr *h =
		netlink_add(n, type, 0, "load packet rules (nf_tables)");
	struct nfgenmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->nfgen_family = AF_UNSPEC;
	m->version = NFNETLINK_V0;
	m->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

void nft_begin(struct netlink *n)
{
	nft_edge(n, NFNL_MSG_BATCH_BEGIN);
}

void nft_end(struct netlink *n)
{
	nft_edge(n, NFNL_MSG_BATCH_END);
}

int nft_table(struct netlink *n, unsigned int type, uint16_t flags,
	      const char *name)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h;

	if (!t)
		return -ENOMEM;
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, name);
	h = nft_message(n, type, flags | NLM_F_ACK,
			type == NFT_MSG_NEWTABLE ? "make an nf_tables table"
						 : "remove an nf_tables table");
	nftnl_table_nlmsg_build_payload(h, t);
	nftnl_table_free(t);
	return 0;
}

int nft_chain(struct netlink *n, unsigned int type, uint16_t flags,
	      const struct nft_chain *w)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h;

	if (!c)
		return -ENOMEM;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, w->table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, w->name);
	if (w->type) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, w->type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, w->hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, w->prio);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	h = nft_message(n, type, flags | NLM_F_ACK,
			type == NFT_MSG_NEWCHAIN ? "make an nf_tables chain"
						 : "remove an nf_tables chain");
	nftnl_chain_nlmsg_build_payload(h, c);
	nftnl_chain_free(c);
	return 0;
}

int nft_rule(struct netlink *n, struct rule *r, const char *what)
{
	return rule_end(r, nft_message(n, NFT_MSG_NEWRULE,
				       NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
				       what));
}

int nft_rule_first(struct netlink *n, struct rule *r, const char *what)
{
	return rule_end(r, nft_message(n, NFT_MSG_NEWRULE,
				       NLM_F_CREATE | NLM_F_ACK, what));
}
