// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_test.c - what a client says and hears, limits of heads, our replies
 */
#include "wire_help.h"

#include "wire/http.h"

#include <stdio.h>

static unsigned int status;
static struct http_request req;

static int get_answer(struct rd *r)
{
	return http_answer_get(r, &status);
}

static int get_request(struct rd *r)
{
	return http_request_get(r, &req);
}

static void connect_names_the_target(void **state)
{
	struct dest d = { .addr.port = 443, .name = "example.org" };
	char room[256];
	struct wr w = wr_of(room, sizeof(room));
	static const char plain[] = "CONNECT example.org:443 HTTP/1.1\r\n"
				    "Host: example.org:443\r\n\r\n";
	static const char v6[] = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"
				 "Host: [2001:db8::1]:443\r\n";

	(void)state;
	assert_true(http_connect_put(&w, &d, false, NULL, NULL));
	assert_int_equal(wr_used(&w), strlen(plain));
	assert_memory_equal(room, plain, strlen(plain));
	for (size_t len = 0; len < strlen(plain); len++) {
		w = wr_of(room, len);
		assert_false(http_connect_put(&w, &d, false, NULL, NULL));
	}
	d = (struct dest){ 0 };
	w = wr_of(room, sizeof(room));
	assert_false(http_connect_put(&w, &d, false, NULL, NULL));
	assert_true(addr_parse_ip("2001:db8::1", &d.addr));
	d.addr.port = 443;
	w = wr_of(room, sizeof(room));
	assert_true(http_connect_put(&w, &d, false, NULL, NULL));
	assert_memory_equal(room, v6, strlen(v6));
	strcpy(d.name, "a\r\nX: y");
	assert_false(http_connect_put(&w, &d, false, NULL, NULL));
}

static void connect_carries_credentials(void **state)
{
	struct dest d = { .addr.port = 65535 };
	char room[2048];
	struct wr w = wr_of(room, sizeof(room));
	char user[257];
	char pass[257];
	struct rd r;

	(void)state;
	memset(d.name, 'a', NAME_MAX_LEN);
	d.name[63] = d.name[127] = d.name[191] = '.';
	memset(user, 'u', sizeof(user));
	memset(pass, ':', sizeof(pass));
	user[255] = pass[255] = '\0';
	assert_true(http_connect_put(&w, &d, true, user, pass));
	r = rd_of(room, wr_used(&w));
	assert_int_equal(http_request_get(&r, &req), 0);
	assert_int_equal(rd_left(&r), 0);
	assert_true(req.is_connect);
	assert_true(req.has_auth);
	assert_string_equal(req.user, user);
	assert_string_equal(req.pass, pass);
	assert_string_equal(req.to.name, d.name);
	assert_int_equal(req.to.addr.port, 65535);

	w = wr_of(room, sizeof(room));
	assert_false(http_connect_put(&w, &d, true, "a:b", "c"));
	pass[255] = ':';
	pass[256] = '\0';
	w = wr_of(room, sizeof(room));
	assert_false(http_connect_put(&w, &d, true, "a", pass));
	user[255] = 'u';
	user[256] = '\0';
	w = wr_of(room, sizeof(room));
	assert_false(http_connect_put(&w, &d, true, user, "c"));
}

static void answer_is_read(void **state)
{
	static const char *const good[] = {
		"HTTP/1.1 200 Connection established\r\n\r\n",
		"HTTP/1.0 200\r\n\r\n",
		"HTTP/1.1 200 \r\nA: b\r\n c\r\n\r\n",
		"HTTP/1.1 200 OK\nA: \"\x80\t\xff\"\n\n",
		"HTTP/1.1 200 OK\r\nA: b\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 102 \nA: b\n\nHTTP/1.1 103 \n\nHTTP/1.0 200\n\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		status = 0;
		help_whole_or_nothing(get_answer, good[i], strlen(good[i]),
				      -EAGAIN);
		assert_int_equal(status, 200);
	}
	help_whole_or_nothing(get_answer, HELP_MSG("HTTP/1.1 599 x\n\n"),
			      -EAGAIN);
	assert_int_equal(status, 599);
	help_whole_or_nothing(get_answer, HELP_MSG("HTTP/1.1 101 x\n\n"),
			      -EAGAIN);
	assert_int_equal(status, 101);
}

