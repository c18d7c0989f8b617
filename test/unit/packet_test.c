// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * packet_test.c - packets read, and lies in them refused
 */
#include "packet_help.h"

static void tcp_is_read(void **state)
{
	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t seg[120];
		struct wr w = wr_of(seg, sizeof(seg));
		const size_t len = help_tcp_put(&w, v6, TCP_SYN | 0xc0, 40, 3);
		const size_t head = v6 ? 40 : 20;
		struct packet p;
		uint8_t *block = help_packet_get(seg, len, 0, &p);

		assert_int_equal(p.proto, IPPROTO_TCP);
		assert_int_equal(p.tcp_flags, TCP_SYN | 0xc0);
		assert_int_equal(p.tcp_seq, 0xfffffff0);
		assert_int_equal(p.tcp_ack, 0x11223344);
		assert_int_equal(p.src.port, 4000);
		assert_int_equal(p.dst.port, 53);
		assert_int_equal(p.payload_len, 3);
		assert_memory_equal(p.payload, "ddd", 3);
		free(block);

		seg[head + 12] = 4 << 4; /* header below its least size */
		assert_int_equal(packet_get(seg, len, &p), -EPROTO);
		seg[head + 12] = 15 << 4;
		assert_int_equal(packet_get(seg, len, &p), 0);
		seg[v6 ? 5 : 3] = (uint8_t)(seg[v6 ? 5 : 3] - 4);
		assert_int_equal(packet_get(seg, len - 4, &p), -EPROTO);
	}
}

/* row: A14 */
static void lies_are_refused(void **state)
{
	uint8_t msg[64];
	struct packet p = { .proto = 77 };
	struct addr a;
	struct addr b;
	size_t len;

	(void)state;
	help_ends(false, &a, &b);
	len = packet_put_udp(msg, sizeof(msg), &a, &b, "12", 2);
	for (int version = 0; version < 16; version++) {
		msg[0] = (uint8_t)(version << 4 | 5);
		if (version != 4)
			assert_int_equal(packet_get(msg, len, &p), -EPROTO);
	}
	for (uint8_t words = 0; words < 5; words++) {
		msg[0] = 0x40 | words;
		assert_int_equal(packet_get(msg, len, &p), -EPROTO);
	}
	msg[0] = 0x4f; /* options behind the end */
	assert_int_equal(packet_get(msg, len, &p), -EPROTO);
	msg[0] = 0x45;
	msg[25] = 9; /* UDP length */
	assert_int_equal(packet_get(msg, len, &p), -EPROTO);
	msg[25] = 11;
	assert_int_equal(packet_get(msg, len, &p), -EPROTO);
	msg[25] = 0;
	assert_int_equal(packet_get(msg, len, &p), -EPROTO);
	assert_int_equal(p.proto, 77);
}

/* row: A16 */
static void fragments_and_options_are_told_apart(void **state)
{
	static const uint8_t extension[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	uint8_t msg[64];
	struct packet p;
	struct addr a;
	struct addr b;
	size_t len;

	(void)state;
	help_ends(false, &a, &b);
	len = packet_put_udp(msg, sizeof(msg), &a, &b, "12345678", 8);
	msg[6] = 0x20; /* more fragments */
	free(help_packet_get(msg, len, -EOPNOTSUPP, &p));
	assert_int_equal(p.proto, IPPROTO_UDP);
	assert_true(addr_same_host(&p.src, &a));
	assert_int_equal(p.src.port, 0);
	assert_int_equal(p.raw_len, len);
	msg[6] = 0;
	msg[7] = 1; /* offset */
	assert_int_equal(packet_get(msg, len, &p), -EOPNOTSUPP);
	msg[7] = 0;
	msg[0] = 0x46;
	assert_int_equal(packet_get(msg, len, &p), -EOPNOTSUPP);
	assert_true(addr_same_host(&p.dst, &b));

	help_ends(true, &a, &b);
	len = packet_put_udp(msg, sizeof(msg), &a, &b, "12345678", 8);
	for (size_t i = 0; i < sizeof(extension); i++) {
		msg[6] = extension[i];
		assert_int_equal(packet_get(msg, len, &p), -EOPNOTSUPP);
		assert_int_equal(p.proto, extension[i]);
		assert_true(addr_same_host(&p.src, &a));
	}
	msg[6] = 50; /* ESP: a protocol like others */
	assert_int_equal(packet_get(msg, len, &p), 0);
	assert_int_equal(p.payload_len, 16);
	msg[6] = IPPROTO_ICMP; /* not ICMPv6 */
	assert_int_equal(packet_get(msg, len, &p), 0);
	assert_int_equal(p.payload_len, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_is_read),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(fragments_and_options_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
