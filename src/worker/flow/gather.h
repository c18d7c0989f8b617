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
#define GATHER_ROW_MS	    16
#define GATHER_REST_MS	    4
#define GATHER_FIRST_BYTES  65536
#define GATHER_MOST_BYTES   524288

/*
 * A narrow one takes naps from GATHER_NARROW_BYTES a millisecond on. In a nap
 * comes about GATHER_NAP_BYTES, since with 4 MiB in its queue the sender would
 * have to stop (tcp_wmem), but none is longer than GATHER_REST_MS. A turn of
 * more than GATHER_SIP_BYTES, half of what a narrow window is at first, has
 * found packets that were joined: the next may, too.
 */
#define GATHER_NARROW_BYTES 32768
#define GATHER_NAP_BYTES    1048576
#define GATHER_SIP_BYTES    65536

/**
 * enum gather_how - of a turn, to be combined
 * @GATHER_ALL:   All that has come has been passed on
 * @GATHER_NAPS:  The sender's window is narrow (narrow.h): naps, not marks
 */
enum gather_how {
	GATHER_ALL = 1,
	GATHER_NAPS = 2,
};

/**
 * struct gather - what is known of a TCP socket that is read; zeroed is new
 * @timer:      Runs while the rest of a lump is waited for, or through a nap
 * @loop:       Its loop, while there is a @lump; borrowed
 * @watch:      Of the socket, the same; borrowed
 * @row_ms:     When the row began: what it brings decides on @lump
 * @row_bytes:  Were read since then
 * @rate:       Octets a millisecond that the last row brought
 * @seen_ms:    When octets were read last, while there is a @lump
 * @lump:       The mark it deserves; 0: none
 * @mark:       The socket's low-water mark (SO_RCVLOWAT); 0: as it was made
 */
struct gather {
	struct timer timer;
	struct loop *loop;
	struct watch *watch;
	uint64_t row_ms;
	uint64_t row_bytes;
	uint64_t seen_ms;
	uint32_t rate;
	uint32_t lump;
	uint32_t mark;
};

/** gather_turn() - What gather_see() does now and then */
void gather_turn(struct gather *g, struct loop *loop, struct watch *w,
		 size_t bytes, unsigned int how);

/** gather_end() - What gather_forget() does now and then */
void gather_end(struct gather *g);

/**
 * gather_see() - A turn of a socket's reader is over
 * @g:      What is known of the socket
 * @loop:   Its loop
 * @w:      Watch of the TCP socket, edge-triggered; borrowed until
 *          gather_fini()
 * @bytes:  So many octets were read
 * @how:    enum gather_how
 *
 * May set a low-water mark: epoll reports EPOLLIN then when so much has come,
 * at the end, at an error, for urgent data, or when the window is full
 * (socket(7)). When GATHER_REST_MS have been waited in vain the mark is taken
 * away, and with that what has come is reported; the next turn may set it
 * again.
 *
 * Or may begin a nap, of GATHER_REST_MS at most without EPOLLIN, in which a
 * sender of small packets fills its window, and then its own queue. Its end, an
 * error and urgent data are reported meanwhile.
 */
static inline void gather_see(struct gather *g, struct loop *loop,
			      struct watch *w, size_t bytes, unsigned int how)
{
	g->row_bytes += bytes;
	if (g->lump > 0 || loop->now_ms - g->row_ms >= GATHER_ROW_MS)
		gather_turn(g, loop, w, bytes, how);
}

/** gather_forget() - Octets have gone the other way: somebody may wait for all
 * of the answer. No mark and no nap, until another row has passed. From here on
 * it may be of another socket */
static inline void gather_forget(struct gather *g, struct loop *loop)
{
	g->row_ms = loop->now_ms;
	g->row_bytes = 0;
	if (g->lump > 0)
		gather_end(g);
}

/** gather_fini() - The socket is not read any more; harmless when new */
void gather_fini(struct gather *g, struct loop *loop);
