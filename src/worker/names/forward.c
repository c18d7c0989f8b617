// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * forward.c - flights: questions on their way to the upstreams and back
 *
 * A flight begins in forward_query(), goes from server to server in
 * flight_try(), and ends in flight_end(), which answers all who wait for it.
 */
#include "names/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "names/cache.h"
#include "names/lease.h"
#include "names/names.h"
#include "names/upstream.h"

#define FLIGHTS_START 64
#define WARN_GAP_MS   5000

/** struct waiter - a client's query that a flight will answer */
struct waiter {
	struct list node;
	struct dns_query q;
	struct asker who;
	size_t room;
};

/**
 * struct flight - a question under way
 * @q:        That of the first who asked
 * @attempt:  Which of forward_attempt() is under way
 * @rcode:    Of the last server that said no; to be told if no other helps
 * @was_heard: A server answered, if only to say no
 * @timer:    Ends the attempt, or everything at @due_ms
 */
struct flight {
	struct map_node node;
	struct forward *f;
	struct upstream_ask ask;
	struct cache_key key;
	struct dns_query q;
	unsigned int attempt;
	enum dns_rcode rcode;
	bool was_heard;
	struct timer timer;
	uint64_t due_ms;
	struct list waiters;
};

/**
 * struct forward - all flights of a sandbox
 * @here:     The way to servers on the host's loopback
 * @patience_ms:  With all servers together
 * @waiting:  Clients' queries under way, NAMES_INFLIGHT at most
 * @out:      Room for one answer
 */
struct forward {
	struct loop *loop;
	forward_fn *fn;
	void *ctx;
	struct cache cache;
	struct map flights;
	struct way here;
	uint64_t patience_ms;
	unsigned int waiting;
	unsigned int server_count;
	struct upstream server[PLAN_SERVERS];
	struct log_gate warned;
	uint8_t out[DNS_MESSAGE_MAX];
};

/** forward_upstreams() - Whom to ask. Return: 0 or -ENOMEM */
static int forward_upstreams(struct forward *f, struct way *way,
			     const struct plan *p)
{
	f->patience_ms = FORWARD_MS;
	way_init_here(&f->here, way->loop);
	f->here.connector = way->connector;
	for (; f->server_count < p->server_count; f->server_count++) {
		const struct plan_server *s = &p->server[f->server_count];

		upstream_init(&f->server[f->server_count],
			      s->is_here ? &f->here : way, s);
	}
	if (p->names != NAMES_RESOLVE)
		return 0;
	f->patience_ms = FORWARD_SOCKS_MS;
	return upstream_init_socks(&f->server[f->server_count++], way);
}

