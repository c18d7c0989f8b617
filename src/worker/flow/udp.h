/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * udp.h - datagrams of a sandbox: one association per inner endpoint
 */
#include "base/list.h"
#include "base/map.h"
#include "bus/plan.h"
#include "dial/outlet.h"
#include "flow/tun.h"
#include "names/names.h"

#define UDP_MAX	    4096   /* associations at once; the idlest gives way */
#define UDP_IDLE_MS 180000 /* RFC 4787, REQ-5: no less than two minutes */
#define UDP_PEERS   32	   /* destinations remembered an association */
/* After the way refused to carry UDP, answer at once for a while. */
#define UDP_SULK_MS 5000

/**
 * struct udp - the UDP side of a sandbox
 * @loop .. @names:  Borrowed, set by the caller before udp_start()
 *
 * The rest is its own.
 */
struct udp {
	struct loop *loop;
	const struct plan *plan;
	struct tun *tun;
	struct way *way;
	struct way *direct;
	struct names *names;

	struct map assocs;
	struct list by_age; /* least recently used first */
	struct timer sweep;
	uint64_t sulk_until_ms;
	struct udp_door {
		struct udp *udp;
		struct watch watch;
		struct addr at;
		int fd;
	} door[PLAN_EXPOSE];
	unsigned int door_count;
};

/** udp_start() - Return: 0 or -ENOMEM */
int udp_start(struct udp *u);
/** udp_stop() - Close all associations; zeroed is fine */
void udp_stop(struct udp *u);

/**
 * udp_listen() - Take a socket that stands for an exposed loopback port
 * @fd:     Bound inside, non-blocking; borrowed
 * @index:  In plan->expose
 *
 * The kernel lets no packet to or from ::1 pass through the TUN, and an engine
 * none to or from 127.0.0.0/8.
 *
 * Return: 0 or -errno
 */
int udp_listen(struct udp *u, int fd, unsigned int index);

/** udp_forget() - This endpoint is no more: end what it has */
void udp_forget(struct udp *u, const struct addr *inner);

/** udp_datagram() - A UDP packet left the sandbox */
void udp_datagram(struct udp *u, const struct packet *p);
