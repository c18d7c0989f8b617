/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * pipes.h - a stock of pipes to splice through
 */
#include "base/list.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * An unprivileged user gets 16384 pages of pipe in all
 * (/proc/sys/fs/pipe-user-pages-soft); what is made beyond has two pages. One
 * worker takes at most 16 * 256 + 176 * 64 = 15360. More directions than
 * pipes have bytes in flight only when many readers are slow: the rest copies.
 */
#define PIPES_MAX	 192 /* live at a time: 384 fds */
#define PIPES_IDLE_MAX	 32
#define PIPES_WIDE	 16 /* this many have PIPE_WIDE_BYTES */
#define PIPE_WIDE_BYTES	 1048576
#define PIPE_USUAL_BYTES 262144
#define PIPE_LEAST_BYTES 65536 /* under this, copying is faster */
#define PIPES_DRY_MS	 200   /* after a failure, make none for so long */

/**
 * struct pipe - a non-blocking pipe
 * @node:        In the stock while idle
 * @rd, @wr:     Owned
 * @room_bytes:  What it holds at most
 * @is_wide:     One of the PIPES_WIDE
 */
struct pipe {
	struct list node;
	int rd;
	int wr;
	uint32_t room_bytes;
	bool is_wide;
};

/**
 * struct pipes - the stock
 * @loop:        Borrowed, for its clock
 * @idle:        Empty pipes, wide ones first
 * @idle_count:  Of @idle
 * @live:        All pipes there are, idle and lent
 * @wide:        How many of these are wide
 * @dry_ms:      No pipe is made before this time
 */
struct pipes {
	struct loop *loop;
	struct list idle;
	unsigned int idle_count;
	unsigned int live;
	unsigned int wide;
	uint64_t dry_ms;
};

/** pipes_init() - Start with an empty stock. @loop is borrowed */
void pipes_init(struct pipes *s, struct loop *loop);

/** pipes_fini() - Close what is idle; lent pipes were given back before */
void pipes_fini(struct pipes *s);

/**
 * pipes_take() - Borrow an empty pipe
 *
 * Return: a pipe, for pipes_put() or pipes_drop(); NULL when there is none to
 * be had now (cap, fd limit, memory, or only one of a few KiB)
 */
struct pipe *pipes_take(struct pipes *s);

/** pipes_put() - Give a pipe back that is empty */
void pipes_put(struct pipes *s, struct pipe *p);

/** pipes_drop() - Give a pipe back that may still hold bytes; they are lost */
void pipes_drop(struct pipes *s, struct pipe *p);
