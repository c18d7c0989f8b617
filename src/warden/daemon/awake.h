/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * awake.h - the links to sandboxes are open while the daemon is awake
 */
#include "base/loop.h"

struct fleet;

/**
 * struct awake - the daemon's side of kern/wall.h
 * @changes:   Somebody changes packet rules, perhaps ours
 * @has_wall:  There may be a table
 */
struct awake {
	struct timer timer;
	struct watch changes;
	int changes_fd;
	struct fleet *fleet;
	bool is_on;
	bool has_wall;
};

/**
 * awake_start() - What a daemon before us may have left
 * @a:   Of @fl
 * @fl:  The fleet, with its sandboxes
 */
void awake_start(struct awake *a, struct fleet *fl);

/** awake_settle() - A sandbox has come or gone: begin, go on, or remove all */
void awake_settle(struct awake *a);

/** awake_stop() - The daemon ends: shut all links */
void awake_stop(struct awake *a);
