// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * special.c - tell special names from ordinary ones; tables and no state
 */
#include "names/special.h"

#include <ctype.h>
#include <string.h>

/* A zone in wire form: the NUL of the literal is the root's octet. */
#define ZONE(text) (text), sizeof(text)

static const struct {
	const char *zone;
	size_t len;
	enum special kind;
} zones[] = {
	{ ZONE("\11localhost"), SPECIAL_LOOPBACK },
	{ ZONE("\7invalid"), SPECIAL_ABSENT },
	{ ZONE("\5local"), SPECIAL_ABSENT }, /* RFC 6762: not by DNS */
	{ ZONE("\3alt"), SPECIAL_ABSENT },   /* RFC 9476 */
	{ ZONE("\4exit"), SPECIAL_ABSENT },  /* tells Tor which exit */
	{ ZONE("\5onion"), SPECIAL_HIDDEN }, /* RFC 7686 */
	{ ZONE("\3i2p"), SPECIAL_HIDDEN },
	{ ZONE("\10resolver\4arpa"), SPECIAL_EMPTY }, /* RFC 9462 */
	{ ZONE("\10ipv4only\4arpa"), SPECIAL_EMPTY }, /* RFC 8880: no NAT64 */
	/* Asks whether a browser may choose a resolver of its own. */
	{ ZONE("\23use-application-dns\3net"), SPECIAL_ABSENT },
	{ ZONE("\7in-addr\4arpa"), SPECIAL_REVERSE },
	{ ZONE("\3ip6\4arpa"), SPECIAL_REVERSE },
};

static const struct {
	uint16_t family;
	uint8_t ip[6];
	unsigned int bits;
} private_nets[] = {
	{ AF_INET, { 0 }, 8 },
	{ AF_INET, { 10 }, 8 },
	{ AF_INET, { 127 }, 8 },
	{ AF_INET, { 100, 64 }, 10 }, /* RFC 7793 */
	{ AF_INET, { 169, 254 }, 16 },
	{ AF_INET, { 172, 16 }, 12 },
	{ AF_INET, { 192, 0, 2 }, 24 },
	{ AF_INET, { 192, 168 }, 16 },
	{ AF_INET, { 198, 18 }, 15 }, /* leases */
	{ AF_INET, { 198, 51, 100 }, 24 },
	{ AF_INET, { 203, 0, 113 }, 24 },
	{ AF_INET, { 255, 255, 255, 255 }, 32 },
	{ AF_INET6, { 0 }, 127 }, /* :: and ::1 */
	{ AF_INET6, { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	{ AF_INET6, { 0x20, 0x01, 0x00, 0x02, 0, 0 }, 48 }, /* leases */
	{ AF_INET6, { 0xfc }, 7 },
	{ AF_INET6, { 0xfe, 0x80 }, 10 },
};

/** last_label() - Copy the label next to the root, in lower case */
static void last_label(const struct dns_name *n, char *ret, size_t room)
{
	struct rd r = rd_of(n->wire, n->len);
	const uint8_t *label = NULL;
	uint8_t len;
	uint8_t kept = 0;

	while ((len = rd_u8(&r)) != 0) {
		label = rd_bytes(&r, len);
		kept = len;
	}
	ret[0] = '\0';
	if (!label || kept >= room)
		return;
	for (uint8_t i = 0; i < kept; i++)
		ret[i] = (char)tolower(label[i]);
	ret[kept] = '\0';
}

/** may_be_number() - Could inet_aton(3) or a browser read this as the last
 * part of an IPv4 address? No top level domain looks so */
static bool may_be_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

enum special special_of(const struct dns_name *n)
{
	char last[64];

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++)
		if (dns_name_under(n, zones[i].zone, zones[i].len))
			/* Zones of one label are not hosts themselves. */
			return zones[i].kind == SPECIAL_HIDDEN &&
					       dns_name_labels(n) == 1
				       ? SPECIAL_ABSENT
				       : zones[i].kind;
	if (n->len == 1)
		return SPECIAL_NONE; /* the root */
	if (dns_name_labels(n) == 1)
		return SPECIAL_ABSENT;
	last_label(n, last, sizeof(last));
	return may_be_number(last) ? SPECIAL_ABSENT : SPECIAL_NONE;
}

/** reverse_value() - One label's number, at most @max; -1 if it is none */
static int reverse_value(const uint8_t *label, uint8_t len, bool is_hex)
{
	int v = 0;

	if (len > (is_hex ? 1 : 3))
		return -1;
	for (uint8_t i = 0; i < len; i++) {
		const int c = tolower(label[i]);

		if (isdigit(c))
			v = v * 10 + c - '0';
		else if (is_hex && c >= 'a' && c <= 'f')
			v = c - 'a' + 10;
		else
			return -1;
	}
	return v > 255 ? -1 : v;
}

struct reverse special_reverse(const struct dns_name *n)
{
	static const char zone6[] = "\3ip6\4arpa";
	const bool is6 = dns_name_under(n, zone6, sizeof(zone6));
	const unsigned int labels = dns_name_labels(n) - 2; /* of the zone */
	const unsigned int most = is6 ? 32 : 4;
	struct reverse got = { .bits = labels * (is6 ? 4 : 8) };
	struct rd r = rd_of(n->wire, n->len);

	got.addr.family = is6 ? AF_INET6 : AF_INET;
	for (unsigned int i = labels; i-- > 0;) {
		const uint8_t len = rd_u8(&r);
		const uint8_t *label = rd_bytes(&r, len);
		const int v = label ? reverse_value(label, len, is6) : -1;

		if (v < 0 || i >= most) {
			got.bits = i * (is6 ? 4 : 8);
			memset(got.addr.ip, 0, sizeof(got.addr.ip));
		} else if (is6) {
			got.addr.ip[i / 2] |= (uint8_t)(i % 2 ? v : v << 4);
		} else {
			got.addr.ip[i] = (uint8_t)v;
		}
	}
	got.is_whole = labels == most && got.bits == 8 * addr_size(&got.addr);
	return got;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	const uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return !memcmp(a, b, bits / 8) &&
	       (bits % 8 == 0 || !((a[bits / 8] ^ b[bits / 8]) & mask));
}

bool special_is_private(const struct reverse *r)
{
	for (size_t i = 0; i < sizeof(private_nets) / sizeof(*private_nets);
	     i++) {
		uint8_t net[16] = { 0 };

		memcpy(net, private_nets[i].ip, sizeof(private_nets[i].ip));
		if (r->addr.family == private_nets[i].family &&
		    r->bits >= private_nets[i].bits &&
		    bits_equal(r->addr.ip, net, private_nets[i].bits))
			return true;
	}
	return false;
}
