// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * varlink_test.c - the control protocol: messages, frames, who is calling
 */
#include "bus/varlink.h"

#include "base/fd.h"
#include "bus/channel.h"
#include "bus/control.h"
#include "bus/frame.h"
#include "bus/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/** get_call() - From exactly as many bytes as the text has */
static int get_call(const char *text, struct varlink_call *ret)
{
	const size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	int rc;

	memcpy(exact, text, len);
	rc = varlink_call_get(exact, len, ret, NULL);
	free(exact);
	return rc;
}

static int get_reply(const char *text, struct varlink_reply *ret)
{
	const size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	int rc;

	memcpy(exact, text, len);
	rc = varlink_reply_get(exact, len, ret, NULL);
	free(exact);
	return rc;
}

static void call_with_parameters_is_read(void **state)
{
	struct varlink_call c;

	(void)state;
	assert_int_equal(get_call("{\"method\":\"a.B\",\"parameters\":"
				  "{\"name\":\"x\"},\"more\":false}",
				  &c),
			 0);
	assert_string_equal(c.method, "a.B");
	assert_string_equal(varlink_get_string(c.parameters, "name"), "x");
	assert_string_equal(varlink_get_string(c.parameters, "none"), "");
	assert_false(c.oneway);
	varlink_call_fini(&c);
}

static void call_without_parameters_has_none(void **state)
{
	struct varlink_call c;

	(void)state;
	assert_int_equal(get_call("{\"method\":\"a.B\",\"oneway\":true}", &c),
			 0);
	assert_int_equal(json_object_size(c.parameters), 0);
	assert_true(c.oneway);
	varlink_call_fini(&c);
}

static void nonsense_is_no_call(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"null",
		"{\"method\":1}",
		"{\"method\":\"\"}",
		"{\"method\":\"nodots\"}",
		"{\"method\":\"a.b c\"}",
		"{\"method\":\"a.b\",\"method\":\"a.c\"}",
		"{\"method\":\"a.b\",\"parameters\":[]}",
		"{\"method\":\"a.b\",\"parameters\":null}",
		"{\"method\":\"a.b\",\"more\":1}",
		"{\"method\":\"a.b\",\"more\":true,\"oneway\":true}",
		"{\"method\":\"a.b\",\"upgrade\":true}",
		"{\"method\":\"a.b\",\"oneway\":1}",
		"{\"method\":\"a.b\",\"what\":1}",
		"{\"method\":\"a.b\"} x",
		"{\"method\":\"a.\\u0000b\"}",
	};
	struct varlink_call c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(get_call(bad[i], &c), -EPROTO);
}

static void name_that_is_too_long_is_refused(void **state)
{
	char text[VARLINK_NAME_MAX + 64] = "{\"method\":\"a.";
	struct varlink_call c;

	(void)state;
	memset(text + strlen(text), 'b', VARLINK_NAME_MAX);
	strcat(text, "\"}");
	assert_int_equal(get_call(text, &c), -EPROTO);
}

static void deep_nesting_is_refused(void **state)
{
	char *text = malloc(VARLINK_CALL_MAX);
	struct varlink_call c;

	(void)state;
	memset(text, '[', VARLINK_CALL_MAX);
	assert_int_equal(varlink_call_get(text, VARLINK_CALL_MAX, &c, NULL),
			 -EPROTO);
	free(text);
}

static void fault_names_the_member_quoted(void **state)
{
	static const char text[] = "{\"method\":\"a.b\",\"\\u001b[2J\":1}";
	struct varlink_call c;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(varlink_call_get(text, strlen(text), &c, &f), -EPROTO);
	assert_null(strchr(f.text, '\033'));
	assert_non_null(strstr(f.text, "\\x1b"));
}