int forward_new(struct way *way, const struct plan *p, forward_fn *fn,
		void *ctx, struct forward **ret)
{
	struct forward *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->loop = way->loop;
	f->fn = fn;
	f->ctx = ctx;
	if (forward_upstreams(f, way, p) < 0 || cache_init(&f->cache) < 0 ||
	    map_init(&f->flights, FLIGHTS_START) < 0) {
		forward_free(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

/** flight_free() - Let go of a flight and of who waits for it */
static void flight_free(struct flight *fl)
{
	upstream_forget(&fl->ask, false);
	loop_untimer(fl->f->loop, &fl->timer);
	while (!list_empty(&fl->waiters)) {
		struct waiter *wt =
			container_of(fl->waiters.next, struct waiter, node);

		list_del(&wt->node);
		free(wt);
		fl->f->waiting--;
	}
	free(fl);
}

void forward_free(struct forward *f)
{
	if (!f)
		return;
	for (size_t i = 0; f->flights.bucket && i <= f->flights.mask; i++)
		while (f->flights.bucket[i]) {
			struct map_node *n = f->flights.bucket[i];

			map_del(&f->flights, n);
			flight_free(container_of(n, struct flight, node));
		}
	for (unsigned int i = 0; i < f->server_count; i++)
		upstream_fini(&f->server[i]);
	map_fini(&f->flights);
	cache_fini(&f->cache);
	free(f);
}

/** flight_end() - Answer all who wait
 * @msg, @len:  Checked and stripped answer */
static void flight_end(struct flight *fl, const void *msg, size_t len,
		       uint32_t ttl_s)
{
	struct forward *f = fl->f;
	struct list *n;

	/* First of all out of the map: answers may bring new queries. */
	map_del(&f->flights, &fl->node);
	cache_put(&f->cache, &fl->key, msg, len, ttl_s, f->loop->now_ms);
	list_each (n, &fl->waiters) {
		struct waiter *wt = container_of(n, struct waiter, node);
		const size_t size = dns_upstream_relay(f->out, wt->room, &wt->q,
						       msg, len, 0);

		if (size > 0)
			f->fn(f->ctx, &wt->who, f->out, size);
	}
	flight_free(fl);
}

static void flight_fail(struct flight *fl)
{
	struct forward *f = fl->f;
	uint8_t msg[DNS_QUERY_ROOM];
	struct dns_query bare = fl->q;
	size_t len;

	if (!fl->was_heard && log_may(&f->warned, f->loop->now_ms, WARN_GAP_MS))
		log_warn("names: no upstream answered; the program was told "
			 "that the look-up failed");
	bare.has_opt = false; /* which is each client's own */
	len = dns_error(msg, sizeof(msg), &bare, fl->rcode);
	flight_end(fl, msg, len, FORWARD_FAIL_S);
}

/** forward_attempt() - The @n-th server to ask: each once, then those of UDP
 * once more by TCP
 * Return: NULL when there is none */
static struct upstream *forward_attempt(struct forward *f, unsigned int n,
					bool *ret_by_tcp)
{
	*ret_by_tcp = n >= f->server_count;
	if (n < f->server_count)
		return &f->server[n];
	for (unsigned int i = 0; i < f->server_count; i++)
		if (!f->server[i].is_tcp && n-- == f->server_count)
			return &f->server[i];
	return NULL;
}

static void on_patience(struct timer *t);

/** flight_try() - Ask the next server that can be asked, or give up */
static void flight_try(struct flight *fl)
{
	struct forward *f = fl->f;
	const uint64_t now_ms = f->loop->now_ms;
	const uint64_t left_ms = fl->due_ms > now_ms ? fl->due_ms - now_ms : 0;
	struct upstream *u;
	bool by_tcp;

	while (left_ms > 0) {
		u = forward_attempt(f, fl->attempt, &by_tcp);
		if (!u)
			break;
		if (upstream_start(u, &fl->ask, by_tcp) == 0 &&
		    loop_timer(f->loop, &fl->timer,
			       left_ms < FORWARD_TRY_MS ? left_ms
							: FORWARD_TRY_MS,
			       on_patience) == 0)
			return;
		upstream_forget(&fl->ask, false);
		fl->attempt++;
	}
	flight_fail(fl);
}

static void on_patience(struct timer *t)
{
	struct flight *fl = container_of(t, struct flight, timer);
	struct loop *loop = fl->f->loop;
	bool by_tcp;

	/* Without another server there is no hurry. */
	if (loop->now_ms < fl->due_ms &&
	    !forward_attempt(fl->f, fl->attempt + 1, &by_tcp) &&
	    loop_timer(loop, t, fl->due_ms - loop->now_ms, on_patience) == 0)
		return;
	upstream_forget(&fl->ask, true);
	fl->attempt++;
	flight_try(fl);
}

/** is_alias() - Would a program mistake this record for a lease? */
static bool is_alias(const struct dns_rr *rr)
{
	struct addr a;

	if (rr->type == DNS_A && rd_left(&rr->data) == 4)
		a = addr_from_ip4(rr->data.at, 0);
	else if (rr->type == DNS_AAAA && rd_left(&rr->data) == 16)
		a = addr_from_ip6(rr->data.at, 0);
	else
		return rr->type == DNS_A || rr->type == DNS_AAAA;
	return lease_is_leasable(&a);
}

/** answer_is_fit() - May a program see these records? */
static bool answer_is_fit(const void *msg, size_t len)
{
	struct dns_walk w;
	struct dns_rr rr;
	int rc;

	if (!dns_walk_begin(msg, len, &w))
		return false;
	while ((rc = dns_walk_next(&w, &rr)) == 1)
		if (is_alias(&rr))
			return false;
	return rc == 0;
}

static void on_answer(struct ask *ask, int err, const void *msg, size_t len,
		      const struct dns_verdict *v)
{
	struct flight *fl = container_of(ask, struct flight, ask.ask);
	auto_free uint8_t *copy = err == 0 ? malloc(len) : NULL;
	size_t copy_len;

	fl->was_heard |= err == 0;
	if (copy && (v->rcode == DNS_NOERROR || v->rcode == DNS_NXDOMAIN) &&
	    answer_is_fit(msg, len) &&
	    dns_upstream_strip(msg, len, copy, &copy_len) == 0) {
		flight_end(fl, copy, copy_len, v->ttl_s);
		return;
	}
	if (err == 0 && (v->rcode == DNS_REFUSED || v->rcode == DNS_NOTIMP))
		fl->rcode = (enum dns_rcode)v->rcode;
	fl->attempt++;
	flight_try(fl);
}

static struct flight *flight_find(const struct forward *f,
				  const struct cache_key *key, uint64_t hash)
{
	struct map_node *n = map_find(&f->flights, hash);

	for (; n; n = map_again(n)) {
		struct flight *fl = container_of(n, struct flight, node);

		if (fl->key.len == key->len &&
		    !memcmp(fl->key.bytes, key->bytes, key->len))
			return fl;
	}
	return NULL;
}

static void refuse(struct forward *f, const struct dns_query *q,
		   const struct asker *who)
{
	uint8_t msg[DNS_QUERY_ROOM];
	const size_t len = dns_error(msg, sizeof(msg), q, DNS_SERVFAIL);

	f->fn(f->ctx, who, msg, len);
}

static struct flight *flight_new(struct forward *f, const struct dns_query *q,
				 const struct cache_key *key, uint64_t hash)
{
	struct flight *fl = calloc(1, sizeof(*fl));

	if (!fl)
		return NULL;
	fl->f = f;
	fl->key = *key;
	fl->q = *q;
	fl->rcode = DNS_SERVFAIL;
	fl->due_ms = f->loop->now_ms + f->patience_ms;
	fl->ask.ask.q = &fl->q;
	fl->ask.fn = on_answer;
	list_init(&fl->waiters);
	map_put(&f->flights, &fl->node, hash);
	return fl;
}

/** flight_join() - Wait for the same question, or begin its flight */
static int flight_join(struct forward *f, const struct cache_key *key,
		       struct waiter *wt)
{
	const uint64_t hash = map_hash(&f->flights, key->bytes, key->len);
	struct flight *fl = flight_find(f, key, hash);
	const bool is_new = !fl;

	if (is_new)
		fl = flight_new(f, &wt->q, key, hash);
	if (!fl)
		return -ENOMEM;
	list_add_tail(&fl->waiters, &wt->node);
	f->waiting++;
	if (is_new)
		flight_try(fl);
	return 0;
}

void forward_query(struct forward *f, const struct dns_query *q,
		   const struct asker *who, size_t room)
{
	const struct cache_key key = cache_key_of(q);
	struct waiter *wt;
	const void *msg;
	size_t len;
	uint32_t age_s;

	if (cache_get(&f->cache, &key, f->loop->now_ms, &msg, &len, &age_s)) {
		len = dns_upstream_relay(f->out, room, q, msg, len, age_s);
		if (len > 0)
			f->fn(f->ctx, who, f->out, len);
		return;
	}
	wt = f->waiting < NAMES_INFLIGHT ? malloc(sizeof(*wt)) : NULL;
	if (!wt) {
		refuse(f, q, who);
		return;
	}
	*wt = (struct waiter){ .q = *q, .who = *who, .room = room };
	list_init(&wt->node);
	if (flight_join(f, &key, wt) < 0) {
		free(wt);
		refuse(f, q, who);
	}
}
