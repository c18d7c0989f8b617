/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "bus/plan.h"

#include <sys/types.h>

/** WORKER_CHANNEL - the fd on which a worker finds its channel after exec */
#define WORKER_CHANNEL 3
/** WORKER_ROLE - argv[1] that makes main() a worker */
#define WORKER_ROLE    "@worker"

/**
 * struct hatchling - a running worker
 * @pid:   Child of the caller
 * @chan:  Our end of its channel, owned; the worker sees our death by it
 */
struct hatchling {
	pid_t pid;
	int chan;
};

/**
 * hatch_role() - Fork, exec ourselves in a role
 * @self_fd:  Our own binary, opened with O_PATH | O_CLOEXEC before any mount
 *            was changed
 * @role:     argv[1]
 * @note:     argv[2], for people who list processes; or NULL
 * @ret:      Result
 * @f:        Why not
 *
 * It runs in a session of its own (terminal signals miss it), in the root
 * directory, with standard input and output on /dev/null, no signal blocked or
 * ignored, and its channel at WORKER_CHANNEL. What cannot be executed sends a
 * struct hatch_word.
 *
 * Return: 0 or -errno
 */
int hatch_role(int self_fd, const char *role, const char *note,
	       struct hatchling *ret, struct fault *f);

/**
 * hatch_give() - Hand a worker its plan, and wait until it works
 * @w:      From hatch_role() as WORKER_ROLE; dropped should this fail
 * @p:      Plan
 * @fds:    Fds for it; stay the caller's
 * @count:  Of @fds
 * @f:      Why not; a worker that fails to start sends its own fault
 *
 * Returns when it is locked down and reads packets.
 *
 * Return: 0 or -errno
 */
int hatch_give(struct hatchling *w, const struct plan *p,
	       const struct plan_fd *fds, unsigned int count, struct fault *f);

/** hatch_drop() - Kill it, wait for its end, close its channel; or nothing */
void hatch_drop(struct hatchling *w);

/**
 * hatch_worker() - Fork, exec ourselves as a worker, hand it its plan
 * @self_fd:  As hatch_role()
 * @p:        Plan
 * @fds:      Fds for it; stay the caller's
 * @count:    Of @fds
 * @ret:      Result
 * @f:        As hatch_give()
 *
 * Return: 0 or -errno
 */
int hatch_worker(int self_fd, const struct plan *p, const struct plan_fd *fds,
		 unsigned int count, struct hatchling *ret, struct fault *f);

/**
 * struct hatch_word - the one message a worker sends: ready, or why not
 * @fault:  code 0 means ready
 */
struct hatch_word {
	struct fault fault;
};
