/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * doors.h - listeners that lead in (`publish`) and out (`expose` on ::1)
 */
#include "base/list.h"
#include "base/loop.h"
#include "bus/plan.h"
#include "dial/dial.h"
#include "flow/relay.h"

#define DOORS_PENDING 1024 /* visitors between accept and relay */
#define DOORS_LED     256  /* led to the program, also while they relay */
#define DOORS_WAIT_MS 10000

/**
 * struct doors - all doors of a sandbox
 * @loop .. @direct:  Borrowed, set by the caller before anything else
 * @mint:             Channel to the keeper, borrowed; -1: nothing published
 * @over, @ctx:       Called once when the keeper's end of @mint has closed,
 *                    which is the end of the sandbox
 *
 * @unled:            Gets who was to be led to the program and found nobody
 *
 * The rest is its own.
 */
struct doors {
	struct loop *loop;
	const struct plan *plan;
	struct relay_pool *pool;
	struct way *direct;
	int mint;
	void (*over)(void *ctx);
	void (*unled)(void *ctx, int fd);
	void *ctx;

	struct watch mint_watch;
	struct list minting;  /* visitors waiting for a socket, in order */
	uint64_t mint_id;     /* of the last wish; the first is random */
	struct list visitors; /* all others between accept and relay */
	struct list open;     /* relays */
	unsigned int pending;
	unsigned int led;
	unsigned int count;
	struct door {
		struct doors *doors;
		struct watch watch;
		struct timer rest;
		int fd;
		unsigned int index;
		bool leads_in;
	} door[PLAN_EXPOSE + PLAN_PUBLISH];
};

/**
 * doors_start() - Begin; watches @mint
 *
 * Return: 0 or -errno
 */
int doors_start(struct doors *d);

/**
 * doors_listen() - Take a listener
 * @fd:        Non-blocking listener; borrowed
 * @index:     In plan->publish (@leads_in) or plan->expose
 * @leads_in:  Born on the host, leads into the sandbox; else the other way
 *
 * Return: 0 or -errno
 */
int doors_listen(struct doors *d, int fd, unsigned int index, bool leads_in);

/**
 * doors_lead() - Lead somebody inside to the program that answers DNS
 * @fd:  Connected; taken, or given to @unled
 */
void doors_lead(struct doors *d, int fd);

/** doors_retire() - Let no more in; those inside go on. The mint's answers are
 * another worker's from here on, its end still ends us */
void doors_retire(struct doors *d);

/** doors_stop() - End all; zeroed is fine */
void doors_stop(struct doors *d);
