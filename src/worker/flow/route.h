/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * route.h - the verdict where a destination leads; pure
 */
#include "base/addr.h"
#include "bus/plan.h"

#include <stdbool.h>

enum route_verdict {
	ROUTE_WAY,    /* by the way out */
	ROUTE_EXPOSE, /* to the host itself: the user exposed it */
	ROUTE_NAMES,  /* to the sandbox's resolver */
	ROUTE_SERVER, /* to the proxy server at the gateway address */
	ROUTE_REFUSE, /* nowhere; @err says why */
	ROUTE_DROP,   /* nowhere, and not worth an answer: multicast and kin */
	ROUTE_VERDICTS
};

/**
 * struct route - a verdict
 * @err:  With ROUTE_REFUSE: -errno for the program
 */
struct route {
	enum route_verdict verdict;
	int err;
};

/**
 * route_decide() - Where does this address lead?
 * @p:       Plan
 * @dst:     Address and port
 * @is_tcp:  TCP; else UDP
 *
 * Addresses that leases come from get ROUTE_WAY: whether there is a lease is
 * the caller's to find out (route_is_lease()).
 */
struct route route_decide(const struct plan *p, const struct addr *dst,
			  bool is_tcp);

/**
 * route_name_ok() - May this name go to a proxy?
 * @name:  Lower case, no last dot
 *
 * No to localhost and what is below it, and to names that someone on the way
 * might take for an address: the last label all digits, or 0x... (the host
 * parser of the URL standard calls these "ends in a number").
 */
bool route_name_ok(const char *name);

/**
 * route_may_leave() - Does the plan's list of names let this leave?
 * @p:  Plan
 * @d:  A name, or an address, which no list allows
 */
bool route_may_leave(const struct plan *p, const struct dest *d);

/** route_alias() - What an alias at the gateway's address stands for, or NULL
 * for any other address */
const struct addr *route_alias(const struct plan *p, const struct addr *dst);

/** route_is_gateway() - Is this the sandbox's gateway address? */
bool route_is_gateway(const struct addr *a);
