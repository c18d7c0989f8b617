// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pipes_test.c - the stock of pipes: its caps, and what it keeps
 */
#include "flow/pipes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop loop;
static struct pipes stock;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	pipes_init(&stock, &loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pipes_fini(&stock);
	assert_int_equal(stock.live, 0);
	assert_int_equal(stock.wide, 0);
	loop_fini(&loop);
	return 0;
}

static void pipes_have_a_cap_and_keep_the_wide_ones(void **state)
{
	struct pipe *lent[PIPES_MAX];
	unsigned int count = 0;

	(void)state;
	/* Fewer, where this user's other pipes have used up the allowance. */
	while (count < PIPES_MAX && (lent[count] = pipes_take(&stock))) {
		assert_true(lent[count]->room_bytes >= PIPE_LEAST_BYTES);
		count++;
	}
	assert_true(count > PIPES_IDLE_MAX + PIPES_WIDE);
	assert_null(pipes_take(&stock));
	/* The wide ones were the first; they come back last. */
	while (count > 0)
		pipes_put(&stock, lent[--count]);
	assert_true(stock.idle_count <= PIPES_IDLE_MAX + PIPES_WIDE);
	assert_int_equal(stock.live, stock.idle_count);
	assert_int_equal(stock.wide, PIPES_WIDE);
	lent[0] = pipes_take(&stock);
	assert_true(lent[0]->is_wide);
	pipes_drop(&stock, lent[0]);
	assert_int_equal(stock.wide, PIPES_WIDE - 1);
}

static void pipes_wait_after_a_failure(void **state)
{
	struct rlimit old, low;
	struct pipe *p;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_null(pipes_take(&stock));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(pipes_take(&stock));
	loop.now_ms += PIPES_DRY_MS;
	p = pipes_take(&stock);
	assert_non_null(p);
	pipes_put(&stock, p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pipes_have_a_cap_and_keep_the_wide_ones),
		T(pipes_wait_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
