// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * base_test.c - addresses, texts, hash map, bounded bytes, plans on a channel
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "bus/channel.h"
#include "bus/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void addr_reads_and_writes_literals(void **state)
{
	char text[ADDR_TEXT];
	struct addr a;

	(void)state;
	assert_true(addr_parse_ip("192.0.2.1", &a));
	a.port = 80;
	assert_string_equal(addr_text(&a, text), "192.0.2.1:80");
	assert_true(addr_parse_ip("[2001:db8::1]", &a));
	a.port = 443;
	assert_string_equal(addr_text(&a, text), "[2001:db8::1]:443");
	assert_false(addr_parse_ip("192.0.2.1:80", &a));
	assert_false(addr_parse_ip("fe80::1%eth0", &a));
	assert_false(addr_parse_ip("[::1", &a));
	assert_false(addr_parse_ip("127.1", &a));
	assert_false(addr_parse_ip("", &a));
}

static void addr_survives_the_kernel_form(void **state)
{
	struct sockaddr_storage ss;
	struct addr a;
	struct addr back;

	(void)state;
	assert_true(addr_parse_ip("2001:db8::5", &a));
	a.port = 5;
	assert_int_equal(addr_to_sock(&a, &ss), sizeof(struct sockaddr_in6));
	addr_from_sock(&back, &ss);
	assert_true(addr_equal(&a, &back));
	/* A v4-mapped address is the IPv4 address it holds. */
	assert_true(addr_parse_ip("::ffff:192.0.2.7", &a));
	(void)addr_to_sock(&a, &ss);
	addr_from_sock(&back, &ss);
	assert_int_equal(back.family, AF_INET);
	assert_memory_equal(back.ip, "\xc0\x00\x02\x07", 4);
}

static void text_uint_takes_plain_numbers_only(void **state)
{
	uint32_t v = 7;

	(void)state;
	assert_true(text_uint("65535", 65535, &v));
	assert_int_equal(v, 65535);
	assert_false(text_uint("65536", 65535, &v));
	assert_false(text_uint("", 9, &v));
	assert_false(text_uint("-1", 9, &v));
	assert_false(text_uint(" 1", 9, &v));
	assert_false(text_uint("1x", 9, &v));
	assert_false(text_uint("99999999999", UINT32_MAX, &v));
	assert_int_equal(v, 65535);
}

static void text_quote_keeps_controls_out(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(text_quote(out, sizeof(out), "a\nb\033[", 5),
			    "a\\x0ab\\x1b[");
	assert_string_equal(text_quote(out, 8, "abcdefghij", 10), "abcd...");
}

static void text_plain_leaves_what_was_quoted(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(text_plain(out, sizeof(out), "a\\x0a\n\377", 7),
			    "a\\x0a\\x0a\\xff");
	assert_string_equal(text_plain(out, 8, "abcdefghij", 10), "abcd...");
}

/** struct heard - what a log_fn has got */
struct heard {
	char text[64];
	unsigned int count;
};

static void hear(void *ctx, enum log_level level, const char *text)
{
	struct heard *h = ctx;

	h->count++;
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_true(text_copy(h->text, sizeof(h->text), text));
	if (h->count == 1)
		log_warn("not heard again"); /* goes to standard error */
}

static void log_is_diverted_and_comes_back(void **state)
{
	struct heard h = { 0 };

	(void)state;
	log_divert(hear, &h);
	log_warn("some %s", "words");
	assert_string_equal(h.text, "some words");
	log_info("below the level");
	assert_int_equal(h.count, 1);
	log_warn("more");
	assert_int_equal(h.count, 2);
	log_divert(NULL, NULL);
	log_warn("elsewhere");
	assert_int_equal(h.count, 2);
}

static void log_counts_the_lines_that_were_lost(void **state)
{
	const int kept = dup(STDERR_FILENO);
	char text[4096] = "";
	int ends[2];
	int full = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	(void)dup2(ends[1], STDERR_FILENO);
	while (write(ends[1], text, sizeof(text)) > 0)
		full++;
	log_warn("a");
	log_warn("b");
	while (full-- > 0)
		assert_true(read(ends[0], text, sizeof(text)) > 0);
	log_warn("c");
	log_warn("d");
	memset(text, 0, sizeof(text));
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	(void)dup2(kept, STDERR_FILENO);
	assert_string_equal(text,
			    "nsproxy: warning: (2 lines were lost here) c\n"
			    "nsproxy: warning: d\n");
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(kept);
}

