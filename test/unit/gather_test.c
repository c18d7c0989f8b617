// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gather_test.c - low-water marks and naps come, make nobody wait, and go
 *
 * Under a hand-turned clock, so that a rest is late exactly when it says so.
 */
#include "flow/gather.h"
#include "flow/narrow.h"

#include "relay_help.h"

static uint64_t hand_ms;

static uint64_t hand_clock(void)
{
	return hand_ms;
}

static int set_up_by_hand(void **state)
{
	if (setup(state) < 0)
		return -1;
	hand_ms = 1000;
	loop.clock_ms = hand_clock;
	loop.now_ms = hand_ms;
	return 0;
}

/* The four sockets: app in[0], in[1] = relay = out[1], out[0] far */
struct scene {
	struct ends e;
	int in[2];
	int out[2];
};

static void scene_open(struct scene *s)
{
	ends_pair(&s->e, s->in, s->out);
	ends_start(&s->e, s->in[1], s->out[1]);
}

static int mark_of(int fd)
{
	int mark = 0;
	socklen_t len = sizeof(mark);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, &len),
			 0);
	return mark;
}

/* What has come to @fd after the loop has had time for it; the clock stands */
static size_t come(int fd)
{
	static uint8_t buf[MIB];
	size_t got = 0;

	for (int quiet = 0; quiet < 5; quiet++) {
		ssize_t n;

		loop_turn(&loop, 1);
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
			got += (size_t)n;
			quiet = 0;
		}
	}
	return got;
}

/* So many octets within a millisecond. Return: how many came */
static size_t pour(int from, int to, size_t bytes)
{
	static const uint8_t buf[MIB];
	size_t got = 0;

	for (size_t sent = 0; sent < bytes;) {
		const ssize_t n = send(from, buf, bytes - sent, 0);

		if (n > 0)
			sent += (size_t)n;
		got += come(to);
	}
	hand_ms++;
	return got;
}

#define LITTLE 512u

/* The same, but each few octets are a packet. */
static size_t sprinkle(int from, int to, size_t bytes)
{
	static const uint8_t buf[LITTLE];

	for (size_t sent = 0; sent < bytes; sent += LITTLE)
		assert_int_equal(send(from, buf, LITTLE, 0), LITTLE);
	hand_ms++;
	return come(to);
}

/* @bytes in every one of @ms milliseconds, from one socket to another. Under a
 * mark the rest of a millisecond may come in the next. */
static void deliver(int from, int to, size_t bytes, unsigned int ms)
{
	size_t got = 0;

	for (unsigned int i = 0; i < ms; i++)
		got += pour(from, to, bytes);
	hand_ms += GATHER_REST_MS;
	got += come(to);
	assert_int_equal(got, ms * bytes);
}

#define MUCH (2 * GATHER_FIRST_BYTES)

static void a_side_that_delivers_much_is_heard_of_in_lumps(void **state)
{
	static const uint8_t buf[100];
	struct scene s;

	(void)state;
	for (int way = 0; way < 2; way++) {
		int *from;
		int *to;

		scene_open(&s);
		from = way ? s.out : s.in;
		to = way ? s.in : s.out;
		assert_int_equal(mark_of(from[1]), 1);
		deliver(from[0], to[0], MUCH, GATHER_ROW_MS + 1);
		/* The rest has come, and what comes next is heard of. */
		assert_int_equal(mark_of(from[1]), 1);
		assert_int_equal(send(from[0], buf, 100, 0), 100);
		assert_int_equal(come(to[0]), 100);
		/* Now it goes on, it seems. */
		assert_true(mark_of(from[1]) >= GATHER_FIRST_BYTES);
		assert_int_equal(mark_of(to[1]), 1);
		assert_int_equal(send(from[0], buf, 100, 0), 100);
		assert_int_equal(come(to[0]), 0);
		hand_ms += GATHER_REST_MS - 1;
		assert_int_equal(come(to[0]), 0);
		hand_ms++;
		assert_int_equal(come(to[0]), 100);
		ends_close(&s.e);
	}
}

static void lumps_grow_up_to_half_a_pipe(void **state)
{
	struct scene s;
	int most = 0;

	(void)state;
	scene_open(&s);
	for (int i = 0; i < 40; i++) {
		(void)pour(s.e.far, s.e.app, MIB);
		if (most < mark_of(s.out[1]))
			most = mark_of(s.out[1]);
	}
	assert_int_equal(most, GATHER_MOST_BYTES);
	assert_true(GATHER_MOST_BYTES <= PIPE_WIDE_BYTES / 2);
	hand_ms += GATHER_REST_MS;
	(void)come(s.e.app);
	ends_close(&s.e);
}

