// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * base64.c - RFC 4648, section 4, strictly
 *
 * The Basic credentials of HTTP go through here. What is no canonical coding
 * (white space, missing padding, stray bits) is refused.
 */
#include "wire/http.h"

#include <errno.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_put(struct wr *w, const void *data, size_t len)
{
	struct rd r = rd_of(data, len);

	while (rd_left(&r) > 0) {
		const size_t left = rd_left(&r);
		uint32_t bits = (uint32_t)rd_u8(&r) << 16;

		if (left > 1)
			bits |= (uint32_t)rd_u8(&r) << 8;
		if (left > 2)
			bits |= rd_u8(&r);
		wr_u8(w, (uint8_t)digits[bits >> 18]);
		wr_u8(w, (uint8_t)digits[bits >> 12 & 63]);
		wr_u8(w, left > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=');
		wr_u8(w, left > 2 ? (uint8_t)digits[bits & 63] : '=');
	}
	return !w->ran_out;
}

/** digit_value() - 0..63, or -1 */
static int digit_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/**
 * quad_get() - Decode four digits
 * @pad:   How many of them are '=', at the end
 * @bits:  Set to 24 bits
 *
 * Return: whether they are canonical
 */
static bool quad_get(const uint8_t quad[4], unsigned int pad, uint32_t *bits)
{
	*bits = 0;
	for (unsigned int i = 0; i < 4; i++) {
		const int value = i < 4 - pad ? digit_value(quad[i]) : 0;

		if (value < 0)
			return false;
		*bits = *bits << 6 | (uint32_t)value;
	}
	return (*bits & ((1u << 8 * pad) - 1)) == 0;
}

long base64_get(const char *text, size_t len, void *to, size_t room)
{
	struct rd r = rd_of(text, len);
	struct wr w = wr_of(to, room);

	if (len % 4 != 0)
		return -EPROTO;
	while (rd_left(&r) > 0) {
		const uint8_t *quad = rd_bytes(&r, 4);
		const bool is_last = rd_left(&r) == 0;
		unsigned int pad = 0;
		uint32_t bits;

		if (is_last && quad[3] == '=')
			pad = quad[2] == '=' ? 2 : 1;
		if (!quad_get(quad, pad, &bits))
			return -EPROTO;
		wr_u8(&w, (uint8_t)(bits >> 16));
		if (pad < 2)
			wr_u8(&w, (uint8_t)(bits >> 8));
		if (pad < 1)
			wr_u8(&w, (uint8_t)bits);
	}
	return w.ran_out ? -EMSGSIZE : (long)wr_used(&w);
}
