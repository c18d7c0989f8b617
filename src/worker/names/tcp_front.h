/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * tcp_front.h - queries from TCP clients, pipelined (RFC 7766)
 *
 * Answers go out in the order in which they are there. A client that does not
 * read its answers is not read from; one that hoards them all the same is
 * closed.
 */
#include "base/loop.h"
#include "names/asker.h"
#include "names/names.h"

#define TCP_FRONT_DOORS	  8
#define TCP_FRONT_WAITING 100	       /* unanswered queries of a client */
#define TCP_FRONT_PAUSE	  (64 * 1024)  /* unread answers: not read from */
#define TCP_FRONT_MAX	  (256 * 1024) /* unread answers: closed */
#define TCP_FRONT_QUERY	  4096	       /* longest query */
#define TCP_FRONT_IDLE_MS 30000

struct client;
struct tcp_front;

/** struct tcp_door - a listener; @fd is owned */
struct tcp_door {
	struct tcp_front *front;
	struct watch watch;
	struct timer pause; /* out of fds: look again later */
	int fd;
};

/** struct tcp_front - listeners and their clients; with @lead, those who come
 * to a listener are its */
struct tcp_front {
	struct loop *loop;
	asker_fn *fn;
	void *ctx;
	names_lead_fn *lead;
	void *lead_ctx;
	unsigned int count;
	struct tcp_door door[TCP_FRONT_DOORS];
	struct client *client[NAMES_TCP_CLIENTS];
	uint64_t births;
};

/** tcp_front_init() - @fn gets the queries; @loop is borrowed */
void tcp_front_init(struct tcp_front *f, struct loop *loop, asker_fn *fn,
		    void *ctx);
void tcp_front_fini(struct tcp_front *f);

/** tcp_front_add() - Serve a listener; takes @fd. Return: 0, -ENOSPC beyond
 * TCP_FRONT_DOORS, or -errno; @fd is closed then */
int tcp_front_add(struct tcp_front *f, int fd);

/** tcp_front_accept() - Serve a client; takes @fd. When there are as many as
 * there may be, the one that has been silent for longest is closed */
void tcp_front_accept(struct tcp_front *f, int fd);

/** tcp_front_reply() - Answer; a client that is gone gets none */
void tcp_front_reply(struct tcp_front *f, const struct asker *who,
		     const void *msg, size_t len);
