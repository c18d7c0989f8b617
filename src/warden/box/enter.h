/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "conf/keys.h"

#include <stdint.h>

/**
 * struct enter - a command that goes into a sandbox that is there already
 * @user:    User namespace of the sandbox; -1: root's, which is our own
 * @net:     Network namespace
 * @mnt:     Mount namespace
 * @pids:    PID namespace; entered with GUARD_STRICT
 * @mounts:  Inode of the mount namespace that the sandbox's was made from
 * @guard:   What holds the command
 * @name:    Of the sandbox
 * @verb:    Who says what goes wrong
 * @argv:    Command and arguments, NULL-terminated
 */
struct enter {
	int user;
	int net;
	int mnt;
	int pids;
	uint64_t mounts;
	enum guard_word guard;
	const char *name;
	const char *verb;
	char **argv;
};

/**
 * enter_inside() - This process goes into the namespaces, and no further
 * @e:     @user, @net and @mnt count
 * @proc:  This process in a /proc that knows it; the sandbox's may not
 * @f:     Why not
 *
 * Checked before and after: the host's network is never taken for a sandbox's.
 *
 * Return: 0 or -errno
 */
int enter_inside(const struct enter *e, int proc, struct fault *f);

/**
 * enter_execute() - This process becomes the command, inside
 * @e:  Fds are closed on the way
 * @f:  Why it never began
 *
 * The same process: its pid, session, terminal, process group, limits, umask,
 * niceness, signal mask and what it ignores stay as they are. With GUARD_PLAIN
 * it is held by the network namespace alone, else as by `nsproxy run`. Into
 * root's sandboxes goes root, or who has power_is_aside(); that is taken up
 * here and given away for good. Exit statuses 126 and 127 as a shell has them.
 *
 * Return: -errno; on success it does not return
 */
int enter_execute(const struct enter *e, struct fault *f);