static void what_is_written_is_read_again(void **state)
{
	struct varlink_call c;
	struct varlink_reply r;
	char *text =
		varlink_call_put("a.B", json_pack("{s:s}", "name", "w\"\n"));

	(void)state;
	assert_int_equal(get_call(text, &c), 0);
	assert_string_equal(varlink_get_string(c.parameters, "name"), "w\"\n");
	varlink_call_fini(&c);
	free(text);
	text = varlink_reply_put("a.Bad", NULL);
	assert_int_equal(get_reply(text, &r), 0);
	assert_string_equal(r.error, "a.Bad");
	varlink_reply_fini(&r);
	free(text);
	text = varlink_reply_put(NULL, json_pack("{s:i}", "n", 7));
	assert_int_equal(get_reply(text, &r), 0);
	assert_string_equal(r.error, "");
	assert_int_equal(json_integer_value(json_object_get(r.parameters, "n")),
			 7);
	assert_false(r.continues);
	varlink_reply_fini(&r);
	free(text);
	text = varlink_part_put(NULL);
	assert_int_equal(get_reply(text, &r), 0);
	assert_string_equal(r.error, "");
	assert_true(r.continues);
	varlink_reply_fini(&r);
	free(text);
	text = varlink_call_put_more("a.B", NULL);
	assert_int_equal(get_call(text, &c), 0);
	assert_string_equal(c.method, "a.B");
	assert_true(c.more);
	varlink_call_fini(&c);
	free(text);
}

static void message_that_does_not_fit_is_not_written(void **state)
{
	char *big = calloc(1, VARLINK_REPLY_MAX + 1);

	(void)state;
	memset(big, 'x', VARLINK_REPLY_MAX);
	assert_null(varlink_reply_put(NULL, json_pack("{s:s}", "t", big)));
	free(big);
}

static void nonsense_is_no_reply(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"error\":7}",
		"{\"error\":\"x\"}",
		"{\"parameters\":3}",
	};
	struct varlink_reply r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(get_reply(bad[i], &r), -EPROTO);
}

/** feed() - Write, then read it all into @in */
static int feed(const int pair[2], struct frame_in *in, const char *bytes,
		size_t len)
{
	int rc;

	assert_int_equal(send(pair[0], bytes, len, MSG_DONTWAIT), len);
	do {
		rc = frame_read(in, pair[1]);
	} while (rc > 0);
	return rc;
}

