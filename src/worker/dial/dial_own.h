/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dial_own.h - what the four files of a dial share: dial.c (its life),
 * dial_reach.c (a connection to the first hop), dial_talk.c (the talks with
 * the hops), dial_spare.c (those for nobody). Nobody else includes this.
 */
#include "dial/dial.h"
#include "dial/greet.h"
#include "dial/resolve.h"

/**
 * enum dial_state - what a dial waits for
 *
 * The watch is edge-triggered and asks for both directions at once, so a state
 * changes nothing but the deadline.
 */
enum dial_state {
	DIAL_AT_START,	 /* nothing yet; never waits */
	DIAL_AT_LOOKUP,	 /* addresses of a name; @lookup is alive */
	DIAL_AT_CONNECT, /* a TCP connection; @stream is connecting, or empty
			    while @ask is alive or a full unix listener is
			    given time */
	DIAL_AT_TLS,	 /* the handshake with @hop */
	DIAL_AT_HELLO,	 /* the answer to GREET_HELLO, and so on: */
	DIAL_AT_LOGIN,	 /* @out is on its way or sent, @in has what came */
	DIAL_AT_REQUEST,
	DIAL_AT_READY, /* a spare, and the last hop waits for our request */
	DIAL_AT_END,   /* @task will tell @fn; @err and @bound are the result */
};

/**
 * struct dial - one walk along a way
 * @hop:        Index of the hop that is connected to or spoken with
 * @total_due:  When the dial must be over
 * @reach_due:  When the first connection must stand
 * @try_due:    When the next address has its turn
 * @greet_due:  When @hop must have answered what needs no far end
 * @addr:       Addresses to try: of the first hop, or @hosts
 * @err:        Best reason so far, then the result
 * @ask:        For a socket, from the connector
 * @found:      Of dial_look_up(), else NULL; borrowed
 * @spare_node: In the way's list while @goal is DIAL_SPARE
 * @is_spare:   It was one, and may be dead since
 * @hosts:      What @lookup found
 */
struct dial {
	struct way *way;
	enum dial_state state;
	enum dial_goal goal;
	dial_fn *fn;
	void *ctx;
	unsigned int hop;
	struct stream stream;
	struct watch watch;
	struct timer timer;
	struct task task;
	uint64_t total_due;
	uint64_t reach_due;
	uint64_t try_due;
	uint64_t greet_due;
	struct resolve *lookup;
	struct connector_ask *ask;
	const struct addr *addr;
	unsigned int addr_count;
	unsigned int addr_next;
	int err;
	struct addr bound;
	struct dest to;
	struct dial_found *found;
	struct list spare_node;
	bool is_spare;
	struct addr hosts[RESOLVE_ADDRS];
	size_t out_len;
	size_t out_sent;
	size_t in_len;
	/* Not cleared when a dial is made. */
	uint8_t out[GREET_SAY_MAX];
	uint8_t in[GREET_HEAR_MAX];
};

/* The hop that is connected to or spoken with */
static inline const struct hop *dial_hop(const struct dial *d)
{
	return &d->way->hop[d->hop];
}

/* Does the current hop reach the far end itself? */
static inline bool dial_is_last(const struct dial *d)
{
	return d->hop + 1 == d->way->count;
}

/** dial_new() - One that has not begun and is not counted. Return: 0, -ENOMEM
 */
int dial_new(struct way *w, struct dial **ret);

/** dial_enter() - Change the state and with it the deadline */
void dial_enter(struct dial *d, enum dial_state next);

/** dial_end() - The result is known; @fn hears it at the end of this turn */
void dial_end(struct dial *d, int err);

/** dial_blame() - Warn about the current hop: "hop 1 LABEL: SENTENCE" */
void dial_blame(struct dial *d, enum way_fault kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** dial_reach_begin() - Connect to the first hop, or to the far end */
void dial_reach_begin(struct dial *d);
/** dial_reach_event() - The connecting socket has something to say */
void dial_reach_event(struct dial *d);
/** dial_reach_timeout() - @try_due or @reach_due has come */
void dial_reach_timeout(struct dial *d);

/** dial_talk_begin() - The current hop is reached: greet it */
void dial_talk_begin(struct dial *d);
/** dial_talk_step() - Go on. Return: 0 if a state was left or more may be
 * there, -EAGAIN to wait */
int dial_talk_step(struct dial *d);
/** dial_talk_timeout() - The deadline of TLS or of a talk has come */
void dial_talk_timeout(struct dial *d);
/** dial_talk_resume() - A spare has a destination now: tell the last hop */
void dial_talk_resume(struct dial *d);

/** dial_spare_tend() - A dial was a success: begin a spare if more may come */
void dial_spare_tend(struct way *w);
/** dial_spare_take() - One that is ready and is not a spare any more, or NULL.
 * What it shall do is the caller's to set */
struct dial *dial_spare_take(struct way *w);
/** dial_spare_leave() - Out of the way's list */
void dial_spare_leave(struct dial *d);
/** dial_spare_ready() - The last hop would be told a destination now */
void dial_spare_ready(struct dial *d);
/** dial_spare_hear() - A word before we asked is the end of a spare. Return:
 * as dial_talk_step() */
int dial_spare_hear(struct dial *d);
