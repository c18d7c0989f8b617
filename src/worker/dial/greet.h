/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * greet.h - what is said to a hop, and what its answers mean; no I/O
 */
#include "base/bytes.h"
#include "bus/plan.h"
#include "dial/dial.h"
#include "dial/way.h"

/* Room for anything that greet_put() writes, and for any answer. */
#define GREET_SAY_MAX  2048
#define GREET_HEAR_MAX 8192

/**
 * enum greet_step - the talks with a hop, in order
 *
 * SOCKS5 has two or three of them; the other protocols have the last only.
 */
enum greet_step {
	GREET_HELLO,   /* methods; the answer is a choice */
	GREET_LOGIN,   /* user and password; the answer is a verdict */
	GREET_REQUEST, /* reach this; the answer is yes or why not */
	GREET_OVER,    /* the hop has done what was asked */
};

/**
 * struct greet_answer - what a hop has answered
 * @err:       0, or what it means to connect(2)
 * @is_login:  @err is about our credentials, not about the far end
 * @code:      As sent, for messages: a SOCKS code or an HTTP status
 * @phrase:    One short phrase for @err, static until the next answer
 * @bound:     What the hop bound or found, or AF_UNSPEC and no name
 */
struct greet_answer {
	int err;
	bool is_login;
	unsigned int code;
	const char *phrase;
	struct dest bound;
};

/** greet_first() - The step that talks with this hop begin with */
enum greet_step greet_first(const struct hop *h);

/** greet_next() - The step that follows when the hop agrees to one */
enum greet_step greet_next(const struct hop *h, enum greet_step step);

/**
 * greet_put() - Write what is said at a step
 * @h:     Hop that is spoken with
 * @step:  Not GREET_OVER
 * @goal:  Asked at GREET_REQUEST
 * @to:    Whom the hop shall reach
 * @w:     GREET_SAY_MAX octets of room
 *
 * Return: 0, -EAFNOSUPPORT if the protocol cannot say @to, -EMSGSIZE if @to
 * or the credentials break a limit of it
 */
int greet_put(const struct hop *h, enum greet_step step, enum dial_goal goal,
	      const struct dest *to, struct wr *w);

/**
 * greet_certain() - How many more octets surely belong to the answer
 * @buf, @have:  What has been read of it
 *
 * Return: octets, at least 1; or 0 when only looking ahead can tell
 */
size_t greet_certain(const struct hop *h, enum greet_step step,
		     const uint8_t *buf, size_t have);

/**
 * greet_get() - Understand an answer
 * @r:    From its first octet; stands behind its last one on success
 * @ret:  Result
 *
 * Return: 0, -EAGAIN while there is too little, -EPROTO
 */
int greet_get(const struct hop *h, enum greet_step step, struct rd *r,
	      struct greet_answer *ret);
