/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * probe.h - ask a proxy what it can do, for `nsproxy check`
 */
#include "base/fault.h"
#include "bus/plan.h"

#define PROBE_MS 5000 /* for each question, all in all */

enum probe_answer {
	PROBE_UNKNOWN, /* not asked, or no answer in time */
	PROBE_NO,
	PROBE_YES,
};

/**
 * struct probe - what was found
 * @udp:  SOCKS5 UDP ASSOCIATE
 * @ip6:  Does not say no to an IPv6 destination
 */
struct probe {
	enum probe_answer udp;
	enum probe_answer ip6;
};

/**
 * probe_hop() - Connect to a proxy, say who we are, ask
 * @h:    Hop with addresses or path; not HOP_DIRECT or HOP_BLOCK
 * @dev:  Bind to this interface; may be empty
 * @ret:  Result
 * @f:    Why it cannot be used: not reachable, wrong protocol, credentials
 *        refused
 *
 * With HOP_HTTPS only the TCP connection is tried. Blocks for at most
 * 3 * PROBE_MS.
 *
 * Return: 0 or -errno
 */
int probe_hop(const struct hop *h, const char *dev, struct probe *ret,
	      struct fault *f);
