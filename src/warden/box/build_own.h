/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * build_own.h - what the builder's steps share; for build*.c alone
 */
#include "box/build.h"

/**
 * struct build - one work
 * @make_plan:  From a profile to plan and terms
 * @plan:       The worker's; wiped at the end
 * @plan_fd, @terms_fd:  Sealed copies, for the keeper
 * @chan:       To the keeper
 * @given:      What it has
 * @fds:        With @given, by enum store_fd
 * @worker:     New, with its pidfd; pid 0 for none
 * @minor:      What failed and is no failure
 * @veth_held:  The link's addresses are ours while it is open
 */
struct build {
	struct build_wish wish;
	build_plan_fn *make_plan;
	struct plan *plan;
	struct terms terms;
	int publish_fd[PLAN_PUBLISH];
	int plan_fd;
	int terms_fd;
	int listener;
	int chan;
	struct store_word given;
	int fds[STORE_FDS];
	unsigned int fd_count;
	struct hatchling worker;
	int worker_pidfd;
	struct fault minor;
	int veth_held;
};

/** build_veth_choose() - Before the plan is sealed: addresses, if it wants a
 * link to the host; Return: 0 or -errno */
int build_veth_choose(struct build *b, struct fault *f);

/** build_veth() - Make the link; Return: 0 or -errno */
int build_veth(struct build *b, struct fault *f);
void build_unveth(struct build *b);

/** build_veth_clear() - Remove links of one under this name that is dead;
 * Return: 0 or -errno */
int build_veth_clear(struct build *b, struct fault *f);
