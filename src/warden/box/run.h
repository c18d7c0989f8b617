/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "box/hatch.h"
#include "box/minder.h"
#include "bus/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct oneshot;

/**
 * struct run - one run, after the command has begun
 * @keeper:    Its pid
 * @chan:      Channel to it; -1 when it is dead
 * @self_fd:   Our own binary
 * @fds:       What each worker gets; closed when the keeper is dead
 * @worker:    pid 0 while there is none
 * @hatch_ms:  When to hatch the next worker; 0 for not at all
 * @gap_ms:    How long the last one was waited for
 * @born_ms:   When the worker came
 * @minder:    Of what runs beside the command; pid 0 while there is none
 * @mind_fd:   What each minder gets, by enum minder_fd; -1 for nothing
 * @mind_ms:   When to start the next minder; 0 for not at all
 * @command:   Pid of the command
 * @pidfd:     Of the command: a pid might be another's by now
 * @signals:   signalfd for everything
 */
struct run {
	const struct oneshot *o;
	pid_t keeper;
	int chan;
	int self_fd;
	struct plan_fd fds[PLAN_FDS];
	unsigned int fd_count;
	struct hatchling worker;
	uint64_t hatch_ms;
	uint64_t gap_ms;
	uint64_t born_ms;
	struct hatchling minder;
	int mind_fd[MINDER_FDS];
	uint64_t mind_ms;
	pid_t command;
	int pidfd;
	int signals;
	bool is_over;
	int status;
	unsigned int left;
};

/**
 * run_hatch() - Hatch a worker with what the keeper made and is published
 * @r:  Its fds are there; the worker is put here
 * @f:  Why not
 *
 * Return: 0 or -errno
 */
int run_hatch(struct run *r, struct fault *f);

/** run_now() - Milliseconds of the monotonic clock */
uint64_t run_now(void);

/** run_wait() - Until the command has ended; all signals are held meanwhile */
void run_wait(struct run *r);

/**
 * run_see_off() - Nothing stays: let the worker end before we do
 *
 * So that, when we return, nothing of the sandbox is seen on the host any
 * more. A worker that has bytes to deliver yet is not waited for; nor is the
 * keeper, whose namespaces take the kernel some 20 ms to clear away.
 */
void run_see_off(struct run *r);

/** run_fini() - Close what is open; takes half-built ones */
void run_fini(struct run *r);
