/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "box/job.h"
#include "bus/plan.h"

/**
 * struct oneshot - a sandbox for one command
 * @plan:        What the worker will be told
 * @publish_fd:  Listeners on the host for plan->publish, same order; owned by
 *               the caller
 * @argv:        Command and arguments, NULL-terminated
 * @drop_env:    Names of environment variables the command does not get
 *               (secrets, proxy settings that name the host's loopback);
 *               NULL-terminated
 * @jobs:        What shall run beside the command: an engine, dnsproxy, none
 * @is_quiet:    Do not say that something stays in the background
 */
struct oneshot {
	const struct plan *plan;
	const int *publish_fd;
	char **argv;
	const char *const *drop_env;
	const struct jobs *jobs;
	bool is_quiet;
};

/**
 * oneshot_run() - Build a sandbox, run the command in it, wait for the command
 * @o:           Wish
 * @ret_status:  What `nsproxy run` exits with: the command's status, 128+n for
 *               a signal, 126/127 as the shell does
 * @f:           Why it never began
 *
 * Return: 0; or -errno, and the command never ran (exit 125)
 */
int oneshot_run(const struct oneshot *o, int *ret_status, struct fault *f);

/**
 * enum oneshot_step - how far a sandbox can be built here, for `nsproxy check`
 *
 * oneshot_probe() - Walk the same table of steps, in a child, and undo it
 * @report:  Called for each step in order; @f is NULL when it succeeded; the
 *           walk ends with the first failure
 *
 * Return: 0 or the -errno of the failed step
 */
int oneshot_probe(void (*report)(void *ctx, const char *step,
				 const struct fault *f),
		  void *ctx);