/* @bytes a millisecond, each time after a question or not: no mark, no wait */
static void is_heard_of_at_once(size_t bytes, bool is_asked)
{
	static const uint8_t buf[MIB];
	struct scene s;

	scene_open(&s);
	for (int i = 0; i < 100; i++) {
		if (is_asked) {
			assert_int_equal(send(s.e.app, "?", 1, 0), 1);
			assert_int_equal(come(s.e.far), 1);
		}
		assert_int_equal(send(s.e.far, buf, bytes, 0), bytes);
		assert_int_equal(come(s.e.app), bytes);
		assert_int_equal(mark_of(s.out[1]), 1);
		hand_ms++;
	}
	ends_close(&s.e);
}

static void a_slow_side_is_heard_of_at_once(void **state)
{
	(void)state;
	is_heard_of_at_once(GATHER_FIRST_BYTES / 2, false);
}

static void one_that_answers_is_heard_of_at_once(void **state)
{
	(void)state;
	is_heard_of_at_once(MUCH, true);
}

/* A side under a mark, with a rest of a lump that nobody has heard of. */
static void scene_open_marked(struct scene *s)
{
	scene_open(s);
	deliver(s->e.far, s->e.app, MUCH, GATHER_ROW_MS + 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send(s->e.far, "rest", 4, 0), 4);
		assert_int_equal(come(s->e.app), i == 0 ? 4 : 0);
	}
	assert_true(mark_of(s->out[1]) > 4);
}

static void a_question_fetches_the_rest(void **state)
{
	struct scene s;

	(void)state;
	scene_open_marked(&s);
	assert_int_equal(send(s.e.app, "?", 1, 0), 1);
	assert_int_equal(come(s.e.far), 1);
	assert_int_equal(come(s.e.app), 4);
	assert_int_equal(mark_of(s.out[1]), 1);
	ends_close(&s.e);
}

/* Four octets wait unheard between @from and @to: what is told all the same. */
static void end_comes(struct scene *s, int from, int to)
{
	char c;

	shutdown(from, SHUT_WR);
	assert_int_equal(come(to), 4);
	assert_int_equal(recv(to, &c, 1, 0), 0);
	ends_close(&s->e);
}

static void urgent_octets_come(struct scene *s, int from, int to)
{
	assert_int_equal(send(from, "!", 1, MSG_OOB), 1);
	assert_int_equal(come(to), 5);
	ends_close(&s->e);
}

static void reset_comes(struct scene *s, int *from, int to)
{
	char c;

	reset(from);
	for (int i = 0; i < 100 && s->e.relay; i++)
		loop_turn(&loop, 1);
	assert_null(s->e.relay);
	while (recv(to, &c, 1, 0) > 0)
		;
	assert_int_equal(errno, ECONNRESET);
	ends_close(&s->e);
}

static void an_end_fetches_the_rest(void **state)
{
	struct scene s;

	(void)state;
	scene_open_marked(&s);
	end_comes(&s, s.e.far, s.e.app);
}

static void urgent_octets_fetch_the_rest(void **state)
{
	struct scene s;

	(void)state;
	scene_open_marked(&s);
	urgent_octets_come(&s, s.e.far, s.e.app);
}

static void a_reset_goes_through(void **state)
{
	struct scene s;

	(void)state;
	scene_open_marked(&s);
	reset_comes(&s, &s.e.far, s.e.app);
}

/* While nobody reads there is no hurry; when somebody does all comes. However
 * much it was: the last of it may have waited in the pipe alone. */
static void a_slow_reader_gets_the_rest_too(void **state)
{
	static const uint8_t buf[GATHER_MOST_BYTES];

	(void)state;
	for (int lumps = 1; lumps < 16; lumps++) {
		struct scene s;
		size_t sent = 4;

		scene_open_marked(&s);
		for (int i = 0; i < lumps; i++) {
			const ssize_t n = send(s.e.far, buf, sizeof(buf), 0);

			sent += n > 0 ? (size_t)n : 0;
			turn(3);
		}
		while (sent > 0) {
			const size_t n = come(s.e.app);

			assert_true(n > 0 && n <= sent);
			sent -= n;
			hand_ms += GATHER_REST_MS;
		}
		assert_int_equal(send(s.e.far, "last", 4, 0), 4);
		hand_ms += GATHER_REST_MS;
		sent = come(s.e.app);
		hand_ms += GATHER_REST_MS;
		assert_int_equal(sent + come(s.e.app), 4);
		ends_close(&s.e);
	}
}

/* What @bytes a millisecond have become, small packets all. */
static void scene_open_narrow(struct scene *s, size_t bytes)
{
	size_t got = 0;

	scene_open(s);
	for (int i = 0; i <= GATHER_ROW_MS; i++)
		got += sprinkle(s->e.app, s->e.far, bytes);
	hand_ms += GATHER_REST_MS;
	got += come(s->e.far);
	assert_int_equal(got, (GATHER_ROW_MS + 1) * bytes);
}

