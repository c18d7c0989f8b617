// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_forward_test.c - requests made for a proxy, and where bodies end
 */
#include "wire_help.h"

#include "wire/http_forward.h"

#include <stdio.h>

static const struct dest site = { .addr.port = 80, .name = "site.i2p" };
static struct http_forward fwd = { .to = &site };
static struct http_body body;
static char out[HTTP_FORWARD_ROOM + 1];
static const char *why;

static int forward(struct rd *r)
{
	uint8_t *room = malloc(HTTP_FORWARD_ROOM);
	struct wr w = wr_of(room, HTTP_FORWARD_ROOM);
	const int err = http_forward_request(r, &fwd, &w, &body, &why);

	assert_non_null(room);
	assert_true(err == 0 || wr_used(&w) == 0);
	memcpy(out, room, wr_used(&w));
	out[wr_used(&w)] = '\0';
	free(room);
	return err;
}

static void becomes(const char *head, const char *want)
{
	size_t taken;

	assert_int_equal(help_get(forward, head, strlen(head), &taken), 0);
	assert_int_equal(taken, strlen(head));
	assert_string_equal(out, want);
}

static void refused(const char *head, int err)
{
	size_t taken;
	const int got = help_get(forward, head, strlen(head), &taken);

	if (got != err)
		fail_msg("%d instead of %d: %s", got, err, head);
	assert_int_equal(taken, 0);
	assert_true(why[0] != '\0');
}

#define TAIL "Connection: close\r\n\r\n"

static void a_path_becomes_absolute(void **state)
{
	(void)state;
	help_whole_or_nothing(forward,
			      HELP_MSG("GET /a?b HTTP/1.1\r\nHost: site.i2p\r\n"
				       "A: b\r\n\r\n"),
			      -EAGAIN);
	assert_string_equal(out, "GET http://site.i2p/a?b HTTP/1.1\r\n"
				 "Host: site.i2p\r\nA: b\r\n" TAIL);
	assert_int_equal(body.state, HTTP_BODY_OVER);
	becomes("GET / HTTP/1.0\r\n\r\n", "GET http://site.i2p/ HTTP/1.0\r\n"
					  "Host: site.i2p\r\n" TAIL);
	becomes("GET //evil/ HTTP/1.1\r\n\r\n",
		"GET http://site.i2p//evil/ HTTP/1.1\r\nHost: "
		"site.i2p\r\n" TAIL);
}

static void many_lines_are_refused(void **state)
{
	char head[4096] = "GET / HTTP/1.1\r\n";
	const size_t begin = strlen(head);

	(void)state;
	for (int i = 0; i < 99; i++)
		strcat(head, "a:b\r\n");
	strcat(head, "\r\n");
	help_whole_or_nothing(forward, head, strlen(head), -EAGAIN);
	strcpy(head + begin + 495, "a:b\r\n\r\n");
	refused(head, -EPROTO);
}

static void the_name_is_the_connections(void **state)
{
	(void)state;
	becomes("GET http://SITE.i2p/ HTTP/1.1\r\n\r\n",
		"GET http://site.i2p/ HTTP/1.1\r\nHost: "
		"site.i2p\r\n" TAIL);
	becomes("GET / HTTP/1.1\r\nHost: evil\r\nHOST: more\r\n\r\n",
		"GET http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\n" TAIL);
	becomes("GET HTTP://Site.I2P.:80?q HTTP/1.1\r\n\r\n",
		"GET http://site.i2p/?q HTTP/1.1\r\nHost: site.i2p\r\n" TAIL);
	becomes("GET http://site.i2p HTTP/1.1\r\n\r\n",
		"GET http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\n" TAIL);
	refused("GET http://evil.i2p/ HTTP/1.1\r\n\r\n", -EPROTO);
	refused("GET http://site.i2p:81/ HTTP/1.1\r\n\r\n", -EPROTO);
	refused("GET http://a@site.i2p/ HTTP/1.1\r\n\r\n", -EPROTO);
	refused("GET http://site.i2p\\/ HTTP/1.1\r\n\r\n", -EPROTO);
	refused("GET http://site.i2p#/ HTTP/1.1\r\n\r\n", -EPROTO);
	refused("GET https://site.i2p/ HTTP/1.1\r\n\r\n", -EPROTO);
	refused("GET @evil HTTP/1.1\r\n\r\n", -EPROTO);
	refused("OPTIONS * HTTP/1.1\r\n\r\n", -EPROTO);
}

