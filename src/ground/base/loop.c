// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * loop.c - one thread's epoll, timers and tasks
 *
 * A turn: events, then timers that are due, then tasks. Tasks queued by tasks
 * run in the next turn, which then does not wait: work that goes on for long
 * gives way to other flows by queueing itself again.
 */
#include "base/loop.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* One epoll_wait(2); more would make the scan in loop_unwatch() cost. */
#define LOOP_BATCH	  128

/*
 * Of two processes that answer each other on one machine each waits some 40 us
 * for the other on some processors and 80 on others, of which to fall asleep
 * and to be woken is a third (bench/run, "round trips"). A row of such gaps
 * says that another will follow; more events than a few at once say that there
 * is work enough to do without. 150 us gave more than 60 did, 200 no more.
 */
#define LOOP_QUICK_NS	  150000
#define LOOP_QUICK_ROW	  16
#define LOOP_QUICK_EVENTS 3
#define LOOP_SPIN_NS	  150000

static uint64_t clock_monotonic_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail on Linux */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

int loop_init(struct loop *l)
{
	*l = (struct loop){ .epfd = -1, .clock_ms = clock_monotonic_ms };
	list_init(&l->tasks);
	l->now_ms = l->clock_ms();
	l->batch = calloc(LOOP_BATCH, sizeof(*l->batch));
	if (!l->batch)
		return -ENOMEM;
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	return l->epfd < 0 ? -errno : 0;
}

void loop_fini(struct loop *l)
{
	if (l->epfd >= 0)
		(void)close(l->epfd);
	free(l->batch);
	free(l->heap);
	*l = (struct loop){ .epfd = -1 };
}

int loop_watch(struct loop *l, struct watch *w, int fd, uint32_t events,
	       watch_fn *fn)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	*w = (struct watch){ .fd = -1, .events = events, .fn = fn };
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	w->fd = fd;
	return 0;
}

void loop_want(struct loop *l, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (w->fd < 0 || w->events == events)
		return;
	w->events = events;
	/* Fails only for an fd that is not in the set: a broken promise. */
	if (epoll_ctl(l->epfd, EPOLL_CTL_MOD, w->fd, &ev) < 0)
		abort();
}

void loop_unwatch(struct loop *l, struct watch *w)
{
	if (w->fd < 0)
		return;
	(void)epoll_ctl(l->epfd, EPOLL_CTL_DEL, w->fd, NULL); /* may be shut */
	w->fd = -1;
	for (int i = 0; i < l->batch_len; i++)
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
}

static void heap_set(struct loop *l, size_t i, struct timer *t)
{
	l->heap[i] = t;
	t->slot = i + 1;
}

static void heap_up(struct loop *l, size_t i, struct timer *t)
{
	while (i > 0 && l->heap[(i - 1) / 2]->due_ms > t->due_ms) {
		heap_set(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(l, i, t);
}

static void heap_down(struct loop *l, size_t i, struct timer *t)
{
	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= l->heap_len)
			break;
		if (kid + 1 < l->heap_len &&
		    l->heap[kid + 1]->due_ms < l->heap[kid]->due_ms)
			kid++;
		if (l->heap[kid]->due_ms >= t->due_ms)
			break;
		heap_set(l, i, l->heap[kid]);
		i = kid;
	}
	heap_set(l, i, t);
}

void loop_untimer(struct loop *l, struct timer *t)
{
	const size_t i = t->slot - 1;
	struct timer *last;

	if (t->slot == 0)
		return;
	t->slot = 0;
	last = l->heap[--l->heap_len];
	if (last == t)
		return;
	heap_down(l, i, last);
	if (last->slot == i + 1)
		heap_up(l, i, last);
}

int loop_timer(struct loop *l, struct timer *t, uint64_t in_ms, timer_fn *fn)
{
	loop_untimer(l, t);
	if (l->heap_len == l->heap_room) {
		const size_t room = l->heap_room ? l->heap_room * 2 : 64;
		struct timer **heap =
			reallocarray(l->heap, room, sizeof(struct timer *));

		if (!heap)
			return -ENOMEM;
		l->heap = heap;
		l->heap_room = room;
	}
	t->fn = fn;
	t->due_ms = l->now_ms + in_ms;
	l->heap_len++;
	heap_up(l, l->heap_len - 1, t);
	return 0;
}

