// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks4_test.c - SOCKS4 and 4A messages
 */
#include "wire_help.h"

#include "wire/socks4.h"

static uint8_t code;

static int get_reply(struct rd *r)
{
	return socks4_reply_get(r, &code);
}

static void request_carries_an_address(void **state)
{
	const struct dest d = { .addr = addr_from_ip4("\300\0\2\1", 80) };
	uint8_t *room = malloc(13);
	struct wr w = wr_of(room, 13);

	(void)state;
	assert_true(socks4_request_put(&w, &d, "user"));
	assert_memory_equal(room, "\4\1\0P\300\0\2\1user", 13);
	w = wr_of(room, 12);
	assert_false(socks4_request_put(&w, &d, "user"));
	w = wr_of(room, 9);
	assert_true(socks4_request_put(&w, &d, ""));
	free(room);
}

static void request_carries_a_name(void **state)
{
	struct dest d = { .addr.port = 80, .name = "a.example" };
	uint8_t *room = malloc(20);
	struct wr w = wr_of(room, 20);

	(void)state;
	assert_true(socks4_request_put(&w, &d, "u"));
	assert_memory_equal(room, "\4\1\0P\0\0\0\1u\0a.example", 20);
	w = wr_of(room, 19);
	assert_false(socks4_request_put(&w, &d, "u"));
	d.addr = addr_from_ip6("0123456789abcdef", 80);
	w = wr_of(room, 20);
	assert_true(socks4_request_put(&w, &d, "u"));
	free(room);
}

static void request_that_cannot_be_said_is_refused(void **state)
{
	struct dest d = { .addr = addr_from_ip6("0123456789abcdef", 80) };
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_false(socks4_request_put(&w, &d, ""));
	d.addr = addr_from_ip4("\0\0\0\7", 80); /* would announce a name */
	assert_false(socks4_request_put(&w, &d, ""));
	d = (struct dest){ .addr.port = 80 };
	assert_false(socks4_request_put(&w, &d, ""));
	assert_int_equal(wr_used(&w), 0);
}

static void reply_is_read(void **state)
{
	(void)state;
	help_whole_or_nothing(get_reply, HELP_MSG("\0\132\1\2\3\4\5\6"),
			      -EAGAIN);
	assert_int_equal(code, SOCKS4_GRANTED);
	help_whole_or_nothing(get_reply, HELP_MSG("\0\133\0\0\0\0\0\0"),
			      -EAGAIN);
	assert_int_equal(code, 91);
	help_refused(get_reply, HELP_MSG("\5"), -EPROTO);
	help_refused(get_reply, HELP_MSG("HTTP/1.1 400"), -EPROTO);
}

static void codes_have_errnos(void **state)
{
	(void)state;
	assert_int_equal(socks4_errno(90), 0);
	assert_int_equal(socks4_errno(91), -ECONNREFUSED);
	assert_int_equal(socks4_errno(92), -EACCES);
	assert_int_equal(socks4_errno(93), -EACCES);
	assert_int_equal(socks4_errno(0), -EHOSTUNREACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_carries_an_address),
		cmocka_unit_test(request_carries_a_name),
		cmocka_unit_test(request_that_cannot_be_said_is_refused),
		cmocka_unit_test(reply_is_read),
		cmocka_unit_test(codes_have_errnos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
