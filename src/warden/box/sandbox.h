/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * sandbox.h - a named sandbox, from wish to ash, as its daemon sees it
 */
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "box/build.h"

struct sandbox;

/*
 * What may be called, and which fields are alive:
 *
 * DOWN      nothing of it that we know of runs; .trouble tells why, if it is
 *           not as it should be. sandbox_up(), sandbox_adopt()
 * BUILDING  .builder; it is killed at its deadline. sandbox_down()
 * ADOPTING  the same
 * UP        .keeper, .worker, .ns, .minder if there are jobs; lasts until one
 *           of them dies. sandbox_down()
 * HATCHING  .builder, .keeper, .ns; .worker and .minder while they live.
 *           sandbox_down()
 * WAITING   .keeper and .ns while the keeper lives, .worker and .minder, too;
 *           .timer begins what is next. sandbox_down()
 * ENDING    .minder until it is dead, which was asked to end; then .keeper,
 *           .worker until they are: they have been killed
 */
enum sandbox_state {
	SANDBOX_DOWN,
	SANDBOX_BUILDING,
	SANDBOX_ADOPTING,
	SANDBOX_UP,
	SANDBOX_HATCHING,
	SANDBOX_WAITING,
	SANDBOX_ENDING,
	SANDBOX_STATES
};

/**
 * struct sandbox_host - what all sandboxes of a daemon share
 * @dir:        Where keepers' sockets are
 * @is_pinned:  Namespaces get a name in /run/netns
 * @log_level:  For workers
 * @lock:       The daemon's, held by builders, too
 * @hear:       Given the fd at which what a sandbox's processes say is read,
 *              each time it is got; takes it
 * @changed:    Called after each change of state, last thing before a return
 *              to the loop: the sandbox may be freed there
 */
struct sandbox_host {
	struct loop *loop;
	const char *dir;
	bool is_pinned;
	int log_level;
	int lock;
	void (*hear)(void *ctx, struct sandbox *s, int log);
	void (*changed)(void *ctx, struct sandbox *s);
	void *ctx;
};

/**
 * struct mourned - a process, watched until it is dead
 * @chan:   Channel to it, or -1
 * @watch:  Of @pidfd; a builder's of @chan
 */
struct mourned {
	int pidfd;
	int chan;
	struct watch watch;
	pid_t pid;
};

/**
 * struct sandbox - one
 * @node:       The owner's, in whatever list
 * @profile:    What it is built from
 * @owner:      The owner's: the user who wished for it
 * @is_wished:  The owner's: whether it is tried again when it fails
 * @is_attached:  Its network namespace is another's: it is never built again
 * @foreign:    That namespace, until a builder has it; else -1
 * @ns:         Its namespaces and board, by enum build_fd; -1 for none
 * @terms:      While there is a keeper
 * @lost_ms:    When its keeper died
 * @restarts:   Workers that were replaced
 * @trouble:    What failed last; code 0 for nothing
 */
struct sandbox {
	struct list node;
	const struct sandbox_host *host;
	char name[STORE_NAME];
	char profile[STORE_NAME];
	uid_t owner;
	enum sandbox_state state;
	bool is_wished;
	bool is_attached;
	int foreign;
	struct mourned builder;
	struct mourned keeper;
	struct mourned worker;
	struct mourned minder;
	int ns[BUILD_FDS];
	bool is_root;
	uint64_t netns;
	int64_t since_s;
	struct terms terms;
	char way[256];
	struct timer timer;
	uint64_t gap_ms;
	uint64_t born_ms;
	uint64_t lost_ms;
	unsigned int restarts;
	struct fault trouble;
};

/** sandbox_new() - One that is down; NULL without memory
 * @host:     What all share
 * @name:     Its own; must be good
 * @profile:  What it is built from; must be good
 */
struct sandbox *sandbox_new(const struct sandbox_host *host, const char *name,
			    const char *profile);

/** sandbox_free() - Forget it; what runs goes on */
void sandbox_free(struct sandbox *s);

/**
 * sandbox_up() - Begin to build it
 * @s:      Down
 * @stale:  Inode of a namespace that had its name before; 0: none
 *
 * It is UP after a while, or WAITING to be tried again, with @s->trouble.
 */
void sandbox_up(struct sandbox *s, uint64_t stale);

/**
 * sandbox_attach() - Begin to give a namespace that is there a way out
 * @s:    Down
 * @net:  The namespace; taken
 *
 * It is UP after a while, or WAITING without a keeper, with @s->trouble.
 */
void sandbox_attach(struct sandbox *s, int net);

/**
 * sandbox_adopt() - Begin to ask its keeper, which may be dead
 * @s:  Down
 *
 * It is UP after a while, or DOWN again with @s->trouble, whose code is
 * -ECONNREFUSED or -ENOENT for a dead keeper.
 */
void sandbox_adopt(struct sandbox *s);

/** sandbox_down() - End it; DOWN after a while */
void sandbox_down(struct sandbox *s);

/** sandbox_has_keeper() - Does its keeper live, as far as is known? */
bool sandbox_has_keeper(const struct sandbox *s);

/** sandbox_state_name() - For people: "up", "starting", ... */
const char *sandbox_state_name(const struct sandbox *s);

/** sandbox_path() - Where its keeper's socket is
 * @to:    Room
 * @size:  Of @to, 108 for a unix socket
 *
 * Return: whether it fits
 */
bool sandbox_path(const char *dir, const char *name, char *to, size_t size);
