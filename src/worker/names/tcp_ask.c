// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tcp_ask.c - ask by TCP: pipelined, answers in any order
 *
 * tcp_ask_start() queues; conn_work() writes what was queued in one turn of
 * the loop together. Answers come in by conn_read(). Every end of a connection
 * is conn_lose().
 */
#include "names/tcp_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define READS_MAX 16   /* in one turn of the loop */
#define IN_START  2048 /* room for most answers */

static void conn_work(struct task *t);

/** conn_detach() - Take an ask off its connection */
static void conn_detach(struct tcp_ask_conn *c, struct ask *a)
{
	ask_ids_del(&c->ids, a);
	list_del(&a->node);
	a->by = NULL;
}

/** conn_close() - Let go of everything but the asks */
static void conn_close(struct tcp_ask_conn *c)
{
	struct loop *loop = c->up->loop;

	if (c->state == TCP_ASK_DIALLING)
		dial_cancel(c->dial);
	c->dial = NULL;
	loop_unwatch(loop, &c->watch);
	loop_untimer(loop, &c->idle);
	loop_undefer(loop, &c->task);
	stream_close(&c->s);
	free(c->in);
	c->in = NULL;
	c->in_len = c->in_room = c->out_at = c->out_len = 0;
	c->state = TCP_ASK_CLOSED;
}

/** list_move() - All nodes of @from go behind those of @to */
static void list_move(struct list *to, struct list *from)
{
	while (!list_empty(from)) {
		struct list *n = from->next;

		list_del(n);
		list_add_tail(to, n);
	}
}

static int conn_open(struct tcp_ask_conn *c);

/** conn_lose() - The connection is over: ask again on a new one, or tell */
static void conn_lose(struct tcp_ask_conn *c, int err)
{
	const bool may_repeat = c->state == TCP_ASK_OPEN;
	struct list lost;

	conn_close(c);
	list_init(&lost);
	list_move(&lost, &c->sent);
	list_move(&lost, &c->unsent);
	for (struct list *n = lost.next, *next; n != &lost; n = next) {
		struct ask *a = container_of(n, struct ask, node);

		next = n->next;
		if (!may_repeat || (a->is_again && !c->has_answered))
			continue;
		a->is_again = true;
		list_del(n);
		list_add_tail(&c->unsent, n);
	}
	if (!list_empty(&c->unsent)) {
		const int rc = conn_open(c);

		if (rc < 0) {
			err = rc;
			list_move(&lost, &c->unsent);
		}
	}
	while (!list_empty(&lost)) {
		struct ask *a = container_of(lost.next, struct ask, node);

		conn_detach(c, a);
		a->fn(a, err, NULL, 0, NULL);
	}
}

/** conn_fill() - Put queued queries into the room for output */
static void conn_fill(struct tcp_ask_conn *c)
{
	struct wr w = wr_of(c->out, sizeof(c->out));

	while (!list_empty(&c->unsent) &&
	       sizeof(c->out) - wr_used(&w) >= 2 + DNS_QUERY_ROOM) {
		struct ask *a = container_of(c->unsent.next, struct ask, node);
		uint8_t msg[DNS_QUERY_ROOM];
		struct wr m = wr_of(msg, sizeof(msg));

		dns_query_put(&m, a->id, a->q);
		wr_be16(&w, (uint16_t)wr_used(&m));
		wr_bytes(&w, msg, wr_used(&m));
		list_del(&a->node);
		list_add_tail(&c->sent, &a->node);
	}
	c->out_at = 0;
	c->out_len = wr_used(&w);
}

/** conn_write() - Write what fits. Return: 0 or -errno */
static int conn_write(struct tcp_ask_conn *c)
{
	for (;;) {
		ssize_t n;

		if (c->out_at == c->out_len)
			conn_fill(c);
		if (c->out_len == 0)
			return 0;
		n = stream_write(&c->s, c->out + c->out_at,
				 c->out_len - c->out_at);
		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		c->out_at += (size_t)n;
	}
}

