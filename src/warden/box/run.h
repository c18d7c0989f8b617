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
 * @jobs_fd, @board_fd:  For it; -1: nothing runs beside the command
 * @mind_ms:   When to start the next minder; 0 for not at all
 * @minded_ms: When the minder came
 * @mind_gap_ms: How long the last one was waited for
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
	struct hatchling minder;
	int jobs_fd;
	int board_fd;
	uint64_t mind_ms;
	uint64_t minded_ms;
	uint64_t mind_gap_ms;
	uint64_t hatch_ms;
	uint64_t gap_ms;
	uint64_t born_ms;
	pid_t command;
	int pidfd;
	int signals;
	bool is_over;
	int status;
	unsigned int left;
};

/**
 * run_hatch() - Hatch a worker with what the keeper made and is published
 * @r:  Its fds are there; the worker is put here, unless one waits for its
 *      plan
 * @f:  Why not
 *
 * Return: 0 or -errno
 */
int run_hatch(struct run *r, struct fault *f);

/**
 * run_mind() - Start what runs beside the command, and wait until it serves
 * @r:  The worker is there
 * @f:  Why not, with its last words
 *
 * Return: 0 or -errno
 */
int run_mind(struct run *r, struct fault *f);

/** run_mind_again() - The minder died: another */
void run_mind_again(struct run *r);

/** run_hear_minder() - It says that the engine ended, or is gone */
void run_hear_minder(struct run *r);

/** run_lose_minder() - It is dead: plan for the next one */
void run_lose_minder(struct run *r);

/** run_now() - Milliseconds since some time */
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
