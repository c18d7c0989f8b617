/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * tcp_ask.h - ask an upstream by TCP, through the way out
 *
 * Connections are kept and pipelined (RFC 7766). What was under way on one
 * that is lost is asked once more on the next; a connection that answered at
 * least one question gives the others another chance, so that a server that
 * closes after each answer is coped with.
 */
#include "dial/dial.h"
#include "names/ask.h"

#define TCP_ASK_CONNS	2
#define TCP_ASK_CROWD	64 /* asks on one connection before a second */
#define TCP_ASK_IDLE_MS 15000

struct tcp_ask;

/**
 * enum tcp_ask_state - what a connection waits for
 *
 * TCP_ASK_CLOSED:   nothing; only @up is alive
 * TCP_ASK_DIALLING: the way out; @dial is alive. dial.h sets its deadline
 * TCP_ASK_OPEN:     answers; or its end, while there is nothing to ask
 */
enum tcp_ask_state {
	TCP_ASK_CLOSED,
	TCP_ASK_DIALLING,
	TCP_ASK_OPEN,
};

/**
 * struct tcp_ask_conn - a connection
 * @unsent, @sent:  Asks, by whether they have been put into @out
 * @has_answered:   Since it was opened
 * @heard_ms:       When octets last came
 * @out:            Queries: from @out_at to @out_len they are yet to write
 * @in:             Begun answer: @in_len octets; grows up to one message
 */
struct tcp_ask_conn {
	struct tcp_ask *up;
	enum tcp_ask_state state;
	struct dial *dial;
	struct stream s;
	struct watch watch;
	struct timer idle;
	struct task task;
	struct list unsent;
	struct list sent;
	struct ask_ids ids;
	bool has_answered;
	uint64_t heard_ms;
	size_t out_at;
	size_t out_len;
	uint8_t out[2048];
	uint8_t *in;
	size_t in_len;
	size_t in_room;
};

/** struct tcp_ask - one upstream */
struct tcp_ask {
	struct loop *loop;
	struct way *way;
	struct addr addr;
	struct tcp_ask_conn conn[TCP_ASK_CONNS];
};

/** tcp_ask_init() - @way is borrowed */
void tcp_ask_init(struct tcp_ask *t, struct way *way, const struct addr *addr);
/** tcp_ask_fini() - Asks under way are let go; they are not told */
void tcp_ask_fini(struct tcp_ask *t);

/** tcp_ask_start() - Ask. Return: 0, or -errno: @a->fn is not called then */
int tcp_ask_start(struct tcp_ask *t, struct ask *a);

/**
 * tcp_ask_forget() - Do not wait any more
 * @a:         @a->by is a connection of an upstream
 * @is_late:   The patience ran out: if nothing at all has come since it was
 *             asked, the connection is given up. Other asks may be told so
 */
void tcp_ask_forget(struct ask *a, bool is_late);
