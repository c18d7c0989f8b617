// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * udp_ask.c - ask by UDP: send, send again, take the right answer
 *
 * An answer counts when it comes from the upstream's address with an id that
 * is under way and its very question; anything else is passed over, and the
 * wait goes on.
 */
#include "names/udp_ask.h"

#include <errno.h>

#include "base/bytes.h"

#define CROWDED_MS 100 /* the outlet's queue was full */

static void udp_ask_detach(struct udp_ask *u, struct ask *a);

/** udp_ask_fail() - Tell all that are under way; they may ask anew */
static void udp_ask_fail(struct udp_ask *u, int err)
{
	struct list now;

	if (list_empty(&u->asks))
		return;
	list_init(&now);
	while (!list_empty(&u->asks)) {
		struct list *n = u->asks.next;

		list_del(n);
		list_add_tail(&now, n);
	}
	while (!list_empty(&now)) {
		struct ask *a = container_of(now.next, struct ask, node);

		udp_ask_detach(u, a);
		a->fn(a, err, NULL, 0, NULL);
	}
}

static void on_datagram(struct outlet_user *user, const struct dest *from,
			const void *data, size_t len)
{
	struct udp_ask *u = container_of(user, struct udp_ask, user);
	struct rd r = rd_of(data, len);
	struct ask *a = ask_ids_find(&u->ids, rd_be16(&r));
	struct dns_verdict v;

	if (!a || r.ran_out || from->name[0] != '\0' ||
	    !addr_equal(&from->addr, &u->addr) ||
	    dns_upstream_check(data, len, a->q, &v) < 0)
		return;
	udp_ask_detach(u, a);
	if (v.is_cut)
		a->fn(a, -EMSGSIZE, NULL, 0, NULL);
	else
		a->fn(a, 0, data, len, &v);
}

static void on_refused(struct outlet_user *user, const struct addr *to, int err,
		       size_t len)
{
	(void)to;
	(void)len;
	udp_ask_fail(container_of(user, struct udp_ask, user), err);
}

static void on_closed(struct outlet_user *user, int err)
{
	struct udp_ask *u = container_of(user, struct udp_ask, user);

	outlet_close(u->outlet);
	u->outlet = NULL;
	u->down_until_ms = u->loop->now_ms + UDP_ASK_DOWN_MS;
	udp_ask_fail(u, err);
}

static void on_idle(struct timer *t)
{
	struct udp_ask *u = container_of(t, struct udp_ask, idle);

	if (!list_empty(&u->asks))
		return;
	outlet_close(u->outlet);
	u->outlet = NULL;
}

void udp_ask_init(struct udp_ask *u, struct way *way, const struct addr *addr)
{
	*u = (struct udp_ask){
		.user = { on_datagram, on_refused, on_closed },
		.loop = way->loop,
		.way = way,
		.addr = *addr,
	};
	list_init(&u->asks);
}

void udp_ask_fini(struct udp_ask *u)
{
	while (!list_empty(&u->asks))
		udp_ask_detach(u, container_of(u->asks.next, struct ask, node));
	loop_untimer(u->loop, &u->idle);
	outlet_close(u->outlet);
	u->outlet = NULL;
}

static void udp_ask_detach(struct udp_ask *u, struct ask *a)
{
	ask_ids_del(&u->ids, a);
	list_del(&a->node);
	loop_untimer(u->loop, &a->timer);
	a->by = NULL;
	/* Without a timer the outlet merely stays open. */
	if (list_empty(&u->asks))
		(void)loop_timer(u->loop, &u->idle, UDP_ASK_IDLE_MS, on_idle);
}

static void on_again(struct timer *t);

/** udp_ask_send() - Send once, and plan to do it again */
static int udp_ask_send(struct udp_ask *u, struct ask *a)
{
	const struct dest to = { .addr = u->addr };
	uint64_t wait_ms = UDP_ASK_AGAIN_MS;
	uint8_t buf[DNS_QUERY_ROOM];
	struct wr w = wr_of(buf, sizeof(buf));
	int rc;

	dns_query_put(&w, a->id, a->q);
	rc = outlet_send(u->outlet, &to, buf, wr_used(&w));
	if (rc == -ENOBUFS)
		wait_ms = CROWDED_MS;
	else if (rc < 0)
		return rc;
	else if (++a->sends == UDP_ASK_SENDS)
		return 0;
	return loop_timer(u->loop, &a->timer, wait_ms, on_again);
}

static void on_again(struct timer *t)
{
	struct ask *a = container_of(t, struct ask, timer);
	struct udp_ask *u = a->by;
	const int rc = udp_ask_send(u, a);

	if (rc == 0)
		return;
	udp_ask_detach(u, a);
	a->fn(a, rc, NULL, 0, NULL);
}

int udp_ask_start(struct udp_ask *u, struct ask *a)
{
	int rc;

	if (!way_has_udp(u->way) || u->loop->now_ms < u->down_until_ms)
		return -EOPNOTSUPP;
	if (!u->outlet) {
		rc = outlet_open(u->way, &u->user, &u->outlet);
		if (rc < 0)
			return rc;
	}
	rc = ask_ids_add(&u->ids, a);
	if (rc < 0)
		return rc;
	loop_untimer(u->loop, &u->idle);
	list_add_tail(&u->asks, &a->node);
	a->by = u;
	a->sends = 0;
	rc = udp_ask_send(u, a);
	if (rc < 0)
		udp_ask_detach(u, a);
	return rc;
}

void udp_ask_forget(struct udp_ask *u, struct ask *a)
{
	udp_ask_detach(u, a);
}
