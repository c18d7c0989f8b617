// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * probe.c - how far would a sandbox get on this machine?
 *
 * A child walks the table of steps that `nsproxy run` walks, and ends; with it
 * ends what it made.
 */
#include "box/oneshot.h"

#include "base/fd.h"
#include "box/command.h"
#include "box/setup.h"
#include "bus/channel.h"
#include "kern/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the table: the program's own process. */
static const char probe_guard[] = "guarded program";

/** struct probe_word - outcome of one step; code 0 for success */
struct probe_word {
	struct fault fault;
};

static int probe_tell(int chan, const struct fault *f)
{
	struct probe_word w = { .fault = *f };

	return channel_send(chan, &w, sizeof(w), NULL, 0);
}

/** probe_walk() - In the child; never returns */
static void __attribute__((noreturn)) probe_walk(int chan)
{
	static struct plan plan = {
		.names = NAMES_FAKE,
		.want_v4 = true,
		.want_v6 = true,
	};
	const struct oneshot o = { .plan = &plan };
	struct fault f = { 0 };
	struct signals before;
	struct command c;
	struct setup s;
	int rc = 0;

	signals_save(&before);
	setup_init(&s, &plan);
	for (const struct setup_step *step = setup_steps; rc == 0 && step->name;
	     step++) {
		rc = step->build(&s, &f);
		if (probe_tell(chan, &f) < 0)
			_exit(1);
	}
	if (rc < 0)
		_exit(1);
	rc = command_start(&o, &before, s.is_root, &c, &f);
	(void)probe_tell(chan, &f);
	if (rc == 0)
		command_cancel(&c);
	_exit(rc < 0);
}

/** probe_hear() - Read one outcome and report it; 0 or the step's -errno */
static int probe_hear(int chan, const char *step,
		      void (*report)(void *ctx, const char *step,
				     const struct fault *f),
		      void *ctx)
{
	struct probe_word w;
	const ssize_t n = channel_recv(chan, &w, sizeof(w), NULL, 0, NULL);

	if (n != (ssize_t)sizeof(w))
		(void)fault_plain(&w.fault, -EPIPE, "the step was killed");
	report(ctx, step, w.fault.code == 0 ? NULL : &w.fault);
	return w.fault.code;
}

int oneshot_probe(void (*report)(void *ctx, const char *step,
				 const struct fault *f),
		  void *ctx)
{
	struct fault f = { 0 };
	int pair[2];
	auto_fd chan = -1;
	pid_t pid;
	int rc = channel_pair(pair);

	if (rc < 0)
		return rc;
	chan = pair[0];
	pid = fork();
	if (pid == 0) {
		fd_close(&pair[0]);
		probe_walk(pair[1]);
	}
	if (pid < 0)
		rc = fault(&f, -errno, "fork");
	fd_close(&pair[1]);
	if (rc < 0) {
		report(ctx, setup_steps[0].name, &f);
		return rc;
	}
	for (const struct setup_step *step = setup_steps; rc == 0 && step->name;
	     step++)
		rc = probe_hear(chan, step->name, report, ctx);
	if (rc == 0)
		rc = probe_hear(chan, probe_guard, report, ctx);
	fd_close(&chan);
	(void)waitpid(pid, NULL, 0);
	return rc;
}
