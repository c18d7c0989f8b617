// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gather.c - hear of a side that delivers without pause in large lumps
 *
 * To be woken costs more than to move what has come, and whoever is woken by
 * each packet takes the sender's processor for it. So a side that has delivered
 * much for some time gets a low-water mark, which doubles as long as a
 * millisecond brings as much, until it pauses or is answered.
 */
#include "flow/gather.h"

#include <sys/socket.h>

static void gather_mark(struct gather *g, uint32_t bytes)
{
	const int mark = bytes > 0 ? (int)bytes : 1;

	if (g->mark == bytes)
		return;
	if (setsockopt(g->fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof(mark)) ==
	    0)
		g->mark = bytes;
}

static void gather_rest(struct timer *t)
{
	struct gather *g = container_of(t, struct gather, timer);

	gather_mark(g, 0);
	if (g->lump > GATHER_FIRST_BYTES)
		g->lump /= 2;
}

/** gather_judge() - At the end of a row: is it worth it? */
static void gather_judge(struct gather *g, uint64_t now_ms)
{
	const uint64_t row_ms = now_ms - g->row_ms;

	if (row_ms < GATHER_ROW_MS)
		return;
	if (g->row_bytes < row_ms * GATHER_FIRST_BYTES)
		g->lump = 0;
	else if (g->lump == 0)
		g->lump = GATHER_FIRST_BYTES;
	g->row_ms = now_ms;
	g->row_bytes = 0;
}

/** gather_await() - Have a rest looked after. Return: will it be? */
static bool gather_await(struct gather *g, struct loop *loop, bool goes_on)
{
	if (!goes_on && g->timer.slot != 0)
		return true;
	return loop_timer(loop, &g->timer, GATHER_REST_MS, gather_rest) == 0;
}

void gather_turn(struct gather *g, struct loop *loop, int fd, size_t bytes,
		 bool waits)
{
	const uint64_t gap_ms = loop->now_ms - g->seen_ms;

	g->fd = fd;
	if (bytes > 0) {
		g->seen_ms = loop->now_ms;
		gather_judge(g, loop->now_ms);
		if (bytes > gap_ms * g->lump && g->lump < GATHER_MOST_BYTES)
			g->lump *= 2;
		gather_mark(g, g->lump);
	}
	if (g->mark == 0)
		return;
	if (!waits)
		loop_untimer(loop, &g->timer);
	else if (!gather_await(g, loop, bytes > 0))
		gather_mark(g, 0);
}

void gather_end(struct gather *g, struct loop *loop)
{
	g->lump = 0;
	loop_untimer(loop, &g->timer);
	gather_mark(g, 0);
}

void gather_fini(struct gather *g, struct loop *loop)
{
	loop_untimer(loop, &g->timer);
}
