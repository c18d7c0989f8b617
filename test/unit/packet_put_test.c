// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * packet_put_test.c - packets built; sums checked the slow way
 */
#include "packet_help.h"

static void udp_goes_both_ways(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		const size_t len = (v6 ? 48 : 28) + 5;
		uint8_t *room = malloc(len);
		struct packet p;
		struct addr a;
		struct addr b;
		uint8_t *block;

		help_ends(v6, &a, &b);
		for (size_t small = 0; small < len; small++)
			assert_int_equal(
				packet_put_udp(room, small, &a, &b, "hello", 5),
				0);
		assert_int_equal(packet_put_udp(room, len, &a, &b, "hello", 5),
				 len);
		help_assert_sums(room, len);
		assert_int_equal(room[v6 ? 7 : 8], 64);
		block = help_packet_get(room, len, 0, &p);
		assert_int_equal(p.proto, IPPROTO_UDP);
		assert_true(addr_equal(&p.src, &a));
		assert_true(addr_equal(&p.dst, &b));
		assert_int_equal(p.payload_len, 5);
		assert_memory_equal(p.payload, "hello", 5);
		assert_ptr_equal(p.raw, block);
		assert_int_equal(p.raw_len, len);
		free(block);
		free(room);
	}
}

static void udp_of_any_length_has_a_good_sum(void **state)
{
	uint8_t *room = malloc(PACKET_MAX + 1);
	uint8_t *data = malloc(PACKET_UDP_MAX + 1);
	struct addr a;
	struct addr b;

	(void)state;
	memset(data, 0xff, PACKET_UDP_MAX + 1);
	for (int v6 = 0; v6 < 2; v6++) {
		const size_t head = v6 ? 48 : 28;

		help_ends(v6, &a, &b);
		for (size_t len = 0; len < 70; len++) {
			assert_int_equal(packet_put_udp(room, PACKET_MAX, &a,
							&b, data, len),
					 head + len);
			help_assert_sums(room, head + len);
		}
		assert_int_equal(packet_put_udp(room, PACKET_MAX, &a, &b, data,
						PACKET_MAX - head),
				 PACKET_MAX);
		help_assert_sums(room, PACKET_MAX);
		assert_int_equal(packet_put_udp(room, PACKET_MAX + 1, &a, &b,
						data, PACKET_MAX - head + 1),
				 0);
	}
	assert_int_equal(packet_put_udp(room, PACKET_MAX, &a, &b, NULL, 0), 48);
	free(data);
	free(room);
}

static void udp_sum_of_zero_is_sent_as_ones(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		const size_t head = v6 ? 40 : 20;
		uint8_t data[2] = { 0, 0 };
		uint8_t room[50];
		struct addr a;
		struct addr b;

		help_ends(v6, &a, &b);
		assert_true(packet_put_udp(room, 50, &a, &b, data, 2) > 0);
		/* The sum of the rest as payload makes the whole zero. */
		memcpy(data, room + head + 6, 2);
		assert_true(packet_put_udp(room, 50, &a, &b, data, 2) > 0);
		assert_int_equal(room[head + 6], 0xff);
		assert_int_equal(room[head + 7], 0xff);
		help_assert_sums(room, head + 10);
	}
}

static void families_must_agree(void **state)
{
	const struct addr none = { .port = 7 };
	uint8_t room[128];
	struct addr a4;
	struct addr b4;
	struct addr a6;
	struct addr b6;

	(void)state;
	help_ends(false, &a4, &b4);
	help_ends(true, &a6, &b6);
	assert_int_equal(packet_put_udp(room, 128, &a4, &b6, "", 0), 0);
	assert_int_equal(packet_put_udp(room, 128, &a6, &b4, "", 0), 0);
	assert_int_equal(packet_put_udp(room, 128, &none, &none, "", 0), 0);
	assert_int_equal(
		packet_put_unreach_udp(room, 128, UNREACH_NET, &a4, &b6, 0), 0);
}

