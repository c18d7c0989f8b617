/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

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
	MINDER_FDS,
};

/**
 * struct minder_task - what a minder is told
 * @name:      Of the sandbox
 * @is_root:   MINDER_FD_USER is not the sandbox's own
 * @is_first:  Nothing of the sandbox has been told to be up: a job that does
 *             not get ready is a fault
 */
struct minder_task {
	char name[STORE_NAME];
	bool is_root;
	bool is_first;
};

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
