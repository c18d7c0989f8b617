/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * build.h - the process that does for a daemon whatever takes time
 *
 * A daemon must not wait: not for a name server, nor for a kernel that makes a
 * namespace. So each such work has a process of its own, which answers once
 * and ends.
 */
#include "base/fault.h"
#include "box/hatch.h"
#include "box/job.h"
#include "box/store.h"
#include "box/terms.h"
#include "bus/plan.h"
#include "bus/wireguard.h"

/** BUILDER_ROLE - argv[1] that makes main() a builder */
#define BUILDER_ROLE  "@builder"

/** BUILD_CHANGED - room for words, see struct build_word */
#define BUILD_CHANGED 64

/* What comes with a wish, as far as it is there, in this order. */
enum build_wish_fd {
	BUILD_WISH_LOCK,    /* the daemon's, which is held until the builder is
			     * gone, too: so no two daemons' builders meet */
	BUILD_WISH_FOREIGN, /* BUILD_NEW: namespace to attach */
	BUILD_WISH_LEADER,  /* pidfd: with its end that ends */
	BUILD_WISH_FDS,
};

enum build_work {
	BUILD_NEW,    /* make the sandbox: plan, keeper, worker */
	BUILD_HATCH,  /* its keeper lives; replace who died: worker, minder */
	BUILD_ADOPT,  /* find out what a keeper has */
	BUILD_SWITCH, /* another plan for a sandbox that lives */
	BUILD_CLEAR,  /* its link to the host shall go; nothing comes of it */
};

/**
 * struct build_wish - what a builder is told
 * @profile:    BUILD_NEW, BUILD_SWITCH: what it becomes
 * @path:       The keeper's socket
 * @is_pinned:  Give it a name in /run/netns
 * @is_closing: BUILD_SWITCH: cut the connections there are
 * @was:        The link of the one before it, or of the one that is cleared
 * @is_blind:   Its keeper shall make no inotify instance
 * @log_level:  For its worker
 * @has:        What comes with it; set on the way
 * @owner:      Whose the namespace must be that comes with it
 * @daemon:     Who asks: with it the builder dies
 */
struct build_wish {
	enum build_work work;
	char name[STORE_NAME];
	char profile[STORE_NAME];
	char path[108];
	bool is_pinned;
	bool is_closing;
	struct veth was;
	bool is_blind;
	int log_level;
	bool has[BUILD_WISH_FDS];
	uid_t owner;
	pid_t daemon;
};

/* What comes with a builder's answer, in this order. */
enum build_fd {
	BUILD_FD_KEEPER, /* pidfd */
	BUILD_FD_NET,
	BUILD_FD_MNT,
	BUILD_FD_PID,
	BUILD_FD_USER,
	BUILD_FD_BOARD,
	BUILD_FD_LEADER, /* pidfd; the keeper's again when there is none */
	BUILD_FD_WORKER, /* pidfd; the keeper's again when there is none */
	BUILD_FD_MINDER, /* the same */
	BUILD_FD_LOG,	 /* what the sandbox's processes say is read here */
	BUILD_FD_CHAN,	 /* channel of a new worker; else it does not come */
	BUILD_FDS,
};

/**
 * struct build_word - a builder's answer
 * @fault:  Code 0 when all went well; else nothing was left behind
 * @minder: 0 when there are no jobs
 * @work:   What was done
 * @minor:  What it went on without; code 0 for nothing
 * @leader: With whose end an attached one ends; 0 for nobody
 * @terms:  What its profile says beside the plan
 * @lost_worker:  BUILD_SWITCH that failed: the sandbox needs another worker, or
 *         nobody knows
 * @changed:      BUILD_SWITCH: words for what has changed; empty for nothing
 * @way:    Labels of the hops, for people
 * @has_names:  It answers DNS
 */
struct build_word {
	struct fault fault;
	struct fault minor;
	int64_t since_s;
	enum build_work work;
	pid_t keeper;
	pid_t worker;
	pid_t minder;
	bool is_root;
	bool is_attached;
	pid_t leader;
	uint64_t netns;
	struct terms terms;
	bool lost_worker;
	char changed[BUILD_CHANGED];
	char way[256];
	bool has_names;
};

/**
 * build_begin() - Start a builder
 * @w:    Wish
 * @fds:  By enum build_wish_fd, -1 for none; stay the caller's
 * @ret:  Its pid and channel
 * @f:    Why not
 *
 * Return: 0 or -errno
 */
int build_begin(struct build_wish *w, const int fds[static BUILD_WISH_FDS],
		struct hatchling *ret, struct fault *f);

/**
 * build_end() - Take its answer
 * @chan:  Channel; readable
 * @ret:   Answer; a builder that died is a fault, too
 * @fds:   By enum build_fd, -1 for what did not come; the caller's. None after
 *         BUILD_CLEAR
 */
void build_end(int chan, struct build_word *ret, int fds[static BUILD_FDS]);

/**
 * build_plan_fn - from a profile to what becomes of it
 * @profile:     Its name
 * @p:           The worker's part, zeroed before
 * @t:           The daemon's part, zeroed before
 * @j:           The minder's part, zeroed before
 * @publish_fd:  Room for PLAN_PUBLISH: its listeners on the host
 * @f:           Why not; -ENOKEY when there is no such profile
 *
 * It may take its time.
 */
typedef int build_plan_fn(const char *profile, struct plan *p, struct terms *t,
			  struct jobs *j, int *publish_fd, struct fault *f);

/**
 * build_wireguard_fn - from a profile to the interface that is made for it
 * @profile:  Its name; its terms have .wireguard
 * @ret:      Wiped by the caller
 * @f:        Why not
 *
 * Return: 0 or -errno
 */
typedef int build_wireguard_fn(const char *profile, struct wireguard *ret,
			       struct fault *f);

/** builder_main() - Be a builder; Return: exit status */
int builder_main(int chan, build_plan_fn *make_plan,
		 build_wireguard_fn *read_wireguard);
