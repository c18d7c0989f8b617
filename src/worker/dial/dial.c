// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial.c - the life of a dial: states, deadlines, the end
 *
 * Enter with dial_start(). A dial first reaches its first hop (dial_reach.c),
 * then speaks with one hop after the other (dial_talk.c). It ends in
 * dial_end(), from wherever; the owner hears of it in a task of its own, so
 * that nothing is freed under anybody's feet.
 */
#include "dial/dial.h"

#include "dial/dial_own.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const dial_state_name[] = {
	[DIAL_AT_START] = "start",     [DIAL_AT_LOOKUP] = "lookup",
	[DIAL_AT_CONNECT] = "connect", [DIAL_AT_TLS] = "tls",
	[DIAL_AT_HELLO] = "hello",     [DIAL_AT_LOGIN] = "login",
	[DIAL_AT_REQUEST] = "request", [DIAL_AT_READY] = "ready",
	[DIAL_AT_END] = "end",
};
_Static_assert(sizeof(dial_state_name) / sizeof(dial_state_name[0]) ==
		       DIAL_AT_END + 1,
	       "each state has a name");

static const char *dial_text(const struct dial *d, char *buf)
{
	if (d->goal == DIAL_ASSOCIATE)
		return "udp";
	if (d->goal == DIAL_SPARE)
		return "spare";
	return dest_text(&d->to, buf);
}

static uint64_t dial_due(const struct dial *d)
{
	switch (d->state) {
	case DIAL_AT_START:
	case DIAL_AT_LOOKUP:
	case DIAL_AT_READY:
		return d->total_due;
	case DIAL_AT_CONNECT:
		return d->try_due < d->reach_due ? d->try_due : d->reach_due;
	case DIAL_AT_TLS:
	case DIAL_AT_HELLO:
	case DIAL_AT_LOGIN:
		return d->greet_due;
	case DIAL_AT_REQUEST:
		/* The only request that waits for no far end. */
		if (d->goal == DIAL_ASSOCIATE && dial_is_last(d))
			return d->greet_due;
		return d->total_due;
	case DIAL_AT_END:
		break;
	}
	return 0;
}

static void dial_on_timer(struct timer *t);

/* Only the first call may fail: later ones find their place in the heap. */
static int dial_set_timer(struct dial *d)
{
	const uint64_t now = d->way->loop->now_ms;
	const uint64_t due = dial_due(d);

	if (d->timer.slot != 0 && d->timer.due_ms == due)
		return 0;
	return loop_timer(d->way->loop, &d->timer, due > now ? due - now : 0,
			  dial_on_timer);
}

void dial_enter(struct dial *d, enum dial_state next)
{
	char to[ADDR_TEXT];

	log_trace("dial %s: %s -> %s (hop %u)", dial_text(d, to),
		  dial_state_name[d->state], dial_state_name[next],
		  d->hop - way_first(d->way) + 1);
	d->state = next;
	if (next == DIAL_AT_END)
		loop_untimer(d->way->loop, &d->timer);
	else
		(void)dial_set_timer(d);
}

/* Everything but the stream and the memory */
static void dial_quiet(struct dial *d)
{
	struct loop *loop = d->way->loop;

	loop_unwatch(loop, &d->watch);
	loop_untimer(loop, &d->timer);
	loop_undefer(loop, &d->task);
	if (d->lookup)
		resolve_cancel(d->lookup);
	d->lookup = NULL;
	if (d->ask)
		connector_forget(d->ask);
	d->ask = NULL;
}

static void dial_free(struct dial *d)
{
	if (d->goal == DIAL_SPARE)
		dial_spare_leave(d);
	else
		d->way->dials--;
	free(d);
}

static void dial_tell(struct task *t)
{
	struct dial *d = container_of(t, struct dial, task);
	const struct stream s = stream_take(&d->stream);
	const struct addr bound = d->bound;
	dial_fn *const fn = d->fn;
	void *const ctx = d->ctx;
	struct way *const w = d->way;
	const int err = d->err;

	dial_free(d);
	if (err == 0)
		dial_spare_tend(w);
	fn(ctx, err, s, &bound);
}

void dial_end(struct dial *d, int err)
{
	char to[ADDR_TEXT];

	dial_enter(d, DIAL_AT_END);
	dial_quiet(d);
	d->err = err;
	if (err != 0) {
		log_debug("dial %s: %s", dial_text(d, to), strerror(-err));
		stream_close(&d->stream);
	}
	loop_defer(d->way->loop, &d->task, dial_tell);
}

