/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>

#define WHERE_MAX  108 /* what fits a unix socket's address */
/** WHERE_PINS - where the names of root's sandboxes are, among others' */
#define WHERE_PINS "/run/netns"

/**
 * struct where - the places of a daemon
 * @is_system:  Root's
 * @run:        Directory that a reboot empties
 * @socket:     For callers
 * @lock:       Held by the one daemon
 * @boxes:      Directory of the keepers' sockets
 * @state_dir:  Directory that a reboot keeps
 * @state:      File in it
 */
struct where {
	bool is_system;
	char run[WHERE_MAX];
	char socket[WHERE_MAX];
	char lock[WHERE_MAX];
	char boxes[WHERE_MAX];
	char state_dir[4096];
	char state[4096 + 16];
};

/**
 * where_find() - Find the places; nothing is made
 * @ret:        Result
 * @is_system:  Root's daemon's; else the caller's own
 * @f:          Why not
 *
 * Root's are fixed; others' depend on XDG_RUNTIME_DIR, XDG_STATE_HOME and
 * HOME.
 *
 * Return: 0, -ENOENT without XDG_RUNTIME_DIR or HOME, or -ENAMETOOLONG
 */
int where_find(struct where *ret, bool is_system, struct fault *f);

/**
 * where_make() - Make the directories
 * @w:  Found
 * @f:  Why not: they must belong to us, and nobody else may write to them
 *
 * Return: 0 or -errno
 */
int where_make(const struct where *w, struct fault *f);
