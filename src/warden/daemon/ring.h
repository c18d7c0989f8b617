/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * ring.h - the last lines of somebody
 */
#include "daemon/line.h"

#define RING_LINES 256
#define RING_BYTES 32768 /* of all its lines, their heads included */

/**
 * struct ring - lines in the order of .seq; zeroed is empty and takes no memory
 * @slot:   RING_LINES of them once there is a line; owned references
 * @first:  Slot of the oldest
 * @bytes:  Of all
 * @gone:   .seq of the newest that was pushed out; 0 for none
 */
struct ring {
	struct line **slot;
	unsigned int first;
	unsigned int count;
	size_t bytes;
	uint64_t gone;
};

/** ring_add() - Put one in, with a .seq above all others'; the oldest make room
 * for it. Without memory it is lost
 * @l:  Line; the ring takes a reference of its own
 */
void ring_add(struct ring *r, struct line *l);

/** ring_after() - Return: the oldest with a .seq above @seq, or NULL */
struct line *ring_after(const struct ring *r, uint64_t seq);

/** ring_before() - Return: the newest with a .seq below @seq, or NULL */
struct line *ring_before(const struct ring *r, uint64_t seq);

void ring_fini(struct ring *r);
