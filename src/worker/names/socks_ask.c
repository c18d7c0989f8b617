// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks_ask.c - have the last proxy look names up, as Tor can
 *
 * A look begins in socks_ask_start(), waits for its turn, is dialled, and ends
 * in look_end(), which tells all who wait; what the proxy found is kept for a
 * while. Who asks for what is known already is told from a task.
 */
#include "names/socks_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "names/special.h"
#include "wire/socks5.h"

#define LOOKS_START 64

_Static_assert(SOCKS_ASK_KNOWN_S <= DNS_TTL_OWN,
	       "answers are written with that TTL, and it is lowered");

/**
 * enum look_state - what a look waits for
 *
 * LOOK_QUEUED: a connection; in @queued
 * LOOK_ASKED:  the proxy; @dial is alive and has a deadline
 * LOOK_KNOWN:  its end at @until_ms, or eviction; in @known, @found is valid
 */
enum look_state {
	LOOK_QUEUED,
	LOOK_ASKED,
	LOOK_KNOWN,
};

/**
 * struct look - one thing to look up
 * @about:      A name, or an address
 * @place:      In the list of its state; unlinked when LOOK_ASKED
 * @is_told:    Its asks are being told: it must stay
 * @asks:       Who waits
 */
struct look {
	struct map_node node;
	struct socks_ask *s;
	enum look_state state;
	enum dial_goal goal;
	struct dest about;
	struct list place;
	struct dial *dial;
	struct dial_found found;
	uint64_t until_ms;
	bool is_told;
	struct task task;
	struct list asks;
};

int socks_ask_init(struct socks_ask *s, struct way *way)
{
	*s = (struct socks_ask){ .loop = way->loop, .way = way };
	list_init(&s->queued);
	list_init(&s->known);
	return map_init(&s->looks, LOOKS_START);
}

/** look_free() - Its asks are let go */
static void look_free(struct look *l)
{
	struct socks_ask *s = l->s;

	while (!list_empty(&l->asks))
		socks_ask_forget(container_of(l->asks.next, struct ask, node));
	loop_undefer(s->loop, &l->task);
	if (l->dial) {
		dial_cancel(l->dial);
		s->dials--;
	}
	list_del(&l->place);
	map_del(&s->looks, &l->node);
	s->count--;
	free(l);
}

void socks_ask_fini(struct socks_ask *s)
{
	for (size_t i = 0; s->looks.bucket && i <= s->looks.mask; i++)
		while (s->looks.bucket[i])
			look_free(container_of(s->looks.bucket[i], struct look,
					       node));
	map_fini(&s->looks);
}

/* ------------------------------------------------------------- answers -- */

static enum dns_rcode look_rcode(const struct look *l)
{
	if (l->found.code == SOCKS5_HOST_UNREACHABLE)
		return DNS_NXDOMAIN;
	/* A success without what was asked for is none. */
	if (l->found.code != SOCKS5_OK ||
	    (l->goal == DIAL_REVERSE ? l->found.dest.name[0] == '\0'
				     : l->found.dest.addr.family == AF_UNSPEC))
		return DNS_SERVFAIL;
	return DNS_NOERROR;
}

/** look_record() - Add what was found, if it is of the kind that was asked */
static void look_record(const struct look *l, struct dns_answer *a)
{
	const struct addr *found = &l->found.dest.addr;
	const int family = a->q_ref->type == DNS_A ? AF_INET : AF_INET6;
	struct dns_name name;

	if (l->goal == DIAL_RESOLVE && found->family == family)
		dns_answer_addr(a, found);
	if (l->goal == DIAL_REVERSE &&
	    dns_name_of_text(l->found.dest.name, &name))
		dns_answer_ptr(a, &name);
}

/** look_tell() - Answer an ask, as a DNS server would */
static void look_tell(struct look *l, struct ask *a)
{
	const uint64_t now_ms = l->s->loop->now_ms;
	const enum dns_rcode rcode = look_rcode(l);
	struct dns_verdict v = { .rcode = rcode };
	struct dns_query bare = *a->q;
	uint8_t msg[2 * DNS_QUERY_ROOM + DNS_NAME_ROOM];
	uint8_t aged[sizeof(msg)];
	struct dns_answer answer;
	size_t len;

	bare.has_opt = false; /* which is each client's own */
	dns_answer_begin(&answer, msg, sizeof(msg), &bare);
	if (rcode == DNS_NOERROR)
		look_record(l, &answer);
	if (answer.answers == 0 && rcode != DNS_SERVFAIL)
		dns_answer_soa(&answer);
	len = dns_answer_end(&answer, rcode);
	if (l->until_ms > now_ms)
		v.ttl_s = (uint32_t)((l->until_ms - now_ms) / 1000);
	len = dns_upstream_relay(aged, sizeof(aged), &bare, msg, len,
				 DNS_TTL_OWN - v.ttl_s);
	a->fn(a, 0, aged, len, &v);
}

/** look_tell_all() - Those who wait hear @err, or what was found */
static void look_tell_all(struct look *l, int err)
{
	l->is_told = true;
	while (!list_empty(&l->asks)) {
		struct ask *a = container_of(l->asks.next, struct ask, node);

		socks_ask_forget(a);
		if (err == 0)
			look_tell(l, a);
		else
			a->fn(a, err, NULL, 0, NULL);
	}
	l->is_told = false;
}

static void on_known(struct task *t)
{
	look_tell_all(container_of(t, struct look, task), 0);
}

/* ---------------------------------------------------------- life of one -- */

static void socks_ask_next(struct socks_ask *s);

static void look_warn(struct socks_ask *s)
{
	if (s->has_warned)
		return;
	s->has_warned = true;
	log_warn("names: %s does not know Tor's RESOLVE, so that no name is "
		 "found; -d fake hands it names as they are",
		 s->way->hop[s->way->count - 1].label);
}

