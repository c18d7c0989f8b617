/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * server_help.h - a proxy server over loopback, for its tests
 *
 * The way out is direct, the far server is a listener of the test itself. The
 * clock is turned by hand where a deadline is waited for.
 */
#include "flow/client.h"
#include "flow/server.h"

#include "base/fd.h"
#include "wire/socks5.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HELP	    __attribute__((unused)) static /* no test uses all */
#define CLIENTS_MAX 64
#define GREETING    "\x05\x01\x00"
#define ARRAY(arr)  (sizeof(arr) / sizeof((arr)[0]))

static struct loop loop;
static struct way way;
static struct relay_pool *pool;
static struct plan_serve serve;
static struct server *server;
static struct sockaddr_in door; /* the server's */
static struct sockaddr_in far;	/* where the far server listens */
static int far_fd;
static uint64_t skipped_ms;

HELP uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 +
	       skipped_ms;
}

HELP int listen_at(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	const int fd =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

HELP int names_refuse_odd_hosts(void *ctx, struct dest *d,
				struct server_lead *lead)
{
	(void)ctx, (void)lead;
	return d->addr.ip[3] == 9 ? -EHOSTUNREACH : 0;
}

HELP int setup_with(server_names_fn *names)
{
	skipped_ms = 0;
	assert_int_equal(loop_init(&loop), 0);
	loop.clock_ms = clock_ms;
	loop.now_ms = clock_ms();
	way_init_direct(&way, &loop);
	pool = relay_pool_new(&loop);
	serve = (struct plan_serve){ .socks = true, .http = true };
	server =
		server_new(&loop, &way, pool, &serve, CLIENTS_MAX, names, NULL);
	assert_non_null(server);
	assert_int_equal(server_listen(server, listen_at(&door)), 0);
	far_fd = listen_at(&far);
	return 0;
}

HELP int setup(void **state)
{
	(void)state;
	return setup_with(NULL);
}

HELP int setup_gateway(void **state)
{
	(void)state;
	return setup_with(names_refuse_odd_hosts);
}

HELP int setup_auth(void **state)
{
	setup(state);
	serve.has_auth = true;
	strcpy(serve.user, "ann");
	strcpy(serve.pass, "secret");
	return 0;
}

HELP int teardown(void **state)
{
	(void)state;
	server_free(server);
	relay_pool_free(pool);
	way_fini(&way);
	loop_fini(&loop);
	fd_close(&far_fd);
	return 0;
}

HELP int client_open(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&door, sizeof(door)),
			 0);
	assert_int_equal(fd_nonblock(fd), 0);
	return fd;
}

HELP void say(int fd, const void *buf, size_t len)
{
	assert_int_equal(send(fd, buf, len, MSG_NOSIGNAL), len);
}

HELP void say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

HELP void turn(int times)
{
	while (times-- > 0)
		loop_turn(&loop, 1);
}

/* Turns the loop until @fd has something to say. */
HELP ssize_t hear(int fd, void *buf, size_t len)
{
	for (int i = 0; i < 1000; i++) {
		const ssize_t n = recv(fd, buf, len, 0);

		if (n >= 0 || errno != EAGAIN)
			return n < 0 ? -errno : n;
		loop_turn(&loop, 1);
	}
	return -ETIMEDOUT;
}

HELP void expect(int fd, const void *what, size_t len)
{
	uint8_t got[512];
	size_t have = 0;

	assert_true(len <= sizeof(got));
	while (have < len) {
		const ssize_t n = hear(fd, got + have, len - have);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(got, what, len);
}

HELP void expect_text(int fd, const char *text)
{
	expect(fd, text, strlen(text));
}

/* The whole of a short answer, up to the end. */
HELP void expect_start_and_end(int fd, const char *start)
{
	char got[2048] = { 0 };
	size_t have = 0;
	ssize_t n;

	while ((n = hear(fd, got + have, sizeof(got) - 1 - have)) > 0)
		have += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(strncmp(got, start, strlen(start)), 0);
}

HELP int far_accept(void)
{
	for (int i = 0; i < 1000; i++) {
		const int fd = accept4(far_fd, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			return fd;
		loop_turn(&loop, 1);
	}
	fail_msg("nobody came to the far server");
	return -1;
}

HELP size_t request_to(uint8_t *buf, uint8_t cmd, const char *ip, uint16_t port)
{
	struct wr w = wr_of(buf, SOCKS5_REPLY_MAX);
	struct dest d = { 0 };

	assert_true(addr_parse_ip(ip, &d.addr));
	d.addr.port = port;
	assert_true(socks5_request_put(&w, cmd, &d));
	return wr_used(&w);
}

HELP uint8_t expect_reply(int fd)
{
	uint8_t got[10];

	for (size_t have = 0; have < sizeof(got);) {
		const ssize_t n = hear(fd, got + have, sizeof(got) - have);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_int_equal(got[0], 5);
	return got[1];
}

HELP void expect_silence_and_no_clients(void)
{
	for (int i = 0; i < 500 && server->count > 0; i++)
		loop_turn(&loop, 1);
	assert_int_equal(server->count, 0);
}

HELP void check_relay(int fd, int peer)
{
	say_text(fd, "question");
	expect_text(peer, "question");
	say_text(peer, "answer");
	expect_text(fd, "answer");
	fd_close(&fd);
	turn(3);
	fd_close(&peer);
	expect_silence_and_no_clients();
}

/* Asks for an association. Return: where datagrams go */
HELP struct sockaddr_in associate(int fd)
{
	struct sockaddr_storage ss;
	uint8_t buf[SOCKS5_REPLY_MAX], code;
	struct sockaddr_in at;
	struct addr bound;
	struct rd r;

	say(fd, GREETING, 3);
	expect(fd, "\x05\x00", 2);
	say(fd, buf, request_to(buf, SOCKS5_UDP_ASSOCIATE, "0.0.0.0", 0));
	assert_int_equal(hear(fd, buf, sizeof(buf)), 10);
	r = rd_of(buf, 10);
	assert_int_equal(socks5_reply_get(&r, &code, &bound), 0);
	assert_int_equal(code, SOCKS5_OK);
	assert_true(addr_is_loopback(&bound) && bound.port != 0);
	addr_to_sock(&bound, &ss);
	memcpy(&at, &ss, sizeof(at));
	return at;
}

#define T(name)	     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define T_AUTH(name) cmocka_unit_test_setup_teardown(name, setup_auth, teardown)
#define T_GATE(name) \
	cmocka_unit_test_setup_teardown(name, setup_gateway, teardown)