void loop_defer(struct loop *l, struct task *t, task_fn *fn)
{
	t->fn = fn;
	if (t->is_queued)
		return;
	t->is_queued = true;
	list_add_tail(&l->tasks, &t->node);
}

void loop_undefer(struct loop *l, struct task *t)
{
	(void)l;
	if (!t->is_queued)
		return;
	t->is_queued = false;
	list_del(&t->node);
}

static void loop_run_timers(struct loop *l)
{
	while (l->heap_len > 0 && l->heap[0]->due_ms <= l->now_ms) {
		struct timer *t = l->heap[0];

		loop_untimer(l, t);
		t->fn(t);
	}
}

static void loop_run_tasks(struct loop *l)
{
	struct list now;

	if (list_empty(&l->tasks))
		return;
	/* Move all to a list of its own: what they queue waits a turn. */
	now.next = l->tasks.next;
	now.prev = l->tasks.prev;
	now.next->prev = &now;
	now.prev->next = &now;
	list_init(&l->tasks);
	while (!list_empty(&now)) {
		struct task *t = container_of(now.next, struct task, node);

		loop_undefer(l, t);
		t->fn(t);
	}
}

static int loop_patience(const struct loop *l, int max_wait_ms)
{
	uint64_t wait_ms;

	if (!list_empty(&l->tasks))
		return 0;
	if (l->heap_len == 0)
		return max_wait_ms;
	if (l->heap[0]->due_ms <= l->now_ms)
		return 0;
	wait_ms = l->heap[0]->due_ms - l->now_ms;
	if (max_wait_ms >= 0 && wait_ms > (uint64_t)max_wait_ms)
		return max_wait_ms;
	return wait_ms > 3600000 ? 3600000 : (int)wait_ms;
}

void loop_may_spin(struct loop *l)
{
	cpu_set_t ours;

	/* A machine with more processors than a cpu_set_t has room. */
	l->may_spin = sched_getaffinity(0, sizeof(ours), &ours) < 0 ||
		      CPU_COUNT(&ours) > 1;
}

static int loop_poll(struct loop *l, int wait_ms)
{
	return epoll_wait(l->epfd, l->batch, LOOP_BATCH, wait_ms);
}

/**
 * loop_spin() - Ask again and again, for a while
 *
 * What it waits for may need this processor: whoever else is ready goes first.
 */
static int loop_spin(struct loop *l)
{
	const uint64_t end = clock_monotonic_ns() + LOOP_SPIN_NS;
	int n = loop_poll(l, 0);

	while (n == 0 && clock_monotonic_ns() < end) {
		(void)sched_yield(); /* cannot fail on Linux */
		n = loop_poll(l, 0);
	}
	return n;
}

/** loop_sleep() - Wait, and see whether that was worth it */
static int loop_sleep(struct loop *l, int wait_ms)
{
	const uint64_t began = clock_monotonic_ns();
	const int n = loop_poll(l, wait_ms);

	if (n <= 0 || n > LOOP_QUICK_EVENTS ||
	    clock_monotonic_ns() - began >= LOOP_QUICK_NS)
		l->quick_row = 0;
	else if (l->quick_row < LOOP_QUICK_ROW)
		l->quick_row++;
	return n;
}

static int loop_wait(struct loop *l, int wait_ms)
{
	int n;

	if (!l->may_spin || wait_ms == 0)
		return loop_poll(l, wait_ms);
	if (!l->has_talk)
		l->quick_row /= 2;
	l->has_talk = false;
	if (l->quick_row == LOOP_QUICK_ROW) {
		n = loop_spin(l);
		if (n != 0)
			return n;
		l->quick_row = 0; /* in vain: earn it anew */
	}
	return loop_sleep(l, wait_ms);
}

int loop_turn(struct loop *l, int max_wait_ms)
{
	int n = loop_wait(l, loop_patience(l, max_wait_ms));

	if (n < 0 && errno != EINTR)
		return -errno;
	l->now_ms = l->clock_ms();
	l->batch_len = n > 0 ? n : 0;
	for (int i = 0; i < l->batch_len; i++) {
		struct watch *w = l->batch[i].data.ptr;

		if (w)
			w->fn(w, l->batch[i].events);
	}
	l->batch_len = 0;
	loop_run_timers(l);
	loop_run_tasks(l);
	return 0;
}

int loop_run(struct loop *l)
{
	int rc = 0;

	while (!l->is_over && rc == 0)
		rc = loop_turn(l, -1);
	return rc;
}