static void open_pair(int pair[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void close_pair(int pair[2])
{
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

static void frames_come_apart_wherever_they_are_cut(void **state)
{
	struct frame_in in;
	size_t len;
	int pair[2];

	(void)state;
	open_pair(pair);
	frame_in_init(&in, 64);
	assert_false(frame_is_partial(&in));
	assert_int_equal(feed(pair, &in, "on", 2), -EAGAIN);
	assert_true(frame_is_partial(&in));
	assert_null(frame_next(&in, &len));
	assert_int_equal(feed(pair, &in, "e\0two\0th", 8), -EAGAIN);
	assert_string_equal(frame_next(&in, &len), "one");
	assert_int_equal(len, 3);
	frame_pop(&in);
	assert_string_equal(frame_next(&in, &len), "two");
	frame_pop(&in);
	assert_true(frame_is_partial(&in));
	frame_pop(&in); /* nothing whole: nothing happens */
	assert_int_equal(feed(pair, &in, "ree\0", 4), -EAGAIN);
	assert_string_equal(frame_next(&in, &len), "three");
	frame_in_fini(&in);
	close_pair(pair);
}

static void frame_without_end_meets_its_cap(void **state)
{
	char bytes[5000];
	struct frame_in in;
	int pair[2];

	(void)state;
	open_pair(pair);
	memset(bytes, 'x', sizeof(bytes));
	frame_in_init(&in, 4096);
	assert_int_equal(feed(pair, &in, bytes, sizeof(bytes)), -EMSGSIZE);
	assert_int_equal(in.room, 4096);
	frame_in_fini(&in);
	close_pair(pair);
}

static void fds_go_with_the_first_byte(void **state)
{
	struct frame_out out = { 0 };
	struct frame_in in;
	size_t len;
	int pair[2];
	int fds[2];

	(void)state;
	open_pair(pair);
	fds[0] = open("/dev/null", O_RDONLY);
	fds[1] = open("/dev/null", O_RDONLY);
	frame_out_set(&out, strdup("hello"), fds, 2);
	assert_int_equal(frame_write(&out, pair[0]), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1); /* it was taken over */
	frame_out_fini(&out);
	frame_in_init(&in, 64);
	while (!frame_next(&in, &len))
		assert_true(frame_read(&in, pair[1]) > 0);
	assert_string_equal(frame_next(&in, &len), "hello");
	assert_int_equal(in.fd_count, 2);
	assert_int_equal(fcntl(in.fds[1], F_GETFD), FD_CLOEXEC);
	frame_in_fini(&in);
	close_pair(pair);
}

static void too_many_fds_are_refused_and_closed(void **state)
{
	int fds[FRAME_FDS + 1];
	struct frame_in in;
	int pair[2];
	int next;

	(void)state;
	open_pair(pair);
	for (int i = 0; i <= FRAME_FDS; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	assert_int_equal(channel_send(pair[0], "x", 1, fds, FRAME_FDS + 1), 0);
	next = dup(0);
	frame_in_init(&in, 64);
	assert_int_equal(frame_read(&in, pair[1]), -EPROTO);
	assert_int_equal(in.fd_count, 0);
	(void)close(next);
	assert_int_equal(dup(0), next); /* the same lowest number */
	(void)close(next);
	for (int i = 0; i <= FRAME_FDS; i++)
		(void)close(fds[i]);
	frame_in_fini(&in);
	close_pair(pair);
}

static void writing_goes_on_where_it_stopped(void **state)
{
	const size_t big = 4 << 20;
	char *text = malloc(big + 1);
	struct frame_out out = { 0 };
	static char sink[65536];
	size_t got = 0;
	int pair[2];
	int rc;

	(void)state;
	open_pair(pair);
	memset(text, 'y', big);
	text[big] = '\0';
	frame_out_set(&out, text, NULL, 0);
	assert_int_equal(frame_write(&out, pair[0]), -EAGAIN);
	do {
		const ssize_t n = read(pair[1], sink, sizeof(sink));

		got += n > 0 ? (size_t)n : 0;
		rc = frame_write(&out, pair[0]);
	} while (rc == -EAGAIN);
	assert_int_equal(rc, 0);
	while (got < big + 1) {
		const ssize_t n = read(pair[1], sink, sizeof(sink));

		assert_true(n > 0);
		got += (size_t)n;
	}
	frame_out_fini(&out);
	close_pair(pair);
}

static void caller_of_our_own_namespace_is_known(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd listener = socket(AF_UNIX, SOCK_STREAM, 0);
	auto_fd caller = socket(AF_UNIX, SOCK_STREAM, 0);
	auto_fd conn = -1;
	struct peer who = { 0 };
	socklen_t len = sizeof(at);

	(void)state;
	/* The kernel picks an abstract name. */
	assert_int_equal(
		bind(listener, (struct sockaddr *)&at, sizeof(at.sun_family)),
		0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len),
			 0);
	assert_int_equal(connect(caller, (struct sockaddr *)&at, len), 0);
	conn = accept(listener, NULL, NULL);
	assert_int_equal(peer_check(listener, conn, &who, NULL), 0);
	assert_int_equal(who.pid, getpid());
	assert_int_equal(who.uid, geteuid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_with_parameters_is_read),
		cmocka_unit_test(call_without_parameters_has_none),
		cmocka_unit_test(nonsense_is_no_call),
		cmocka_unit_test(name_that_is_too_long_is_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(fault_names_the_member_quoted),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(message_that_does_not_fit_is_not_written),
		cmocka_unit_test(nonsense_is_no_reply),
		cmocka_unit_test(frames_come_apart_wherever_they_are_cut),
		cmocka_unit_test(frame_without_end_meets_its_cap),
		cmocka_unit_test(fds_go_with_the_first_byte),
		cmocka_unit_test(too_many_fds_are_refused_and_closed),
		cmocka_unit_test(writing_goes_on_where_it_stopped),
		cmocka_unit_test(caller_of_our_own_namespace_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
