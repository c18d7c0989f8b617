// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * connector.c - the worker's end: sockets from a process that may make them
 *
 * What is asked for in one turn of the loop goes out together. Answers come in
 * the order of the wishes, so that nothing is numbered; who is forgotten keeps
 * its place, once sent. What does not fit the channel waits for room.
 */
#include "dial/connector.h"

#include "base/datagram.h"
#include "base/fd.h"
#include "base/list.h"
#include "bus/channel.h"
#include "dial/connector_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* It is a matter of microseconds, of milliseconds for its first word; a
 * connector that stands still is none. */
#define CONNECTOR_WAIT_S   10
/* Until the kernel may have memory again; it tells nobody when it has. */
#define CONNECTOR_AGAIN_MS 10
/* Sockets on their way at once: the kernel counts them for the whole user, and
 * lets nobody of that user send fds when they are more than one may open. */
#define CONNECTOR_FLYING   (4 * CONNECTOR_BATCH)

/**
 * struct connector - one end and all that is asked for
 * @push:     Sends them; @again: tries that again, when memory was short
 * @waiting:  Wishes that are not yet sent, oldest first
 * @asked:    All others, @flying of them
 */
struct connector {
	struct loop *loop;
	struct connector_line line;
	struct watch watch;
	struct task push;
	struct timer again;
	struct list waiting;
	struct list asked;
	unsigned int flying;
	connector_lost_fn *lost;
	void *ctx;
};

/**
 * struct connector_ask - a wish
 * @is_sent:  In .asked, else in .waiting
 * @fn:       NULL once it is forgotten
 */
struct connector_ask {
	struct list node;
	struct outer_wish wish;
	bool is_sent;
	connector_fn *fn;
	void *ctx;
};

static void line_shut(struct connector_line *line)
{
	fd_close(&line->ask);
	fd_close(&line->wait);
}

/** connector_lose() - Nobody answers any more. Those who wait have their own
 * deadlines */
static void connector_lose(struct connector *c)
{
	if (c->line.ask < 0)
		return;
	loop_unwatch(c->loop, &c->watch);
	loop_undefer(c->loop, &c->push);
	loop_untimer(c->loop, &c->again);
	line_shut(&c->line);
	c->lost(c->ctx);
}

/** connector_gather() - The next wishes, as one message */
static size_t connector_gather(struct connector *c, struct connector_wishes *m)
{
	struct list *at;

	m->kind = CONNECTOR_ASK;
	m->count = 0;
	list_each (at, &c->waiting) {
		if (m->count == CONNECTOR_BATCH ||
		    c->flying + m->count == CONNECTOR_FLYING)
			break;
		m->wish[m->count++] =
			container_of(at, struct connector_ask, node)->wish;
	}
	return offsetof(struct connector_wishes, wish) +
	       m->count * sizeof(m->wish[0]);
}

/** connector_is_crowded() - Did a message not go for want of memory? */
static bool connector_is_crowded(int err)
{
	return err == ENOBUFS || err == ENOMEM;
}

static void connector_push(struct task *t);

static void connector_again(struct timer *t)
{
	connector_push(&container_of(t, struct connector, again)->push);
}

static void connector_push(struct task *t)
{
	struct connector *c = container_of(t, struct connector, push);
	struct connector_wishes m;

	while (!list_empty(&c->waiting) && c->flying < CONNECTOR_FLYING) {
		const size_t len = connector_gather(c, &m);

		if (send(c->line.ask, &m, len, MSG_NOSIGNAL | MSG_DONTWAIT) <
		    0) {
			if (errno == EAGAIN || errno == EINTR)
				break;
			if (connector_is_crowded(errno) &&
			    loop_timer(c->loop, &c->again, CONNECTOR_AGAIN_MS,
				       connector_again) == 0)
				return;
			connector_lose(c);
			return;
		}
		for (; m.count > 0; m.count--) {
			struct connector_ask *a = container_of(
				c->waiting.next, struct connector_ask, node);

			a->is_sent = true;
			list_del(&a->node);
			list_add_tail(&c->asked, &a->node);
			c->flying++;
		}
	}
	/* With so many on their way, the next answer makes room. */
	loop_want(c->loop, &c->watch,
		  list_empty(&c->waiting) || c->flying == CONNECTOR_FLYING
			  ? EPOLLIN
			  : EPOLLIN | EPOLLOUT);
}

/** connector_count() - Sockets that belong to an answer, or -EPROTO */
static int connector_count(const struct connector_answers *m, ssize_t n)
{
	int fds = 0;

	if (n < (ssize_t)offsetof(struct connector_answers, err) ||
	    m->count == 0 || m->count > CONNECTOR_BATCH ||
	    (size_t)n != offsetof(struct connector_answers, err) +
				 m->count * sizeof(m->err[0]))
		return -EPROTO;
	for (uint32_t i = 0; i < m->count; i++)
		fds += m->err[i] == 0;
	return fds;
}

/** connector_cut() - Nothing came with it, for we may not have so many */
static int connector_cut(struct connector_answers *m)
{
	if (m->count == 0 || m->count > CONNECTOR_BATCH)
		return -EPROTO;
	for (uint32_t i = 0; i < m->count; i++)
		if (m->err[i] == 0)
			m->err[i] = -EMFILE;
	return 0;
}

