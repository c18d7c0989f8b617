/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "bus/plan.h"

#include <sys/types.h>

struct oneshot;
struct signals;

/* What a keeper tells its caller, in this order. */
enum keeper_news {
	KEEPER_READY,	/* @fd: what the worker gets; @tag tells which */
	KEEPER_FAILED,	/* @fault: the command never ran; the last word */
	KEEPER_GUARDED, /* @pid: the command, which waits; one fd: its pidfd */
	KEEPER_STOPPED, /* the command was stopped by a signal */
	KEEPER_CONTINUED, /* and goes on */
	KEEPER_ENDED,	  /* @status, @left: the last word */
};

/**
 * struct keeper_word - a message from the keeper
 * @pid:     Command
 * @status:  As of waitpid(2)
 * @left:    Processes that stay in the sandbox
 * @tag:     KEEPER_READY: one for each fd of the message
 */
struct keeper_word {
	enum keeper_news news;
	pid_t pid;
	int status;
	unsigned int left;
	struct plan_fd tag[PLAN_FDS];
	struct fault fault;
};

/** KEEPER_GO - the caller's one byte: the worker is ready, begin. Nothing has
 * to be told after it, so that a command which ran is always waited for */
#define KEEPER_GO 'G'

/**
 * keeper_main() - Be the keeper: build the sandbox, run the command, stay
 * @o:       Wish
 * @before:  Signal state that the command gets back
 * @chan:    Channel to the caller; taken
 *
 * Called in a child of the caller with all signals blocked and standard files
 * as the command shall have them. Every other fd is closed. Never returns: it
 * exits with the sandbox's last process, or when the caller ends before
 * KEEPER_GO.
 */
void keeper_main(const struct oneshot *o, const struct signals *before,
		 int chan) __attribute__((noreturn));
