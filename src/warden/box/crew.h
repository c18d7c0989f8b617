/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * crew.h - so many builders at a time, the rest in the order of asking
 */
#include "base/list.h"
#include "base/loop.h"

struct turn;
/** turn_fn - the turn has come; it may be gone when this is over */
typedef void turn_fn(struct turn *t);

/**
 * struct crew - places for builders
 * @most:   How many there are
 * @busy:   How many are taken
 * @queue:  struct turn by .node, whose turn has not come
 */
struct crew {
	struct loop *loop;
	unsigned int most;
	unsigned int busy;
	struct list queue;
	struct task next;
};

/**
 * struct turn - somebody's wish for a place; zeroed is a good beginning
 * @begin:      Called from the loop when the turn has come
 * @is_queued:  It has not come yet
 * @has_place:  It has come, and the place is still held
 */
struct turn {
	struct list node;
	struct crew *crew;
	struct timer timer;
	turn_fn *begin;
	bool is_queued;
	bool has_place;
};

/**
 * crew_init() - No place is taken
 * @c:     Crew
 * @loop:  Loop
 * @most:  Places, at least 1
 */
void crew_init(struct crew *c, struct loop *loop, unsigned int most);

/**
 * crew_ask() - Wait for a place
 * @c:      Crew, which outlives the turn
 * @t:      In no queue, without a place
 * @begin:  Called when there is one: in the loop's next turn at the earliest
 *
 * A place that is held for long goes to the next in the queue: who needs
 * so much time does not work, but waits for a name server.
 */
void crew_ask(struct crew *c, struct turn *t, turn_fn *begin);

/** crew_leave() - Give the place back, or do not wait any more; or nothing */
void crew_leave(struct turn *t);
