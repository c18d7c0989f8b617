/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * nft.h - messages that rules.c and wall.c both need
 */
#include "kern/netlink.h"
#include "kern/rule.h"

#include <stdint.h>

/**
 * nft_message() - Begin a message about packet rules
 * @n:      Batch
 * @type:   NFT_MSG_*
 * @flags:  NLM_F_*
 * @what:   For the fault; static
 *
 * Return: its header, to be filled
 */
struct nlmsghdr *nft_message(struct netlink *n, unsigned int type,
			     uint16_t flags, const char *what);

/** nft_begin() - First message of a transaction */
void nft_begin(struct netlink *n);
/** nft_end() - Last message of a transaction */
void nft_end(struct netlink *n);

/**
 * nft_table() - Make or remove a table
 * @n:      Batch
 * @type:   NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE
 * @flags:  NLM_F_*
 * @name:   Its name
 *
 * Return: 0, or -ENOMEM
 */
int nft_table(struct netlink *n, unsigned int type, uint16_t flags,
	      const char *name);

/**
 * struct nft_chain - a chain
 * @table:  Its table
 * @name:   Its name
 * @type:   "filter", "route"; NULL: it is only jumped to
 * @hook:   NF_INET_*
 * @prio:   Among others at the hook
 */
struct nft_chain {
	const char *table;
	const char *name;
	const char *type;
	uint32_t hook;
	int32_t prio;
};

/**
 * nft_chain() - Make or remove a chain; what no rule takes, it accepts
 * @n:      Batch
 * @type:   NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN
 * @flags:  NLM_F_*
 * @c:      Chain
 *
 * Return: 0, or -ENOMEM
 */
int nft_chain(struct netlink *n, unsigned int type, uint16_t flags,
	      const struct nft_chain *c);

/**
 * nft_rule() - Put a rule behind all others of its chain; it is gone afterwards
 * @n:     Batch
 * @r:     Rule
 * @what:  For the fault; static
 *
 * Return: 0, or -ENOMEM
 */
int nft_rule(struct netlink *n, struct rule *r, const char *what);

/** nft_rule_first() - Like nft_rule(), before all others */
int nft_rule_first(struct netlink *n, struct rule *r, const char *what);
