// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_fault_test.c - refusals, garbage, silence: what a dial makes of bad hops
 */
#include "dial_scene.h"

static void socks5_codes_become_errnos(void **state)
{
	static const struct {
		uint8_t code;
		int err;
	} table[] = {
		{ 1, -EHOSTUNREACH }, { 2, -EACCES },
		{ 3, -ENETUNREACH },  { 4, -EHOSTUNREACH },
		{ 5, -ECONNREFUSED }, { 6, -ETIMEDOUT },
		{ 8, -ENETUNREACH },  { 0x42, -EHOSTUNREACH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t reply[10] = { 5, table[i].code, 0, 1 };
		struct scene c;

		scene_one(&c, HOP_SOCKS5, NULL);
		TOY_SAY(c.peer, HELLO_OK);
		toy_say(c.peer, reply, sizeof(reply));
		assert_int_equal(toy_finish(&c.end), table[i].err);
		/* The far end's own refusal is no fault of the hop. */
		for (int k = 0; k < WAY_FAULTS; k++)
			assert_int_equal(c.way.gate[k].next_ms, 0);
		scene_end(&c);
	}
}

static void http_statuses_become_errnos(void **state)
{
	static const struct {
		const char *answer;
		int err;
		bool is_login;
	} table[] = {
		{ "HTTP/1.1 407 No\r\n\r\n", -EACCES, true },
		{ "HTTP/1.1 403 No\r\nA: b\r\n\r\nbody", -EACCES, false },
		{ "HTTP/1.1 502 Bad Gateway\r\n\r\n", -ECONNREFUSED, false },
		{ "HTTP/1.1 504 Late\r\n\r\n", -ETIMEDOUT, false },
		{ "HTTP/1.1 503 No\r\n\r\n", -EHOSTUNREACH, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct scene c;

		scene_one(&c, HOP_HTTP, NULL);
		toy_say(c.peer, table[i].answer, strlen(table[i].answer));
		assert_int_equal(toy_finish(&c.end), table[i].err);
		assert_int_equal(c.way.gate[WAY_LOGIN].next_ms != 0,
				 table[i].is_login);
		scene_end(&c);
	}
}

static void socks4_codes_become_errnos(void **state)
{
	static const struct {
		uint8_t code;
		int err;
	} table[] = { { 91, -ECONNREFUSED }, { 92, -EACCES }, { 93, -EACCES } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const uint8_t reply[8] = { 0, table[i].code };
		struct scene c;

		scene_one(&c, HOP_SOCKS4A, NULL);
		toy_say(c.peer, reply, sizeof(reply));
		assert_int_equal(toy_finish(&c.end), table[i].err);
		scene_end(&c);
	}
}

static void refused_login_is_eacces_with_a_warning(void **state)
{
	static const struct {
		const char *user;
		const char *choice;
		const char *verdict;
	} table[] = {
		{ NULL, "\x05\xff", NULL },
		{ NULL, "\x05\x02", NULL },
		{ "me", "\x05\xff", NULL },
		{ "me", "\x05\x02", "\x01\x01" },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct scene c;

		scene_one(&c, HOP_SOCKS5, table[i].user);
		toy_say(c.peer, table[i].choice, 2);
		if (table[i].verdict)
			toy_say(c.peer, table[i].verdict, 2);
		assert_int_equal(toy_finish(&c.end), -EACCES);
		assert_int_not_equal(c.way.gate[WAY_LOGIN].next_ms, 0);
		scene_end(&c);
	}
}

static void password_only_means_password(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_SOCKS5, "me");
	TOY_SAY(c.peer, "\x05\x00"); /* never offered */
	assert_int_equal(toy_finish(&c.end), -EIO);
	scene_end(&c);
}

static void garbage_is_eio(void **state)
{
	static const struct {
		enum hop_kind kind;
		const char *answer;
		size_t len;
	} table[] = {
		{ HOP_SOCKS5, "HTTP/1.1 400 Bad\r\n\r\n", 20 },
		{ HOP_SOCKS5, "\x05\x00\x04\x00\x00\x01\0\0\0\0\0\0", 12 },
		{ HOP_SOCKS5, "\x05\x00\x05\x00\x00\x09\0\0\0\0\0\0", 12 },
		{ HOP_SOCKS4A, "SSH-2.0-x\r\n", 11 },
		{ HOP_HTTP, "SSH-2.0-x\r\n\r\n", 13 },
		{ HOP_HTTP, "\x05\x00", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct scene c;

		scene_one(&c, table[i].kind, NULL);
		toy_say(c.peer, table[i].answer, table[i].len);
		assert_int_equal(toy_finish(&c.end), -EIO);
		assert_int_not_equal(c.way.gate[WAY_GARBAGE].next_ms, 0);
		scene_end(&c);
	}
}

static void endless_head_is_eio(void **state)
{
	char line[1024];
	struct scene c;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	scene_one(&c, HOP_HTTP, NULL);
	TOY_SAY(c.peer, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 16 && !c.end.told; i++)
		toy_say(c.peer, line, sizeof(line));
	assert_int_equal(c.end.told, 1);
	assert_int_equal(c.end.err, -EIO);
	scene_end(&c);
}

static void early_close_is_eio(void **state)
{
	static const struct {
		enum hop_kind kind;
		const char *before;
		size_t len;
	} table[] = {
		{ HOP_SOCKS5, "", 0 },
		{ HOP_SOCKS5, "\x05", 1 },
		{ HOP_SOCKS5, HELLO_OK, 2 },
		{ HOP_SOCKS5, HELLO_OK "\x05\x00\x00\x01\x01", 7 },
		{ HOP_HTTP, "HTTP/1.1 200 OK\r\n", 17 },
		{ HOP_SOCKS4A, "\x00\x5a", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct scene c;

		scene_one(&c, table[i].kind, NULL);
		toy_settle();
		if (table[i].len > 0)
			toy_say(c.peer, table[i].before, table[i].len);
		fd_close(&c.peer);
		assert_int_equal(toy_finish(&c.end), -EIO);
		scene_end(&c);
	}
}

/* ----------------------------------------------------------- deadlines -- */

static void silent_greeting_is_unreachable(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_SOCKS5, NULL);
	TOY_EXPECT(c.peer, HELLO);
	scene_wait(&c, DIAL_GREET_MS, -EHOSTUNREACH);
	scene_end(&c);
}

static void silent_far_end_times_out(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_SOCKS5, NULL);
	TOY_SAY(c.peer, HELLO_OK);
	scene_wait(&c, DIAL_MS, -ETIMEDOUT);
	for (int k = 0; k < WAY_FAULTS; k++)
		assert_int_equal(c.way.gate[k].next_ms, 0);
	scene_end(&c);
}

static void slow_hop_may_ask_for_more_time(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at)->dial_s = 120;
	scene_meet(&c, &example);
	TOY_SAY(c.peer, HELLO_OK);
	scene_wait(&c, 120000, -ETIMEDOUT);
	scene_end(&c);
}

/* row: P05 */
static void dribbling_does_not_stretch_a_deadline(void **state)
{
	struct scene c;
	int said = 0;

	(void)state;
	scene_one(&c, HOP_HTTP, NULL);
	TOY_SAY(c.peer, "HTTP/1.1 200 OK\r\nX: ");
	for (; said < 100 && !c.end.told; said++) {
		TOY_SAY(c.peer, "a");
		toy_now += 1000;
		toy_turn();
	}
	assert_in_range(said, 29, 31);
	assert_int_equal(c.end.err, -ETIMEDOUT);
	scene_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(socks5_codes_become_errnos),
		T(http_statuses_become_errnos),
		T(socks4_codes_become_errnos),
		T(refused_login_is_eacces_with_a_warning),
		T(password_only_means_password),
		T(garbage_is_eio),
		T(endless_head_is_eio),
		T(early_close_is_eio),
		T(silent_greeting_is_unreachable),
		T(silent_far_end_times_out),
		T(slow_hop_may_ask_for_more_time),
		T(dribbling_does_not_stretch_a_deadline),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
