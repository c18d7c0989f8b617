// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_talk.c - the talks with the hops, one after the other
 *
 * Enter with dial_talk_begin() when a hop is reached. Not one octet behind a
 * hop's answer is read: what follows belongs to the next hop or to the far
 * end, and a relay may want to splice it. What surely belongs to the answer is
 * taken at once, so that an answer in pieces does not wake us for the same
 * octets twice.
 */
#include "dial/dial_own.h"

#include <errno.h>
#include <string.h>

_Static_assert(DIAL_AT_HELLO + GREET_REQUEST == DIAL_AT_REQUEST,
	       "talking states follow the steps of greet.h");

static enum greet_step dial_talk_at(const struct dial *d)
{
	return (enum greet_step)(d->state - DIAL_AT_HELLO);
}

/* Whom the current hop shall reach */
static void dial_talk_target(const struct dial *d, struct dest *ret)
{
	const struct hop *next;

	if (dial_is_last(d)) {
		*ret = d->to;
		return;
	}
	next = dial_hop(d) + 1;
	*ret = (struct dest){ 0 };
	if (!addr_parse_ip(next->host, &ret->addr))
		memcpy(ret->name, next->host, sizeof(ret->name));
	ret->addr.port = next->port;
}

/* The current hop will not lead to the next one. */
static void dial_talk_blocked(struct dial *d, const char *why)
{
	dial_blame(d, WAY_NEXT, "could not reach hop %u %s: %s",
		   d->hop - way_first(d->way) + 2, dial_hop(d)[1].label, why);
	dial_end(d, -EHOSTUNREACH);
}

/* The answer to a step is next. */
static void dial_talk_await(struct dial *d, enum greet_step step)
{
	d->in_len = 0;
	dial_enter(d, (enum dial_state)(DIAL_AT_HELLO + step));
}

/* Is the request sent with what comes before it? */
static bool dial_talk_is_joined(const struct dial *d, enum greet_step step)
{
	return dial_hop(d)->eager &&
	       (d->goal != DIAL_SPARE || !dial_is_last(d)) &&
	       greet_next(dial_hop(d), step) == GREET_REQUEST;
}

/* What is said at a step, and the request if that is joined to it. */
static int dial_talk_put(const struct dial *d, enum greet_step step,
			 struct wr *w)
{
	const enum dial_goal goal = dial_is_last(d) ? d->goal : DIAL_CONNECT;
	const struct hop *h = dial_hop(d);
	struct dest to;
	int rc;

	dial_talk_target(d, &to);
	rc = greet_put(h, step, goal, &to, w);
	if (rc == 0 && dial_talk_is_joined(d, step))
		rc = greet_put(h, GREET_REQUEST, goal, &to, w);
	return rc;
}

static void dial_talk_say(struct dial *d, enum greet_step step)
{
	struct wr w = wr_of(d->out, sizeof(d->out));
	int rc;

	if (d->goal == DIAL_SPARE && dial_is_last(d) && step == GREET_REQUEST) {
		dial_spare_ready(d);
		return;
	}
	rc = dial_talk_put(d, step, &w);
	if (rc < 0 && !dial_is_last(d)) {
		dial_talk_blocked(d, "its protocol has no word for that");
		return;
	}
	if (rc == -EAFNOSUPPORT) {
		dial_end(d, rc);
		return;
	}
	if (rc < 0) {
		dial_blame(d, WAY_LOGIN,
			   "cannot be told this user name, "
			   "password or destination");
		dial_end(d, -EIO);
		return;
	}
	d->out_len = wr_used(&w);
	d->out_sent = 0;
	dial_talk_await(d, step);
}

/* The hop agrees to a step: say the next, unless that has been said. */
static void dial_talk_go_on(struct dial *d, enum greet_step next)
{
	if (dial_talk_is_joined(d, dial_talk_at(d)))
		dial_talk_await(d, next);
	else
		dial_talk_say(d, next);
}

/** dial_talk_greet() - The current hop can be spoken to: go on from a step, or
 * leave that to whoever forwards requests */
static void dial_talk_greet(struct dial *d, enum greet_step step)
{
	if (dial_is_last(d) && d->goal == DIAL_CONNECT &&
	    way_forwards(d->way, &d->to))
		dial_end(d, 0);
	else
		dial_talk_say(d, step);
}

void dial_talk_begin(struct dial *d)
{
	const struct hop *h = dial_hop(d);
	int rc;

	d->greet_due = d->way->loop->now_ms + DIAL_GREET_MS;
	if (d->greet_due > d->total_due)
		d->greet_due = d->total_due;
	if (h->kind != HOP_HTTPS) {
		dial_talk_greet(d, greet_first(h));
		return;
	}
	rc = stream_tls_start(&d->stream, d->way->tls, h->host, h->insecure);
	if (rc < 0)
		dial_end(d, rc);
	else
		dial_enter(d, DIAL_AT_TLS);
}

static int dial_talk_tls(struct dial *d)
{
	const char *why = "";
	const int rc = stream_tls_handshake(&d->stream, &why);

	if (rc == -EAGAIN)
		return rc;
	if (rc == 0) {
		dial_talk_greet(d, greet_first(dial_hop(d)));
		return 0;
	}
	dial_blame(d, WAY_TLS,
		   rc == -EKEYREJECTED ? "its certificate is not trusted: %s"
				       : "TLS failed: %s",
		   why);
	dial_end(d, -EIO);
	return 0;
}

