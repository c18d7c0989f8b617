/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * board.h - how a sandbox's jobs are: written by its minder, read by a daemon
 *
 * Shared memory that cannot shrink, so that it outlives both; only ever read
 * and written as a file.
 */
#include "box/job.h"

#include <stdint.h>
#include <sys/types.h>

#define BOARD_MAGIC 0x6e736231u
#define BOARD_WORDS 200 /* bytes of what a job said last */

enum job_state {
	JOB_STARTING, /* not ready yet */
	JOB_RUNNING,
	JOB_WAITING, /* it ended, and is started again in a while */
	JOB_ENDED,   /* well, and for good */
	JOB_FAILED,  /* not well, and for good */
	JOB_STATES
};

/**
 * struct job_card - one job
 * @is_engine:  It has the TUN
 * @pid:       Of the program; 0 when there is none, or it went to the
 *             background
 * @restarts:  How often it was started again
 * @status:    Of the last end, as a shell tells it, or JOB_NEVER_ENDED
 * @since_s:   When its state began, seconds since 1970
 * @words:     The last of its output: @words_len bytes, as they came
 */
struct job_card {
	char name[STORE_NAME];
	bool is_engine;
	enum job_state state;
	pid_t pid;
	unsigned int restarts;
	int status;
	int64_t since_s;
	unsigned int words_len;
	char words[BOARD_WORDS];
};

/** struct job_board - all of a sandbox: @count of them */
struct job_board {
	uint32_t magic;
	uint32_t size;
	unsigned int count;
	struct job_card card[JOBS_MAX];
};

/** job_state_name() - For people: "running", ... */
const char *job_state_name(enum job_state state);

/**
 * board_make() - A board with nothing on it
 * @ret_fd:  Memfd, owned by the caller
 *
 * Return: 0 or -errno
 */
int board_make(int *ret_fd);

/** board_write() - Put @b on it; Return: 0 or -errno */
int board_write(int fd, struct job_board *b);

/**
 * board_read() - Look at it
 * @fd:   From board_make(), maybe of another process
 * @ret:  Result; undefined on failure
 *
 * Return: 0; -EPROTO if what stands there makes no sense; or -errno
 */
int board_read(int fd, struct job_board *ret);

/** card_add() - A job said something more; the oldest words are dropped */
void card_add(struct job_card *c, const char *said, size_t len);

/** card_words() - Its last words, made fit to be shown: one line of printable
 * ASCII; Return: @to */
const char *card_words(const struct job_card *c,
		       char to[static BOARD_WORDS + 1]);