static void text_did_you_mean_finds_near_words_only(void **state)
{
	static const char *const words[] = { "run", "serve", "check" };

	(void)state;
	assert_string_equal(text_did_you_mean("serv", words, 3), "serve");
	assert_string_equal(text_did_you_mean("chekc", words, 3), "check");
	assert_null(text_did_you_mean("curl", words, 3));
}

struct item {
	struct map_node node;
	unsigned int key;
};

static void map_finds_what_is_in_and_nothing_else(void **state)
{
	struct item *items = calloc(5000, sizeof(*items));
	struct map m;

	(void)state;
	assert_non_null(items);
	assert_int_equal(map_init(&m, 64), 0);
	for (unsigned int i = 0; i < 5000; i++) {
		items[i].key = i;
		map_put(&m, &items[i].node, map_hash(&m, &i, sizeof(i)));
	}
	for (unsigned int i = 0; i < 5000; i += 2)
		map_del(&m, &items[i].node);
	assert_int_equal(m.count, 2500);
	for (unsigned int i = 0; i < 5000; i++) {
		struct map_node *n = map_find(&m, map_hash(&m, &i, sizeof(i)));

		while (n && container_of(n, struct item, node)->key != i)
			n = map_again(n);
		assert_int_equal(n != NULL, i % 2 == 1);
	}
	map_fini(&m);
	free(items);
}

static void reader_that_ran_out_stays_so(void **state)
{
	const uint8_t bytes[3] = { 1, 2, 3 };
	struct rd r = rd_of(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(rd_be16(&r), 0x0102);
	assert_int_equal(rd_be16(&r), 0);
	assert_true(r.ran_out);
	assert_int_equal(rd_u8(&r), 0);
}

static void plan_crosses_with_its_fds(void **state)
{
	struct plan_fd tag = { .kind = PLAN_FD_TUN, .index = 3 };
	struct plan_fd got[PLAN_FDS];
	unsigned int count = 0;
	struct plan out = { .hop_count = 2 };
	struct plan in;
	int chan[2];

	(void)state;
	assert_int_equal(channel_pair(chan), 0);
	tag.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(tag.fd >= 0);
	strcpy(out.hop[1].host, "proxy.example");
	assert_int_equal(plan_send(chan[0], &out, &tag, 1), 0);
	assert_int_equal(plan_recv(chan[1], &in, got, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(got[0].kind, PLAN_FD_TUN);
	assert_int_equal(got[0].index, 3);
	assert_int_not_equal(got[0].fd, tag.fd);
	assert_string_equal(in.hop[1].host, "proxy.example");
	close(got[0].fd);

	/* Anything else on the channel is refused, its fds closed. */
	assert_int_equal(channel_send(chan[0], "hello", 5, &tag.fd, 1), 0);
	assert_int_equal(plan_recv(chan[1], &in, got, &count), -EPROTO);
	close(tag.fd);
	close(chan[0]);
	assert_int_equal(plan_recv(chan[1], &in, got, &count), -EPIPE);
	close(chan[1]);
}

static void fault_tells_what_and_why(void **state)
{
	struct fault f;

	(void)state;
	assert_int_equal(fault(&f, -ENOENT, "open '%s'", "x"), -ENOENT);
	assert_string_equal(f.text, "open 'x': No such file or directory");
	assert_int_equal(fault(NULL, -EIO, "nobody listens"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addr_reads_and_writes_literals),
		cmocka_unit_test(addr_survives_the_kernel_form),
		cmocka_unit_test(text_uint_takes_plain_numbers_only),
		cmocka_unit_test(text_quote_keeps_controls_out),
		cmocka_unit_test(text_plain_leaves_what_was_quoted),
		cmocka_unit_test(log_is_diverted_and_comes_back),
		cmocka_unit_test(log_counts_the_lines_that_were_lost),
		cmocka_unit_test(text_did_you_mean_finds_near_words_only),
		cmocka_unit_test(map_finds_what_is_in_and_nothing_else),
		cmocka_unit_test(reader_that_ran_out_stays_so),
		cmocka_unit_test(plan_crosses_with_its_fds),
		cmocka_unit_test(fault_tells_what_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
