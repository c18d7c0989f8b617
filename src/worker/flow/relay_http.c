// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_http.c - one request of a program, by way of a proxy that forwards
 *
 * The head stays in the program's socket until it is whole, is rewritten, and
 * is followed by just as many octets as its body has. The answer's head is
 * read, too, since it must say that the connection ends. When the request has
 * been passed on and the answer has begun, the rest is a relay that no longer
 * hears the program: so nothing unread can follow.
 */
#include "flow/relay_http.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "wire/http_forward.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HTTP_EVENTS    ((uint32_t)EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define HTTP_PIECE     16384 /* of a body, at once */
#define HTTP_TURN      64    /* pieces, then other flows have their turn */
#define HTTP_WARN_MS   60000
#define HTTP_REPLY_MAX 1024

/**
 * enum http_state - how far a request has come
 * @HTTP_HEARS:   The head comes; RELAY_HTTP_HEAD_MS
 * @HTTP_ASKS:    @up and @down are alive; as long as the proxy lets it
 * @HTTP_RELAYS:  @relay is alive and owns both sides; may last for ever
 * @HTTP_LEAVES:  Was answered by us; may read it before we close;
 *                RELAY_HTTP_LEAVE_MS
 */
enum http_state {
	HTTP_HEARS,
	HTTP_ASKS,
	HTTP_RELAYS,
	HTTP_LEAVES,
	HTTP_STATES
};

/**
 * struct lane - octets on their way to one side
 * @len:   In @buf
 * @pass:  How many of them may go now
 * @sent:  How many have gone
 */
struct lane {
	uint8_t buf[HTTP_PIECE + HTTP_FORWARD_GROWS];
	size_t len;
	size_t pass;
	size_t sent;
};

static_assert(HTTP_PIECE >= HTTP_HEAD_MAX, "a whole head fits a lane");

/**
 * struct relay_http - one request
 * @up, @down:      To the proxy, to the program
 * @body:           What of the request is still to come
 * @is_answered:    The final head has come; else the answer's heads are read
 * @has_left:       The program has ended its side
 * @has_spoken:     Octets of an answer have gone to the program
 */
struct relay_http {
	struct relay_guest guest;
	struct relay_pool *pool;
	struct way *way;
	relay_fn *fn;
	void *ctx;
	struct dest to;
	enum http_state state;
	int inner;
	struct stream outer;
	struct watch inner_watch;
	struct watch outer_watch;
	struct timer timer;
	struct task task;
	struct relay *relay;
	struct lane *up;
	struct lane *down;
	struct http_body body;
	bool is_answered;
	bool has_left;
	bool has_spoken;
};

static void http_quiet(struct relay_http *r)
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

/** http_end() - Over: in order with @err 0, else both sides are reset */
static void http_end(struct relay_http *r, int err)
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

