// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_http_test.c - loop tests of our proxy server in HTTP
 */
#include "server_help.h"

static void http_connect_ends_as_a_relay(void **state)
{
	char head[128];
	const int fd = client_open();
	int peer;

	(void)state;
	snprintf(head, sizeof(head),
		 "CONNECT 127.0.0.1:%u HTTP/1.1\r\nHost: x\r\n\r\nearly",
		 ntohs(far.sin_port));
	for (size_t i = 0; head[i] != '\0'; i++) {
		say(fd, head + i, 1);
		turn(1);
	}
	peer = far_accept();
	expect_text(peer, "early");
	expect_text(fd, "HTTP/1.1 200 ");
	while (true) {
		char last[4] = { 0 };

		/* Read up to the empty line. */
		do {
			memmove(last, last + 1, 3);
			assert_int_equal(hear(fd, last + 3, 1), 1);
		} while (memcmp(last, "\r\n\r\n", 4) != 0);
		break;
	}
	check_relay(fd, peer);
}

static void http_plain_request_is_rewritten(void **state)
{
	char head[256];
	char got[512] = { 0 };
	size_t have = 0;
	int fd = client_open();
	int peer;

	(void)state;
	snprintf(head, sizeof(head),
		 "POST http://127.0.0.1:%u/a?b HTTP/1.1\r\nHost: x\r\n"
		 "Proxy-Authorization: Basic YTpi\r\n"
		 "Proxy-Connection: keep-alive\r\n"
		 "Content-Length: 4\r\n\r\nbody",
		 ntohs(far.sin_port));
	say_text(fd, head);
	shutdown(fd, SHUT_WR);
	peer = far_accept();
	while (!strstr(got, "\r\n\r\nbody")) {
		const ssize_t n =
			hear(peer, got + have, sizeof(got) - 1 - have);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_int_equal(strncmp(got, "POST /a?b HTTP/1.1\r\n", 20), 0);
	assert_null(strstr(got, "Proxy-"));
	assert_non_null(strstr(got, "Connection: close\r\n"));
	assert_int_equal(hear(peer, head, sizeof(head)), 0);
	say_text(peer, "HTTP/1.1 204 No Content\r\n\r\n");
	fd_close(&peer);
	expect_start_and_end(fd, "HTTP/1.1 204 ");
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void http_refusals_are_whole_answers(void **state)
{
	static const struct {
		const char *said;
		const char *answer;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 " },
		{ "CONNECT nowhere HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
		{ "hello there\r\n\r\n", "HTTP/1.1 400 " },
		{ "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\nmore", "HTTP/1.1 502 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY(cases); i++) {
		int fd = client_open();

		say_text(fd, cases[i].said);
		expect_start_and_end(fd, cases[i].answer);
		fd_close(&fd);
	}
	expect_silence_and_no_clients();
}

static void http_head_has_a_limit(void **state)
{
	static char line[1024];
	int fd = client_open();

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "X-Long: ", 8);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	say_text(fd, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n");
	for (int i = 0; i < 9; i++)
		say(fd, line, sizeof(line));
	expect_start_and_end(fd, "HTTP/1.1 431 ");
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void http_with_credentials_demands_them(void **state)
{
	char head[256];
	int fd = client_open();

	(void)state;
	say_text(fd, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n");
	expect_start_and_end(fd, "HTTP/1.1 407 ");
	fd_close(&fd);

	fd = client_open();
	snprintf(head, sizeof(head),
		 "CONNECT 127.0.0.1:%u HTTP/1.1\r\n"
		 "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n",
		 ntohs(far.sin_port));
	say_text(fd, head);
	int peer = far_accept();

	expect_text(fd, "HTTP/1.1 200 ");
	fd_close(&fd);
	fd_close(&peer);
	expect_silence_and_no_clients();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(http_connect_ends_as_a_relay),
		T(http_plain_request_is_rewritten),
		T(http_refusals_are_whole_answers),
		T(http_head_has_a_limit),
		T_AUTH(http_with_credentials_demands_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