void dial_blame(struct dial *d, enum way_fault kind, const char *fmt, ...)
{
	const struct way *w = d->way;
	unsigned int lines;
	char text[512];
	char more[48] = "";
	va_list ap;

	if (d->goal == DIAL_SPARE)
		return; /* nobody has missed it */
	lines = log_may(&d->way->gate[kind], w->loop->now_ms, WAY_WARN_MS);
	if (lines == 0)
		return;
	if (lines > 1)
		(void)snprintf(more, sizeof(more), " (%u times more)",
			       lines - 1);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("hop %u %s: %s%s", d->hop - way_first(w) + 1,
		 dial_hop(d)->label, text, more);
}

static void dial_on_timer(struct timer *t)
{
	struct dial *d = container_of(t, struct dial, timer);

	switch (d->state) {
	case DIAL_AT_LOOKUP:
		dial_end(d, -ETIMEDOUT);
		break;
	case DIAL_AT_CONNECT:
		dial_reach_timeout(d);
		break;
	case DIAL_AT_TLS:
	case DIAL_AT_HELLO:
	case DIAL_AT_LOGIN:
	case DIAL_AT_REQUEST:
		dial_talk_timeout(d);
		break;
	case DIAL_AT_READY:
		dial_cancel(d); /* nobody wanted it */
		break;
	case DIAL_AT_START:
	case DIAL_AT_END:
		break; /* no timer runs */
	}
}

/* The longest that any hop asks for */
static uint64_t dial_patience(const struct way *w)
{
	uint64_t ms = 0;

	for (unsigned int i = 0; i < w->count; i++)
		if (ms < (uint64_t)w->hop[i].dial_s * 1000)
			ms = (uint64_t)w->hop[i].dial_s * 1000;
	return ms > 0 ? ms : DIAL_MS;
}

/* What can be refused without asking anybody */
static int dial_refusal(const struct way *w, enum dial_goal goal,
			const struct dest *to)
{
	const struct hop *last = &w->hop[w->count - 1];

	if (last->kind == HOP_BLOCK)
		return -EACCES;
	/* SOCKS4A has no word for an IPv6 address. */
	if (last->kind == HOP_SOCKS4A && to->name[0] == '\0' &&
	    to->addr.family != AF_INET)
		return -EAFNOSUPPORT;
	if (goal != DIAL_CONNECT && last->kind != HOP_SOCKS5)
		return -EOPNOTSUPP;
	return 0;
}

int dial_new(struct way *w, struct dial **ret)
{
	struct dial *d = malloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	memset(d, 0, offsetof(struct dial, out));
	d->way = w;
	d->watch.fd = -1;
	d->stream = STREAM_EMPTY;
	d->hop = way_first(w);
	d->total_due = w->loop->now_ms + dial_patience(w);
	if (dial_set_timer(d) < 0) {
		free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

int dial_look_up(struct way *w, enum dial_goal goal, const struct dest *to,
		 struct dial_found *found, dial_fn *fn, void *ctx,
		 struct dial **ret)
{
	const int rc = dial_start(w, goal, to, fn, ctx, ret);

	*found = (struct dial_found){ 0 };
	if (rc == 0)
		(*ret)->found = found;
	return rc;
}

int dial_start(struct way *w, enum dial_goal goal, const struct dest *to,
	       dial_fn *fn, void *ctx, struct dial **ret)
{
	const int refusal = dial_refusal(w, goal, to);
	struct dial *d;

	if (w->dials >= w->dial_max)
		return -EAGAIN;
	d = refusal < 0 ? NULL : dial_spare_take(w);
	if (!d && dial_new(w, &d) < 0)
		return -ENOMEM;
	w->dials++;
	d->goal = goal;
	d->total_due = w->loop->now_ms + dial_patience(w);
	d->to = *to;
	d->fn = fn;
	d->ctx = ctx;
	*ret = d;
	if (refusal < 0)
		dial_end(d, refusal);
	else if (d->is_spare)
		dial_talk_resume(d);
	else
		dial_reach_begin(d);
	return 0;
}

void dial_cancel(struct dial *d)
{
	dial_quiet(d);
	stream_close(&d->stream);
	dial_free(d);
}
