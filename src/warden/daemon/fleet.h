/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * fleet.h - all sandboxes of a daemon
 */
#include "base/list.h"
#include "box/sandbox.h"
#include "daemon/awake.h"
#include "daemon/journal.h"
#include "daemon/where.h"

#include <jansson.h>

/** FLEET_MAX_OF - sandboxes of one user in a daemon of somebody else's */
#define FLEET_MAX_OF 32

/**
 * struct fleet - all of them
 * @lock:  The daemon's, held by builders, too
 * @journal: Knows each sandbox of the fleet
 * @all:   struct sandbox by .node
 * @news:  struct sandbox by .news: told when @flush has written them down
 * @told:  Called after a change of @s, which may be gone when the call is over.
 *         SANDBOX_DOWN is told when it is off the list; @f says why what has
 *         changed could not be written down, or is NULL
 */
struct fleet {
	const struct where *where;
	struct journal *journal;
	int lock;
	struct sandbox_host host;
	struct crew makers;
	struct crew askers;
	struct list all;
	struct list news;
	struct task flush;
	struct awake awake;
	size_t count;
	void (*told)(void *ctx, struct sandbox *s, const struct fault *f);
	void *ctx;
};

/**
 * fleet_start() - Find what lives, and bring up what shall
 * @fl:    .where, .journal, .lock, .told and .ctx are set
 * @loop:  Loop
 * @level: Log level, for workers
 * @also:  Names to bring up as well; NULL-terminated, may be NULL
 * @f:     Why not
 *
 * Keepers that live are adopted, whether the state knows them or not. What is
 * on the list and has no keeper is built anew.
 *
 * Return: 0 or -errno
 */
int fleet_start(struct fleet *fl, struct loop *loop, int level,
		const char *const *also, struct fault *f);

/** fleet_stop() - Forget them all; what runs goes on */
void fleet_stop(struct fleet *fl);

/** fleet_find() - Return: the sandbox of this name, or NULL */
struct sandbox *fleet_find(const struct fleet *fl, const char *name);

/** fleet_is_down() - Does nothing live that this daemon has a hold of? */
bool fleet_is_down(const struct fleet *fl);

/** fleet_count_up() - Return: how many are up at this moment */
size_t fleet_count_up(const struct fleet *fl);

/**
 * fleet_up() - Wish one up, durably, and begin to build it
 * @name:     Good, and no sandbox of the fleet has it
 * @profile:  What to build it from; good
 * @owner:    Who wishes for it
 * @ret:      New
 * @f:        Why not; then nothing has changed
 *
 * Return: 0 or -errno
 */
int fleet_up(struct fleet *fl, const char *name, const char *profile,
	     uid_t owner, struct sandbox **ret, struct fault *f);

/**
 * fleet_attach() - Begin to give a namespace that is there a way out
 * @fl:       Fleet
 * @name:     Good, and no sandbox of the fleet has it
 * @profile:  What leads out; good
 * @owner:    Who wishes for it
 * @net:      Whatever the caller says is the namespace; taken
 * @leader:   Whatever it says is a pidfd of the process with which it ends;
 *            taken; -1: none
 * @f:        Why not; then nothing has changed
 *
 * Nothing is written down: it lives as long as its keeper.
 *
 * Return: 0 or -errno
 */
int fleet_attach(struct fleet *fl, const char *name, const char *profile,
		 uid_t owner, int net, int leader, struct fault *f);

/**
 * fleet_collect() - Take away what dead sandboxes have left
 * @is_dry:  Only tell
 *
 * Return: array of strings, the caller's; NULL without memory
 */
json_t *fleet_collect(struct fleet *fl, bool is_dry);
