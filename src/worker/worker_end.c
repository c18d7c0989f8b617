// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * worker_end.c - how a worker ends
 *
 * With its sandbox, once the last bytes of the programs in it have gone out;
 * without one, with whoever hatched it.
 */
#include "worker_own.h"

#include "flow/gate.h"
#include "flow/relay.h"

#include <unistd.h>

/* How long the last bytes of ended programs may take to go out: as long as a
 * kernel keeps orphaned sockets about (net.ipv4.tcp_fin_timeout). */
#define WORKER_DRAIN_MS	     60000
#define WORKER_DRAIN_STEP_MS 20

bool worker_is_idle(const struct worker *w)
{
	return relay_pool_is_idle(w->pool) && gate_is_idle(&w->gate) &&
	       w->way.dials == 0;
}

/** worker_drained() - Stay until what was sent last has gone out */
static void worker_drained(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, drain);

	/* Nothing new begins: if the keeper was killed, programs may live. */
	loop_unwatch(&w->loop, &w->tun.watch);
	gate_drain(&w->gate);
	if (worker_is_idle(w) || w->loop.now_ms >= w->drain_until_ms ||
	    loop_timer(&w->loop, t, WORKER_DRAIN_STEP_MS, worker_drained) < 0)
		loop_stop(&w->loop);
}

static void worker_look_again(struct task *t)
{
	struct worker *w = container_of(t, struct worker, over);

	if (loop_timer(&w->loop, &w->drain, 0, worker_drained) < 0)
		loop_stop(&w->loop);
}

void worker_over(void *ctx)
{
	struct worker *w = ctx;

	if (w->is_retired) {
		loop_stop(&w->loop); /* those inside lose the network at once */
		return;
	}
	w->drain_until_ms = w->loop.now_ms + WORKER_DRAIN_MS;
	relay_pool_drain(w->pool);
	/* First let the loop see what came together with the end: the task ends
	 * this turn, its timer the next one. */
	loop_defer(&w->loop, &w->over, worker_look_again);
}

void worker_left(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, chan_watch);

	(void)events;
	loop_unwatch(&w->loop, watch);
	if (!worker_has_sandbox(w)) {
		loop_stop(&w->loop);
		return;
	}
	/* The command has ended and something stays: let go of its output. A
	 * named sandbox's worker has nobody's. */
	if (!w->has_log)
		(void)dup2(w->devnull, STDERR_FILENO);
}
