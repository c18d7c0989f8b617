/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * relay_help.h - a relay between real TCP sockets on loopback, for its tests
 *
 * app <-> inner = relay = outer <-> far: the tests hold app and far, turn the
 * loop by hand and read and write without blocking.
 */
#include "flow/relay.h"

#include "base/fd.h"
#include "flow/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HELP __attribute__((unused)) static /* no test uses all */
#define MIB  1048576u

struct ends {
	int app;
	int far;
	struct relay *relay;
	unsigned int calls;
	int err;
};

static struct loop loop;
static struct relay_pool *pool;

HELP int setup(void **state)
{
	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	pool = relay_pool_new(&loop);
	assert_non_null(pool);
	return 0;
}

HELP int teardown(void **state)
{
	(void)state;
	relay_pool_free(pool);
	loop_fini(&loop);
	return 0;
}

/* With segments of @mss octets, or as `lo` has them (0). */
HELP void tcp_pair_of(int fd[2], int mss)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	const int on = 1;
	auto_fd door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (mss > 0)
		assert_int_equal(setsockopt(door, IPPROTO_TCP, TCP_MAXSEG, &mss,
					    sizeof(mss)),
				 0);
	assert_int_equal(bind(door, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(door, 1), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&at, &len), 0);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd[0], (struct sockaddr *)&at, len), 0);
	fd[1] = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fd_nonblock(fd[i]), 0);
		setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
}

HELP void tcp_pair(int fd[2])
{
	tcp_pair_of(fd, 0);
}

/* What a socket's receive queue may hold. */
HELP int room_of(int fd)
{
	int room = 0;
	socklen_t len = sizeof(room);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &len), 0);
	return room;
}

HELP void ended(void *ctx, int err)
{
	struct ends *e = ctx;

	e->calls++;
	e->err = err;
	e->relay = NULL;
}

/* All of @e but its relay, which is to have in[1] and out[1]. */
HELP void ends_pair(struct ends *e, int in[2], int out[2])
{
	tcp_pair(in);
	tcp_pair(out);
	*e = (struct ends){ .app = in[0], .far = out[0] };
}

HELP void ends_start(struct ends *e, int inner, int outer)
{
	assert_int_equal(relay_start(pool, inner,
				     (struct stream){ .fd = outer }, ended, e,
				     &e->relay),
			 0);
}

HELP void ends_open(struct ends *e)
{
	int in[2], out[2];

	ends_pair(e, in, out);
	ends_start(e, in[1], out[1]);
}

/* The outer side is a unix socket. */
HELP void ends_open_unix(struct ends *e)
{
	int in[2], out[2];

	tcp_pair(in);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out), 0);
	*e = (struct ends){ .app = in[0], .far = out[0] };
	ends_start(e, in[1], out[1]);
}

HELP void ends_close(struct ends *e)
{
	fd_close(&e->app);
	fd_close(&e->far);
	for (int i = 0; i < 100 && e->relay; i++)
		loop_turn(&loop, 5);
	assert_null(e->relay);
	assert_int_equal(e->calls, 1);
}

HELP void turn(int times)
{
	while (times-- > 0)
		loop_turn(&loop, 1);
}

HELP void reset(int *fd)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	fd_close(fd);
}

/* Turns the loop until @fd has something to say. */
HELP ssize_t wait_recv(int fd, void *buf, size_t len)
{
	for (int i = 0; i < 1000; i++) {
		const ssize_t n = recv(fd, buf, len, 0);

		if (n >= 0 || errno != EAGAIN)
			return n < 0 ? -errno : n;
		loop_turn(&loop, 1);
	}
	return -ETIMEDOUT;
}

/* So many octets come, and no more for now. */
HELP void wait_recv_all(int fd, void *buf, size_t len)
{
	char more;

	for (size_t got = 0; got < len;) {
		const ssize_t n = wait_recv(fd, (char *)buf + got, len - got);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(recv(fd, &more, 1, 0), -1);
}

HELP void wait_end(struct ends *e, int err)
{
	for (int i = 0; i < 1000 && e->relay; i++)
		loop_turn(&loop, 1);
	assert_int_equal(e->calls, 1);
	assert_int_equal(e->err, err);
}

/* One direction of a byte-exact transfer; the octet at i is a hash of i. */
struct transfer {
	int from;
	int to;
	size_t sent;
	size_t got;
	bool has_end;
};

HELP uint8_t octet_at(size_t i)
{
	return (uint8_t)((i * 2654435761u) >> 13);
}

HELP void transfer_send(struct transfer *t, size_t total)
{
	static uint8_t buf[MIB / 8];
	size_t len = total - t->sent;
	ssize_t n;

	if (len > sizeof(buf))
		len = sizeof(buf);
	for (size_t i = 0; i < len; i++)
		buf[i] = octet_at(t->sent + i);
	n = len > 0 ? send(t->from, buf, len, MSG_NOSIGNAL) : 0;
	if (n > 0)
		t->sent += (size_t)n;
	if (n > 0 && t->sent == total)
		shutdown(t->from, SHUT_WR);
}

HELP void transfer_recv(struct transfer *t)
{
	static uint8_t buf[MIB / 8];
	const ssize_t n = recv(t->to, buf, sizeof(buf), 0);

	if (n == 0)
		t->has_end = true;
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != octet_at(t->got + (size_t)i))
			fail_msg("octet %zu is wrong", t->got + (size_t)i);
	if (n > 0)
		t->got += (size_t)n;
}

HELP void transfer_both(struct ends *e, size_t total)
{
	struct transfer t[2] = {
		{ .from = e->app, .to = e->far },
		{ .from = e->far, .to = e->app },
	};

	while (!t[0].has_end || !t[1].has_end) {
		for (int i = 0; i < 2; i++) {
			transfer_send(&t[i], total);
			transfer_recv(&t[i]);
		}
		loop_turn(&loop, 0);
	}
	assert_int_equal(t[0].got, total);
	assert_int_equal(t[1].got, total);
}

HELP size_t send_until_stuck(int fd)
{
	static const uint8_t zeroes[65536];
	size_t sent = 0;

	for (int quiet = 0; quiet < 50;) {
		const ssize_t n =
			send(fd, zeroes, sizeof(zeroes), MSG_NOSIGNAL);

		quiet = n > 0 ? 0 : quiet + 1;
		sent += n > 0 ? (size_t)n : 0;
		loop_turn(&loop, n > 0 ? 0 : 1);
	}
	return sent;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