static void fields_of_the_connection_are_dropped(void **state)
{
	(void)state;
	becomes("GET / HTTP/1.1\r\nConnection: keep-alive ,\tX-Hop,upgrade\r\n"
		"Keep-Alive: 1\r\nProxy-Authorization: x\r\nproxy-foo: y\r\n"
		"TE: trailers\r\nTrailer: a\r\nUpgrade: h2c\r\nx-hop: 1\r\n"
		"X-Hops: 2\r\nHTTP2-Settings: z\r\n\r\n",
		"GET http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\n"
		"X-Hops: 2\r\n" TAIL);
	fwd.has_auth = true;
	fwd.user = "me";
	fwd.pass = "secret";
	becomes("GET / HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n",
		"GET http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\n"
		"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" TAIL);
	fwd.has_auth = false;
}

static void framing_is_said_anew(void **state)
{
	(void)state;
	becomes("POST / HTTP/1.1\r\ncontent-length:  007 \r\n"
		"Connection: content-length\r\n\r\n",
		"POST http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\n"
		"Content-Length: 7\r\n" TAIL);
	assert_int_equal(body.state, HTTP_BODY_COUNTED);
	assert_int_equal(body.left, 7);
	becomes("POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n",
		"POST http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\n"
		"Transfer-Encoding: chunked\r\n" TAIL);
	assert_int_equal(body.state, HTTP_BODY_SIZE);
}

static void unclear_framing_is_refused(void **state)
{
	static const char *const bad[] = {
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
		"Content-Length: 1\r\nContent-Length: 1\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Content-Length: 1, 1\r\n",
		"Content-Length: +1\r\n",
		"Content-Length: -1\r\n",
		"Content-Length: 0x1\r\n",
		"Content-Length:\r\n",
		"Content-Length: 1234567890123456789\r\n",
		"Content-Length : 1\r\n",
		"Transfer-Encoding: identity\r\n",
		"Transfer-Encoding: gzip, chunked\r\n",
		"Transfer-Encoding: \"chunked\"\r\n",
		" Content-Length: 1\r\n",
		"A: b\r\n Content-Length: 1\r\n",
		"A: b\nContent-Length: 1\r\n",
		"A: b\rContent-Length: 1\r\n",
		"A b\r\n",
	};
	char head[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(head, sizeof(head), "POST / HTTP/1.1\r\n%s\r\n",
			       bad[i]);
		refused(head, -EPROTO);
	}
	refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
		-EPROTO);
	refused("GET / HTTP/1.1\n\r\n", -EPROTO);
	refused("GET / HTTP/1.1\r\nA: b\r\n\n", -EPROTO);
	refused("GET / HTTP/1.1\r\n\n", -EPROTO);
}

static void what_is_no_request_is_known_early(void **state)
{
	(void)state;
	refused("\x16\x03\x01", -EBADMSG);
	refused("\x05\x01", -EBADMSG);
	refused("SSH-2.0-OpenSSH\r\n", -EPROTO);
	refused("CONNECT site.i2p:80 HTTP/1.1\r\n", -EPROTO);
	refused("PRI * HTTP/2.0\r\n", -EPROTO);
	refused("GET /\r\n", -EPROTO);
	refused("GET / HTTP/1.2\r\n", -EPROTO);
	refused("GET / http/1.1\r\n", -EPROTO);
	refused("GET / HTTP/1.1 \r\n", -EPROTO);
	refused("GET  / HTTP/1.1\r\n", -EPROTO);
	refused("GET /\tx HTTP/1.1\r\n", -EPROTO);
	refused("\r\nGET / HTTP/1.1\r\n\r\n", -EPROTO);
	refused("(", -EPROTO);
	refused("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJK", -EPROTO);
}

static void a_head_that_is_too_long_is_told_apart(void **state)
{
	char *head = malloc(HTTP_HEAD_MAX + 1);

	(void)state;
	assert_non_null(head);
	memset(head, 'y', HTTP_HEAD_MAX);
	memcpy(head, "GET / HTTP/1.1\r\nX: ", 19);
	head[HTTP_HEAD_MAX] = '\0';
	refused(head, -EMSGSIZE);
	free(head);
}

