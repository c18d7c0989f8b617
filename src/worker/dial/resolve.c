// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * resolve.c - ask helper processes on the host for a name's addresses
 *
 * Questions go out on a message channel with an id; answers come back in any
 * order, or never when a helper died: each question has its deadline. What
 * does not fit the channel waits here for room.
 */
#include "dial/resolve.h"

#include "base/fd.h"
#include "base/map.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/**
 * struct resolver - one end of the channel and all that is asked
 * @waiting:  Questions that are not yet sent, oldest first
 * @asked:    All others
 * @by_id:    All of them
 */
struct resolver {
	struct loop *loop;
	int chan;
	struct watch watch;
	struct map by_id;
	struct list waiting;
	struct list asked;
	uint64_t last_id;
	unsigned int pending;
};

struct resolve {
	struct resolver *resolver;
	struct list node;
	struct map_node by_id;
	struct timer timer;
	resolve_fn *fn;
	void *ctx;
	struct resolve_question question;
};

static void resolve_drop(struct resolve *q)
{
	struct resolver *r = q->resolver;

	loop_untimer(r->loop, &q->timer);
	map_del(&r->by_id, &q->by_id);
	list_del(&q->node);
	r->pending--;
	free(q);
}

static void resolve_end(struct resolve *q, int err, const struct addr *addr,
			unsigned int count)
{
	resolve_fn *const fn = q->fn;
	void *const ctx = q->ctx;

	resolve_drop(q);
	fn(ctx, err, addr, count);
}

static void resolve_on_timer(struct timer *t)
{
	struct resolve *q = container_of(t, struct resolve, timer);

	resolve_end(q, q->resolver->chan < 0 ? -EHOSTUNREACH : -ETIMEDOUT, NULL,
		    0);
}

/* No helper is left: nobody will answer. Those who wait hear it from their
 * timers, since a callback may do anything to the lists. */
static void resolver_lose(struct resolver *r)
{
	struct list *at;

	loop_unwatch(r->loop, &r->watch);
	fd_close(&r->chan);
	list_each (at, &r->waiting) {
		struct resolve *q = container_of(at, struct resolve, node);

		(void)loop_timer(r->loop, &q->timer, 0, resolve_on_timer);
	}
	list_each (at, &r->asked) {
		struct resolve *q = container_of(at, struct resolve, node);

		(void)loop_timer(r->loop, &q->timer, 0, resolve_on_timer);
	}
}

static void resolver_push(struct resolver *r)
{
	while (r->chan >= 0 && !list_empty(&r->waiting)) {
		struct resolve *q =
			container_of(r->waiting.next, struct resolve, node);

		if (send(r->chan, &q->question, sizeof(q->question),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			if (errno != EAGAIN && errno != EINTR)
				resolver_lose(r);
			break;
		}
		list_del(&q->node);
		list_add_tail(&r->asked, &q->node);
	}
	loop_want(r->loop, &r->watch,
		  list_empty(&r->waiting) ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

static struct resolve *resolver_find(const struct resolver *r, uint64_t id)
{
	struct map_node *n =
		map_find(&r->by_id, map_hash(&r->by_id, &id, sizeof(id)));

	for (; n; n = map_again(n)) {
		struct resolve *q = container_of(n, struct resolve, by_id);

		if (q->question.id == id)
			return q;
	}
	return NULL;
}

static bool resolve_answer_ok(const struct resolve_answer *a)
{
	if (a->count > RESOLVE_ADDRS)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (addr_size(&a->addr[i]) == 0)
			return false;
	return true;
}

static void resolver_on_event(struct watch *w, uint32_t events)
{
	struct resolver *r = container_of(w, struct resolver, watch);
	struct resolve_answer a;
	struct resolve *q;
	ssize_t n;

	if (events & EPOLLOUT)
		resolver_push(r);
	if (r->chan < 0 || !(events & ~(uint32_t)EPOLLOUT))
		return;
	/* One a turn: the callback may free the resolver. */
	n = recv(r->chan, &a, sizeof(a), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		resolver_lose(r);
		return;
	}
	if ((size_t)n != sizeof(a) || !resolve_answer_ok(&a))
		return; /* its question runs into the deadline */
	q = resolver_find(r, a.id);
	if (q)
		resolve_end(q, a.count > 0 ? 0 : -EHOSTUNREACH, a.addr,
			    a.count);
}

struct resolver *resolver_new(struct loop *loop, int chan)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r) {
		fd_close(&chan);
		return NULL;
	}
	r->loop = loop;
	r->chan = chan;
	r->watch.fd = -1;
	list_init(&r->waiting);
	list_init(&r->asked);
	if (map_init(&r->by_id, RESOLVE_PENDING) < 0 ||
	    loop_watch(loop, &r->watch, chan, EPOLLIN, resolver_on_event) < 0) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	while (!list_empty(&r->waiting))
		resolve_drop(
			container_of(r->waiting.next, struct resolve, node));
	while (!list_empty(&r->asked))
		resolve_drop(container_of(r->asked.next, struct resolve, node));
	loop_unwatch(r->loop, &r->watch);
	fd_close(&r->chan);
	map_fini(&r->by_id);
	free(r);
}

int resolve_start(struct resolver *r, const char *name, resolve_fn *fn,
		  void *ctx, struct resolve **ret)
{
	struct resolve *q;

	if (r->pending >= RESOLVE_PENDING)
		return -EAGAIN;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	/* A name too long is no name: the empty question gets no address. */
	(void)text_copy(q->question.name, sizeof(q->question.name), name);
	if (loop_timer(r->loop, &q->timer, r->chan < 0 ? 0 : RESOLVE_MS,
		       resolve_on_timer) < 0) {
		free(q);
		return -ENOMEM;
	}
	q->question.id = ++r->last_id;
	q->resolver = r;
	q->fn = fn;
	q->ctx = ctx;
	map_put(&r->by_id, &q->by_id,
		map_hash(&r->by_id, &q->question.id, sizeof(uint64_t)));
	list_add_tail(&r->waiting, &q->node);
	r->pending++;
	*ret = q;
	resolver_push(r);
	return 0;
}

void resolve_cancel(struct resolve *q)
{
	resolve_drop(q);
}
