// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_reset_test.c - a broken flow never looks like one that ended well
 */
#include "relay_help.h"

#include <signal.h>
#include <sys/wait.h>

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

/* A relay in a process of its own, with the ends that are not ours. */
static _Noreturn void relay_and_die(struct ends *e, int in[2], int out[2])
{
	struct loop mine;
	struct relay_pool *p;

	if (loop_init(&mine) < 0 || !(p = relay_pool_new(&mine)) ||
	    relay_start(p, in[1], (struct stream){ .fd = out[1] }, ended, e,
			&e->relay) < 0)
		_exit(1);
	for (int i = 0; i < 3; i++)
		loop_turn(&mine, 1);
	(void)kill(getpid(), SIGKILL);
	_exit(1);
}

static void relay_of_a_killed_process_resets(void **state)
{
	struct ends e;
	int in[2], out[2];
	char buf[16];
	int status;
	pid_t pid;

	(void)state;
	ends_pair(&e, in, out);
	assert_int_equal(send(e.far, "half", 4, 0), 4);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		relay_and_die(&e, in, out);
	fd_close(&in[1]);
	fd_close(&out[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), 4);
	assert_int_equal(wait_recv(e.app, buf, sizeof(buf)), -ECONNRESET);
	assert_int_equal(wait_recv(e.far, buf, sizeof(buf)), -ECONNRESET);
	fd_close(&e.app);
	fd_close(&e.far);
}

/* What was written before both ends came is still on its way. */
static void relay_ends_well_with_much_on_its_way(void **state)
{
	static uint8_t buf[65536];
	size_t sent, got = 0, got_by_us = 0;
	struct ends e;
	ssize_t n;

	(void)state;
	ends_open(&e);
	sent = send_until_stuck(e.far);
	shutdown(e.far, SHUT_WR);
	shutdown(e.app, SHUT_WR);
	while ((n = wait_recv(e.app, buf, sizeof(buf))) > 0) {
		got += (size_t)n;
		if (e.relay)
			got_by_us = got;
		turn(1);
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	assert_true(got_by_us < sent); /* the kernel had the rest */
	wait_end(&e, 0);
	ends_close(&e);
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
		T(relay_of_a_killed_process_resets),
		T(relay_ends_well_with_much_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