/** answer_take() - A whole message came. Return: 0 or -EPROTO */
static int answer_take(struct tcp_ask_conn *c, const uint8_t *msg, size_t len)
{
	struct rd r = rd_of(msg, len);
	struct ask *a = ask_ids_find(&c->ids, rd_be16(&r));
	struct dns_verdict v;

	if (r.ran_out)
		return -EPROTO;
	if (!a)
		return 0; /* an answer that nobody waits for any more */
	if (dns_upstream_check(msg, len, a->q, &v) < 0 || v.is_cut)
		return -EPROTO;
	c->has_answered = true;
	conn_detach(c, a);
	if (c->ids.count == 0)
		(void)loop_timer(c->up->loop, &c->idle, TCP_ASK_IDLE_MS,
				 c->idle.fn); /* else it merely stays */
	a->fn(a, 0, msg, len, &v);
	return 0;
}

/** answers_take() - Take the whole messages that came; make room for the next.
 * Return: 0 or -errno; the connection may be closed afterwards */
static int answers_take(struct tcp_ask_conn *c)
{
	struct rd r = rd_of(c->in, c->in_len);
	size_t need = 2;

	for (;;) {
		struct rd whole = r;
		const size_t len = rd_be16(&whole);
		const uint8_t *msg = rd_bytes(&whole, len);
		int rc;

		need = 2 + len;
		if (!msg)
			break;
		r = whole;
		rc = answer_take(c, msg, len);
		if (rc < 0 || c->state != TCP_ASK_OPEN)
			return rc;
	}
	c->in_len = rd_left(&r);
	memmove(c->in, r.at, c->in_len);
	if (need > c->in_room) {
		uint8_t *in = realloc(c->in, need);

		if (!in)
			return -ENOMEM;
		c->in = in;
		c->in_room = need;
	}
	return 0;
}

/** conn_read() - Take answers. Return: 0 or -errno; the connection may be
 * closed afterwards */
static int conn_read(struct tcp_ask_conn *c)
{
	for (int i = 0; i < READS_MAX; i++) {
		const ssize_t n = stream_read(&c->s, c->in + c->in_len,
					      c->in_room - c->in_len);
		int rc;

		if (n == -EAGAIN)
			return 0;
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		c->heard_ms = c->up->loop->now_ms;
		c->in_len += (size_t)n;
		rc = answers_take(c);
		if (rc < 0 || c->state != TCP_ASK_OPEN)
			return rc;
	}
	/* A TLS layer may hold more, of which epoll knows nothing. */
	loop_defer(c->up->loop, &c->task, conn_work);
	return 0;
}

/** conn_go() - Read and write, and say what is waited for */
static void conn_go(struct tcp_ask_conn *c)
{
	uint32_t events;
	int rc = conn_read(c);

	if (rc == 0 && c->state == TCP_ASK_OPEN)
		rc = conn_write(c);
	if (rc < 0) {
		conn_lose(c, rc);
		return;
	}
	if (c->state != TCP_ASK_OPEN)
		return;
	events = stream_needs(&c->s, true);
	if (c->out_at < c->out_len)
		events |= stream_needs(&c->s, false);
	loop_want(c->up->loop, &c->watch, events);
}

static void conn_work(struct task *t)
{
	conn_go(container_of(t, struct tcp_ask_conn, task));
}

static void conn_ready(struct watch *w, uint32_t events)
{
	(void)events; /* errors come with read and write */
	conn_go(container_of(w, struct tcp_ask_conn, watch));
}

static void conn_idle(struct timer *t)
{
	struct tcp_ask_conn *c = container_of(t, struct tcp_ask_conn, idle);

	if (c->ids.count == 0)
		conn_close(c);
}