/* Feed it in pieces of @piece. Return: octets taken, or -EPROTO */
static long feed(struct http_body b, const char *text, size_t piece)
{
	const size_t len = strlen(text);
	long sum = 0;

	for (size_t at = 0; at < len; at += piece) {
		const size_t n = len - at < piece ? len - at : piece;
		uint8_t *block = help_block(text + at, n);
		const long got = http_body_take(&b, block, n);

		free(block);
		if (got < 0)
			return got;
		sum += got;
		if ((size_t)got < n)
			break;
	}
	body = b;
	return sum;
}

static void bodies_end_where_they_should(void **state)
{
	static const char chunks[] = "5\r\nhello\r\n00a\r\n0123456789\r\n"
				     "0\r\n\r\n";
	char more[128];

	(void)state;
	(void)snprintf(more, sizeof(more), "%sGET /", chunks);
	for (size_t piece = 1; piece <= sizeof(more); piece++) {
		assert_int_equal(feed(http_body_counted(3), "abcdef", piece),
				 3);
		assert_int_equal(body.state, HTTP_BODY_OVER);
		assert_int_equal(feed(http_body_chunked(), more, piece),
				 strlen(chunks));
		assert_int_equal(body.state, HTTP_BODY_OVER);
		assert_int_equal(feed(http_body_counted(9), "abc", piece), 3);
		assert_int_equal(body.left, 6);
	}
	assert_int_equal(feed(http_body_counted(0), "abc", 3), 0);
}

static void malformed_chunks_are_refused(void **state)
{
	static const char *const bad[] = {
		"\r\n",
		"5\n",
		"5 \r\n",
		"5;a=b\r\n",
		"+5\r\n",
		"0x5\r\n",
		"g\r\n",
		"5\r\nhello\n",
		"5\rx",
		"5\r\nhello!",
		"0\r\nA: b",
		"0\r\n\n",
		"0000000000000001\r\n",
		"ffffffffffffffff\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t piece = 1; piece <= strlen(bad[i]); piece++)
			if (feed(http_body_chunked(), bad[i], piece) != -EPROTO)
				fail_msg("taken: %s", bad[i]);
}

static bool is_final;

static int answer(struct rd *r)
{
	uint8_t *room = malloc(HTTP_FORWARD_ROOM);
	struct wr w = wr_of(room, HTTP_FORWARD_ROOM);
	const int err = http_forward_answer(r, &w, &is_final);

	assert_non_null(room);
	assert_true(err == 0 || wr_used(&w) == 0);
	memcpy(out, room, wr_used(&w));
	out[wr_used(&w)] = '\0';
	free(room);
	return err;
}

static void answers_say_that_the_connection_ends(void **state)
{
	(void)state;
	help_whole_or_nothing(answer,
			      HELP_MSG("HTTP/1.1 200 OK\r\nA: b\r\n"
				       "Connection: keep-alive\r\n"
				       "Keep-Alive: 5\r\n folded\r\n\r\n"),
			      -EAGAIN);
	assert_true(is_final);
	assert_string_equal(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
				 "A: b\r\n folded\r\n\r\n");
	help_whole_or_nothing(answer, HELP_MSG("HTTP/1.1 100 Continue\r\n\r\n"),
			      -EAGAIN);
	assert_false(is_final);
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
	help_refused(answer, HELP_MSG("<html>"), -EPROTO);
	help_refused(answer, HELP_MSG("HTTP/1.1 abc\r\n\r\n"), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_becomes_absolute),
		cmocka_unit_test(the_name_is_the_connections),
		cmocka_unit_test(many_lines_are_refused),
		cmocka_unit_test(fields_of_the_connection_are_dropped),
		cmocka_unit_test(framing_is_said_anew),
		cmocka_unit_test(unclear_framing_is_refused),
		cmocka_unit_test(what_is_no_request_is_known_early),
		cmocka_unit_test(a_head_that_is_too_long_is_told_apart),
		cmocka_unit_test(bodies_end_where_they_should),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test(answers_say_that_the_connection_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
