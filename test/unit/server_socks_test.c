// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_socks_test.c - loop tests of our proxy server in SOCKS5
 */
#include "server_help.h"

static void socks5_session_ends_as_a_relay(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	const int fd = client_open();

	(void)state;
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf,
	    request_to(buf, SOCKS5_CONNECT, "127.0.0.1", ntohs(far.sin_port)));
	const int peer = far_accept();

	assert_int_equal(expect_reply(fd), SOCKS5_OK);
	check_relay(fd, peer);
}

static void socks5_takes_single_octets_and_early_data(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX + 16] = GREETING;
	size_t len = 3;
	const int fd = client_open();
	int peer;

	(void)state;
	len += request_to(buf + len, SOCKS5_CONNECT, "127.0.0.1",
			  ntohs(far.sin_port));
	memcpy(buf + len, "early", 5);
	len += 5;
	for (size_t i = 0; i < len; i++) {
		say(fd, buf + i, 1);
		turn(1);
	}
	peer = far_accept();
	expect(fd, "\x05\x00", 2);
	assert_int_equal(expect_reply(fd), SOCKS5_OK);
	expect_text(peer, "early");
	check_relay(fd, peer);
}

static void socks5_early_end_after_early_data_is_a_half_close(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX + 16] = GREETING;
	size_t len = 3;
	int fd = client_open();
	int peer;

	(void)state;
	len += request_to(buf + len, SOCKS5_CONNECT, "127.0.0.1",
			  ntohs(far.sin_port));
	memcpy(buf + len, "early", 5);
	say(fd, buf, len + 5);
	shutdown(fd, SHUT_WR);
	peer = far_accept();
	expect(fd, "\x05\x00", 2);
	assert_int_equal(expect_reply(fd), SOCKS5_OK);
	expect_text(peer, "early");
	assert_int_equal(hear(peer, buf, sizeof(buf)), 0);
	say_text(peer, "late");
	fd_close(&peer);
	expect_text(fd, "late");
	assert_int_equal(hear(fd, buf, sizeof(buf)), 0);
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void socks5_tells_why_it_failed(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	struct sockaddr_in nobody;
	int fd = client_open();
	int gone = listen_at(&nobody);

	(void)state;
	fd_close(&gone);
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf,
	    request_to(buf, SOCKS5_CONNECT, "127.0.0.1",
		       ntohs(nobody.sin_port)));
	assert_int_equal(expect_reply(fd), SOCKS5_REFUSED);
	assert_int_equal(hear(fd, buf, sizeof(buf)), 0);
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void socks5_refuses_bind_and_odd_addresses(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	int fd = client_open();

	(void)state;
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf, request_to(buf, SOCKS5_BIND, "127.0.0.1", 80));
	assert_int_equal(expect_reply(fd), SOCKS5_BAD_COMMAND);
	fd_close(&fd);

	fd = client_open();
	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, "\x05\x01\x00\x02\x7f\x00\x00\x01\x00\x50", 10);
	assert_int_equal(expect_reply(fd), SOCKS5_BAD_ADDRESS);
	fd_close(&fd);
	expect_silence_and_no_clients();
}

static void socks5_with_credentials_takes_nothing_else(void **state)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	int fd = client_open();

	(void)state;
	say(fd, GREETING, 3);
	expect(fd, "\x05\xff", 2);
	assert_int_equal(hear(fd, buf, sizeof(buf)), 0);
	fd_close(&fd);

	fd = client_open();
	say(fd, "\x05\x02\x00\x02", 4);
	expect(fd, "\x05\x02", 2);
	say(fd,
	    "\x01\x03"
	    "ann\x06"
	    "Secret",
	    12);
	expect(fd, "\x01\x01", 2);
	assert_int_equal(hear(fd, buf, sizeof(buf)), 0);
	fd_close(&fd);

	fd = client_open();
	say(fd, "\x05\x01\x02", 3);
	expect(fd, "\x05\x02", 2);
	say(fd,
	    "\x01\x03"
	    "ann\x06"
	    "secret",
	    12);
	expect(fd, "\x01\x00", 2);
	say(fd, buf,
	    request_to(buf, SOCKS5_CONNECT, "127.0.0.1", ntohs(far.sin_port)));
	const int peer = far_accept();

	assert_int_equal(expect_reply(fd), SOCKS5_OK);
	check_relay(fd, peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(socks5_session_ends_as_a_relay),
		T(socks5_takes_single_octets_and_early_data),
		T(socks5_early_end_after_early_data_is_a_half_close),
		T(socks5_tells_why_it_failed),
		T(socks5_refuses_bind_and_odd_addresses),
		T_AUTH(socks5_with_credentials_takes_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