/* row: A15 */
static void rst_follows_rfc9293(void **state)
{
	static const struct {
		uint8_t flags;
		size_t data;
		uint32_t seq;
		uint32_t ack;
		uint8_t want;
	} cases[] = {
		{ TCP_SYN, 0, 0, 0xfffffff1, TCP_RST | TCP_ACK },
		{ TCP_SYN, 20, 0, 5, TCP_RST | TCP_ACK },
		{ TCP_SYN | TCP_FIN, 0, 0, 0xfffffff2, TCP_RST | TCP_ACK },
		{ TCP_FIN, 2, 0, 0xfffffff3, TCP_RST | TCP_ACK },
		{ TCP_ACK, 2, 0x11223344, 0, TCP_RST },
		{ TCP_SYN | TCP_ACK, 0, 0x11223344, 0, TCP_RST },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const bool v6 = i % 2;
		const size_t len = v6 ? 60 : 40;
		uint8_t seg[128];
		struct wr w = wr_of(seg, sizeof(seg));
		struct packet p;
		struct packet rst;
		uint8_t *room = malloc(len);

		assert_int_equal(
			packet_get(seg,
				   help_tcp_put(&w, v6, cases[i / 2].flags, 8,
						cases[i / 2].data),
				   &p),
			0);
		assert_int_equal(packet_put_rst(room, len - 1, &p), 0);
		assert_int_equal(packet_put_rst(room, len, &p), len);
		help_assert_sums(room, len);
		free(help_packet_get(room, len, 0, &rst));
		assert_int_equal(rst.tcp_flags, cases[i / 2].want);
		assert_int_equal(rst.tcp_seq, cases[i / 2].seq);
		assert_int_equal(rst.tcp_ack, cases[i / 2].ack);
		assert_true(addr_equal(&rst.src, &p.dst));
		assert_true(addr_equal(&rst.dst, &p.src));
		assert_int_equal(rst.payload_len, 0);
		assert_int_equal(packet_put_rst(seg, sizeof(seg), &rst), 0);
		free(room);
	}
}

static void unreachable_quotes_what_the_rfcs_allow(void **state)
{
	static const uint8_t codes[2][UNREACH_KINDS] = { { 0, 1, 3, 13 },
							 { 0, 3, 4, 1 } };
	uint8_t big[2000];
	uint8_t *room = malloc(1280);
	uint8_t data[1900];
	struct packet p;
	struct packet icmp;
	struct addr a;
	struct addr b;

	(void)state;
	memset(data, 'q', sizeof(data));
	for (unsigned int i = 0; i < 2 * UNREACH_KINDS; i++) {
		const bool v6 = i % 2;
		const size_t max = v6 ? 1280 : 576;
		const size_t head = v6 ? 48 : 28;
		size_t len;

		help_ends(v6, &a, &b);
		len = packet_put_udp(big, sizeof(big), &a, &b, data, 1900);
		assert_int_equal(packet_get(big, len, &p), 0);
		assert_int_equal(packet_put_unreach(room, max - 1, i / 2, &p),
				 0);
		len = packet_put_unreach(room, 1280, i / 2, &p);
		assert_int_equal(len, max);
		help_assert_sums(room, len);
		assert_int_equal(packet_get(room, len, &icmp), 0);
		assert_int_equal(icmp.proto, v6 ? IPPROTO_ICMPV6 : 1);
		assert_int_equal(icmp.icmp_type, v6 ? 1 : 3);
		assert_int_equal(icmp.icmp_code, codes[v6][i / 2]);
		assert_true(addr_same_host(&icmp.src, &b));
		assert_true(addr_same_host(&icmp.dst, &a));
		assert_int_equal(icmp.payload_len, max - head);
		assert_memory_equal(icmp.payload, big, max - head);

		len = packet_put_udp(big, sizeof(big), &a, &b, data, 5);
		assert_int_equal(packet_get(big, len, &p), 0);
		assert_int_equal(packet_put_unreach(room, 1280, i / 2, &p),
				 head + len);
	}
	free(room);
}

