/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "box/hatch.h"
#include "box/store.h"

#include <stdbool.h>

/** MINDER_ROLE - argv[1] that makes main() the minder of a sandbox */
#define MINDER_ROLE	   "@minder"

/** MINDER_KEEP - a builder's last byte: from now on without it */
#define MINDER_KEEP	   'K'

/* How long jobs have between SIGTERM and SIGKILL. */
#define MINDER_GRACE_MS	   2000
/* After that, whoever waits for a minder kills it. */
#define MINDER_PATIENCE_MS 3000

/* What comes with the task, in this order. */
enum minder_fd {
	MINDER_FD_KEEPER, /* pidfd */
	MINDER_FD_NET,
	MINDER_FD_MNT,
	MINDER_FD_USER,
	MINDER_FD_JOBS,	 /* sealed, see box/job.h */
	MINDER_FD_BOARD, /* see box/board.h */
	MINDER_FD_TUN,	 /* for an engine by fd; else the keeper's again */
	MINDER_FD_STALL, /* the engine's network; the same */
	MINDER_FDS,
};

/**
 * struct minder_task - what a minder is told
 * @name:      Of the sandbox
 * @is_root:   MINDER_FD_USER is not the sandbox's own
 * @is_first:  Nothing of the sandbox has been told to be up: a job that does
 *             not get ready is a fault
 * @is_telling:  Say each time that an engine has ended: a struct hatch_word
 */
struct minder_task {
	char name[STORE_NAME];
	bool is_root;
	bool is_first;
	bool is_telling;
};

/**
 * minder_hatch() - Start a minder
 * @self_fd:  Our own binary, opened with O_PATH | O_CLOEXEC
 * @t:        Its task
 * @fds:      By enum minder_fd; stay the caller's
 * @ret:      Result: pid 0 if there is none
 * @f:        Why not
 *
 * Return: 0 or -errno
 */
int minder_hatch(int self_fd, const struct minder_task *t,
		 const int fds[static MINDER_FDS], struct hatchling *ret,
		 struct fault *f);

/**
 * minder_hear() - Wait until its jobs are ready: it knows when to lose patience
 * @chan:  To it
 * @f:     Why they are not
 *
 * Return: 0 or -errno
 */
int minder_hear(int chan, struct fault *f);

/**
 * minder_main() - Run the jobs of a sandbox, and start them again
 * @chan:  To the builder, which sends struct minder_task and hears struct
 *         hatch_word: all are ready, or why not
 *
 * On the host, with the power of who built the sandbox. Ends with the builder
 * unless that has sent MINDER_KEEP, with the keeper, and at SIGTERM; and its
 * jobs with it, also when it is killed.
 *
 * Return: exit status
 */
int minder_main(int chan);
