/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * pump.h - one direction of a relay
 */
#include "flow/pipes.h"
#include "net/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUMP_BUDGET_BYTES  4194304 /* a turn, then other flows have theirs */
#define PUMP_SCRATCH_BYTES 65536
#define PUMP_PASS_BYTES	   16384 /* what a small read takes; more is bulk */

/**
 * enum pump_state - how far a direction has come
 * @PUMP_FLOWS:    Bytes come and go
 * @PUMP_DRAINS:   The reading side has ended; the pipe may still hold bytes,
 *                 and the writing side has not been told yet
 * @PUMP_FLUSHES:  The relay is about to break: what has come is passed on, the
 *                 end is not
 * @PUMP_IGNORES:  What comes is thrown away, and the end is not passed on
 * @PUMP_ENDED:    Nothing is left to do
 *
 * None has a deadline: a conversation may be silent for ever; TCP keep-alive
 * finds dead peers.
 */
enum pump_state {
	PUMP_FLOWS,
	PUMP_DRAINS,
	PUMP_FLUSHES,
	PUMP_IGNORES,
	PUMP_ENDED,
	PUMP_STATES
};

/**
 * struct pump - one direction
 * @pipe:        Borrowed from the stock while @held_bytes are in flight
 * @held_bytes:  In @pipe
 * @turn_bytes:  Read in the last pump_run()
 * @state:       See above
 * @can_read:    No read has met -EAGAIN since epoll last reported
 * @can_write:   The same for writing
 * @has_urgent:  Urgent data stands, or stood, in the way of splice(2)
 * @asks_on:     A read of less than was asked for may not be all there is: the
 *               end is near, or this is no TCP socket
 * @is_bulk:     The last read gave PUMP_PASS_BYTES or more: splice the next
 */
struct pump {
	struct pipe *pipe;
	uint32_t held_bytes;
	uint32_t turn_bytes;
	enum pump_state state;
	bool can_read;
	bool can_write;
	bool has_urgent;
	bool asks_on;
	bool is_bulk;
};

/**
 * struct pump_kit - what all pumps of a loop share
 * @pipes:    Stock
 * @scratch:  PUMP_SCRATCH_BYTES; holds nothing between two calls
 */
struct pump_kit {
	struct pipes pipes;
	uint8_t *scratch;
};

/**
 * pump_run() - Move bytes until a side says -EAGAIN or the budget is spent
 * @p:     Direction
 * @kit:   Shared
 * @from:  Side that is read
 * @to:    Side that is written; told the end when @from has ended
 * @budget_bytes:  It does not go on when so much has been read; the last read
 *         may have brought more
 *
 * Return: 0 to wait for the next event, 1 to be called again soon, or -errno
 * when a side is broken
 */
int pump_run(struct pump *p, struct pump_kit *kit, struct stream *from,
	     struct stream *to, uint32_t budget_bytes);

/** pump_waits() - Has all that came been passed on? */
static inline bool pump_waits(const struct pump *p)
{
	return p->held_bytes == 0 && !p->can_read;
}

/**
 * pump_flush() - Pass on what @from has sent before it broke, if it fits
 *
 * The end of @from is not passed on: the caller resets @to.
 */
void pump_flush(struct pump *p, struct pump_kit *kit, struct stream *from,
		struct stream *to);

/** pump_fini() - Give the pipe back; bytes in it are lost */
void pump_fini(struct pump *p, struct pump_kit *kit);
