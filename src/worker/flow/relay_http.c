// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_http.c - one request of a program, by way of a proxy that forwards
 *
 * The head stays in the program's socket until it is whole and is rewritten.
 * What follows is for relay_http_talk.c, until the request has been passed on
 * and the answer has begun: the rest is a relay that no longer hears the
 * program. What is no request is answered or reset here.
 */
#include "flow/relay_http.h"

#include "flow/relay_http_own.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HTTP_EVENTS    ((uint32_t)EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define HTTP_WARN_MS   60000
#define HTTP_REPLY_MAX 1024

/* A program that has ended is not heard of again when its proxy stays silent:
 * its kernel is asked, and knows no such connection then. One that is only done
 * asking lives. A client of `serve` may be far away: it has 100 s to answer. */
#define HTTP_IDLE_S    10
#define HTTP_PROBE_S   10
#define HTTP_PROBES    9

void http_quiet(struct relay_http *r)
{
	struct loop *loop = r->way->loop;

	loop_unwatch(loop, &r->inner_watch);
	loop_unwatch(loop, &r->outer_watch);
	loop_untimer(loop, &r->timer);
	loop_undefer(loop, &r->task);
}

/** http_free() - Free all but the sides */
static void http_free(struct relay_http *r)
{
	http_quiet(r);
	relay_pool_drop(&r->guest);
	free(r->up);
	free(r->down);
	free(r);
}

void relay_http_cancel(struct relay_http *r)
{
	struct stream inner = { .fd = fd_take(&r->inner) };
	struct stream outer = stream_take(&r->outer);

	if (r->relay)
		relay_cancel(r->relay);
	http_free(r);
	stream_abort(&inner);
	stream_abort(&outer);
}

void http_end(struct relay_http *r, int err)
{
	relay_fn *const fn = r->fn;
	void *const ctx = r->ctx;

	if (err == 0) {
		fd_close(&r->inner);
		stream_close(&r->outer);
	}
	relay_http_cancel(r);
	fn(ctx, err);
}

static void http_late(struct timer *t);

static const struct {
	const char *name;
	uint32_t patience_ms; /* 0: see enum http_state why */
} http_states[] = {
	[HTTP_HEARS] = { "hears", RELAY_HTTP_HEAD_MS },
	[HTTP_ASKS] = { "asks", 0 },
	[HTTP_RELAYS] = { "relays", 0 },
	[HTTP_LEAVES] = { "leaves", RELAY_HTTP_LEAVE_MS },
};

static_assert(sizeof(http_states) / sizeof(http_states[0]) == HTTP_STATES,
	      "each state has a row");

int http_enter(struct relay_http *r, enum http_state next)
{
	log_trace("request to %s: %s -> %s", r->to.name,
		  http_states[r->state].name, http_states[next].name);
	r->state = next;
	if (http_states[next].patience_ms > 0)
		return loop_timer(r->way->loop, &r->timer,
				  http_states[next].patience_ms, http_late);
	loop_untimer(r->way->loop, &r->timer);
	return 0;
}

int http_leave(struct relay_http *r)
{
	loop_unwatch(r->way->loop, &r->outer_watch);
	stream_close(&r->outer);
	if (!r->is_torn && shutdown(r->inner, SHUT_WR) < 0)
		return -errno;
	return http_enter(r, HTTP_LEAVES);
}

/** http_part() - The program has had its time, or has gone */
static void http_part(struct relay_http *r)
{
	http_end(r, r->is_torn ? -ECONNRESET : 0);
}

int http_reply(struct relay_http *r, unsigned int status, const char *why)
{
	uint8_t buf[HTTP_REPLY_MAX];
	struct wr w = wr_of(buf, sizeof(buf));

	if (r->has_spoken || !http_reply_put(&w, status, why))
		return -EIO;
	r->is_torn = false; /* ours is whole */
	/* Nothing was sent before it: there is room. */
	if (send(r->inner, buf, wr_used(&w), MSG_NOSIGNAL) < 0)
		return -errno;
	return http_leave(r);
}

void http_warn(struct relay_http *r, const char *why)
{
	const unsigned int lines = log_may(&r->way->refused_gate,
					   r->way->loop->now_ms, HTTP_WARN_MS);
	char shown[NAME_MAX_LEN + 1];

	if (lines == 0)
		return;
	log_warn("a program sent to %s port %u what cannot be forwarded (%u in "
		 "all): %s",
		 text_quote(shown, sizeof(shown), r->to.name,
			    strlen(r->to.name)),
		 r->to.addr.port, lines, why);
}

/** http_refuse() - This is no request. Return: 0 or -errno to reset */
static int http_refuse(struct relay_http *r, int err, const char *why)
{
	http_warn(r, err == -EBADMSG ? "It is not even text." : why);
	if (err == -EBADMSG)
		return -EPROTO;
	return http_reply(r, err == -EMSGSIZE ? 431 : 400, why);
}

int http_eat(struct relay_http *r, size_t len)
{
	uint8_t none[HTTP_PIECE];

	assert(len <= sizeof(none));
	while (len > 0) {
		/* MSG_TRUNC: TCP drops them without a copy. */
		const ssize_t n = recv(r->inner, none, len, MSG_TRUNC);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		len -= (size_t)n;
	}
	return 0;
}

/** http_ask() - A whole head is here: begin to pass the request on */
static int http_ask(struct relay_http *r, const struct wr *head, size_t eat)
{
	r->up = malloc(sizeof(*r->up));
	r->down = malloc(sizeof(*r->down));
	if (!r->up || !r->down)
		return -ENOMEM;
	r->down->len = r->down->pass = r->down->sent = 0;
	r->up->len = r->up->pass = wr_used(head);
	r->up->sent = 0;
	memcpy(r->up->buf, head->start, r->up->len);
	(void)http_enter(r, HTTP_ASKS); /* has no deadline */
	if (r->has_left)
		(void)loop_timer(r->way->loop, &r->timer, RELAY_HTTP_LEFT_MS,
				 http_late);
	return http_eat(r, eat);
}

