/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * echo.h - pings: answered by what can really be reached, else refused
 */
#include "base/loop.h"
#include "bus/plan.h"
#include "dial/way.h"
#include "flow/tun.h"

#define ECHO_MAX     64	   /* pings under way */
#define ECHO_WAIT_MS 10000 /* a late answer is no answer */
#define ECHO_ROOM    1500  /* octets of a ping that are carried */

/**
 * struct echo - pings of a sandbox
 * @loop .. @way:  Borrowed, set by the caller; the rest is its own
 */
struct echo {
	struct loop *loop;
	const struct plan *plan;
	struct tun *tun;
	struct way *way;

	struct ping {
		struct echo *echo;
		struct watch watch;
		struct timer timer;
		struct packet request; /* .payload and .raw are gone */
		int fd;
		bool is_used;
	} ping[ECHO_MAX];
};

/** echo_packet() - An ICMP or ICMPv6 packet left the sandbox */
void echo_packet(struct echo *e, const struct packet *p);
/** echo_stop() - Close all; zeroed is fine */
void echo_stop(struct echo *e);
