// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * retire.c - a worker lets another one take over
 *
 * The next worker has the same device and listeners and another plan. Held SYNs
 * are forgotten: the programs' kernel repeats them, and the next one dials.
 */
#include "worker_own.h"

#include "base/log.h"
#include "bus/retired.h"
#include "names/names.h"
#include "flow/front.h"
#include "flow/server.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How often to look whether the last connection has ended. */
#define RETIRE_LOOK_MS 200

static void retire_look(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, retiring);

	if (worker_is_idle(w) ||
	    loop_timer(&w->loop, t, RETIRE_LOOK_MS, retire_look) < 0)
		loop_stop(&w->loop);
}

static void retire(struct worker *w)
{
	if (w->is_retired)
		return;
	w->is_retired = true;
	loop_unwatch(&w->loop, &w->tun.watch);
	gate_retire(&w->gate);
	doors_retire(&w->doors);
	udp_stop(&w->udp);
	echo_stop(&w->echo);
	if (w->engine)
		server_retire(w->engine);
	if (w->front)
		front_retire(w->front);
	names_retire(w->names);
	(void)prctl(PR_SET_NAME, RETIRED_NAME);
	log_debug("another worker takes over; open connections stay here");
	retire_look(&w->retiring);
}

static void retire_signal(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, signal_watch);
	struct signalfd_siginfo s;

	(void)events;
	while (read(w->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		retire(w);
}

int retire_listen(struct worker *w, struct fault *f)
{
	sigset_t set;
	int rc;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fault(f, -errno, "block SIGUSR1");
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0)
		return fault(f, -errno, "open a signalfd");
	rc = loop_watch(&w->loop, &w->signal_watch, w->signals, EPOLLIN,
			retire_signal);
	return rc < 0 ? fault(f, rc, "watch for signals") : 0;
}
