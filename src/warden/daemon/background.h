/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * background.h - a daemon that its caller's shell does not wait for
 */
#include "base/fault.h"

#include <sys/types.h>

/**
 * struct background - the two ends of a start
 * @child:  In the caller: the daemon; 0 in the daemon
 * @tell:   The daemon's one word goes through here; -1 after it
 */
struct background {
	pid_t child;
	int tell;
};

/**
 * background_log() - Open a file for log lines, by the caller's own rights
 * @path:    File; made when it is not there, appended to
 * @ret_fd:  Owned by the caller
 * @f:       Why not
 *
 * Return: 0 or -errno
 */
int background_log(const char *path, int *ret_fd, struct fault *f);

/**
 * background_fork() - Begin a process of its own session
 * @log:  Where its log lines go, stays the caller's; -1: nowhere
 * @ret:  Result, in both processes
 * @f:    Why not
 *
 * In the daemon, standard input and output are /dev/null, standard error is
 * @log, and the directory is the root's.
 *
 * Return: 0 or -errno
 */
int background_fork(int log, struct background *ret, struct fault *f);

/**
 * background_wait() - In the caller: until the daemon is ready or has failed
 * @b:  Closed afterwards
 * @f:  The daemon's own fault
 *
 * Return: 0 or -errno
 */
int background_wait(struct background *b, struct fault *f);

/**
 * background_tell() - In the daemon: its one word; harmless when it was told
 * @b:  Closed afterwards
 * @f:  What has failed; NULL: it is ready
 *
 * Return: 0, or -EPIPE when nobody waits for it any more
 */
int background_tell(struct background *b, const struct fault *f);
