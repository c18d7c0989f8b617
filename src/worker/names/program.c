// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * program.c - every query goes to a program inside, as it came
 *
 * Over one socket, told apart by ids of our own. The kernel tells at once when
 * nobody is there; a program that hangs, or that is started again meanwhile, is
 * asked again and again until the patience is at its end.
 */
#include "names/program.h"

#include "base/bytes.h"
#include "base/list.h"
#include "base/log.h"
#include "names/ask.h"
#include "names/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WARN_GAP_MS  5000
#define TURN_MAX     64
#define DNS_HEAD     12
#define DNS_IS_REPLY 0x80 /* QR, in the third octet */

/**
 * struct errand - a query under way
 * @ask:   Its id, and when it is sent again
 * @msg:   With our id; @len octets
 */
struct errand {
	struct ask ask;
	struct program *p;
	struct asker who;
	struct dns_query q;
	size_t len;
	uint8_t msg[];
};

/**
 * struct program - all that is under way
 * @fd:    Borrowed; -1 while it is not known
 * @asks:  struct errand by .ask.node; @ids.count of them
 * @in:    Room for one answer
 */
struct program {
	struct loop *loop;
	forward_fn *fn;
	void *ctx;
	int fd;
	struct watch watch;
	struct list asks;
	struct ask_ids ids;
	struct log_gate warned;
	uint8_t in[DNS_MESSAGE_MAX];
};

int program_new(struct loop *loop, forward_fn *fn, void *ctx,
		struct program **ret)
{
	struct program *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->fn = fn;
	p->ctx = ctx;
	p->fd = p->watch.fd = -1;
	list_init(&p->asks);
	*ret = p;
	return 0;
}

static void errand_free(struct errand *e)
{
	ask_ids_del(&e->p->ids, &e->ask);
	list_del(&e->ask.node);
	loop_untimer(e->p->loop, &e->ask.timer);
	free(e);
}

void program_free(struct program *p)
{
	if (!p)
		return;
	loop_unwatch(p->loop, &p->watch);
	while (!list_empty(&p->asks))
		errand_free(
			container_of(p->asks.next, struct errand, ask.node));
	free(p);
}

static void program_refuse(struct program *p, const struct dns_query *q,
			   const struct asker *who)
{
	uint8_t msg[DNS_QUERY_ROOM];
	const size_t len = dns_error(msg, sizeof(msg), q, DNS_SERVFAIL);

	if (log_may(&p->warned, p->loop->now_ms, WARN_GAP_MS))
		log_warn("names: dnsproxy does not answer; look-ups fail until "
			 "it does");
	p->fn(p->ctx, who, msg, len);
}

static void errand_fail(struct errand *e)
{
	struct program *p = e->p;
	const struct dns_query q = e->q;
	const struct asker who = e->who;

	errand_free(e);
	program_refuse(p, &q, &who);
}

/** program_is_gone() - Nobody listens: all that is under way is lost */
static void program_is_gone(struct program *p)
{
	struct list now;

	list_init(&now);
	while (!list_empty(&p->asks)) {
		struct list *n = p->asks.next;

		list_del(n);
		list_add_tail(&now, n);
	}
	while (!list_empty(&now))
		errand_fail(container_of(now.next, struct errand, ask.node));
}

/** program_answer() - Give the client its own id, and no more than it takes */
static void program_answer(struct program *p, size_t len)
{
	struct rd r = rd_of(p->in, len);
	struct ask *a = ask_ids_find(&p->ids, rd_be16(&r));
	struct errand *e;
	struct dns_query q;
	struct asker who;
	uint8_t cut[DNS_QUERY_ROOM];

	if (!a || len < DNS_HEAD || !(p->in[2] & DNS_IS_REPLY))
		return;
	e = container_of(a, struct errand, ask);
	q = e->q;
	who = e->who;
	errand_free(e);
	p->in[0] = (uint8_t)(q.id >> 8);
	p->in[1] = (uint8_t)q.id;
	if (len <= q.udp_room)
		p->fn(p->ctx, &who, p->in, len);
	else
		p->fn(p->ctx, &who, cut,
		      dns_cut(cut, sizeof(cut), &q, DNS_NOERROR));
}

static void program_ready(struct watch *w, uint32_t events)
{
	struct program *p = container_of(w, struct program, watch);

	(void)events;
	for (int i = 0; i < TURN_MAX; i++) {
		const ssize_t n = recv(p->fd, p->in, sizeof(p->in), 0);

		if (n >= 0)
			program_answer(p, (size_t)n);
		else if (errno == ECONNREFUSED)
			program_is_gone(p);
		else
			return;
	}
}

int program_reach(struct program *p, int fd)
{
	p->fd = fd;
	return loop_watch(p->loop, &p->watch, fd, EPOLLIN, program_ready);
}

static void errand_again(struct timer *t);

/** errand_send() - Send once, and plan to do it again; Return: 0 or -errno */
static int errand_send(struct errand *e)
{
	struct program *p = e->p;

	/* An error here is that of an earlier one, which poll tells, too; a
	 * full buffer is a lost datagram. */
	if (send(p->fd, e->msg, e->len, MSG_NOSIGNAL) < 0 &&
	    errno == ECONNREFUSED &&
	    send(p->fd, e->msg, e->len, MSG_NOSIGNAL) < 0)
		return -errno;
	if (e->ask.sends++ == PROGRAM_SENDS)
		return -ETIMEDOUT;
	return loop_timer(p->loop, &e->ask.timer, PROGRAM_AGAIN_MS,
			  errand_again);
}

static void errand_again(struct timer *t)
{
	struct errand *e = container_of(t, struct errand, ask.timer);

	if (errand_send(e) < 0)
		errand_fail(e);
}

static struct errand *errand_new(struct program *p, const struct dns_query *q,
				 const struct asker *who, const void *msg,
				 size_t len)
{
	struct errand *e = p->ids.count < NAMES_INFLIGHT
				   ? calloc(1, sizeof(*e) + len)
				   : NULL;

	if (!e)
		return NULL;
	if (ask_ids_add(&p->ids, &e->ask) < 0) {
		free(e);
		return NULL;
	}
	e->p = p;
	e->who = *who;
	e->q = *q;
	e->len = len;
	memcpy(e->msg, msg, len);
	e->msg[0] = (uint8_t)(e->ask.id >> 8);
	e->msg[1] = (uint8_t)e->ask.id;
	list_add_tail(&p->asks, &e->ask.node);
	return e;
}

void program_query(struct program *p, const struct dns_query *q,
		   const struct asker *who, const void *msg, size_t len)
{
	struct errand *e =
		p->fd >= 0 && who->kind != ASKER_STREAM && len <= DNS_UDP_MAX
			? errand_new(p, q, who, msg, len)
			: NULL;

	if (!e)
		program_refuse(p, q, who);
	else if (errand_send(e) < 0)
		errand_fail(e);
}