static void answer_of_garbage_is_refused_at_once(void **state)
{
	(void)state;
	help_refused(get_answer, HELP_MSG("S"), -EPROTO);
	help_refused(get_answer, HELP_MSG("\5\0"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/2"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 200 a\0"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 200 a\x1b"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 200 a\x7f"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 200 a\rb"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 200 a\r\r\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("\r\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 099 a\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 600 a\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 2000\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 20\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1  200\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.11 200\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1. 200\n\n"), -EPROTO);
	help_refused(get_answer, HELP_MSG("HTTP/1.1 100 a\n\nS"), -EPROTO);
}

/** padded() - Head @begin, one long field, empty line: @len octets in all */
static char *padded(const char *begin, size_t len)
{
	char *head = malloc(len + 1);

	memset(head, 'x', len);
	memcpy(head, begin, strlen(begin));
	memcpy(head + len - 4, "\r\n\r\n", 5);
	return head;
}

/* row: P07 */
static void heads_end_within_their_limit(void **state)
{
	char *head = padded("HTTP/1.1 200 OK\r\nA: ", HTTP_HEAD_MAX + 1);
	size_t taken;

	(void)state;
	help_refused(get_answer, head, HTTP_HEAD_MAX + 1, -EPROTO);
	help_refused(get_answer, head, HTTP_HEAD_MAX, -EPROTO);
	help_refused(get_answer, head, HTTP_HEAD_MAX - 1, -EAGAIN);
	free(head);
	head = padded("HTTP/1.1 200 OK\r\nA: ", HTTP_HEAD_MAX);
	assert_int_equal(help_get(get_answer, head, HTTP_HEAD_MAX, &taken), 0);
	free(head);
	head = padded("HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nA: ",
		      HTTP_HEAD_MAX);
	assert_int_equal(help_get(get_answer, head, HTTP_HEAD_MAX, &taken), 0);
	free(head);
	head = padded("HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nA: ",
		      HTTP_HEAD_MAX + 1);
	help_refused(get_answer, head, HTTP_HEAD_MAX + 1, -EPROTO);
	free(head);
	head = padded("CONNECT a:1 HTTP/1.1\r\nA: ", HTTP_HEAD_MAX + 1);
	help_refused(get_request, head, HTTP_HEAD_MAX + 1, -EMSGSIZE);
	help_refused(get_request, head, HTTP_HEAD_MAX, -EMSGSIZE);
	help_refused(get_request, head, HTTP_HEAD_MAX - 1, -EAGAIN);
	free(head);
	head = padded("CONNECT a:1 HTTP/1.1\r\nA: ", HTTP_HEAD_MAX);
	assert_int_equal(help_get(get_request, head, HTTP_HEAD_MAX, &taken), 0);
	free(head);
}

/* row: P07 */
static void heads_have_a_limit_of_lines(void **state)
{
	char head[1024] = "HTTP/1.1 200 OK\n";
	size_t taken;

	(void)state;
	for (int i = 1; i < HTTP_LINES_MAX; i++)
		strcat(head, "A: b\n");
	strcat(head, "\n");
	assert_int_equal(help_get(get_answer, head, strlen(head), &taken), 0);
	strcpy(head + strlen(head) - 1, "A: b\n");
	help_refused(get_answer, head, strlen(head), -EPROTO);
}

static void statuses_have_errnos(void **state)
{
	static const int errs[] = { 0, -EACCES, -ETIMEDOUT, -ECONNREFUSED,
				    -EHOSTUNREACH };

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		assert_int_equal(http_errno(http_status_of(errs[i])), errs[i]);
	assert_int_equal(http_errno(204), 0);
	assert_int_equal(http_errno(401), -EACCES);
	assert_int_equal(http_errno(405), -EACCES);
	assert_int_equal(http_errno(407), -EACCES);
	assert_int_equal(http_errno(408), -ETIMEDOUT);
	assert_int_equal(http_errno(302), -EHOSTUNREACH);
	assert_int_equal(http_errno(101), -EHOSTUNREACH);
	assert_int_equal(http_errno(500), -EHOSTUNREACH);
	assert_int_equal(http_status_of(-EPROTO), 400);
	assert_int_equal(http_status_of(-EMSGSIZE), 431);
	assert_int_equal(http_status_of(-EMFILE), 503);
}

static void replies_say_what_they_must(void **state)
{
	char room[512];
	struct wr w = wr_of(room, sizeof(room) - 1);
	static const char tunnel[] = "HTTP/1.1 200 Connection established\r\n"
				     "\r\n";
	static const char auth[] =
		"HTTP/1.1 407 Proxy Authentication Required\r\n"
		"Proxy-Authenticate: Basic realm=\"nsproxy\"\r\n"
		"Content-Length: 3\r\nContent-Type: text/plain\r\n"
		"Connection: close\r\n\r\nno\n";

	(void)state;
	assert_true(http_reply_put(&w, 200, "x"));
	assert_int_equal(wr_used(&w), strlen(tunnel));
	assert_memory_equal(room, tunnel, strlen(tunnel));
	w = wr_of(room, strlen(tunnel) - 1);
	assert_false(http_reply_put(&w, 200, NULL));

	w = wr_of(room, sizeof(room) - 1);
	assert_true(http_reply_put(&w, 407, "no"));
	*w.at = '\0';
	assert_string_equal(room, auth);
	w = wr_of(room, sizeof(room) - 1);
	assert_true(http_reply_put(&w, 502, NULL));
	*w.at = '\0';
	assert_non_null(strstr(room, "Length: 12\r\n"));
	assert_non_null(strstr(room, "\r\n\r\nBad Gateway\n"));
	assert_null(strstr(room, "Authenticate"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_names_the_target),
		cmocka_unit_test(connect_carries_credentials),
		cmocka_unit_test(answer_is_read),
		cmocka_unit_test(answer_of_garbage_is_refused_at_once),
		cmocka_unit_test(heads_end_within_their_limit),
		cmocka_unit_test(heads_have_a_limit_of_lines),
		cmocka_unit_test(statuses_have_errnos),
		cmocka_unit_test(replies_say_what_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