static void unreachable_of_a_datagram_that_is_gone(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		const size_t head = v6 ? 48 : 28;
		uint8_t *room = malloc(2 * head);
		uint8_t dgram[64];
		struct packet icmp;
		struct addr a;
		struct addr b;

		help_ends(v6, &a, &b);
		(void)packet_put_udp(dgram, sizeof(dgram), &a, &b, "12345", 5);
		dgram[head - 2] = dgram[head - 1] = 0; /* its sum is unknown */
		assert_int_equal(packet_put_unreach_udp(room, 2 * head - 1,
							UNREACH_PORT, &a, &b,
							5),
				 0);
		assert_int_equal(packet_put_unreach_udp(room, 2 * head,
							UNREACH_PORT, &a, &b,
							5),
				 2 * head);
		help_assert_sums(room, 2 * head);
		assert_int_equal(packet_get(room, 2 * head, &icmp), 0);
		assert_memory_equal(icmp.payload, dgram, head);
		assert_true(addr_same_host(&icmp.dst, &a));
		assert_int_equal(packet_put_unreach_udp(room, 2 * head,
							UNREACH_PORT, &a, &b,
							PACKET_UDP_MAX + 1),
				 0);
		free(room);
	}
}

static void echo_goes_back(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		const size_t len = (v6 ? 48 : 28) + 3;
		struct packet ask = { .proto = v6 ? IPPROTO_ICMPV6 : 1,
				      .icmp_id = 0x1234,
				      .icmp_seq = 0x5678 };
		struct packet p;
		uint8_t *room = malloc(len);

		help_ends(v6, &ask.src, &ask.dst);
		assert_int_equal(
			packet_put_echo_reply(room, len - 1, &ask, "abc", 3),
			0);
		assert_int_equal(
			packet_put_echo_reply(room, len, &ask, "abc", 3), len);
		help_assert_sums(room, len);
		free(help_packet_get(room, len, 0, &p));
		assert_int_equal(p.icmp_type, v6 ? 129 : 0);
		assert_int_equal(p.icmp_code, 0);
		assert_int_equal(p.icmp_id, 0x1234);
		assert_int_equal(p.icmp_seq, 0x5678);
		assert_true(addr_same_host(&p.src, &ask.dst));
		assert_int_equal(p.payload_len, 3);
		ask.proto = v6 ? 1 : IPPROTO_ICMPV6;
		assert_int_equal(
			packet_put_echo_reply(room, len, &ask, "abc", 3), 0);
		free(room);
	}
}

static void bare_syn_keeps_options_and_loses_data(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		const size_t head = v6 ? 40 : 20;
		const size_t len = head + 20 + 40;
		uint8_t seg[600];
		struct wr w = wr_of(seg, sizeof(seg));
		uint8_t *room = malloc(len);
		struct packet syn;
		struct packet bare;

		assert_int_equal(
			packet_get(seg, help_tcp_put(&w, v6, TCP_SYN, 40, 99),
				   &syn),
			0);
		assert_int_equal(packet_put_bare_syn(room, len - 1, &syn), 0);
		assert_int_equal(packet_put_bare_syn(room, len, &syn), len);
		help_assert_sums(room, len);
		assert_int_equal(packet_get(room, len, &bare), 0);
		assert_int_equal(bare.payload_len, 0);
		assert_true(addr_equal(&bare.src, &syn.src));
		assert_true(addr_equal(&bare.dst, &syn.dst));
		/* All of TCP's header but the checksum is as it was. */
		assert_memory_equal(room + head, seg + head, 16);
		assert_memory_equal(room + head + 18, seg + head + 18, 42);
		free(room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_goes_both_ways),
		cmocka_unit_test(udp_of_any_length_has_a_good_sum),
		cmocka_unit_test(udp_sum_of_zero_is_sent_as_ones),
		cmocka_unit_test(families_must_agree),
		cmocka_unit_test(rst_follows_rfc9293),
		cmocka_unit_test(unreachable_quotes_what_the_rfcs_allow),
		cmocka_unit_test(unreachable_of_a_datagram_that_is_gone),
		cmocka_unit_test(echo_goes_back),
		cmocka_unit_test(bare_syn_keeps_options_and_loses_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