/** connector_hear() - Take one answer. Return: 0, or -errno of the channel */
static int connector_hear(int chan, struct connector_answers *m, int *fd)
{
	unsigned int count = 0;
	const ssize_t n =
		channel_recv(chan, m, sizeof(*m), fd, CONNECTOR_BATCH, &count);

	if (n == -EMFILE)
		return connector_cut(m);
	if (n < 0)
		return (int)n;
	if (n > 0 && connector_count(m, n) == (int)count)
		return 0;
	while (count > 0)
		fd_close(&fd[--count]);
	return n == 0 ? -EPIPE : -EPROTO;
}

/** connector_give() - Hand an answer to who asked first */
static void connector_give(struct connector *c, int fd)
{
	struct connector_ask *a;
	connector_fn *fn;
	void *ctx;

	if (list_empty(&c->asked)) { /* of nobody's asking */
		fd_close(&fd);
		return;
	}
	a = container_of(c->asked.next, struct connector_ask, node);
	fn = a->fn;
	ctx = a->ctx;
	list_del(&a->node);
	free(a);
	c->flying--;
	if (fn)
		fn(ctx, fd);
	else
		fd_close(&fd);
}

static void connector_event(struct watch *w, uint32_t events)
{
	struct connector *c = container_of(w, struct connector, watch);
	struct connector_answers m = { 0 };
	int fd[CONNECTOR_BATCH];
	int rc, used = 0;

	if (events & EPOLLOUT)
		connector_push(&c->push);
	if (c->line.ask < 0 || !(events & ~(uint32_t)EPOLLOUT))
		return;
	rc = connector_hear(c->line.ask, &m, fd);
	if (rc == -EAGAIN)
		return;
	if (rc < 0) {
		connector_lose(c);
		return;
	}
	for (uint32_t i = 0; i < m.count; i++)
		connector_give(c, m.err[i] < 0 ? m.err[i] : fd[used++]);
	if (c->line.ask >= 0 && !list_empty(&c->waiting))
		loop_defer(c->loop, &c->push, connector_push);
}

struct connector *connector_new(struct loop *loop,
				const struct connector_line *line,
				connector_lost_fn *lost, void *ctx)
{
	const struct timeval patience = { .tv_sec = CONNECTOR_WAIT_S };
	struct connector *c = calloc(1, sizeof(*c));
	struct connector_line own = *line;

	if (!c) {
		line_shut(&own);
		return NULL;
	}
	*c = (struct connector){
		.loop = loop,
		.line = own,
		.watch = { .fd = -1 },
		.lost = lost,
		.ctx = ctx,
	};
	list_init(&c->waiting);
	list_init(&c->asked);
	if (fd_nonblock(line->ask) < 0 ||
	    setsockopt(line->wait, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0 ||
	    loop_watch(loop, &c->watch, line->ask, EPOLLIN, connector_event) <
		    0) {
		connector_free(c);
		return NULL;
	}
	return c;
}

static void connector_bury(struct list *asks)
{
	while (!list_empty(asks)) {
		struct list *at = asks->next;

		list_del(at);
		free(container_of(at, struct connector_ask, node));
	}
}

void connector_free(struct connector *c)
{
	if (!c)
		return;
	loop_unwatch(c->loop, &c->watch);
	loop_undefer(c->loop, &c->push);
	loop_untimer(c->loop, &c->again);
	connector_bury(&c->waiting);
	connector_bury(&c->asked);
	line_shut(&c->line);
	free(c);
}

int connector_ask(struct connector *c, const struct outer_wish *w,
		  connector_fn *fn, void *ctx, struct connector_ask **ret)
{
	struct connector_ask *a;

	if (c->line.ask < 0)
		return -EPIPE;
	a = malloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct connector_ask){ .wish = *w, .fn = fn, .ctx = ctx };
	list_add_tail(&c->waiting, &a->node);
	loop_defer(c->loop, &c->push, connector_push);
	*ret = a;
	return 0;
}

void connector_forget(struct connector_ask *a)
{
	if (a->is_sent) {
		a->fn = NULL;
		return;
	}
	list_del(&a->node);
	free(a);
}

int connector_wait(struct connector *c, const struct outer_wish *w)
{
	const struct connector_wishes m = {
		.kind = CONNECTOR_WAIT,
		.count = 1,
		.wish = { *w },
	};
	const size_t len =
		offsetof(struct connector_wishes, wish) + sizeof(m.wish[0]);
	struct connector_answers got = { 0 };
	int fd[CONNECTOR_BATCH];
	int rc;

	if (c->line.wait < 0)
		return -EPIPE;
	rc = send(c->line.ask, &m, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0
		     ? -errno
		     : 0;
	if (rc == -EAGAIN || connector_is_crowded(-rc))
		return -ENOBUFS;
	if (rc == 0)
		rc = connector_hear(c->line.wait, &got, fd);
	if (rc < 0) { /* an answer that came later would be another's */
		connector_lose(c);
		return rc;
	}
	return got.err[0] < 0 ? got.err[0] : fd[0];
}

void connector_say(struct connector *c, int fd, const struct addr *from,
		   const struct addr *to, const void *data, size_t len)
{
	static struct connector_words m; /* too large for the stack */

	if (!c) {
		datagram_send(fd, from, to, data, len);
		return;
	}
	if (len > sizeof(m.data))
		return;
	m.kind = CONNECTOR_SAY;
	m.fd = fd;
	m.from = *from;
	m.to = *to;
	if (len > 0)
		memcpy(m.data, data, len);
	(void)send(c->line.ask, &m,
		   offsetof(struct connector_words, data) + len,
		   MSG_NOSIGNAL | MSG_DONTWAIT);
}
