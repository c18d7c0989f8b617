// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_test.c - every octet arrives, once, in order
 */
#include "relay_help.h"

static void relay_moves_64_mib_both_ways_byte_exact(void **state)
{
	struct ends e;

	(void)state;
	ends_open(&e);
	transfer_both(&e, 64 * MIB);
	wait_end(&e, 0);
	ends_close(&e);
}

static void relay_keeps_half_open_side_flowing(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	assert_int_equal(send(e.app, "ask", 3, 0), 3);
	shutdown(e.app, SHUT_WR);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 3);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 0);
	turn(5);
	assert_non_null(e.relay);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(send(e.far, "answer", 6, 0), 6);
		assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 6);
	}
	shutdown(e.far, SHUT_WR);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 0);
	wait_end(&e, 0);
	ends_close(&e);
}

static void relay_of_an_answer_hears_the_outer_side_alone(void **state)
{
	struct ends e;
	int in[2], out[2];
	char buf[16];

	(void)state;
	ends_pair(&e, in, out);
	assert_int_equal(send(e.app, "before", 6, 0), 6);
	assert_int_equal(relay_start_answer(pool, in[1],
					    (struct stream){ .fd = out[1] },
					    ended, &e, &e.relay),
			 0);
	assert_int_equal(send(e.far, "answer", 6, 0), 6);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 6);
	assert_int_equal(send(e.app, "behind", 6, 0), 6);
	turn(5);
	shutdown(e.far, SHUT_WR);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 0);
	assert_int_equal(send(e.app, "more", 4, 0), 4);
	turn(5);
	assert_int_equal(recv(e.far, buf, sizeof(buf), 0), -1);
	assert_non_null(e.relay);
	shutdown(e.app, SHUT_WR);
	wait_end(&e, 0);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 0);
	ends_close(&e);
}

