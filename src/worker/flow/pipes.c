// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pipes.c - a stock of pipes to splice through
 *
 * A relay borrows a pipe while a direction has bytes in flight and gives it
 * back as soon as it is empty, so that thousands of idle flows own none, and
 * busy ones get wide ones. Making a pipe costs three system calls; taking one
 * from the stock costs none.
 */
#include "flow/pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void pipes_init(struct pipes *s, struct loop *loop)
{
	*s = (struct pipes){ .loop = loop };
	list_init(&s->idle);
}

static void pipe_free(struct pipes *s, struct pipe *p)
{
	(void)close(p->rd); /* a pipe has nothing to report */
	(void)close(p->wr);
	s->live--;
	if (p->is_wide)
		s->wide--;
	free(p);
}

void pipes_fini(struct pipes *s)
{
	while (!list_empty(&s->idle)) {
		struct pipe *p = container_of(s->idle.next, struct pipe, node);

		list_del(&p->node);
		s->idle_count--;
		pipe_free(s, p);
	}
}

/* Widen as far as the user's allowance goes. */
static void pipe_size(struct pipes *s, struct pipe *p)
{
	int got = -1;

	if (s->wide < PIPES_WIDE) {
		got = fcntl(p->wr, F_SETPIPE_SZ, PIPE_WIDE_BYTES);
		p->is_wide = got > 0;
	}
	if (got < 0)
		got = fcntl(p->wr, F_SETPIPE_SZ, PIPE_USUAL_BYTES);
	if (got < 0)
		got = fcntl(p->wr, F_GETPIPE_SZ);
	p->room_bytes = got > 0 ? (uint32_t)got : 0;
}

static struct pipe *pipe_new(struct pipes *s)
{
	struct pipe *p;
	int fd[2];

	if (s->live >= PIPES_MAX || s->loop->now_ms < s->dry_ms)
		return NULL;
	s->dry_ms = s->loop->now_ms + PIPES_DRY_MS;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(p);
		return NULL;
	}
	p->rd = fd[0];
	p->wr = fd[1];
	list_init(&p->node);
	pipe_size(s, p);
	s->live++;
	if (p->is_wide)
		s->wide++;
	if (p->room_bytes < PIPE_LEAST_BYTES) {
		pipe_free(s, p);
		return NULL;
	}
	s->dry_ms = 0;
	return p;
}

struct pipe *pipes_take(struct pipes *s)
{
	struct pipe *p;

	if (list_empty(&s->idle))
		return pipe_new(s);
	p = container_of(s->idle.next, struct pipe, node);
	list_del(&p->node);
	s->idle_count--;
	return p;
}

void pipes_put(struct pipes *s, struct pipe *p)
{
	if (s->idle_count >= PIPES_IDLE_MAX && !p->is_wide) {
		pipe_free(s, p);
		return;
	}
	s->idle_count++;
	/* list_add_tail() on the first node puts a node before it. */
	list_add_tail(p->is_wide ? s->idle.next : &s->idle, &p->node);
}

void pipes_drop(struct pipes *s, struct pipe *p)
{
	pipe_free(s, p);
}