/** look_end() - The dial is over */
static void look_end(void *ctx, int err, struct stream stream,
		     const struct addr *bound)
{
	struct look *l = ctx;
	struct socks_ask *s = l->s;
	unsigned int keep_s = 0;

	(void)bound;
	stream_close(&stream);
	l->dial = NULL;
	s->dials--;
	if (l->found.is_heard) {
		err = 0;
		if (l->found.code == SOCKS5_BAD_COMMAND)
			look_warn(s);
		if (look_rcode(l) == DNS_NOERROR)
			keep_s = SOCKS_ASK_KNOWN_S;
		else if (look_rcode(l) == DNS_NXDOMAIN)
			keep_s = SOCKS_ASK_ABSENT_S;
	}
	l->state = LOOK_KNOWN;
	l->until_ms = s->loop->now_ms + keep_s * 1000;
	list_add_tail(&s->known, &l->place);
	look_tell_all(l, err);
	if (keep_s == 0)
		look_free(l);
	socks_ask_next(s);
}

/** look_dial() - Return: 0 or -errno */
static int look_dial(struct look *l)
{
	struct socks_ask *s = l->s;
	const int rc = dial_look_up(s->way, l->goal, &l->about, &l->found,
				    look_end, l, &l->dial);

	if (rc < 0)
		return rc;
	l->state = LOOK_ASKED;
	list_del(&l->place);
	s->dials++;
	return 0;
}

/** socks_ask_next() - Dial those whose turn it is */
static void socks_ask_next(struct socks_ask *s)
{
	while (s->dials < SOCKS_ASK_DIALS && !list_empty(&s->queued)) {
		struct look *l =
			container_of(s->queued.next, struct look, place);
		int rc;

		/* Nobody waits any more. */
		if (list_empty(&l->asks)) {
			look_free(l);
			continue;
		}
		rc = look_dial(l);
		if (rc == 0)
			continue;
		look_tell_all(l, rc);
		look_free(l);
	}
}

/* -------------------------------------------------------------- asking -- */

/** look_about() - What a question is about. Return: whether it can be asked */
static bool look_about(const struct dns_query *q, enum dial_goal *goal,
		       struct dest *ret)
{
	struct dest about = { 0 };
	struct reverse r;

	if (q->type == DNS_PTR) {
		r = special_reverse(&q->name);
		about.addr = r.addr;
		*goal = DIAL_REVERSE;
		*ret = about;
		return r.is_whole;
	}
	*goal = DIAL_RESOLVE;
	if (!dns_name_text(&q->name, about.name))
		return false;
	*ret = about;
	return q->type == DNS_A || q->type == DNS_AAAA;
}

static bool look_is(const struct look *l, enum dial_goal goal,
		    const struct dest *about)
{
	return l->goal == goal && !strcmp(l->about.name, about->name) &&
	       addr_equal(&l->about.addr, &about->addr);
}

/** socks_ask_room() - May there be one more? Lets the oldest known go */
static bool socks_ask_room(struct socks_ask *s)
{
	struct list *n;

	if (s->count < SOCKS_ASK_LOOKS)
		return true;
	list_each (n, &s->known) {
		struct look *l = container_of(n, struct look, place);

		if (l->is_told || !list_empty(&l->asks))
			continue;
		look_free(l);
		return true;
	}
	return false;
}

static struct look *look_new(struct socks_ask *s, enum dial_goal goal,
			     const struct dest *about, uint64_t hash)
{
	struct look *l = socks_ask_room(s) ? calloc(1, sizeof(*l)) : NULL;

	if (!l)
		return NULL;
	l->s = s;
	l->goal = goal;
	l->about = *about;
	list_init(&l->asks);
	list_add_tail(&s->queued, &l->place);
	map_put(&s->looks, &l->node, hash);
	map_grow(&s->looks);
	s->count++;
	return l;
}

/** look_find() - One that still holds, or is under way */
static struct look *look_find(struct socks_ask *s, enum dial_goal goal,
			      const struct dest *about, uint64_t hash)
{
	struct map_node *n = map_find(&s->looks, hash);

	for (; n; n = map_again(n)) {
		struct look *l = container_of(n, struct look, node);

		if (!look_is(l, goal, about))
			continue;
		if (l->state != LOOK_KNOWN || l->is_told ||
		    l->until_ms > s->loop->now_ms || !list_empty(&l->asks))
			return l;
		look_free(l);
		return NULL;
	}
	return NULL;
}

int socks_ask_start(struct socks_ask *s, struct ask *a)
{
	enum dial_goal goal;
	struct dest about;
	struct look *l;
	uint64_t hash;

	if (!look_about(a->q, &goal, &about))
		return -EINVAL;
	hash = goal == DIAL_RESOLVE
		       ? map_hash(&s->looks, about.name, strlen(about.name))
		       : map_hash(&s->looks, about.addr.ip,
				  sizeof(about.addr.ip));
	l = look_find(s, goal, &about, hash);
	if (!l)
		l = look_new(s, goal, &about, hash);
	if (!l)
		return -ENOBUFS;
	if (l->state == LOOK_QUEUED && s->dials < SOCKS_ASK_DIALS) {
		const int rc = look_dial(l);

		/* With others it waits for its turn. */
		if (rc < 0 && list_empty(&l->asks)) {
			look_free(l);
			return rc;
		}
	}
	list_add_tail(&l->asks, &a->node);
	a->by = l;
	if (l->state == LOOK_KNOWN)
		loop_defer(s->loop, &l->task, on_known);
	return 0;
}

void socks_ask_forget(struct ask *a)
{
	list_del(&a->node);
	a->by = NULL;
}
