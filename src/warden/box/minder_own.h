/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * minder_own.h - what minder.c and minded.c share
 */
#include "base/loop.h"
#include "box/board.h"
#include "box/knock.h"
#include "box/launch.h"
#include "box/minder.h"

struct minder;

/**
 * struct minded - a job, and how it is
 * @card:    On the board; its state tells what is awaited:
 *           JOB_STARTING: @nurse; @timer looks whether it is ready
 *           JOB_RUNNING: @nurse; for ever
 *           JOB_WAITING: no @nurse; @timer starts it
 *           JOB_ENDED, JOB_FAILED: nothing
 * @nurse:   Pid 0, fds -1: none
 * @tables:  Where to see whether it listens; @table_count of them. An engine:
 *           the socket to @knock with
 * @status:  Of its end, as of waitpid(2); @is_over: the nurse told it
 * @patience_ms:  Until when it must be ready, the first time
 * @is_settled:  It was ready once, or need not be
 * @why:     It could not even be started
 * @trial:   What it said when it was asked what it is
 * @is_on_trial:  It is asked just now; @is_proven: it has answered well, and
 *           is to be run
 */
struct minded {
	struct minder *m;
	const struct job *job;
	struct job_card *card;
	struct launched nurse;
	struct watch chan;
	struct watch said;
	struct watch death;
	struct timer timer;
	int tables[LISTENING_TABLES];
	unsigned int table_count;
	struct knock knock;
	int status;
	bool is_over;
	uint64_t born_ms;
	uint64_t gap_ms;
	uint64_t patience_ms;
	bool is_settled;
	struct fault why;
	struct job_card trial;
	bool is_on_trial;
	bool is_proven;
};

/**
 * struct minder - all of a sandbox
 * @fd:         By enum minder_fd
 * @chan:       To the builder; -1 when it is gone
 * @is_told:    The builder knows how it went
 * @is_kept:    It need not live any longer
 * @is_ending:  Nothing is started any more
 */
struct minder {
	struct loop loop;
	struct minder_task task;
	struct jobs jobs;
	struct job_board board;
	struct minded minded[JOBS_MAX];
	int fd[MINDER_FDS];
	int chan;
	int signals;
	struct watch chan_watch;
	struct watch keeper_watch;
	struct watch signal_watch;
	struct timer grace;
	struct task write;
	bool is_told;
	bool is_kept;
	bool is_ending;
};

/** minded_init() - Job @i of @m, on its card; nothing runs */
void minded_init(struct minder *m, unsigned int i);

/** minded_start() - Begin it */
void minded_start(struct minded *d);

/** minded_end() - Ask it to end, or kill it at once */
void minded_end(struct minded *d, bool at_once);

/** minded_lives() - Is anything of it left? */
bool minded_lives(const struct minded *d);

/** minder_changed() - Its card has: write the board after this turn */
void minder_changed(struct minder *m);

/** minder_settled() - It was ready for the first time, or (@f) will not be */
void minder_settled(struct minder *m, const struct fault *f);

/** minder_report() - One that has been ready has ended: tell who wants to know
 */
void minder_report(struct minder *m, const struct fault *f);

/** minder_buried() - Nothing of a job is left */
void minder_buried(struct minder *m);
