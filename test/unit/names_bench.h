/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * names_bench.h - a resolver to ask, in a loop with a hand-turned clock
 *
 * The way out is direct and leads to the toy servers of names_toy.h.
 */
#include "names_toy.h"

#include "names/names.h"

#include <stdio.h>

#define TURNS 400

/** struct bench - everything a test needs; @got counts answers, of which
 * @last is the last */
struct bench {
	struct loop loop;
	struct plan plan;
	struct way way;
	struct toy toy;
	struct toy second;
	struct names *names;
	unsigned int got;
	unsigned int id_sum;
	size_t last_len;
	uint8_t last[DNS_UDP_MAX];
	struct addr last_from;
	struct addr last_to;
};

static uint64_t now_ms;

static inline uint64_t hand_clock(void)
{
	return now_ms;
}

static inline void on_reply(void *ctx, const struct addr *from,
			    const struct addr *to, const void *msg, size_t len)
{
	struct bench *b = ctx;

	assert_true(len <= sizeof(b->last));
	memcpy(b->last, msg, len);
	b->last_len = len;
	b->last_from = *from;
	b->last_to = *to;
	b->got++;
	b->id_sum += (unsigned int)b->last[0] << 8 | b->last[1];
}

static inline struct bench *bench_new(enum names_mode mode, bool is_tcp)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	now_ms = 1000000;
	assert_int_equal(loop_init(&b->loop), 0);
	b->loop.clock_ms = hand_clock;
	b->loop.now_ms = now_ms;
	toy_start(&b->toy, &b->loop);
	toy_start(&b->second, &b->loop);
	b->plan.names = mode;
	b->plan.want_v4 = b->plan.want_v6 = true;
	b->plan.hop_count = 1;
	b->plan.hop[0].kind = mode == NAMES_FAKE ? HOP_SOCKS5 : HOP_DIRECT;
	b->plan.server[0] = (struct plan_server){ is_tcp, b->toy.addr };
	b->plan.server[1] = (struct plan_server){ is_tcp, b->second.addr };
	b->plan.server_count = 1;
	way_init_direct(&b->way, &b->loop);
	assert_int_equal(
		names_new(&b->loop, &b->way, &b->plan, on_reply, b, &b->names),
		0);
	return b;
}

/** bench_again() - Let a changed plan count */
static inline void bench_again(struct bench *b)
{
	names_free(b->names);
	assert_int_equal(
		names_new(&b->loop, &b->way, &b->plan, on_reply, b, &b->names),
		0);
}

static inline void bench_free(struct bench *b)
{
	names_free(b->names);
	toy_stop(&b->toy);
	toy_stop(&b->second);
	way_fini(&b->way);
	loop_fini(&b->loop);
	free(b);
}

static inline void ask_with(struct bench *b, const char *name,
			    const struct help_query *h)
{
	const struct addr from = addr_from_ip4("\306\22\0\1", 40000);
	const struct addr to = addr_from_ip4("\10\10\10\10", 53);
	uint8_t buf[512];
	const size_t len = help_query_put(buf, sizeof(buf), name, h);
	uint8_t *block = help_block(buf, len);

	names_datagram(b->names, &from, &to, block, len);
	free(block);
}

static inline void ask(struct bench *b, const char *name, uint16_t type)
{
	const struct help_query h = {
		.id = 5, .flags = DNS_RD, .type = type, .edns_size = 1232
	};

	ask_with(b, name, &h);
}

/** turn_until() - Turn the loop until there are @want answers */
static inline void turn_until(struct bench *b, unsigned int want)
{
	for (int i = 0; i < TURNS && b->got < want; i++)
		assert_int_equal(loop_turn(&b->loop, 5), 0);
	assert_int_equal(b->got, want);
}

static inline void turn_a_little(struct bench *b)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(&b->loop, 1), 0);
}

/** answer_to() - Ask, and wait for the answer */
static inline struct help_answer answer_to(struct bench *b, const char *name,
					   uint16_t type)
{
	const unsigned int before = b->got;

	ask(b, name, type);
	turn_until(b, before + 1);
	return help_answer_get(b->last, b->last_len);
}

static inline void assert_rcode(struct bench *b, const char *name,
				uint16_t type, unsigned int rcode)
{
	const struct help_answer a = answer_to(b, name, type);

	if (help_rcode(&a) != rcode)
		print_error("%s type %u: code %u, not %u\n", name, type,
			    help_rcode(&a), rcode);
	assert_int_equal(help_rcode(&a), rcode);
	assert_int_equal(a.count[DNS_ANSWER], 0);
	if (rcode == DNS_NXDOMAIN || rcode == DNS_NOERROR) {
		assert_true(a.has_soa);
		assert_int_equal(a.soa_ttl, 60);
	}
}

/** lease_of() - The address that a name is answered with */
static inline struct addr lease_of(struct bench *b, const char *name,
				   uint16_t type)
{
	const struct help_answer a = answer_to(b, name, type);
	struct addr addr;

	assert_int_equal(help_rcode(&a), DNS_NOERROR);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_int_equal(a.first.type, type);
	assert_int_equal(a.first.ttl, 60);
	addr = type == DNS_A ? addr_from_ip4(a.data, 0)
			     : addr_from_ip6(a.data, 0);
	assert_true(names_is_leasable(&addr));
	return addr;
}

static inline void assert_leased(struct bench *b, const char *name)
{
	const struct addr a4 = lease_of(b, name, DNS_A);
	const struct addr a6 = lease_of(b, name, DNS_AAAA);
	char text[NAME_MAX_LEN + 1];

	assert_true(names_of_lease(b->names, &a4, text));
	assert_string_equal(text, name);
	assert_true(names_of_lease(b->names, &a6, text));
	assert_string_equal(text, name);
}