static void conn_dialled(void *ctx, int err, struct stream s,
			 const struct addr *bound)
{
	struct tcp_ask_conn *c = ctx;
	struct loop *loop = c->up->loop;

	(void)bound;
	c->dial = NULL;
	c->s = s;
	c->in = err == 0 ? malloc(IN_START) : NULL;
	if (err == 0 && !c->in)
		err = -ENOMEM;
	if (err == 0)
		err = loop_watch(loop, &c->watch, c->s.fd, EPOLLIN, conn_ready);
	/* No dial to cancel: it ended with this call. */
	c->state = err == 0 ? TCP_ASK_OPEN : TCP_ASK_CLOSED;
	if (err < 0) {
		conn_lose(c, err);
		return;
	}
	c->in_room = IN_START;
	c->has_answered = false;
	c->heard_ms = loop->now_ms;
	/* Nobody may be waiting any more. */
	c->idle.fn = conn_idle;
	if (c->ids.count == 0)
		(void)loop_timer(loop, &c->idle, TCP_ASK_IDLE_MS, conn_idle);
	conn_go(c);
}

static int conn_open(struct tcp_ask_conn *c)
{
	const struct dest to = { .addr = c->up->addr };
	const int rc = dial_start(c->up->way, DIAL_CONNECT, &to, conn_dialled,
				  c, &c->dial);

	if (rc == 0)
		c->state = TCP_ASK_DIALLING;
	return rc;
}

/** conn_choose() - The connection for the next ask */
static struct tcp_ask_conn *conn_choose(struct tcp_ask *t)
{
	struct tcp_ask_conn *best = NULL;
	struct tcp_ask_conn *closed = NULL;

	for (int i = 0; i < TCP_ASK_CONNS; i++) {
		struct tcp_ask_conn *c = &t->conn[i];

		if (c->state == TCP_ASK_CLOSED)
			closed = closed ? closed : c;
		else if (!best || c->ids.count < best->ids.count)
			best = c;
	}
	return best && (!closed || best->ids.count < TCP_ASK_CROWD) ? best
								    : closed;
}

int tcp_ask_start(struct tcp_ask *t, struct ask *a)
{
	struct tcp_ask_conn *c = conn_choose(t);
	int rc = ask_ids_add(&c->ids, a);

	if (rc < 0)
		return rc;
	if (c->state == TCP_ASK_CLOSED)
		rc = conn_open(c);
	if (rc < 0) {
		ask_ids_del(&c->ids, a);
		return rc;
	}
	a->by = c;
	a->is_again = false;
	a->since_ms = t->loop->now_ms;
	list_add_tail(&c->unsent, &a->node);
	loop_untimer(t->loop, &c->idle);
	if (c->state == TCP_ASK_OPEN)
		loop_defer(t->loop, &c->task, conn_work);
	return 0;
}

void tcp_ask_forget(struct ask *a, bool is_late)
{
	struct tcp_ask_conn *c = a->by;

	conn_detach(c, a);
	if (c->state != TCP_ASK_OPEN)
		return;
	if (is_late && c->heard_ms <= a->since_ms)
		conn_lose(c, -ETIMEDOUT);
	else if (c->ids.count == 0)
		(void)loop_timer(c->up->loop, &c->idle, TCP_ASK_IDLE_MS,
				 conn_idle); /* else it merely stays */
}

void tcp_ask_init(struct tcp_ask *t, struct way *way, const struct addr *addr)
{
	*t = (struct tcp_ask){
		.loop = way->loop,
		.way = way,
		.addr = *addr,
	};
	for (int i = 0; i < TCP_ASK_CONNS; i++) {
		struct tcp_ask_conn *c = &t->conn[i];

		c->up = t;
		c->s = STREAM_EMPTY;
		c->watch.fd = -1;
		list_init(&c->unsent);
		list_init(&c->sent);
	}
}

void tcp_ask_fini(struct tcp_ask *t)
{
	for (int i = 0; i < TCP_ASK_CONNS; i++) {
		struct tcp_ask_conn *c = &t->conn[i];

		conn_close(c);
		list_move(&c->unsent, &c->sent);
		while (!list_empty(&c->unsent))
			conn_detach(c, container_of(c->unsent.next, struct ask,
						    node));
	}
}
