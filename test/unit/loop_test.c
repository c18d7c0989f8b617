// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * loop_test.c - events, timers and tasks under a hand-turned clock
 */
#include "base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t hand_ms;

static uint64_t hand_clock(void)
{
	return hand_ms;
}

static void loop_set_up(struct loop *l)
{
	hand_ms = 1000;
	assert_int_equal(loop_init(l), 0);
	l->clock_ms = hand_clock;
	l->now_ms = hand_ms;
}

#define TIMERS 200

static struct timer timer_of[TIMERS];
static unsigned int fired[TIMERS];
static unsigned int fired_count;

static void timer_fired(struct timer *t)
{
	fired[fired_count++] = (unsigned int)(t - timer_of);
}

static void timers_fire_in_order_and_once(void **state)
{
	struct loop l;

	(void)state;
	loop_set_up(&l);
	fired_count = 0;
	for (unsigned int i = 0; i < TIMERS; i++)
		assert_int_equal(loop_timer(&l, &timer_of[i],
					    (i * 7919) % 1000 + 1, timer_fired),
				 0);
	/* Every third is stopped again. */
	for (unsigned int i = 0; i < TIMERS; i += 3)
		loop_untimer(&l, &timer_of[i]);
	for (int turn = 0; turn < 12; turn++) {
		hand_ms += 100;
		assert_int_equal(loop_turn(&l, 0), 0);
	}
	assert_int_equal(fired_count, TIMERS - (TIMERS + 2) / 3);
	for (unsigned int i = 1; i < fired_count; i++)
		assert_true(timer_of[fired[i - 1]].due_ms <=
			    timer_of[fired[i]].due_ms);
	for (unsigned int i = 0; i < fired_count; i++)
		assert_true(fired[i] % 3 != 0);
	loop_fini(&l);
}

struct chain {
	struct loop *loop;
	struct task task;
	int runs;
};

static void task_again(struct task *t)
{
	struct chain *c = container_of(t, struct chain, task);

	if (++c->runs < 5)
		loop_defer(c->loop, t, task_again);
}

static void task_that_queues_itself_waits_a_turn(void **state)
{
	struct loop l;
	struct chain c = { .loop = &l };

	(void)state;
	loop_set_up(&l);
	loop_defer(&l, &c.task, task_again);
	loop_defer(&l, &c.task, task_again);
	assert_int_equal(loop_turn(&l, -1), 0);
	assert_int_equal(c.runs, 1);
	for (int turn = 0; turn < 8; turn++)
		assert_int_equal(loop_turn(&l, 0), 0);
	assert_int_equal(c.runs, 5);
	loop_fini(&l);
}

struct twins {
	struct loop *loop;
	struct watch a;
	struct watch b;
	int calls;
};

static struct twins *twins_now;

static void twin_ready(struct watch *w, uint32_t events)
{
	struct twins *t = twins_now;

	(void)w;
	assert_true(events & EPOLLIN);
	t->calls++;
	/* Whoever comes first takes the other out of the same batch. */
	loop_unwatch(t->loop, &t->a);
	loop_unwatch(t->loop, &t->b);
}

static void watch_taken_out_gets_no_stale_event(void **state)
{
	struct loop l;
	struct twins t = { .loop = &l };
	int one[2];
	int two[2];

	(void)state;
	loop_set_up(&l);
	twins_now = &t;
	assert_int_equal(pipe(one), 0);
	assert_int_equal(pipe(two), 0);
	assert_int_equal(loop_watch(&l, &t.a, one[0], EPOLLIN, twin_ready), 0);
	assert_int_equal(loop_watch(&l, &t.b, two[0], EPOLLIN, twin_ready), 0);
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	assert_int_equal(loop_turn(&l, 0), 0);
	assert_int_equal(t.calls, 1);
	assert_int_equal(loop_turn(&l, 0), 0);
	assert_int_equal(t.calls, 1);
	for (int i = 0; i < 2; i++) {
		close(one[i]);
		close(two[i]);
	}
	loop_fini(&l);
}

struct tap {
	struct watch watch;
	int calls;
};

static void tap_ready(struct watch *w, uint32_t events)
{
	struct tap *t = container_of(w, struct tap, watch);
	char octet;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(w->fd, &octet, 1), 1);
	t->calls++;
}

/** echo_begin() - A process that gives back what it reads, octet by octet */
static pid_t echo_begin(int to[2], int back[2])
{
	char octet;
	pid_t pid;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(back), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(to[1]);
		while (read(to[0], &octet, 1) == 1 &&
		       write(back[1], &octet, 1) == 1)
			;
		_exit(0);
	}
	close(to[0]);
	close(back[1]);
	return pid;
}

/** echo_ask() - One octet there and back */
static void echo_ask(struct loop *l, struct tap *t, int there)
{
	const int before = t->calls;

	assert_int_equal(write(there, "x", 1), 1);
	assert_int_equal(loop_turn(l, 1000), 0);
	assert_int_equal(t->calls, before + 1);
}

static void one_that_may_spin_falls_asleep_and_misses_nothing(void **state)
{
	struct tap t = { 0 };
	struct timespec from, to;
	struct loop l;
	int there[2], back[2];
	pid_t pid;

	(void)state;
	loop_set_up(&l);
	loop_may_spin(&l);
	l.may_spin = true; /* also where there is one processor */
	pid = echo_begin(there, back);
	assert_int_equal(loop_watch(&l, &t.watch, back[0], EPOLLIN, tap_ready),
			 0);
	for (int i = 0; i < 200; i++) {
		echo_ask(&l, &t, there[1]);
		assert_true(l.quick_row <= 1); /* of no talk was heard */
	}
	for (int round = 0; round < 3; round++) {
		unsigned int row = 0;

		/* On a busy machine gaps may be long for a while. */
		for (int i = 0; i < 500 || (i < 100000 && row < 16); i++) {
			echo_ask(&l, &t, there[1]);
			loop_talk(&l);
			if (row < l.quick_row)
				row = l.quick_row;
		}
		assert_int_equal(row, 16);
		clock_gettime(CLOCK_MONOTONIC, &from);
		assert_int_equal(loop_turn(&l, 20), 0);
		clock_gettime(CLOCK_MONOTONIC, &to);
		assert_true((to.tv_sec - from.tv_sec) * 1000000000 +
				    to.tv_nsec - from.tv_nsec >=
			    19000000);
		assert_int_equal(l.quick_row, 0);
	}
	close(there[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(back[0]);
	loop_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_and_once),
		cmocka_unit_test(task_that_queues_itself_waits_a_turn),
		cmocka_unit_test(watch_taken_out_gets_no_stale_event),
		cmocka_unit_test(
			one_that_may_spin_falls_asleep_and_misses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
