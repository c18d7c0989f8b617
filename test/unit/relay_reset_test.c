// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_reset_test.c - a broken flow never looks like one that ended well
 */
#include "relay_help.h"

/* row: P10 */
static void relay_turns_a_reset_outside_into_a_reset_inside(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	turn(3);
	reset(&e.far);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), -ECONNRESET);
	wait_end(&e, -ECONNRESET);
	ends_close(&e);
}

static void relay_turns_a_reset_inside_into_a_reset_outside(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	turn(3);
	reset(&e.app);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), -ECONNRESET);
	wait_end(&e, -ECONNRESET);
	ends_close(&e);
}

/* row: P13 */
static void relay_passes_on_what_came_before_a_reset(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	turn(3);
	assert_int_equal(send(e.far, "no", 2, 0), 2);
	reset(&e.far);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 2);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), -ECONNRESET);
	wait_end(&e, -ECONNRESET);
	ends_close(&e);
}

/* After a half-close a reset must still not look like an end. */
static void relay_resets_a_half_closed_flow(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	shutdown(e.app, SHUT_WR);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), 0);
	reset(&e.far);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), -ECONNRESET);
	assert_int_equal(e.calls, 1);
	assert_true(e.err < 0);
	ends_close(&e);
}

static void relay_resets_with_bytes_still_in_the_pipe(void **state)
{
	struct ends e;
	uint8_t buf[65536];
	ssize_t n;

	(void)state;
	ends_open(&e);
	assert_true(send_until_stuck(e.app) > 0);
	reset(&e.app);
	do
		n = wait_recv(e.far, buf, sizeof(buf));
	while (n > 0);
	assert_int_equal(n, -ECONNRESET);
	wait_end(&e, -ECONNRESET);
	ends_close(&e);
}

static void relay_cancel_resets_and_stays_silent(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	turn(2);
	relay_cancel(e.relay);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), -ECONNRESET);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), -ECONNRESET);
	assert_int_equal(e.calls, 0);
	fd_close(&e.app);
	fd_close(&e.far);
}

static void pool_free_resets_what_is_left(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	relay_pool_free(pool);
	pool = NULL;
	assert_int_equal(recv(e.app, buf, sizeof(buf), 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(e.calls, 0);
	fd_close(&e.app);
	fd_close(&e.far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(relay_turns_a_reset_outside_into_a_reset_inside),
		T(relay_turns_a_reset_inside_into_a_reset_outside),
		T(relay_passes_on_what_came_before_a_reset),
		T(relay_resets_a_half_closed_flow),
		T(relay_resets_with_bytes_still_in_the_pipe),
		T(relay_cancel_resets_and_stays_silent),
		T(pool_free_resets_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
