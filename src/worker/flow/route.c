// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * route.c - where a destination leads; sees only values
 */
#include "flow/route.h"

#include "base/broken.h"
#include "base/text.h"
#include "bus/only.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define DNS_PORT 53

static const struct route route_refuse_net = { ROUTE_REFUSE, -ENETUNREACH };

bool route_is_gateway(const struct addr *a)
{
	struct addr gateway;

	if (!addr_parse_ip(a->family == AF_INET ? GATEWAY_IP4 : GATEWAY_IP6,
			   &gateway))
		return false;
	return addr_same_host(a, &gateway);
}

static bool route_is_exposed(const struct plan *p, const struct addr *dst)
{
	for (unsigned int i = 0; i < p->expose_count; i++)
		if (addr_equal(&p->expose[i].addr, dst))
			return true;
	return false;
}

/**
 * route_is_odd() - Addresses that mean the asking host itself, or one link
 *
 * On a direct way, connect() to 0.0.0.0 or to a v4-mapped loopback address
 * would reach the host's own services.
 */
static bool route_is_odd(const struct addr *a)
{
	static const uint8_t zero[10];

	if (addr_is_loopback(a) || addr_is_any(a))
		return true;
	if (a->family == AF_INET)
		return a->ip[0] == 0 || a->ip[0] >= 240;
	if (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80)
		return true; /* fe80::/10 has no meaning without its link */
	/* ::/96 and ::ffff:0:0/96 hold IPv4 addresses in disguise. */
	return !memcmp(a->ip, zero, sizeof(zero)) &&
	       ((a->ip[10] == 0 && a->ip[11] == 0) ||
		(a->ip[10] == 0xff && a->ip[11] == 0xff));
}

static bool route_is_self(const struct addr *a)
{
	struct addr self;

	return addr_parse_ip(a->family == AF_INET ? SANDBOX_IP4 : SANDBOX_IP6,
			     &self) &&
	       addr_same_host(a, &self);
}

bool route_may_leave(const struct plan *p, const struct dest *d)
{
	return !only_is_set(p) ||
	       (d->name[0] != '\0' && only_allows(p, d->name));
}

static bool route_wants(const struct plan *p, int family)
{
	return family == AF_INET ? p->want_v4 : p->want_v6;
}

const struct addr *route_alias(const struct plan *p, const struct addr *dst)
{
	const unsigned int i = dst->port - (unsigned int)ALIAS_PORT;

	return dst->family == AF_INET && i < p->alias_count &&
			       route_is_gateway(dst)
		       ? &p->alias[i]
		       : NULL;
}

struct route route_decide(const struct plan *p, const struct addr *dst,
			  bool is_tcp)
{
	const bool is_dns = dst->port == DNS_PORT && p->names != NAMES_OFF;
	const struct addr *alias = route_alias(p, dst);

	if (addr_is_multicast(dst))
		return (struct route){ is_tcp ? ROUTE_REFUSE : ROUTE_DROP,
				       -ENETUNREACH };
	if (route_is_exposed(p, dst) || broken(BROKEN_DIRECT))
		return (struct route){ ROUTE_EXPOSE, 0 };
	if (is_dns)
		return (struct route){ ROUTE_NAMES, 0 };
	if (alias)
		return route_wants(p, alias->family)
			       ? (struct route){ ROUTE_WAY, 0 }
			       : route_refuse_net;
	if (route_is_gateway(dst) && is_tcp && dst->port == GATEWAY_PORT)
		return (struct route){ ROUTE_SERVER, 0 };
	if (route_is_gateway(dst) || route_is_self(dst))
		return (struct route){ ROUTE_REFUSE, -ECONNREFUSED };
	if (route_is_odd(dst))
		return route_refuse_net;
	if (!route_wants(p, dst->family))
		return route_refuse_net;
	if (dst->port == 0)
		return (struct route){ ROUTE_REFUSE, -ECONNREFUSED };
	return (struct route){ ROUTE_WAY, 0 };
}

/** route_label_is_number() - Digits only, or 0x and hexadecimal digits */
static bool route_label_is_number(const char *label)
{
	const char *at = label;

	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		for (at += 2; isxdigit((unsigned char)*at); at++)
			;
		return *at == '\0';
	}
	for (; isdigit((unsigned char)*at); at++)
		;
	return *at == '\0';
}

bool route_name_ok(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;

	if (!text_name_ok(name))
		return false;
	return strcmp(last, "localhost") != 0 && !route_label_is_number(last);
}
