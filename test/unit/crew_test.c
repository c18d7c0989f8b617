// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * crew_test.c - so many at a time, the rest in order, on a hand-turned clock
 */
#include "box/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TURNS 5

static uint64_t clock_now;

static uint64_t clock_test(void)
{
	return clock_now;
}

/** struct line - a crew of two and those who want a place */
struct line {
	struct loop loop;
	struct crew crew;
	struct turn turn[TURNS];
	char begun[TURNS + 1];
};

static struct line line;

static void note(struct turn *t)
{
	size_t n = 0;

	while (line.begun[n])
		n++;
	line.begun[n] = (char)('a' + (t - line.turn));
}

static void turn_loop(int times)
{
	while (times-- > 0)
		assert_int_equal(loop_turn(&line.loop, 0), 0);
}

static int begin(void **state)
{
	(void)state;
	line = (struct line){ 0 };
	clock_now = 1000;
	assert_int_equal(loop_init(&line.loop), 0);
	line.loop.clock_ms = clock_test;
	turn_loop(1);
	crew_init(&line.crew, &line.loop, 2);
	for (int i = 0; i < TURNS; i++)
		crew_ask(&line.crew, &line.turn[i], note);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < TURNS; i++)
		crew_leave(&line.turn[i]);
	assert_int_equal(line.crew.busy, 0);
	loop_fini(&line.loop);
	return 0;
}

static void crew_begins_nothing_before_the_loop_turns(void **state)
{
	(void)state;
	assert_string_equal(line.begun, "");
}

static void crew_lets_the_next_in_as_places_are_given_back(void **state)
{
	(void)state;
	turn_loop(9);
	assert_string_equal(line.begun, "ab");
	crew_leave(&line.turn[1]);
	turn_loop(9);
	assert_string_equal(line.begun, "abc");
	crew_leave(&line.turn[0]);
	crew_leave(&line.turn[2]);
	turn_loop(9);
	assert_string_equal(line.begun, "abcde");
}

static void crew_forgets_one_that_leaves_the_queue(void **state)
{
	(void)state;
	turn_loop(9);
	crew_leave(&line.turn[2]);
	crew_leave(&line.turn[0]);
	turn_loop(9);
	assert_string_equal(line.begun, "abd");
}

static void crew_gives_the_place_of_a_slow_one_to_the_next(void **state)
{
	(void)state;
	turn_loop(9);
	clock_now += 1999;
	turn_loop(9);
	assert_string_equal(line.begun, "ab");
	clock_now += 1;
	turn_loop(9);
	assert_string_equal(line.begun, "abcd");
	crew_leave(&line.turn[0]); /* which has no place any more */
	turn_loop(9);
	assert_string_equal(line.begun, "abcd");
}

static void crew_lets_one_ask_again(void **state)
{
	(void)state;
	turn_loop(9);
	crew_leave(&line.turn[0]);
	crew_ask(&line.crew, &line.turn[0], note);
	for (int i = 1; i < TURNS; i++)
		crew_leave(&line.turn[i]);
	turn_loop(9);
	assert_string_equal(line.begun, "aba");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			crew_begins_nothing_before_the_loop_turns, begin, end),
		cmocka_unit_test_setup_teardown(
			crew_lets_the_next_in_as_places_are_given_back, begin,
			end),
		cmocka_unit_test_setup_teardown(
			crew_forgets_one_that_leaves_the_queue, begin, end),
		cmocka_unit_test_setup_teardown(
			crew_gives_the_place_of_a_slow_one_to_the_next, begin,
			end),
		cmocka_unit_test_setup_teardown(crew_lets_one_ask_again, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
