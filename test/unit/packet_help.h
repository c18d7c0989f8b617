/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * packet_help.h - packets made by hand, sums made slowly
 */
#include "wire_help.h"

#include "wire/packet.h"

#include <netinet/in.h>

/** help_ends() - Two addresses of a family */
static inline void help_ends(bool is_v6, struct addr *a, struct addr *b)
{
	static const uint8_t ip6_a[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0xa };
	static const uint8_t ip6_b[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0xb };

	*a = is_v6 ? addr_from_ip6(ip6_a, 4000)
		   : addr_from_ip4("\300\0\2\12", 4000);
	*b = is_v6 ? addr_from_ip6(ip6_b, 53)
		   : addr_from_ip4("\300\0\2\13", 53);
}

/** help_sum() - RFC 1071 octet by octet, unfolded */
static inline uint32_t help_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	return sum;
}

static inline uint16_t help_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/** help_assert_sums() - All checksums of a packet come to 0xffff */
static inline void help_assert_sums(const uint8_t *p, size_t len)
{
	const bool is_v6 = p[0] >> 4 == 6;
	const size_t head = is_v6 ? 40 : 20;
	const uint8_t proto = is_v6 ? p[6] : p[9];
	uint32_t sum = help_sum(p + head, len - head);

	if (!is_v6)
		assert_int_equal(help_fold(help_sum(p, 20)), 0xffff);
	if (proto != IPPROTO_ICMP) {
		sum += proto + (uint32_t)(len - head);
		sum += is_v6 ? help_sum(p + 8, 32) : help_sum(p + 12, 8);
	}
	assert_int_equal(help_fold(sum), 0xffff);
}

/** help_tcp_put() - A TCP segment by hand; Return: octets */
static inline size_t help_tcp_put(struct wr *w, bool is_v6, uint8_t flags,
				  size_t options, size_t data)
{
	const size_t len = 20 + options + data;
	struct addr a;
	struct addr b;

	help_ends(is_v6, &a, &b);
	wr_be32(w, is_v6 ? 0x6a012345 : 0x45040000 | (uint32_t)(20 + len));
	if (is_v6) {
		wr_be16(w, (uint16_t)len);
		wr_be16(w, IPPROTO_TCP << 8 | 3);
	} else {
		wr_be32(w, 0x12344000);
		wr_be32(w, 3 << 24 | IPPROTO_TCP << 16);
	}
	wr_bytes(w, a.ip, addr_size(&a));
	wr_bytes(w, b.ip, addr_size(&b));
	wr_be16(w, a.port);
	wr_be16(w, b.port);
	wr_be32(w, 0xfffffff0);
	wr_be32(w, 0x11223344);
	wr_u8(w, (uint8_t)((20 + options) / 4 << 4));
	wr_u8(w, flags);
	wr_be16(w, 0x7210);
	wr_be16(w, 0xdead);
	wr_be16(w, 0);
	for (size_t i = 0; i < options + data; i++)
		wr_u8(w, (uint8_t)(i < options ? 1 : 'd'));
	assert_false(w->ran_out);
	return wr_used(w);
}

/** help_packet_get() - Read from an exact block; all truncations and a longer
 * one must be refused. Return: the block, which @ret points into */
static inline uint8_t *help_packet_get(const void *msg, size_t len, int want,
				       struct packet *ret)
{
	uint8_t *more = malloc(len + 1);
	uint8_t *block;

	for (size_t cut = 0; cut < len; cut++) {
		block = help_block(msg, cut);
		assert_int_equal(packet_get(block, cut, ret), -EPROTO);
		free(block);
	}
	memcpy(more, msg, len);
	more[len] = 0;
	assert_int_equal(packet_get(more, len + 1, ret), -EPROTO);
	free(more);
	block = help_block(msg, len);
	assert_int_equal(packet_get(block, len, ret), want);
	return block;
}
