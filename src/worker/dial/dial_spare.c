// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_spare.c - connections to the last hop that wait for a destination
 *
 * Whoever connects often would walk the whole way each time. After two dials
 * in short order one is begun for nobody, which stops where the last hop would
 * be told a destination. The next dial goes on with it; if none comes soon, it
 * is closed. When it turns out to be dead, the dial that took it begins anew:
 * nothing has been asked of anybody by then.
 */
#include "dial/dial_own.h"

#include <errno.h>

/* Dials are often that are not further apart; so long a spare waits. */
#define SPARE_MS      2000
/* As many as a way has; each costs a proxy a connection. */
#define SPARE_MAX     4
/* A proxy that does not take them gets no more for so long. */
#define SPARE_SHUN_MS 60000

static void spare_failed(void *ctx, int err, struct stream s,
			 const struct addr *bound)
{
	struct way *w = ctx;

	(void)err;
	(void)bound;
	stream_close(&s);
	w->spare_from_ms = w->loop->now_ms + SPARE_SHUN_MS;
}

static void spare_begin(struct task *t)
{
	struct way *w = container_of(t, struct way, spare_task);
	struct dial *d;

	if (dial_new(w, &d) < 0)
		return;
	d->goal = DIAL_SPARE;
	d->fn = spare_failed;
	d->ctx = w;
	list_add_tail(&w->spares, &d->spare_node);
	w->spare_count++;
	dial_reach_begin(d);
}

/** spare_is_welcome() - Is there a proxy, and does nobody mind? */
static bool spare_is_welcome(const struct way *w)
{
	for (unsigned int i = 0; i < w->count; i++)
		if (w->hop[i].fresh)
			return false;
	return w->hop[way_first(w)].kind != HOP_DIRECT;
}

void dial_spare_tend(struct way *w)
{
	const uint64_t now = w->loop->now_ms;
	const bool is_often =
		w->dialled_ms > 0 && now < w->dialled_ms + SPARE_MS;

	w->dialled_ms = now;
	if (is_often && now >= w->spare_from_ms && w->spare_count < SPARE_MAX &&
	    spare_is_welcome(w))
		loop_defer(w->loop, &w->spare_task, spare_begin);
}

void dial_spare_leave(struct dial *d)
{
	list_del(&d->spare_node);
	d->way->spare_count--;
}

struct dial *dial_spare_take(struct way *w)
{
	struct list *at;

	list_each (at, &w->spares) {
		struct dial *d = container_of(at, struct dial, spare_node);

		if (d->state != DIAL_AT_READY)
			continue;
		dial_spare_leave(d);
		d->is_spare = true;
		return d;
	}
	return NULL;
}

void dial_spare_ready(struct dial *d)
{
	d->total_due = d->way->loop->now_ms + SPARE_MS;
	dial_enter(d, DIAL_AT_READY);
}

int dial_spare_hear(struct dial *d)
{
	uint8_t octet;
	const ssize_t n = stream_peek(&d->stream, &octet, sizeof(octet));

	if (n == -EAGAIN) /* TLS may have had a word with itself */
		return -EAGAIN;
	dial_end(d, -EIO);
	return 0;
}

void dial_spares_drop(struct way *w)
{
	loop_undefer(w->loop, &w->spare_task);
	while (!list_empty(&w->spares))
		dial_cancel(
			container_of(w->spares.next, struct dial, spare_node));
}
