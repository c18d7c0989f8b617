/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * sandbox.h - a named sandbox, from wish to ash, as its daemon sees it
 */
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "box/build.h"
#include "box/crew.h"

struct sandbox;

/*
 * What may be called, and which fields are alive:
 *
 * DOWN      nothing of it that we know of runs; .trouble tells why, if it is
 *           not as it should be. sandbox_up(), sandbox_adopt()
 * BUILDING  .turn until a builder can be had; then .builder, which is killed at
 *           its deadline. sandbox_down()
 * ADOPTING  the same
 * UP        .keeper, .worker, .ns, .minder if there are jobs; lasts until one
 *           of them dies. sandbox_down()
 * HATCHING  .turn or .builder, .keeper, .ns; .worker and .minder while they
 *           live. sandbox_down()
 * SWITCHING .turn or .builder, and all of UP; the worker may change or be lost.
 *           sandbox_down()
 * WAITING   .keeper and .ns while the keeper lives, .worker and .minder, too;
 *           .timer begins what is next. sandbox_down()
 * ENDING    .minder until it is dead, which was asked to end; then .keeper,
 *           .worker until they are: they have been killed. Then .turn or
 *           .builder, which removes the link to the host
 */
enum sandbox_state {
	SANDBOX_DOWN,
	SANDBOX_BUILDING,
	SANDBOX_ADOPTING,
	SANDBOX_UP,
	SANDBOX_HATCHING,
	SANDBOX_SWITCHING,
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
 * @count:      Sandboxes there are
 * @makers:     Places for those who build
 * @askers:     Places for those who ask a keeper, which never takes long
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
	const size_t *count;
	struct crew *makers;
	struct crew *askers;
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
 * @is_reloading:  The owner's: it is told when it has been switched
 * @is_wished:  The owner's: whether it is tried again when it fails
 * @is_attached:  Its network namespace is another's: it is never built again
 * @is_over:    The owner's: it has ended, which must be written down yet
 * @news:       The owner's, in whatever list
 * @work:       What @turn is for, or @builder does
 * @next, @is_closing:  Of sandbox_switch()
 * @foreign, @leader:  Of sandbox_attach(), until a builder has them; else -1
 * @leader_pid: 0 for none
 * @ns:         Its namespaces and board, by enum build_fd; -1 for none
 * @terms:      While there is a keeper
 * @link:       The link to the host that may be there, also without a keeper
 * @has_moved:  An interface of the host may be in it, also without a keeper
 * @lost_ms:    When its keeper died
 * @switched:   How the last sandbox_switch() went: 0, or -errno with .trouble
 * @changed:    What it has changed, in words; empty for nothing
 * @has_names:  It answers DNS
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
	bool is_reloading;
	bool is_over;
	struct list news;
	enum build_work work;
	char next[STORE_NAME];
	bool is_closing;
	struct turn turn;
	bool is_attached;
	int foreign;
	int leader;
	pid_t leader_pid;
	struct mourned builder;
	struct mourned keeper;
	struct mourned worker;
	struct mourned minder;
	int ns[BUILD_FDS];
	bool is_root;
	uint64_t netns;
	int64_t since_s;
	struct terms terms;
	struct veth link;
	bool has_moved;
	char way[256];
	bool has_names;
	struct timer timer;
	uint64_t gap_ms;
	uint64_t born_ms;
	uint64_t lost_ms;
	unsigned int restarts;
	int switched;
	char changed[BUILD_CHANGED];
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
 *
 * It is UP after a while, or WAITING to be tried again, with @s->trouble.
 */
void sandbox_up(struct sandbox *s);

/**
 * sandbox_clear() - Begin to remove what one that was killed has left
 * @s:  Down
 */
void sandbox_clear(struct sandbox *s);

/**
 * sandbox_attach() - Begin to give a namespace that is there a way out
 * @s:    Down
 * @net:  The namespace; taken
 * @leader:  It ends with this process, a pidfd; taken; -1: none
 *
 * It is UP after a while, or WAITING without a keeper, with @s->trouble.
 */
void sandbox_attach(struct sandbox *s, int net, int leader);

/**
 * sandbox_adopt() - Begin to ask its keeper, which may be dead
 * @s:  Down
 *
 * It is UP after a while, or DOWN again with @s->trouble, whose code is
 * -ECONNREFUSED or -ENOENT for a dead keeper.
 */
void sandbox_adopt(struct sandbox *s);

/**
 * sandbox_switch() - Begin to give it another plan; who is inside stays
 * @s:           Up
 * @profile:     Whose; good
 * @is_closing:  Cut the connections there are; else they go on by the old way
 *
 * It is UP after a while, with .switched, or WAITING for a worker.
 */
void sandbox_switch(struct sandbox *s, const char *profile, bool is_closing);

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
