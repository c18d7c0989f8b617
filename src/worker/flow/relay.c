// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay.c - move bytes between the two sides of an open flow
 *
 * Enter with relay_start() once the outer side is connected; from then on only
 * the loop calls in. Each socket is added to epoll once, edge-triggered, and
 * never touched there again; two pumps remember what may be read and written.
 * Leave when both sides have sent their end, or when one is broken, or we are:
 * then both get a reset, for a clean end would tell the other side that all has
 * arrived.
 */
#include "flow/relay.h"

#include "base/fd.h"
#include "flow/gather.h"
#include "flow/narrow.h"
#include "flow/pump.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RELAY_EVENTS \
	((uint32_t)EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

enum {
	INNER,
	OUTER,
	SIDES
};

/**
 * struct relay - an open flow
 * @node:   In the pool's list
 * @pool:   Borrowed
 * @side:   [INNER] and [OUTER]; owned
 * @watch:  Of each side's fd
 * @pump:   pump[i] reads side[i] and writes the other
 * @narrow: Of side[INNER]
 * @is_wide: Much may wait in side[INNER]
 * @gather: Of side[@teller]
 * @task:   Queued while a pump has spent its budget
 * @teller: Who spoke last; the other has been silent since
 */
struct relay {
	struct list node;
	struct relay_pool *pool;
	relay_fn *fn;
	void *ctx;
	struct stream side[SIDES];
	struct watch watch[SIDES];
	struct pump pump[SIDES];
	struct narrow narrow;
	struct gather gather;
	bool is_wide;
	struct task task;
	int teller;
};

static_assert(sizeof(struct relay) < 400, "an idle flow is cheap");

struct relay_pool {
	struct loop *loop;
	struct list relays;
	struct pump_kit kit;
	struct list guests;
	bool drains;
	bool widens;
};

struct relay_pool *relay_pool_new(struct loop *loop)
{
	struct relay_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->kit.scratch = malloc(PUMP_SCRATCH_BYTES);
	if (!p->kit.scratch) {
		free(p);
		return NULL;
	}
	p->loop = loop;
	list_init(&p->relays);
	list_init(&p->guests);
	pipes_init(&p->kit.pipes, loop);
	/* splice(2) has no MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	return p;
}

void relay_pool_widen(struct relay_pool *p)
{
	p->widens = fd_may_be_wide();
}

void relay_pool_free(struct relay_pool *p)
{
	if (!p)
		return;
	while (!list_empty(&p->relays))
		relay_cancel(container_of(p->relays.next, struct relay, node));
	pipes_fini(&p->kit.pipes);
	free(p->kit.scratch);
	free(p);
}

/* Free everything but the sides. */
static void relay_free(struct relay *r)
{
	for (int i = 0; i < SIDES; i++) {
		loop_unwatch(r->pool->loop, &r->watch[i]);
		pump_fini(&r->pump[i], &r->pool->kit);
	}
	gather_fini(&r->gather, r->pool->loop);
	loop_undefer(r->pool->loop, &r->task);
	list_del(&r->node);
	free(r);
}

void relay_cancel(struct relay *r)
{
	struct stream inner = stream_take(&r->side[INNER]);
	struct stream outer = stream_take(&r->side[OUTER]);

	relay_free(r);
	stream_abort(&inner);
	stream_abort(&outer);
}

static void relay_finish(struct relay *r)
{
	relay_fn *fn = r->fn;
	void *ctx = r->ctx;
	struct stream inner = stream_take(&r->side[INNER]);
	struct stream outer = stream_take(&r->side[OUTER]);

	relay_free(r);
	stream_close(&inner);
	stream_close(&outer);
	fn(ctx, 0);
}

static void relay_break(struct relay *r, int err)
{
	relay_fn *fn = r->fn;
	void *ctx = r->ctx;

	/* What came before the break is still true: a server may answer, then
	 * reset a client that has more to say than it wants to hear. */
	for (int i = 0; i < SIDES; i++)
		pump_flush(&r->pump[i], &r->pool->kit, &r->side[i],
			   &r->side[!i]);
	relay_cancel(r);
	fn(ctx, err);
}

/** relay_widen() - Once: who fills a short queue faster than we empty it would
 * stop and go. Not before that is known, since what waits here has not left;
 * and no network's, which the kernel knows better */
static void relay_widen(struct relay *r)
{
	if (r->is_wide || r->narrow.state != NARROW_NOT)
		return;
	fd_be_wide(r->side[INNER].fd);
	r->is_wide = true;
}

/** relay_gather() - A side that delivers much may be heard of in lumps; not
 * one that answers the other, for then the rest of a lump is waited for, and
 * the loop is told */
static void relay_gather(struct relay *r)
{
	struct loop *loop = r->pool->loop;
	const struct pump *p;
	unsigned int how = 0;

	if (r->pump[!r->teller].turn_bytes > 0) {
		gather_forget(&r->gather, loop);
		loop_talk(loop);
		r->teller = !r->teller;
	}
	p = &r->pump[r->teller];
	if (pump_waits(p))
		how |= GATHER_ALL;
	if (r->teller == INNER && r->narrow.state == NARROW_IS)
		how |= GATHER_NAPS;
	gather_see(&r->gather, loop, &r->watch[r->teller], p->turn_bytes, how);
	if (r->gather.lump > 0 && r->pool->widens && r->teller == INNER)
		relay_widen(r);
}

/** relay_budget() - Who is still looked at is not read on for long */
static uint32_t relay_budget(const struct relay *r, int i)
{
	return i == INNER && r->narrow.state == NARROW_LOOKS
		       ? NARROW_LOOK_BYTES
		       : PUMP_BUDGET_BYTES;
}

static void relay_task(struct task *t);

static void relay_run(struct relay *r)
{
	bool again = false;

	for (int i = 0; i < SIDES; i++) {
		const int rc = pump_run(&r->pump[i], &r->pool->kit, &r->side[i],
					&r->side[!i], relay_budget(r, i));

		if (rc < 0) {
			relay_break(r, rc);
			return;
		}
		again = again || rc > 0;
	}
	if (r->narrow.state == NARROW_LOOKS && r->pump[INNER].turn_bytes > 0)
		narrow_look(&r->narrow, r->side[INNER].fd,
			    r->pump[INNER].turn_bytes);
	if (!r->side[INNER].tls && !r->side[OUTER].tls)
		relay_gather(r);
	if (r->pump[INNER].state == PUMP_ENDED &&
	    (r->pump[OUTER].state == PUMP_ENDED || r->pool->drains))
		relay_finish(r);
	else if (again)
		loop_defer(r->pool->loop, &r->task, relay_task);
}

void relay_pool_drain(struct relay_pool *p)
{
	struct list *at;
	struct list *next;

	p->drains = true;
	list_each_safe (at, next, &p->relays) {
		struct relay *r = container_of(at, struct relay, node);

		if (r->pump[INNER].state == PUMP_ENDED)
			relay_finish(r);
	}
	list_each_safe (at, next, &p->guests) {
		struct relay_guest *g =
			container_of(at, struct relay_guest, node);

		g->drain(g);
	}
}

bool relay_pool_is_idle(const struct relay_pool *p)
{
	return list_empty(&p->relays) && list_empty(&p->guests);
}

bool relay_pool_drains(const struct relay_pool *p)
{
	return p->drains;
}

void relay_pool_hold(struct relay_pool *p, struct relay_guest *g)
{
	list_add_tail(&p->guests, &g->node);
}

void relay_pool_drop(struct relay_guest *g)
{
	list_del(&g->node);
}

static void relay_task(struct task *t)
{
	relay_run(container_of(t, struct relay, task));
}

static int relay_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	return -err;
}

static void relay_event(struct relay *r, int i, uint32_t events)
{
	struct pump *reader = &r->pump[i];
	struct pump *writer = &r->pump[!i];

	if (events & EPOLLERR) {
		const int err = relay_error(r->side[i].fd);

		if (err < 0) {
			relay_break(r, err);
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLPRI))
		reader->can_read = true;
	if (events & (EPOLLOUT | EPOLLHUP))
		writer->can_write = true;
	if (events & EPOLLPRI)
		reader->has_urgent = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		reader->asks_on = true;
	/* TLS may have to read before it can write, and the other way. */
	if (r->side[i].tls)
		reader->can_read = writer->can_write = true;
	relay_run(r);
}

static void relay_inner_event(struct watch *w, uint32_t events)
{
	relay_event(container_of(w, struct relay, watch[INNER]), INNER, events);
}

static void relay_outer_event(struct watch *w, uint32_t events)
{
	relay_event(container_of(w, struct relay, watch[OUTER]), OUTER, events);
}

/** relay_tune() - Return: is it TCP? A unix socket has none of these, and a
 * read of it may also end before an fd that was sent along */
static bool relay_tune(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
}

static int relay_watch(struct relay *r)
{
	int rc = loop_watch(r->pool->loop, &r->watch[INNER], r->side[INNER].fd,
			    RELAY_EVENTS, relay_inner_event);

	if (rc < 0)
		return rc;
	return loop_watch(r->pool->loop, &r->watch[OUTER], r->side[OUTER].fd,
			  RELAY_EVENTS, relay_outer_event);
}

static int relay_begin(struct relay_pool *p, int inner, struct stream outer,
		       enum pump_state inner_pump, relay_fn *fn, void *ctx,
		       struct relay **ret)
{
	struct stream in = { .fd = inner };
	struct relay *r = calloc(1, sizeof(*r));
	const int on = 1;
	int rc;

	if (!r) {
		stream_abort(&in);
		stream_abort(&outer);
		return -ENOMEM;
	}
	*r = (struct relay){
		.pool = p,
		.fn = fn,
		.ctx = ctx,
		.side = { in, outer },
		.watch = { { .fd = -1 }, { .fd = -1 } },
		.pump[INNER].state = inner_pump,
		/* TLS takes longer than small packets do. */
		.narrow.state = outer.tls ? NARROW_NOT : NARROW_LOOKS,
	};
	list_add_tail(&p->relays, &r->node);
	(void)setsockopt(inner, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	for (int i = 0; i < SIDES; i++) {
		stream_must_close(&r->side[i]);
		r->pump[i].asks_on = !relay_tune(r->side[i].fd);
	}
	rc = relay_watch(r);
	if (rc < 0) {
		relay_cancel(r);
		return rc;
	}
	if (outer.tls) {
		/* Its buffers may hold octets that epoll knows nothing of. */
		r->pump[OUTER].can_read = true;
		loop_defer(p->loop, &r->task, relay_task);
	}
	if (ret)
		*ret = r;
	return 0;
}

int relay_start(struct relay_pool *p, int inner, struct stream outer,
		relay_fn *fn, void *ctx, struct relay **ret)
{
	return relay_begin(p, inner, outer, PUMP_FLOWS, fn, ctx, ret);
}

int relay_start_answer(struct relay_pool *p, int inner, struct stream outer,
		       relay_fn *fn, void *ctx, struct relay **ret)
{
	return relay_begin(p, inner, outer, PUMP_IGNORES, fn, ctx, ret);
}
