// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_http_talk.c - a forwarded request and the beginning of its answer
 *
 * Enter with http_talk() when the rewritten head lies in the lane to the proxy.
 * It is followed by just as many octets as its body has. The answer's head is
 * read, too, since it must say that the connection ends. Leave when all of the
 * request and the head of the answer have gone: nothing unread can follow.
 */
#include "flow/relay_http_own.h"

#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

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
	r->is_torn = true;
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
	if (!r->is_answered)
		return err < 0 ? err : -ECONNRESET;
	/* A program that still asks would be told of a reset, and not read. */
	r->is_torn |= err < 0;
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
	return r->body.state == HTTP_BODY_OVER && r->up->len == 0 &&
	       !r->is_torn;
}

/** http_has_asked() - Is the rest a relay's? */
static bool http_has_asked(const struct relay_http *r)
{
	return r->is_answered && r->down->len == 0 && http_is_said(r);
}

static void http_relayed(void *ctx, int err)
{
	struct relay_http *r = ctx;

	r->relay = NULL;
	http_end(r, err);
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

int http_talk(struct relay_http *r)
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
