/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * udp_front.h - queries from bound UDP sockets
 */
#include "base/loop.h"
#include "dial/connector.h"
#include "dial/way.h"
#include "names/asker.h"

#define UDP_FRONT_DOORS 8

struct udp_front;

/**
 * struct udp_door - one bound socket
 * @fd:  Owned; -1 is empty
 */
struct udp_door {
	struct udp_front *front;
	struct watch watch;
	int fd;
};

/** struct udp_front - all of them */
struct udp_front {
	struct loop *loop;
	struct connector *connector;
	asker_fn *fn;
	void *ctx;
	unsigned int count;
	struct udp_door door[UDP_FRONT_DOORS];
};

/** udp_front_init() - @fn gets the queries; loop and connector are @way's */
void udp_front_init(struct udp_front *f, struct way *way, asker_fn *fn,
		    void *ctx);
void udp_front_fini(struct udp_front *f);

/**
 * udp_front_add() - Serve a socket
 * @fd:  Bound; IP_PKTINFO or IPV6_RECVPKTINFO is set; taken
 *
 * Return: 0, -ENOSPC beyond UDP_FRONT_DOORS, or -errno; @fd is closed then
 */
int udp_front_add(struct udp_front *f, int fd);

/** udp_front_reply() - Answer from the address that was asked. A full socket
 * buffer loses the answer, as a network would */
void udp_front_reply(struct udp_front *f, const struct asker *who,
		     const void *msg, size_t len);
