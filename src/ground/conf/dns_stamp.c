// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_stamp.c - "sdns://..." as far as it says where a server is
 *
 * https://dnscrypt.info/stamps-specifications: a kind, 8 octets of properties,
 * then fields that begin with their length.
 */
#include "conf/dns_stamp.h"

#include "base/bytes.h"

#include <string.h>

#define STAMP_BYTES 512
#define STAMP_PROPS 8
#define STAMP_MORE  0x80 /* another hash follows */

/** stamp_digit() - Of base64url; -1 for none */
static int stamp_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789-_";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/** stamp_decode() - Return: how many octets; 0 when it is no base64url */
static size_t stamp_decode(const char *text, uint8_t to[static STAMP_BYTES])
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (; *text && *text != '='; text++) {
		const int digit = stamp_digit(*text);

		if (digit < 0 || n == STAMP_BYTES)
			return 0;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		to[n++] = (uint8_t)(bits >> have);
	}
	return n;
}

/** stamp_text() - A field that is a text */
static bool stamp_text(struct rd *r, char to[static DNS_STAMP_TEXT])
{
	const size_t len = rd_u8(r);
	const uint8_t *at = rd_bytes(r, len);

	for (size_t i = 0; at && i < len; i++)
		if (at[i] <= ' ' || at[i] > '~')
			return false;
	if (!at)
		return false;
	memcpy(to, at, len); /* a length is one octet */
	to[len] = '\0';
	return true;
}

static void stamp_skip_hashes(struct rd *r)
{
	uint8_t len;

	do {
		len = rd_u8(r);
		rd_skip(r, len & (STAMP_MORE - 1));
	} while (!r->ran_out && len & STAMP_MORE);
}

bool dns_stamp_read(const char *text, struct dns_stamp *ret)
{
	uint8_t buf[STAMP_BYTES];
	struct rd r = rd_of(buf, stamp_decode(text, buf));
	const uint8_t kind = rd_u8(&r);
	struct dns_stamp got = { .kind = (enum dns_stamp_kind)kind };

	if (r.ran_out || kind > STAMP_QUIC)
		return false;
	rd_skip(&r, STAMP_PROPS);
	if (!stamp_text(&r, got.addr))
		return false;
	if (kind >= STAMP_HTTPS) {
		stamp_skip_hashes(&r);
		if (!stamp_text(&r, got.host) || got.host[0] == '\0')
			return false;
	} else if (got.addr[0] == '\0') {
		return false;
	}
	*ret = got;
	return true;
}
