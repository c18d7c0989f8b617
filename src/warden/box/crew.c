// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * crew.c - so many builders at a time, the rest in the order of asking
 *
 * A thousand builders at once would take a thousand times as long each, and
 * run into deadlines that are meant for one.
 */
#include "box/crew.h"

#include <assert.h>
#include <stddef.h>

/* A builder works for some 20 ms; in the rest of its time it waits. */
#define CREW_PLACE_MS 2000

static void crew_next(struct task *task);

/** crew_wake() - See who is next, if there is a place */
static void crew_wake(struct crew *c)
{
	if (c->busy < c->most && !list_empty(&c->queue))
		loop_defer(c->loop, &c->next, crew_next);
}

static void crew_give_back(struct turn *t)
{
	if (!t->has_place)
		return;
	loop_untimer(t->crew->loop, &t->timer);
	t->has_place = false;
	t->crew->busy--;
	crew_wake(t->crew);
}

static void crew_expired(struct timer *timer)
{
	crew_give_back(container_of(timer, struct turn, timer));
}

/** crew_next() - One a turn of the loop, so that callers are heard meanwhile */
static void crew_next(struct task *task)
{
	struct crew *c = container_of(task, struct crew, next);
	struct turn *t;

	if (c->busy >= c->most || list_empty(&c->queue))
		return;
	t = container_of(c->queue.next, struct turn, node);
	list_del(&t->node);
	t->is_queued = false;
	t->has_place = true;
	c->busy++;
	(void)loop_timer(c->loop, &t->timer, CREW_PLACE_MS, crew_expired);
	crew_wake(c);
	t->begin(t); /* may be gone when this is over */
}

void crew_init(struct crew *c, struct loop *loop, unsigned int most)
{
	*c = (struct crew){ .loop = loop, .most = most };
	list_init(&c->queue);
}

void crew_ask(struct crew *c, struct turn *t, turn_fn *begin)
{
	assert(!t->is_queued && !t->has_place);
	t->crew = c;
	t->begin = begin;
	t->is_queued = true;
	list_add_tail(&c->queue, &t->node);
	crew_wake(c);
}

void crew_leave(struct turn *t)
{
	if (t->is_queued)
		list_del(&t->node);
	t->is_queued = false;
	crew_give_back(t);
}
