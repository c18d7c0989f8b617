/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;
struct watch;
struct timer;
struct task;

typedef void watch_fn(struct watch *w, uint32_t events);
typedef void timer_fn(struct timer *t);
typedef void task_fn(struct task *t);

/**
 * struct watch - interest in one fd
 * @fd:      Borrowed; -1 while not watched
 * @events:  EPOLLIN, EPOLLOUT, ... as last asked for
 * @fn:      Called with what epoll reported
 */
struct watch {
	int fd;
	uint32_t events;
	watch_fn *fn;
};

/** struct timer - calls @fn once, at or after its time; zeroed is stopped */
struct timer {
	timer_fn *fn;
	uint64_t due_ms;
	size_t slot; /* 1 + place in the heap; 0 while stopped */
};

/** struct task - calls @fn once, after the events of this turn */
struct task {
	struct list node;
	task_fn *fn;
	bool is_queued;
};

/**
 * struct loop - epoll, timers and tasks of one thread
 *
 * Watches, timers and tasks are owned by the structs they are part of; their
 * owner takes them out before it goes. A watch taken out in a handler gets no
 * event any more, not even one that epoll had already reported.
 */
struct loop {
	int epfd;
	uint64_t now_ms;
	uint64_t (*clock_ms)(void);
	bool is_over;
	struct timer **heap;
	size_t heap_len;
	size_t heap_room;
	struct list tasks;
	struct epoll_event *batch;
	int batch_len;
	bool may_spin;
	bool has_talk;
	unsigned int quick_row;
};

/** loop_init() - Return: 0 or -errno; loop_fini() takes half-built ones */
int loop_init(struct loop *l);
void loop_fini(struct loop *l);

/**
 * loop_may_spin() - Let it stay awake while two answer each other quickly
 *
 * After a row of waits that were over soon, with loop_talk() in between, it
 * asks for the next event again and again instead of sleeping, 150 us at most,
 * and lets others run meanwhile (sched_yield(2)); one time in vain ends that.
 * Does nothing where we may run on one processor alone.
 */
void loop_may_spin(struct loop *l);

/**
 * loop_talk() - What has come answers what went the other way
 *
 * For the events of this turn. Where all goes one way nobody waits for us, and
 * to stay awake would cost a processor for nothing.
 */
static inline void loop_talk(struct loop *l)
{
	l->has_talk = true;
}

/**
 * loop_watch() - Start to watch an fd
 * @l:       Loop
 * @w:       Watch, not in use
 * @fd:      Borrowed until loop_unwatch()
 * @events:  EPOLL* flags, EPOLLET allowed; 0 reports only errors and hang-up
 * @fn:      Handler
 *
 * Return: 0 or -errno
 */
int loop_watch(struct loop *l, struct watch *w, int fd, uint32_t events,
	       watch_fn *fn);

/** loop_want() - Change what is waited for; no system call if the same */
void loop_want(struct loop *l, struct watch *w, uint32_t events);

/** loop_unwatch() - Stop; harmless when not watched (fd -1) */
void loop_unwatch(struct loop *l, struct watch *w);

/**
 * loop_timer() - Call @fn in @in_ms from now, instead of any earlier plan
 *
 * Return: 0, or -ENOMEM
 */
int loop_timer(struct loop *l, struct timer *t, uint64_t in_ms, timer_fn *fn);
/** loop_untimer() - Stop; harmless when stopped */
void loop_untimer(struct loop *l, struct timer *t);

/** loop_defer() - Call @fn after the events of this turn; once if repeated */
void loop_defer(struct loop *l, struct task *t, task_fn *fn);
/** loop_undefer() - Stop; harmless when not queued */
void loop_undefer(struct loop *l, struct task *t);

/**
 * loop_turn() - Wait for events once and handle them, then timers, then tasks
 * @l:            Loop
 * @max_wait_ms:  -1 for as long as nothing happens
 *
 * Return: 0 or -errno
 */
int loop_turn(struct loop *l, int max_wait_ms);

/** loop_run() - Turn until loop_stop(). Return: 0 or -errno */
int loop_run(struct loop *l);
static inline void loop_stop(struct loop *l)
{
	l->is_over = true;
}
