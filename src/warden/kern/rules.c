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

#include "base/broken.h"
#include "kern/netlink.h"
#include "kern/nft.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stddef.h>

#define RULES_TABLE "nsproxy"

static int rules_add_chain(struct netlink *n, const char *name,
			   const char *type, uint32_t hook)
{
	return nft_chain(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE,
			 &(struct nft_chain){ RULES_TABLE, name, type, hook,
					      NF_IP_PRI_MANGLE });
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
	return nft_rule(n, &r, "expose a loopback address");
}

static int rules_add_own(struct netlink *n, int family, const void *ip,
			 uint32_t len)
{
	struct rule r = rule_begin(RULES_TABLE, "out");

	rule_if_to(&r, family, ip, len);
	rule_accept(&r);
	return nft_rule(n, &r, "let local addresses be local");
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
	return nft_rule(n, &r, "mark outgoing connections");
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
	return nft_rule(n, &r, "hand SYNs to the gate (nft_tproxy)");
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
	return nft_rule(n, &r, "close the gate's own port (nft_reject)");
}

static int rules_write(struct netlink *n, const struct rules *wish)
{
	int rc = nft_table(n, NFT_MSG_NEWTABLE, NLM_F_CREATE, RULES_TABLE);

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
	if (rc == 0 && !broken(BROKEN_RULE))
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
	nft_begin(n);
	rc = rules_write(n, r);
	if (rc < 0)
		return fault(f, rc, "write packet rules");
	nft_end(n);
	rc = netlink_commit(n, f);
	if (rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT)
		return fault_hint(f, "the kernel needs these modules: sudo "
				     "modprobe -a nf_tables nft_tproxy "
				     "nft_reject_inet");
	return rc;
}

/** rules_write_link() - Who sends to the link's two ends is not marked; what
 * comes in by it for any other address is not AnyIP's */
static int rules_write_link(struct netlink *n, const char *name,
			    const uint8_t host[static 4],
			    const uint8_t inside[static 4])
{
	struct rule r = rule_begin(RULES_TABLE, "out");
	int rc;

	rule_if_to(&r, AF_INET, host, 4);
	rule_accept(&r);
	rc = nft_rule_first(n, &r, "let the host's end be near");
	if (rc < 0)
		return rc;
	r = rule_begin(RULES_TABLE, "out");
	rule_if_to(&r, AF_INET, inside, 4);
	rule_accept(&r);
	rc = nft_rule_first(n, &r, "let the link's own address be local");
	if (rc < 0)
		return rc;
	r = rule_begin(RULES_TABLE, "pre");
	rule_if_iface(&r, name);
	rule_unless_to(&r, inside);
	rule_drop(&r);
	return nft_rule_first(n, &r, "drop what is for others");
}

int rules_add_link(const char *name, const uint8_t host[static 4],
		   const uint8_t inside[static 4], struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_NETFILTER, &n, f);

	if (rc < 0)
		return rc;
	nft_begin(n);
	rc = rules_write_link(n, name, host, inside);
	if (rc < 0)
		return fault(f, rc, "write packet rules");
	nft_end(n);
	return netlink_commit(n, f);
}

void rules_sweep(void)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;

	if (netlink_new(NETLINK_NETFILTER, &n, NULL) < 0)
		return;
	nft_begin(n);
	if (nft_table(n, NFT_MSG_DELTABLE, NLM_F_ACK, RULES_TABLE) < 0)
		return;
	nft_end(n);
	(void)netlink_commit(n, NULL); /* it may never have been there */
}
