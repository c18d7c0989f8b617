/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * special.h - names that are no business of an upstream's or a proxy's
 *
 * RFC 6761 and what came after it; private reverse zones: RFC 6303.
 */
#include "base/addr.h"
#include "wire/dns.h"

enum special {
	SPECIAL_NONE,	  /* an ordinary name */
	SPECIAL_LOOPBACK, /* answered with the loopback addresses */
	SPECIAL_ABSENT,	  /* does not exist, whoever asks */
	SPECIAL_EMPTY,	  /* exists and has nothing */
	SPECIAL_HIDDEN,	  /* known to the proxy, if to anybody: .onion, .i2p */
	SPECIAL_REVERSE,  /* in-addr.arpa, ip6.arpa */
};

/**
 * special_of() - What kind of name is it?
 *
 * Absent are also names of one label, and names that somebody behind us might
 * take for an IP address ("1.2.3.4", "0x7f.1").
 */
enum special special_of(const struct dns_name *n);

/**
 * struct reverse - what a reverse name stands for
 * @addr:      Address with zeroes behind @bits
 * @bits:      How much of it the name gives
 * @is_whole:  All of it, and nothing else
 */
struct reverse {
	struct addr addr;
	unsigned int bits;
	bool is_whole;
};

/**
 * special_reverse() - Read a name under in-addr.arpa or ip6.arpa
 *
 * Labels in front of those that are octets (or nibbles) of an address, as in
 * "b._dns-sd._udp.0.2.0.192.in-addr.arpa", are passed over.
 */
struct reverse special_reverse(const struct dns_name *n);

/** special_is_private() - Does it lie in a zone that is nobody's but one's
 * own (RFC 6303, RFC 7793), or in the ranges of leases? */
bool special_is_private(const struct reverse *r);