/* A sender of small packets, whose next octets nobody hears of. */
static void scene_open_napping(struct scene *s)
{
	scene_open_narrow(s, GATHER_NARROW_BYTES + LITTLE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(send(s->e.app, "rest", 4, 0), 4);
		assert_int_equal(come(s->e.far), i == 0 ? 4 : 0);
	}
}

static void a_sender_of_small_packets_is_not_heard_of_for_a_while(void **state)
{
	struct scene s;

	(void)state;
	scene_open_napping(&s);
	assert_int_equal(mark_of(s.in[1]), 1);
	/* At such a rate a nap is as long as can be. */
	hand_ms += GATHER_REST_MS - 1;
	assert_int_equal(come(s.e.far), 0);
	hand_ms++;
	assert_int_equal(come(s.e.far), 4);
	ends_close(&s.e);
}

/* Its window and its queue are full then, and all of that comes. */
static void what_was_joined_is_read_without_a_nap(void **state)
{
	static const uint8_t buf[LITTLE];
	struct scene s;
	size_t sent = 4;
	size_t got = 0;

	(void)state;
	scene_open_napping(&s);
	while (sent < MIB && send(s.e.app, buf, LITTLE, 0) == LITTLE)
		sent += LITTLE;
	assert_true(sent > 4 * (size_t)NARROW_ROOM_BYTES);
	assert_int_equal(come(s.e.far), 0);
	hand_ms += GATHER_REST_MS;
	got = come(s.e.far);
	assert_true(got > 2 * (size_t)NARROW_ROOM_BYTES);
	hand_ms += GATHER_REST_MS;
	assert_int_equal(got + come(s.e.far), sent);
	ends_close(&s.e);
}

static void little_in_small_packets_is_heard_of_at_once(void **state)
{
	struct scene s;

	(void)state;
	scene_open_narrow(&s, GATHER_NARROW_BYTES / 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(s.e.app, "once", 4, 0), 4);
		assert_int_equal(come(s.e.far), 4);
	}
	ends_close(&s.e);
}

static void an_answer_ends_a_nap(void **state)
{
	struct scene s;

	(void)state;
	scene_open_napping(&s);
	assert_int_equal(send(s.e.far, "!", 1, 0), 1);
	assert_int_equal(come(s.e.app), 1);
	assert_int_equal(come(s.e.far), 4);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(s.e.app, "once", 4, 0), 4);
		assert_int_equal(come(s.e.far), 4);
	}
	ends_close(&s.e);
}

static void an_end_ends_a_nap(void **state)
{
	struct scene s;

	(void)state;
	scene_open_napping(&s);
	end_comes(&s, s.e.app, s.e.far);
}

static void urgent_octets_end_a_nap(void **state)
{
	struct scene s;

	(void)state;
	scene_open_napping(&s);
	urgent_octets_come(&s, s.e.app, s.e.far);
}

static void a_reset_ends_a_nap(void **state)
{
	struct scene s;

	(void)state;
	scene_open_napping(&s);
	reset_comes(&s, &s.e.app, s.e.far);
}

/* A relay that is gone is not woken. */
static void a_nap_ends_with_its_relay(void **state)
{
	struct scene s;

	(void)state;
	scene_open_napping(&s);
	relay_cancel(s.e.relay);
	s.e.relay = NULL;
	hand_ms += GATHER_REST_MS;
	turn(3);
	fd_close(&s.e.app);
	fd_close(&s.e.far);
}

#define BY_HAND(test) \
	cmocka_unit_test_setup_teardown(test, set_up_by_hand, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BY_HAND(a_side_that_delivers_much_is_heard_of_in_lumps),
		BY_HAND(lumps_grow_up_to_half_a_pipe),
		BY_HAND(a_slow_side_is_heard_of_at_once),
		BY_HAND(one_that_answers_is_heard_of_at_once),
		BY_HAND(a_question_fetches_the_rest),
		BY_HAND(an_end_fetches_the_rest),
		BY_HAND(urgent_octets_fetch_the_rest),
		BY_HAND(a_reset_goes_through),
		BY_HAND(a_slow_reader_gets_the_rest_too),
		BY_HAND(a_sender_of_small_packets_is_not_heard_of_for_a_while),
		BY_HAND(what_was_joined_is_read_without_a_nap),
		BY_HAND(little_in_small_packets_is_heard_of_at_once),
		BY_HAND(an_answer_ends_a_nap),
		BY_HAND(an_end_ends_a_nap),
		BY_HAND(urgent_octets_end_a_nap),
		BY_HAND(a_reset_ends_a_nap),
		BY_HAND(a_nap_ends_with_its_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
