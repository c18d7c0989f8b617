/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * build_own.h - what the builder's steps share; for build*.c alone
 */
#include "box/build.h"
#include "kern/moved.h"

/**
 * struct build - one work
 * @make_plan:  From a profile to plan and terms
 * @read_wireguard:  The same for an interface
 * @plan:       The worker's; wiped at the end
 * @jobs:       What the minder shall run
 * @plan_fd, @terms_fd, @jobs_fd:  Sealed copies, for the keeper
 * @board_fd:   For minder, keeper and daemon
 * @foreign:    Network namespace to attach, or -1
 * @leader:     With whose end that ends, a pidfd, or -1
 * @leader_pid: Of @leader
 * @chan:       To the keeper
 * @given:      What it has
 * @fds:        With @given, by enum store_fd
 * @needs_worker:  BUILD_SWITCH: the plan is another, not the terms alone
 * @lost_worker:   BUILD_SWITCH: the old one has been retired or killed
 * @changed:       BUILD_SWITCH: words for what differs; empty for nothing
 * @worker, @minder:  New, with their pidfds; pid 0 for none
 * @minor:      What failed and is no failure
 * @moved:      Who gives an interface back, should we fail
 * @veth_held:  The link's addresses are ours while it is open
 */
struct build {
	struct build_wish wish;
	build_plan_fn *make_plan;
	build_wireguard_fn *read_wireguard;
	struct plan *plan;
	struct terms terms;
	int publish_fd[PLAN_PUBLISH];
	int plan_fd;
	int terms_fd;
	struct jobs *jobs;
	int jobs_fd;
	int board_fd;
	int listener;
	int foreign;
	int leader;
	pid_t leader_pid;
	int chan;
	struct store_word given;
	int fds[STORE_FDS];
	unsigned int fd_count;
	bool needs_worker;
	bool lost_worker;
	char changed[BUILD_CHANGED];
	struct hatchling worker;
	int worker_pidfd;
	struct hatchling minder;
	int minder_pidfd;
	struct fault minor;
	int veth_held;
	struct moved_hand moved;
};

/** build_foreign() - May the namespace be attached? Return: 0 or -errno */
int build_foreign(struct build *b, struct fault *f);

/** build_plan() - Plan, terms, jobs and listeners; Return: 0 or -errno */
int build_plan(struct build *b, struct fault *f);

/** build_keeper() - Start it, and hear what it has made; Return: 0 or -errno */
int build_keeper(struct build *b, struct fault *f);

/** build_worker() - Start one, unless one works; Return: 0 or -errno */
int build_worker(struct build *b, struct fault *f);

/** build_ask() - Find out what a keeper has; Return: 0 or -errno, as
 * store_open() */
int build_ask(struct build *b, struct fault *f);

/** build_is_dead() - Is the process of a pidfd no more? */
bool build_is_dead(int pidfd);

/** build_is_retired() - Does this worker read its device no more? */
bool build_is_retired(pid_t worker);

/**
 * build_switch() - Make the new plan, and see what it changes
 *
 * Return: 0, -EOPNOTSUPP for what cannot change, or -errno
 */
int build_switch(struct build *b, struct fault *f);

/** build_retire() - The old worker lets go of the device; Return: 0 */
int build_retire(struct build *b, struct fault *f);

/** build_tell_switch() - The keeper keeps the new plan, and knows the new
 * worker; Return: 0 or -errno */
int build_tell_switch(struct build *b);

/** build_jobs() - Seal what the minder shall run; Return: 0 or -errno */
int build_jobs(struct build *b, struct fault *f);

/**
 * build_minder() - Start the minder, if there are jobs and none minds them
 *
 * With BUILD_NEW it returns when all are ready, or with why one is not.
 *
 * Return: 0 or -errno
 */
int build_minder(struct build *b, struct fault *f);

/** build_unmind() - End a new minder and its jobs, and wait for that */
void build_unmind(struct build *b);

/** build_keep_minder() - From here on it stands without us */
void build_keep_minder(struct build *b);

/** build_veth_choose() - Before the plan is sealed: addresses, if it wants a
 * link to the host; Return: 0 or -errno */
int build_veth_choose(struct build *b, struct fault *f);

/** build_veth() - Make the link; Return: 0 or -errno */
int build_veth(struct build *b, struct fault *f);
void build_unveth(struct build *b);

/** build_moved() - Move an interface of the host in, if one is wished; Return:
 * 0 or -errno */
int build_moved(struct build *b, struct fault *f);
void build_unmoved(struct build *b);

/** build_moved_clear() - Give back what one under this name has, dead or not;
 * Return: 0 or -errno */
int build_moved_clear(struct build *b, struct fault *f);

/** build_veth_clear() - Remove links of one under this name that is dead;
 * Return: 0 or -errno */
int build_veth_clear(struct build *b, struct fault *f);
