/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

struct oneshot;
struct signals;

/**
 * struct command - the program, from fork to exec
 * @pid:   Child of the caller; 0 for none
 * @chan:  Channel to it until it is executed; owned, -1 afterwards
 */
struct command {
	pid_t pid;
	int chan;
};

/**
 * command_start() - Fork the program's process and guard it
 * @o:        Command and environment
 * @before:   Signal state that the program gets back
 * @is_root:  It keeps all ids and the powers over files
 * @ret:      Result
 * @f:        Why not
 *
 * Returns when it has shed everything, and waits for command_release(). The
 * caller is in the sandbox's namespaces, still has its power over them, and is
 * dumpable.
 *
 * Return: 0 or -errno; on failure there is no such process any more
 */
int command_start(const struct oneshot *o, const struct signals *before,
		  bool is_root, struct command *ret, struct fault *f);

/**
 * command_release() - Let it execute the command
 * @c:  Started; its channel is closed afterwards
 * @f:  Why not
 *
 * A command that cannot be executed says so itself and ends with 126 or 127.
 *
 * Return: 0, or -errno if it died before; it is still to be waited for
 */
int command_release(struct command *c, struct fault *f);

/** command_cancel() - Kill and forget one that was never released */
void command_cancel(struct command *c);
