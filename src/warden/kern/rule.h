/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nftnl_rule;
struct nlmsghdr;

/**
 * struct rule - one rule while it is written
 * @ran_out:  An allocation failed; sticky
 */
struct rule {
	struct nftnl_rule *nft;
	bool ran_out;
};

/**
 * rule_begin() - A rule without conditions
 * @table:  Name of its table
 * @chain:  Name of its chain
 *
 * Return: rule, to be given to rule_end()
 */
struct rule rule_begin(const char *table, const char *chain);

/**
 * rule_end() - Write the rule into a message; it is gone afterwards
 * @r:  Rule
 * @h:  Message with its nfgenmsg; NULL throws the rule away
 *
 * Return: 0, or -ENOMEM if memory ran out on the way
 */
int rule_end(struct rule *r, struct nlmsghdr *h);

/** rule_if_meta() - NFT_META_* key @key equals the @len bytes at @with */
void rule_if_meta(struct rule *r, uint32_t key, const void *with, uint32_t len);
/** rule_if_proto() - IPPROTO_* */
void rule_if_proto(struct rule *r, uint8_t proto);
/** rule_if_iface() - Came in by the interface of that name */
void rule_if_iface(struct rule *r, const char *name);
/** rule_if_to() - Destination address begins with the @len bytes at @ip */
void rule_if_to(struct rule *r, int family, const void *ip, uint32_t len);
/** rule_if_port() - Destination port of TCP or UDP */
void rule_if_port(struct rule *r, uint16_t port);
/** rule_if_syn() - The first packet of a TCP connection */
void rule_if_syn(struct rule *r);

/** rule_if_link() - Came in (or goes out) by a link whose name begins so */
void rule_if_link(struct rule *r, bool goes_out, const char *prefix);
/** rule_unless_from() - Source address is not this IPv4 one */
void rule_unless_from(struct rule *r, const uint8_t ip[static 4]);
/** rule_unless_to() - Destination address is not this IPv4 one */
void rule_unless_to(struct rule *r, const uint8_t ip[static 4]);
/** rule_unless_family_in() - NFPROTO_* of the packet is not in a set */
void rule_unless_family_in(struct rule *r, const char *set);
/** rule_if_established() - Of a connection that was answered before */
void rule_if_established(struct rule *r);

/** rule_by_iface() - What a map says of the link that it came in by */
void rule_by_iface(struct rule *r, const char *map);
/** rule_drop() - Away with it */
void rule_drop(struct rule *r);
/** rule_mark() - Set the firewall mark */
void rule_mark(struct rule *r, uint32_t mark);
/** rule_accept() - Done with this chain */
void rule_accept(struct rule *r);
/** rule_tproxy() - Hand to the listener on @port; of NFPROTO_* @nfproto */
void rule_tproxy(struct rule *r, uint8_t nfproto, uint16_t port);
/** rule_reset() - Answer with a TCP reset */
void rule_reset(struct rule *r);