/** http_hear() - Is the head whole? Return: 0, -EAGAIN, or -errno */
static int http_hear(struct relay_http *r)
{
	const struct hop *last = &r->way->hop[r->way->count - 1];
	const struct http_forward fwd = { &r->to, last->has_auth, last->user,
					  last->pass };
	uint8_t head[HTTP_FORWARD_ROOM];
	uint8_t buf[HTTP_HEAD_MAX];
	struct wr w = wr_of(head, sizeof(head));
	const ssize_t n = recv(r->inner, buf, sizeof(buf), MSG_PEEK);
	const char *why = "";
	struct rd in;
	int rc;

	if (n < 0)
		return -errno;
	if (n == 0) {
		http_end(r, 0); /* said nothing whole and has gone */
		return -ECANCELED;
	}
	in = rd_of(buf, (size_t)n);
	rc = http_forward_request(&in, &fwd, &w, &r->body, &why);
	if (rc == -EAGAIN && r->has_left)
		return http_reply(r, 400, "The head of the request is torn.");
	if (rc == -EAGAIN)
		return rc;
	if (rc < 0)
		return http_refuse(r, rc, why);
	return http_ask(r, &w, (size_t)(in.at - buf));
}

/** http_ignore() - Throw away what it still says. Return: -EINPROGRESS to be
 * called again soon, -ECANCELED when @r is gone, -EAGAIN, or -errno */
static int http_ignore(struct relay_http *r)
{
	uint8_t none[HTTP_PIECE];

	for (int i = 0; i < HTTP_TURN; i++) {
		const ssize_t n = recv(r->inner, none, sizeof(none), MSG_TRUNC);

		if (n < 0)
			return -errno;
		if (n == 0) {
			http_part(r);
			return -ECANCELED;
		}
	}
	return -EINPROGRESS;
}

static void http_again(struct task *t);

/** http_run() - Go as far as it goes; may free @r */
static void http_run(struct relay_http *r)
{
	int rc = 0;

	if (r->state == HTTP_HEARS)
		rc = http_hear(r);
	if (rc == 0 && r->state == HTTP_ASKS)
		rc = http_talk(r);
	if (rc == 0 && r->state == HTTP_LEAVES)
		rc = http_ignore(r);
	if (rc == -EINPROGRESS)
		loop_defer(r->way->loop, &r->task, http_again);
	else if (rc < 0 && rc != -EAGAIN && rc != -ECANCELED)
		http_end(r, rc);
}

static void http_drain(struct relay_guest *g)
{
	struct relay_http *r = container_of(g, struct relay_http, guest);

	if (r->state != HTTP_RELAYS)
		http_run(r);
}

static void http_again(struct task *t)
{
	http_run(container_of(t, struct relay_http, task));
}

static void http_late(struct timer *t)
{
	struct relay_http *r = container_of(t, struct relay_http, timer);

	http_part(r); /* what was not read becomes a reset, too */
}

static void http_inner_event(struct watch *w, uint32_t events)
{
	struct relay_http *r = container_of(w, struct relay_http, inner_watch);

	/* Gone, or only done asking: the answer has its time. Without memory
	 * for a deadline it has all the time. */
	if ((events & EPOLLRDHUP) && !r->has_left && r->state == HTTP_ASKS)
		(void)loop_timer(r->way->loop, &r->timer, RELAY_HTTP_LEFT_MS,
				 http_late);
	r->has_left |= (events & EPOLLRDHUP) != 0;
	if (events & EPOLLERR)
		http_end(r, -ECONNRESET);
	else
		http_run(r);
}

static void http_outer_event(struct watch *w, uint32_t events)
{
	struct relay_http *r = container_of(w, struct relay_http, outer_watch);

	/* A proxy that tires of a silent connection before it was asked
	 * anything: the program sees the same end, and may ask anew. */
	if (r->state == HTTP_HEARS &&
	    (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
		http_end(r, 0);
	else
		http_run(r);
}

/** http_tune() - Fails harmlessly */
static void http_tune(int inner)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, HTTP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, HTTP_PROBE_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, HTTP_PROBES },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(inner, options[i].level, options[i].name,
				 &options[i].value, sizeof(options[i].value));
}

int relay_http_start(struct relay_pool *p, struct way *w, const struct dest *to,
		     int inner, struct stream outer, relay_fn *fn, void *ctx,
		     struct relay_http **ret)
{
	struct stream in = { .fd = inner };
	struct relay_http *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		stream_abort(&in);
		stream_abort(&outer);
		return -ENOMEM;
	}
	*r = (struct relay_http){
		.guest.drain = http_drain,
		.pool = p,
		.way = w,
		.fn = fn,
		.ctx = ctx,
		.to = *to,
		.inner = inner,
		.outer = outer,
		.inner_watch = { .fd = -1 },
		.outer_watch = { .fd = -1 },
	};
	relay_pool_hold(p, &r->guest);
	http_tune(inner);
	rc = http_enter(r, HTTP_HEARS);
	if (rc == 0)
		rc = loop_watch(w->loop, &r->inner_watch, inner, HTTP_EVENTS,
				http_inner_event);
	if (rc == 0)
		rc = loop_watch(w->loop, &r->outer_watch, outer.fd, HTTP_EVENTS,
				http_outer_event);
	if (rc < 0) {
		relay_http_cancel(r);
		return rc;
	}
	*ret = r;
	return 0;
}
