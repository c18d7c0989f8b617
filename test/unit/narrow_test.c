// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * narrow_test.c - whose first packets are small gets a small window, no other
 */
#include "flow/narrow.h"

#include "relay_help.h"

#include <poll.h>

#define FIXED (2 * NARROW_ROOM_BYTES) /* as the kernel tells it, socket(7) */

/* The sender's congestion window may hold some back for a moment. */
static void read_all(int fd, size_t bytes)
{
	static uint8_t buf[MIB];
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	for (size_t got = 0; got < bytes;) {
		assert_int_equal(poll(&wait, 1, 5000), 1);
		got += (size_t)recv(fd, buf, bytes - got, 0);
	}
}

/* Send @bytes, as many at a time as said, have @read of them read, and look. */
static enum narrow_state look(struct narrow *n, int fd[2], size_t bytes,
			      size_t at_a_time, size_t read)
{
	static uint8_t buf[MIB];

	for (size_t sent = 0; sent < bytes; sent += at_a_time)
		assert_int_equal(send(fd[0], buf, at_a_time, 0), at_a_time);
	read_all(fd[1], read);
	narrow_look(n, fd[1], (uint32_t)read);
	return n->state;
}

struct pair {
	struct narrow n;
	int fd[2];
};

static void pair_open(struct pair *p, int mss)
{
	p->n = (struct narrow){ 0 };
	tcp_pair_of(p->fd, mss);
}

static void pair_close(struct pair *p)
{
	fd_close(&p->fd[0]);
	fd_close(&p->fd[1]);
}

static void small_packets_get_a_small_window(void **state)
{
	static const size_t size[] = { 100, 512, 1400, 4096 };

	(void)state;
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
		const size_t bytes = 65536 / size[i] * size[i];
		struct pair p;

		pair_open(&p, 0);
		assert_int_not_equal(room_of(p.fd[1]), FIXED);
		assert_int_equal(
			look(&p.n, p.fd, bytes, size[i], NARROW_LOOK_BYTES),
			NARROW_IS);
		assert_int_equal(room_of(p.fd[1]), FIXED);
		pair_close(&p);
	}
}

/* A greeting and a request are small, but what follows is not. */
static void large_packets_do_not(void **state)
{
	struct pair p;
	int room;

	(void)state;
	pair_open(&p, 0);
	room = room_of(p.fd[1]);
	assert_int_equal(look(&p.n, p.fd, 15, 5, 15), NARROW_LOOKS);
	assert_int_equal(look(&p.n, p.fd, 32768, 32768, 32768), NARROW_LOOKS);
	assert_int_equal(look(&p.n, p.fd, 32768, 32768, 32768), NARROW_LOOKS);
	for (int i = 0; i < 2; i++)
		(void)look(&p.n, p.fd, 32768, 32768, 32768);
	assert_int_equal(p.n.state, NARROW_NOT);
	assert_true(room_of(p.fd[1]) >= room);
	assert_int_not_equal(room_of(p.fd[1]), FIXED);
	pair_close(&p);
}

/* Packets that were joined while nobody read are among its first. */
static void small_ones_are_found_among_joined_ones(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, 0);
	assert_int_equal(look(&p.n, p.fd, 8000, 500, 8000), NARROW_LOOKS);
	assert_int_equal(look(&p.n, p.fd, 32768, 32768, 32768), NARROW_IS);
	pair_close(&p);
}

static void little_is_not_looked_at(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(look(&p.n, p.fd, 100, 100, 100), NARROW_LOOKS);
	pair_close(&p);
}

static void a_networks_window_is_left_alone(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, 8960); /* a jumbo frame's */
	assert_int_equal(look(&p.n, p.fd, 20000, 500, NARROW_LOOK_BYTES),
			 NARROW_AWAY);
	assert_int_not_equal(room_of(p.fd[1]), FIXED);
	pair_close(&p);
}

static void a_unix_socket_has_none(void **state)
{
	struct narrow n = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(look(&n, fd, 20000, 500, NARROW_LOOK_BYTES),
			 NARROW_AWAY);
	close(fd[0]);
	close(fd[1]);
}

/* Who has waited for its proxy has a queue of joined ones, and is found. */
static void a_relay_finds_small_ones_before_it_reads_on(void **state)
{
	static const uint8_t buf[512];
	struct ends e;
	int in[2];
	int out[2];

	(void)state;
	ends_pair(&e, in, out);
	while (send(e.app, buf, sizeof(buf), 0) == sizeof(buf))
		;
	ends_start(&e, in[1], out[1]);
	for (int i = 0; i < 100 && room_of(in[1]) != FIXED; i++)
		loop_turn(&loop, 1);
	assert_int_equal(room_of(in[1]), FIXED);
	assert_int_not_equal(room_of(out[1]), FIXED);
	ends_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_packets_get_a_small_window),
		cmocka_unit_test(large_packets_do_not),
		cmocka_unit_test(small_ones_are_found_among_joined_ones),
		cmocka_unit_test(little_is_not_looked_at),
		cmocka_unit_test(a_networks_window_is_left_alone),
		cmocka_unit_test(a_unix_socket_has_none),
		cmocka_unit_test_setup_teardown(
			a_relay_finds_small_ones_before_it_reads_on, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