/** dial_talk_anew() - The spare was dead: walk the way from its start */
static void dial_talk_anew(struct dial *d)
{
	d->is_spare = false;
	d->hop = way_first(d->way);
	d->addr_next = 0;
	dial_reach_begin(d);
}

static void dial_talk_lost(struct dial *d)
{
	if (d->is_spare && d->in_len == 0) {
		dial_talk_anew(d);
		return;
	}
	dial_blame(d, WAY_GARBAGE, "hung up before it answered");
	dial_end(d, -EIO);
}

static void dial_talk_garbage(struct dial *d)
{
	dial_blame(d, WAY_GARBAGE, "answered with garbage");
	dial_end(d, -EIO);
}

static void dial_talk_answered(struct dial *d, const struct greet_answer *a)
{
	const enum greet_step next = greet_next(dial_hop(d), dial_talk_at(d));

	if (d->found && dial_is_last(d) && d->state == DIAL_AT_REQUEST)
		*d->found = (struct dial_found){
			.is_heard = true,
			.code = (uint8_t)a->code,
			.dest = a->bound,
		};
	if (a->err == 0 && next != GREET_OVER) {
		dial_talk_go_on(d, next);
	} else if (a->err == 0 && !dial_is_last(d)) {
		d->hop++;
		dial_talk_begin(d);
	} else if (a->err == 0) {
		d->bound = a->bound.addr;
		dial_end(d, 0);
	} else if (a->is_login) {
		dial_blame(d, WAY_LOGIN, "%s", a->phrase);
		dial_end(d, a->err);
	} else if (!dial_is_last(d)) {
		dial_talk_blocked(d, a->phrase);
	} else {
		log_debug("hop %s answered: %s", dial_hop(d)->label, a->phrase);
		dial_end(d, a->err);
	}
}

/* How many octets in the stream surely belong to the answer: > 0, 0 at the
 * end of the stream, -EAGAIN, -errno */
static ssize_t dial_talk_ahead(struct dial *d)
{
	const size_t room = sizeof(d->in) - d->in_len;
	struct greet_answer a;
	struct rd r;
	ssize_t n;

	if (room == 0)
		return -EPROTO;
	n = stream_peek(&d->stream, d->in + d->in_len, room);
	if (n <= 0)
		return n;
	r = rd_of(d->in, d->in_len + (size_t)n);
	if (greet_get(dial_hop(d), dial_talk_at(d), &r, &a) == 0)
		n -= (ssize_t)rd_left(&r);
	return n;
}

/* Take more of the answer: > 0, 0 at the end of the stream, -EAGAIN, -errno */
static ssize_t dial_talk_take(struct dial *d)
{
	size_t want =
		greet_certain(dial_hop(d), dial_talk_at(d), d->in, d->in_len);
	ssize_t n;

	if (want == 0) {
		n = dial_talk_ahead(d);
		if (n <= 0)
			return n;
		want = (size_t)n;
	}
	n = stream_read(&d->stream, d->in + d->in_len, want);
	if (n > 0)
		d->in_len += (size_t)n;
	return n;
}

static int dial_talk_hear(struct dial *d)
{
	const ssize_t n = dial_talk_take(d);
	struct rd r = rd_of(d->in, d->in_len);
	struct greet_answer a;
	int rc;

	if (n == -EAGAIN)
		return -EAGAIN;
	if (n == -EPROTO) {
		dial_talk_garbage(d);
		return 0;
	}
	if (n <= 0) {
		dial_talk_lost(d);
		return 0;
	}
	rc = greet_get(dial_hop(d), dial_talk_at(d), &r, &a);
	if (rc == 0)
		dial_talk_answered(d, &a);
	else if (rc != -EAGAIN)
		dial_talk_garbage(d);
	return 0;
}

/* Return: 0 when all is said, -EAGAIN to wait, -ECONNRESET when it was in vain
 */
static int dial_talk_flush(struct dial *d)
{
	while (d->out_sent < d->out_len) {
		const ssize_t n = stream_write(&d->stream, d->out + d->out_sent,
					       d->out_len - d->out_sent);

		if (n == -EAGAIN)
			return -EAGAIN;
		if (n < 0) {
			dial_talk_lost(d);
			return -ECONNRESET;
		}
		d->out_sent += (size_t)n;
	}
	return 0;
}

void dial_talk_resume(struct dial *d)
{
	dial_talk_greet(d, GREET_REQUEST);
	if (d->state == DIAL_AT_REQUEST)
		(void)dial_talk_flush(d); /* what is left has its event */
}

int dial_talk_step(struct dial *d)
{
	int rc;

	if (d->state < DIAL_AT_TLS)
		return -EAGAIN;
	if (d->state == DIAL_AT_TLS)
		return dial_talk_tls(d);
	if (d->state == DIAL_AT_READY)
		return dial_spare_hear(d);
	rc = dial_talk_flush(d);
	if (rc == 0)
		return dial_talk_hear(d);
	return rc == -EAGAIN ? rc : 0;
}

void dial_talk_timeout(struct dial *d)
{
	const bool is_far =
		d->state == DIAL_AT_REQUEST && d->goal != DIAL_ASSOCIATE;

	if (is_far && dial_hop(d)->eager)
		dial_blame(d, WAY_SILENT,
			   "has not answered; it may want to be asked without "
			   "'?eager'");
	if (is_far && dial_is_last(d)) {
		dial_end(d, -ETIMEDOUT);
	} else if (is_far && !dial_is_last(d)) {
		dial_talk_blocked(d, "no answer in time");
	} else {
		dial_blame(d, WAY_SILENT, "is connected but does not answer");
		dial_end(d, -EHOSTUNREACH);
	}
}
