// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gather.c - hear of a side that delivers without pause in large lumps
 *
 * To be woken costs more than to move what has come, and whoever is woken by
 * each packet takes the sender's processor for it. So a side that has delivered
 * much for some time gets a low-water mark, which doubles as long as a
 * millisecond brings as much, until it pauses or is answered.
 *
 * Where each packet is small a mark is of no use: they have been made by then,
 * one by one, which is what costs. There nobody reads for a while.
 */
#include "flow/gather.h"

#include <sys/socket.h>

static void gather_mark(struct gather *g, uint32_t bytes)
{
	const int mark = bytes > 0 ? (int)bytes : 1;

	if (g->mark == bytes)
		return;
	if (setsockopt(g->watch->fd, SOL_SOCKET, SO_RCVLOWAT, &mark,
		       sizeof(mark)) == 0)
		g->mark = bytes;
}

static void gather_rest(struct timer *t)
{
	struct gather *g = container_of(t, struct gather, timer);

	gather_mark(g, 0);
	if (g->lump > GATHER_FIRST_BYTES)
		g->lump /= 2;
}

static void gather_wake(struct gather *g)
{
	loop_untimer(g->loop, &g->timer);
	loop_want(g->loop, g->watch, g->watch->events | EPOLLIN);
}

static void gather_slept(struct timer *t)
{
	gather_wake(container_of(t, struct gather, timer));
}

static void gather_nap(struct gather *g)
{
	uint64_t ms = (GATHER_NAP_BYTES + g->rate - 1) / g->rate;

	if (ms > GATHER_REST_MS)
		ms = GATHER_REST_MS;
	if (loop_timer(g->loop, &g->timer, ms, gather_slept) == 0)
		loop_want(g->loop, g->watch,
			  g->watch->events & ~(uint32_t)EPOLLIN);
}

/** gather_judge() - At the end of a row: is it worth it? */
static void gather_judge(struct gather *g, uint64_t now_ms, uint32_t least)
{
	const uint64_t row_ms = now_ms - g->row_ms;

	if (row_ms < GATHER_ROW_MS)
		return;
	g->rate = (uint32_t)(g->row_bytes / row_ms);
	if (g->rate < least)
		g->lump = 0;
	else if (g->lump == 0)
		g->lump = GATHER_FIRST_BYTES;
	g->row_ms = now_ms;
	g->row_bytes = 0;
}

/** gather_await() - Have a rest looked after. Return: will it be? */
static bool gather_await(struct gather *g, bool goes_on)
{
	if (!goes_on && g->timer.slot != 0)
		return true;
	return loop_timer(g->loop, &g->timer, GATHER_REST_MS, gather_rest) == 0;
}

/** gather_wide() - A turn of one that is heard of by marks */
static void gather_wide(struct gather *g, size_t bytes, bool is_all)
{
	const uint64_t gap_ms = g->loop->now_ms - g->seen_ms;

	if (bytes > 0) {
		g->seen_ms = g->loop->now_ms;
		gather_judge(g, g->loop->now_ms, GATHER_FIRST_BYTES);
		if (bytes > gap_ms * g->lump && g->lump < GATHER_MOST_BYTES)
			g->lump *= 2;
		gather_mark(g, g->lump);
	}
	if (g->mark == 0)
		return;
	if (!is_all)
		loop_untimer(g->loop, &g->timer);
	else if (!gather_await(g, bytes > 0))
		gather_mark(g, 0);
}

/** gather_narrow() - A turn of one whose window is narrow */
static void gather_narrow(struct gather *g, size_t bytes, bool is_all)
{
	if (bytes == 0)
		return;
	gather_wake(g); /* what is urgent comes in a nap, too */
	gather_judge(g, g->loop->now_ms, GATHER_NARROW_BYTES);
	if (g->lump > 0 && is_all && bytes <= GATHER_SIP_BYTES)
		gather_nap(g);
}

void gather_turn(struct gather *g, struct loop *loop, struct watch *w,
		 size_t bytes, unsigned int how)
{
	g->loop = loop;
	g->watch = w;
	if (how & GATHER_NAPS)
		gather_narrow(g, bytes, how & GATHER_ALL);
	else
		gather_wide(g, bytes, how & GATHER_ALL);
}

void gather_end(struct gather *g)
{
	g->lump = 0;
	gather_wake(g);
	gather_mark(g, 0);
}

void gather_fini(struct gather *g, struct loop *loop)
{
	loop_untimer(loop, &g->timer);
}