/* row: P11 */
static void relay_stops_the_writer_of_a_slow_reader(void **state)
{
	const int small = 65536;
	struct ends e;
	int in[2], out[2];
	size_t sent, got = 0;
	static uint8_t buf[65536];
	ssize_t n;

	(void)state;
	ends_pair(&e, in, out);
	for (int i = 0; i < 2; i++) {
		setsockopt(in[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		setsockopt(in[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		setsockopt(out[i], SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
		setsockopt(out[i], SOL_SOCKET, SO_SNDBUF, &small,
			   sizeof(small));
	}
	ends_start(&e, in[1], out[1]);
	sent = send_until_stuck(e.app);
	assert_true(sent < PIPE_WIDE_BYTES + 8 * (size_t)small);
	shutdown(e.app, SHUT_WR);
	while ((n = wait_recv(e.far, buf, sizeof(buf))) > 0)
		got += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	ends_close(&e);
}

/* Sizes around what is passed on and what is spliced, and back again. */
static void relay_keeps_writes_of_every_size_byte_exact(void **state)
{
	static const size_t sizes[] = { 1,     2,     511,    512,   4096,
					16383, 16384, 16385,  32768, 65535,
					65536, 65537, 200000, 3,     16384 };
	static uint8_t in[200000], out[200000];
	struct ends e;

	(void)state;
	ends_open(&e);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = octet_at(i);
	for (size_t i = 0; i < 4 * sizeof(sizes) / sizeof(*sizes); i++) {
		const size_t len = sizes[i % (sizeof(sizes) / sizeof(*sizes))];
		const int from = i % 2 ? e.far : e.app;

		assert_int_equal(send(from, out, len, 0), len);
		wait_recv_all(i % 2 ? e.app : e.far, in, len);
		assert_memory_equal(in, out, len);
	}
	ends_close(&e);
}

/* What was read, but does not fit the other side, is kept in order, and the
 * end comes behind it. */
static void relay_keeps_small_writes_for_a_slow_reader(void **state)
{
	const int small = 65536;
	size_t sent = 0, got = 0;
	static uint8_t buf[262144];
	struct ends e;
	int in[2], out[2];
	ssize_t n;
	int quiet = 0;

	(void)state;
	ends_pair(&e, in, out);
	setsockopt(out[0], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(out[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	ends_start(&e, in[1], out[1]);
	while (quiet < 200) {
		for (size_t i = 0; i < 700; i++)
			buf[i] = octet_at(sent + i);
		n = send(e.app, buf, 700, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		loop_turn(&loop, 0);
	}
	shutdown(e.app, SHUT_WR);
	while ((n = wait_recv(e.far, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i], octet_at(got++));
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	ends_close(&e);
}

/* Data and the end may come before the relay looks at all. */
static void relay_hears_an_end_that_comes_with_the_last_octets(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	turn(3);
	assert_int_equal(send(e.app, "last", 4, 0), 4);
	shutdown(e.app, SHUT_WR);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 4);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 0);
	assert_int_equal(send(e.far, "word", 4, 0), 4);
	fd_close(&e.far);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 4);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 0);
	wait_end(&e, 0);
	ends_close(&e);
}

/* A read that ends before an fd has not read all: no event tells of the rest */
static void relay_reads_on_behind_an_fd_that_was_sent_along(void **state)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (char[]){ "with" }, 4 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct ends e;
	char buf[16] = "";

	(void)state;
	ends_open_unix(&e);
	turn(3);
	control.head = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	};
	memcpy(CMSG_DATA(&control.head), &e.far, sizeof(int));
	assert_int_equal(sendmsg(e.far, &m, 0), 4);
	assert_int_equal(send(e.far, "behind", 6, 0), 6);
	wait_recv_all(e.app, buf, 10);
	assert_string_equal(buf, "withbehind");
	ends_close(&e);
}

static void check_urgent(int from, int to)
{
	char buf[64] = { 0 };

	assert_int_equal(send(from, "abc", 3, 0), 3);
	assert_int_equal(send(from, "!", 1, MSG_OOB), 1);
	turn(3);
	assert_int_equal(send(from, "def", 3, 0), 3);
	assert_int_equal(send(from, "gh?", 3, MSG_OOB), 3);
	assert_int_equal(send(from, "ij", 2, 0), 2);
	wait_recv_all(to, buf, 12);
	assert_string_equal(buf, "abc!defgh?ij");
}

static void relay_carries_urgent_octets_as_plain_ones(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	check_urgent(e.app, e.far);
	check_urgent(e.far, e.app);
	/* At the very end it must not be taken for the end. */
	assert_int_equal(send(e.app, "x", 1, MSG_OOB), 1);
	shutdown(e.app, SHUT_WR);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 1);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 0);
	ends_close(&e);
}

static unsigned int open_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Have @from send @bytes each @pause_us for 100 ms, @to hear it all. */
static void send_steadily(int from, int to, size_t bytes, unsigned int pause_us)
{
	static uint8_t buf[MIB];
	uint64_t end_ms;

	loop_turn(&loop, 0);
	end_ms = loop.now_ms + 100;
	while (loop.now_ms < end_ms) {
		(void)send(from, buf, bytes, MSG_DONTWAIT);
		(void)usleep(pause_us);
		loop_turn(&loop, 1);
		while (recv(to, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
	}
}

static void much_may_wait_for_a_fast_senders_relay(void **state)
{
	struct ends e;
	int in[2];
	int out[2];

	(void)state;
	if (!fd_may_be_wide())
		skip();
	relay_pool_widen(pool);
	ends_pair(&e, in, out);
	ends_start(&e, in[1], out[1]);
	send_steadily(e.app, e.far, 16384, 1000);
	send_steadily(e.far, e.app, MIB, 0);
	assert_int_not_equal(room_of(in[1]), 2 * FD_WIDE_BYTES);
	for (int i = 0; i < 30 && room_of(in[1]) != 2 * FD_WIDE_BYTES; i++)
		send_steadily(e.app, e.far, MIB, 0);
	assert_int_equal(room_of(in[1]), 2 * FD_WIDE_BYTES);
	assert_int_not_equal(room_of(out[1]), 2 * FD_WIDE_BYTES);
	ends_close(&e);
}

static void many_relays_share_few_pipes(void **state)
{
	enum {
		MANY = 200
	};
	static struct ends e[MANY];
	unsigned int before;
	char buf[16];

	(void)state;
	for (int i = 0; i < MANY; i++)
		ends_open(&e[i]);
	turn(5);
	before = open_fds();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++)
			assert_int_equal(send(e[i].app, &i, sizeof(i), 0),
					 sizeof(i));
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(wait_recv(e[i].far, buf, sizeof(buf)),
					 sizeof(i));
			assert_memory_equal(buf, &i, sizeof(i));
		}
	}
	assert_true(open_fds() - before <= 2 * PIPES_IDLE_MAX);
	for (int i = 0; i < MANY; i++)
		ends_close(&e[i]);
}

static void relay_copies_when_no_pipe_can_be_made(void **state)
{
	struct rlimit old, low;
	struct ends e;

	(void)state;
	ends_open(&e);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	transfer_both(&e, 8 * MIB);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	wait_end(&e, 0);
	ends_close(&e);
}

static void relay_goes_over_unix_sockets(void **state)
{
	struct ends e;

	(void)state;
	ends_open_unix(&e);
	transfer_both(&e, 8 * MIB);
	wait_end(&e, 0);
	ends_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(relay_moves_64_mib_both_ways_byte_exact),
		T(relay_of_an_answer_hears_the_outer_side_alone),
		T(relay_keeps_half_open_side_flowing),
		T(relay_stops_the_writer_of_a_slow_reader),
		T(relay_keeps_writes_of_every_size_byte_exact),
		T(relay_keeps_small_writes_for_a_slow_reader),
		T(relay_hears_an_end_that_comes_with_the_last_octets),
		T(relay_reads_on_behind_an_fd_that_was_sent_along),
		T(relay_carries_urgent_octets_as_plain_ones),
		T(much_may_wait_for_a_fast_senders_relay),
		T(many_relays_share_few_pipes),
		T(relay_copies_when_no_pipe_can_be_made),
		T(relay_goes_over_unix_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
