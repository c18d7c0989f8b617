/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * relay_http_own.h - what the two files of a forwarded request share:
 * relay_http.c (its life) and relay_http_talk.c (octets both ways). Nobody else
 * includes this.
 */
#include "flow/relay_http.h"
#include "wire/http_forward.h"

#include <assert.h>

#define HTTP_PIECE 16384 /* of a body, at once */
#define HTTP_TURN  64	 /* pieces, then other flows have their turn */

/**
 * enum http_state - how far a request has come
 * @HTTP_HEARS:   The head comes; RELAY_HTTP_HEAD_MS
 * @HTTP_ASKS:    @up and @down are alive; as long as program and proxy let it;
 *                RELAY_HTTP_LEFT_MS from the program's end on
 * @HTTP_RELAYS:  @relay is alive and owns both sides; may last for ever
 * @HTTP_LEAVES:  No more is said to it; may read what was before we close;
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
 * @is_torn:        The proxy has reset its side: the answer may lack its end
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
	bool is_torn;
};

/** http_enter() - Change the state. Return: 0, or -ENOMEM when there is no
 * deadline to be had for one that needs it */
int http_enter(struct relay_http *r, enum http_state next);

/** http_quiet() - Hear nothing more of either side */
void http_quiet(struct relay_http *r);

/** http_end() - Over: in order with @err 0, else both sides are reset; @r is
 * gone then */
void http_end(struct relay_http *r, int err);

/** http_leave() - No more is said to the program; it may read, while it speaks
 * on, before we close, or reset what is torn. Return: 0 or -errno */
int http_leave(struct relay_http *r);

/** http_reply() - Answer ourselves, if the proxy has said nothing yet. Return:
 * 0 or -errno */
int http_reply(struct relay_http *r, unsigned int status, const char *why);

/** http_warn() - Tell, once a minute, what a program sent */
void http_warn(struct relay_http *r, const char *why);

/** http_eat() - Take octets of the program that were peeked, at most
 * HTTP_PIECE. Return: 0 or -errno */
int http_eat(struct relay_http *r, size_t len);

/** http_talk() - HTTP_ASKS: move what can be moved. Return: 0, -EINPROGRESS to
 * be called again soon, -ECANCELED when @r is gone, or -errno */
int http_talk(struct relay_http *r);
