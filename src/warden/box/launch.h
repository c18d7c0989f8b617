/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * launch.h - from a job to a program that runs
 *
 *	minder ── nurse (init of a PID namespace) ── the program, and its own
 *
 * The nurse dies with the minder, and everything in its PID namespace with it:
 * the kernel sees to that, whatever the program has forked and however it
 * hides. Nothing of a job outlives its nurse.
 */
#include "base/fault.h"
#include "box/job.h"
#include "box/listening.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct launch - what is to be run, and where
 * @job:      The job
 * @sandbox:  Its name
 * @is_root:  The sandbox belongs to root: the user is changed, and @user is
 *            not the sandbox's own
 * @user, @net, @mnt:  Its namespaces
 * @tun, @stall:  For an engine by fd: the TUN, and a network of its own
 */
struct launch {
	const struct job *job;
	const char *sandbox;
	bool is_root;
	int user;
	int net;
	int mnt;
	int tun;
	int stall;
};

/**
 * struct launched - a nurse
 * @pid:    Child of the caller
 * @pidfd:  Readable when nothing of the job is left
 * @chan:   To it: NURSE_END; from it: struct nurse_word
 * @said:   Read end of a pipe: what the program writes; does not block
 */
struct launched {
	pid_t pid;
	int pidfd;
	int chan;
	int said;
};

/** NURSE_END - a byte to a nurse: ask everything to end (SIGTERM) */
#define NURSE_END 'T'

enum nurse_news {
	NURSE_ASKS, /* to the nurse alone: map the ids; one fd */
	NURSE_RUNS, /* the program has been executed: @pid; LISTENING_TABLES at
		     * most, if it says where it is going to listen; for an
		     * engine a socket to knock with */
	NURSE_FAILED,	  /* it could not be: @fault */
	NURSE_BACKGROUND, /* its first process ended well, others go on */
	NURSE_ENDED,	  /* all: @status as of waitpid(2) */
};

/**
 * struct nurse_word - what a nurse says
 * @pid:  As the minder's /proc has it
 */
struct nurse_word {
	enum nurse_news news;
	pid_t pid;
	int status;
	struct fault fault;
};

/**
 * launch() - Begin a job
 * @l:    Which
 * @ret:  Its nurse, which says later whether the program runs
 * @f:    Why not
 *
 * Return: 0 or -errno
 */
int launch(const struct launch *l, struct launched *ret, struct fault *f);

/**
 * nurse_main() - Be the first process of a job's PID namespace
 * @l:     Which
 * @chan:  To the minder
 * @said:  What the program writes goes here
 *
 * Starts the program, tells how it is, and ends with the last process of the
 * job, with the minder, or when the program fails: then its others end, too.
 */
void nurse_main(const struct launch *l, int chan, int said)
	__attribute__((noreturn));

/**
 * embark() - Be the job's own process, and then its program
 * @l:     Which
 * @chan:  To the nurse, which hears NURSE_ASKS maybe, then NURSE_RUNS and the
 *         end of the channel, or NURSE_FAILED
 * @said:  Standard output and error
 */
void embark(const struct launch *l, int chan, int said)
	__attribute__((noreturn));
