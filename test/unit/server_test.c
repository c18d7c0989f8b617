// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_test.c - the door of our proxy server: who is let in, for how long
 */
#include "server_help.h"

static void garbage_is_dropped(void **state)
{
	static const char *const said[] = { "\x04\x01\x00\x50\x7f", "\x16\x03",
					    "\xff", "\n\n" };
	uint8_t buf[16];

	(void)state;
	for (size_t i = 0; i < ARRAY(said); i++) {
		int fd = client_open();

		say_text(fd, said[i]);
		assert_true(hear(fd, buf, sizeof(buf)) <= 0);
		fd_close(&fd);
	}
	expect_silence_and_no_clients();
}

static void switched_off_protocols_are_not_spoken(void **state)
{
	uint8_t buf[16];
	int fd = client_open();

	(void)state;
	serve.socks = false;
	say(fd, GREETING, 3);
	assert_true(hear(fd, buf, sizeof(buf)) <= 0);
	fd_close(&fd);
	serve.socks = true;
	serve.http = false;
	fd = client_open();
	say_text(fd, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n");
	assert_true(hear(fd, buf, sizeof(buf)) <= 0);
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void slow_hello_has_one_absolute_deadline(void **state)
{
	int fd = client_open();

	(void)state;
	turn(2);
	say(fd, GREETING, 3);
	turn(2);
	skipped_ms += SERVER_HELLO_MS - 1000;
	say(fd, "\x05", 1);
	turn(2);
	assert_int_equal(server->count, 1);
	skipped_ms += 1001;
	turn(2);
	assert_int_equal(server->count, 0);
	fd_close(&fd);
}

/* A listener whose queue is full: who comes now gets no answer. */
static int listen_deaf(struct sockaddr_in *at, int queue[2])
{
	const int fd = listen_at(at);

	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 2; i++) {
		queue[i] = socket(
			AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(queue[i], (struct sockaddr *)at, sizeof(*at));
	}
	return fd;
}

static void hang_up_cancels_the_dial(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	struct sockaddr_in deaf_at;
	int queue[2];
	int deaf = listen_deaf(&deaf_at, queue);
	int fd = client_open();

	(void)state;
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf,
	    request_to(buf, SOCKS5_CONNECT, "127.0.0.1",
		       ntohs(deaf_at.sin_port)));
	turn(20);
	assert_int_equal(way.dials, 1);
	fd_close(&fd);
	expect_silence_and_no_clients();
	assert_int_equal(way.dials, 0);
	fd_close(&deaf);
	fd_close(&queue[0]);
	fd_close(&queue[1]);
}

static void gateway_asks_for_names_and_has_no_association(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	int fd = client_open();

	(void)state;
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf, request_to(buf, SOCKS5_CONNECT, "198.18.0.9", 80));
	assert_int_equal(expect_reply(fd), SOCKS5_HOST_UNREACHABLE);
	fd_close(&fd);

	fd = client_open();
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf, request_to(buf, SOCKS5_UDP_ASSOCIATE, "0.0.0.0", 0));
	assert_int_equal(expect_reply(fd), SOCKS5_BAD_COMMAND);
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void who_comes_to_a_full_server_waits(void **state)
{
	uint8_t buf[16];
	int fd = client_open();

	(void)state;
	turn(2);
	assert_int_equal(server->count, 1);
	server->count = CLIENTS_MAX;
	int one_more = client_open();

	say(one_more, GREETING, 3);
	assert_int_equal(hear(one_more, buf, sizeof(buf)), -ETIMEDOUT);
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	server->count = 1;
	expect(one_more, "\x05\x00", 2);
	fd_close(&fd);
	fd_close(&one_more);
	expect_silence_and_no_clients();
}

static void server_free_ends_clients_in_every_state(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	int fd[5];
	int peer;

	(void)state;
	for (size_t i = 0; i < ARRAY(fd); i++)
		fd[i] = client_open();
	say(fd[1], GREETING, 3);
	associate(fd[2]);
	say(fd[3], GREETING, 3);
	expect(fd[3], "\x05\x00", 2);
	say(fd[3], buf,
	    request_to(buf, SOCKS5_CONNECT, "127.0.0.1", ntohs(far.sin_port)));
	peer = far_accept();
	assert_int_equal(expect_reply(fd[3]), SOCKS5_OK);
	say_text(fd[4], "GET / HTTP/1.1\r\n\r\n");
	turn(3);
	assert_int_equal(server->count, ARRAY(fd));
	server_free(server);
	server = NULL;
	for (size_t i = 0; i < ARRAY(fd); i++)
		fd_close(&fd[i]);
	fd_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(garbage_is_dropped),
		T(switched_off_protocols_are_not_spoken),
		T(slow_hello_has_one_absolute_deadline),
		T(hang_up_cancels_the_dial),
		T_GATE(gateway_asks_for_names_and_has_no_association),
		T(who_comes_to_a_full_server_waits),
		T(server_free_ends_clients_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