static void http_relayed(void *ctx, int err)
{
	struct relay_http *r = ctx;

	r->relay = NULL;
	http_end(r, err);
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

/* Return: 0, or -ENOMEM: it must not stay without its deadline */
static int http_enter(struct relay_http *r, enum http_state next)
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

/** http_leave() - All is said to the program; it may read before we close */
static int http_leave(struct relay_http *r)
{
	loop_unwatch(r->way->loop, &r->outer_watch);
	stream_close(&r->outer);
	if (shutdown(r->inner, SHUT_WR) < 0)
		return -errno;
	return http_enter(r, HTTP_LEAVES);
}

/** http_reply() - Answer ourselves. Return: 0 or -errno */
static int http_reply(struct relay_http *r, unsigned int status,
		      const char *why)
{
	uint8_t buf[HTTP_REPLY_MAX];
	struct wr w = wr_of(buf, sizeof(buf));

	if (r->has_spoken || !http_reply_put(&w, status, why))
		return -EIO;
	/* Nothing was sent before it: there is room. */
	if (send(r->inner, buf, wr_used(&w), MSG_NOSIGNAL) < 0)
		return -errno;
	return http_leave(r);
}

static void http_warn(struct relay_http *r, const char *why)
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

/** http_eat() - Take octets of the program that were peeked */
static int http_eat(struct relay_http *r, size_t len)
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

/** lane_is_empty() - Has all gone that may go? */
static bool lane_is_empty(const struct lane *l)
{
	return l->sent == l->pass;
}

/** lane_put() - Send what may go. Return: 0 all, -EAGAIN, or -errno */
static int lane_put(struct lane *l, struct stream *to)
{
	while (!lane_is_empty(l)) {
		const ssize_t n =
			stream_write(to, l->buf + l->sent, l->pass - l->sent);

		if (n < 0)
			return (int)n;
		l->sent += (size_t)n;
	}
	l->len -= l->pass;
	memmove(l->buf, l->buf + l->pass, l->len);
	l->pass = l->sent = 0;
	return 0;
}

/** http_give_up() - The proxy hears no more: what it says still counts */
static int http_give_up(struct relay_http *r)
{
	r->up->len = r->up->pass = r->up->sent = 0;
	r->body = (struct http_body){ .state = HTTP_BODY_OVER };
	return -EAGAIN;
}

/** http_up() - A piece of the request. Return: > 0, -EAGAIN, or -errno */
static int http_up(struct relay_http *r)
{
	int rc = lane_put(r->up, &r->outer);
	ssize_t n;
	long len;

	if (rc == -EAGAIN)
		return rc;
	if (rc < 0)
		return http_give_up(r);
	if (r->body.state == HTTP_BODY_OVER)
		return -EAGAIN;
	n = recv(r->inner, r->up->buf, HTTP_PIECE, MSG_PEEK);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET; /* cut short */
	len = http_body_take(&r->body, r->up->buf, (size_t)n);
	if (len < 0) {
		http_warn(r, "The chunks of a body are malformed.");
		return -EPROTO;
	}
	r->up->len = r->up->pass = (size_t)len;
	rc = http_eat(r, (size_t)len);
	return rc < 0 ? rc : 1;
}

/** http_read_head() - Has a head of the answer come whole? */
static void http_read_head(struct relay_http *r)
{
	uint8_t head[HTTP_FORWARD_ROOM];
	struct lane *l = r->down;
	struct wr w = wr_of(head, sizeof(head));
	struct rd in = rd_of(l->buf, l->len);
	bool is_final = false;
	int rc;

	rc = http_forward_answer(&in, &w, &is_final);
	if (rc == -EAGAIN)
		return;
	if (rc < 0) {
		/* An answer of some other kind is passed on as it is. */
		r->is_answered = true;
		l->pass = l->len;
		return;
	}
	r->is_answered = is_final;
	memmove(l->buf + wr_used(&w), in.at, rd_left(&in));
	l->len = wr_used(&w) + rd_left(&in);
	memcpy(l->buf, head, wr_used(&w));
	l->pass = is_final ? l->len : wr_used(&w);
}

/** http_hung_up() - The proxy has said its last. Return: 0 or -errno */
static int http_hung_up(struct relay_http *r, int err)
{
	if (!r->has_spoken && r->down->len == 0)
		return http_reply(r, 502,
				  "The proxy hung up before it answered.");
	if (err < 0 || !r->is_answered)
		return err < 0 ? err : -ECONNRESET;
	return http_leave(r);
}

/** http_down() - A piece of the answer. Return: > 0, 0 when the state was
 * left, -EAGAIN, or -errno */
static int http_down(struct relay_http *r)
{
	struct stream inner = { .fd = r->inner };
	struct lane *l = r->down;
	ssize_t n;
	int rc;

	if (!r->is_answered && l->pass == 0 && l->len > 0)
		http_read_head(r);
	if (l->pass > 0) {
		r->has_spoken = true;
		rc = lane_put(l, &inner);
		return rc < 0 ? rc : 1;
	}
	n = stream_read(&r->outer, l->buf + l->len, HTTP_PIECE - l->len);
	if (n == -EAGAIN)
		return -EAGAIN;
	if (n <= 0)
		return http_hung_up(r, (int)n);
	l->len += (size_t)n;
	if (r->is_answered)
		l->pass = l->len;
	return 1;
}

/** http_is_said() - Has all of the request been passed on? */
static bool http_is_said(const struct relay_http *r)
{
	return r->body.state == HTTP_BODY_OVER && r->up->len == 0;
}

/** http_has_asked() - Is the rest a relay's? */
static bool http_has_asked(const struct relay_http *r)
{
	return r->is_answered && r->down->len == 0 && http_is_said(r);
}

/** http_relay() - Hand both sides over. Return: 0, or -errno: they are gone */
static int http_relay(struct relay_http *r)
{
	http_quiet(r);
	(void)http_enter(r, HTTP_RELAYS); /* has no deadline */
	free(r->up);
	free(r->down);
	r->up = r->down = NULL;
	return relay_start_answer(r->pool, fd_take(&r->inner),
				  stream_take(&r->outer), http_relayed, r,
				  &r->relay);
}

/** http_talk() - Move what can be moved. Return: 0 or -errno */
static int http_talk(struct relay_http *r)
{
	int up = 1;
	int down = 1;

	for (int i = 0; i < HTTP_TURN && (up > 0 || down > 0); i++) {
		up = http_up(r);
		if (up < 0 && up != -EAGAIN)
			return up;
		down = http_down(r);
		if (down < 0 && down != -EAGAIN)
			return down;
		if (r->state != HTTP_ASKS)
			return 0;
		if (http_has_asked(r))
			return http_relay(r);
		if (relay_pool_drains(r->pool) && http_is_said(r)) {
			http_end(r, 0); /* nobody waits for the answer */
			return -ECANCELED;
		}
	}
	return up > 0 || down > 0 ? -EINPROGRESS : 0;
}

/** http_ignore() - Throw away what it still says */
static int http_ignore(struct relay_http *r)
{
	uint8_t none[HTTP_PIECE];
	ssize_t n;

	do
		n = recv(r->inner, none, sizeof(none), MSG_TRUNC);
	while (n > 0);
	if (n < 0)
		return -errno;
	http_end(r, 0);
	return -ECANCELED;
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

	http_end(r, 0); /* what was not read becomes a reset */
}

static void http_inner_event(struct watch *w, uint32_t events)
{
	struct relay_http *r = container_of(w, struct relay_http, inner_watch);

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

int relay_http_start(struct relay_pool *p, struct way *w, const struct dest *to,
		     int inner, struct stream outer, relay_fn *fn, void *ctx,
		     struct relay_http **ret)
{
	struct stream in = { .fd = inner };
	struct relay_http *r = calloc(1, sizeof(*r));
	const int on = 1;
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
	/* Fails harmlessly. */
	(void)setsockopt(inner, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
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
