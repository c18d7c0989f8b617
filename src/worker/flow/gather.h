/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * gather.h - hear of a side that delivers without pause in large lumps
 */
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who delivers GATHER_FIRST_BYTES a millisecond for GATHER_ROW_MS, which no
 * network of a gigabit does for two flows at once, gets a mark, and loses it
 * when a row has brought less. A side that stops within a lump may have been
 * put to sleep for a slice of some 3 ms; less than GATHER_REST_MS gave less
 * with 8 streams, lumps of more than GATHER_MOST_BYTES nothing
 * (bench/IDEAS.md).
 */
#define GATHER_ROW_MS	   16
#define GATHER_REST_MS	   4
#define GATHER_FIRST_BYTES 65536
#define GATHER_MOST_BYTES  524288

/**
 * struct gather - what is known of a TCP socket that is read; zeroed is new
 * @timer:      Runs while the rest of a lump is waited for
 * @row_ms:     When the row began: what it brings decides on @lump
 * @row_bytes:  Were read since then
 * @seen_ms:    When octets were read last, while there is a @lump
 * @lump:       The mark it deserves; 0: none
 * @mark:       The socket's low-water mark (SO_RCVLOWAT); 0: as it was made
 * @fd:         The socket; borrowed
 */
struct gather {
	struct timer timer;
	uint64_t row_ms;
	uint64_t row_bytes;
	uint64_t seen_ms;
	uint32_t lump;
	uint32_t mark;
	int fd;
};

/** gather_turn() - What gather_see() does now and then */
void gather_turn(struct gather *g, struct loop *loop, int fd, size_t bytes,
		 bool waits);

/** gather_end() - What gather_forget() does now and then */
void gather_end(struct gather *g, struct loop *loop);

/**
 * gather_see() - A turn of a socket's reader is over
 * @g:      What is known of the socket
 * @loop:   Its loop
 * @fd:     TCP socket, borrowed until gather_fini()
 * @bytes:  So many octets were read
 * @waits:  All of them have been passed on, and no more are there
 *
 * May set a low-water mark: epoll reports EPOLLIN then when so much has come,
 * at the end, at an error, for urgent data, or when the window is full
 * (socket(7)). When GATHER_REST_MS have been waited in vain the mark is taken
 * away, and with that what has come is reported; the next turn may set it
 * again.
 */
static inline void gather_see(struct gather *g, struct loop *loop, int fd,
			      size_t bytes, bool waits)
{
	g->row_bytes += bytes;
	if (g->lump > 0 || loop->now_ms - g->row_ms >= GATHER_ROW_MS)
		gather_turn(g, loop, fd, bytes, waits);
}

/** gather_forget() - Octets have gone the other way: somebody may wait for all
 * of the answer. No mark, until another row has passed. From here on it may be
 * of another socket */
static inline void gather_forget(struct gather *g, struct loop *loop)
{
	g->row_ms = loop->now_ms;
	g->row_bytes = 0;
	if (g->lump > 0)
		gather_end(g, loop);
}

/** gather_fini() - The socket is not read any more; harmless when new */
void gather_fini(struct gather *g, struct loop *loop);
