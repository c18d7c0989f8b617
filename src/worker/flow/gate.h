/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * gate.h - where SYNs wait until the way out has answered
 */
#include "base/log.h"
#include "base/map.h"
#include "bus/plan.h"
#include "dial/dial.h"
#include "flow/relay.h"
#include "flow/server.h"
#include "flow/tun.h"
#include "names/names.h"

/* A given-back SYN becomes an accept at once, or its program has given up. */
#define GATE_GIVEN_MS  5000
/* A timed-out dial stays silent until the last repeated SYN has come. */
#define GATE_SILENT_MS 35000
#define GATE_LISTENERS 2

/**
 * struct gate - the TCP flows of a sandbox
 * @loop .. @server:  Borrowed, set by the caller before gate_start()
 * @direct:    Way for exposed addresses
 * @flow_max:  Cap on flows, open and half-open together
 *
 * The rest is the gate's own.
 */
struct gate {
	struct loop *loop;
	const struct plan *plan;
	struct tun *tun;
	struct way *way;
	struct way *direct;
	struct names *names;
	struct relay_pool *pool;
	struct server *server;
	unsigned int flow_max;

	struct map waiting;
	struct list open;
	unsigned int flow_count;
	struct log_gate full_gate;
	struct gate_door {
		struct gate *gate;
		struct watch watch;
		struct timer rest;
		int fd;
		uint16_t family;
	} door[GATE_LISTENERS];
	unsigned int door_count;
};

/** gate_start() - Return: 0 or -ENOMEM */
int gate_start(struct gate *g);

/** gate_listen() - Take an inner listener (v4 or v6). Return: 0 or -errno */
int gate_listen(struct gate *g, int fd);

/** gate_stop() - Reset all flows; zeroed is fine */
void gate_stop(struct gate *g);

/** gate_drain() - All programs are gone: forget what is still being dialled */
void gate_drain(struct gate *g);

/** gate_retire() - Take what has been given back, and nothing more: another
 * worker reads the device and the listeners from here on */
void gate_retire(struct gate *g);

/** gate_is_idle() - Does no flow wait for its dial or its accept? */
static inline bool gate_is_idle(const struct gate *g)
{
	return g->waiting.count == 0;
}

/** gate_segment() - A TCP packet left the sandbox */
void gate_segment(struct gate *g, const struct packet *p);
