/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * connector_hatch.h - a worker starts its connector
 */
#include "base/fault.h"
#include "bus/plan.h"
#include "dial/connector.h"

/** CONNECTOR_NAME - as in /proc/PID/comm; 15 bytes at most */
#define CONNECTOR_NAME "nsproxy-connect"

/**
 * struct connector_start - what a connector is started with
 * @plan:      Its places are taken from it
 * @fd:        All fds of the plan; those that are answered by are kept
 * @fd_count:  Of @fd
 * @devnull:   For its standard files
 * @keep_cwd:  As for lockdown_late()
 */
struct connector_start {
	const struct plan *plan;
	const struct plan_fd *fd;
	unsigned int fd_count;
	int devnull;
	bool keep_cwd;
};

/**
 * connector_hatch() - Fork one
 * @s:    Borrowed
 * @ret:  Our ends of the channels
 * @f:    Why not
 *
 * To be called before anything is built, so that it shares with us what it
 * will not use. It is not executed anew: what it has of us is the plan, which
 * we have as well, and that would cost as much memory as all the rest of it.
 * It locks itself down meanwhile; see connector_meet(). It ends when we do.
 *
 * Return: 0 or -errno
 */
int connector_hatch(const struct connector_start *s, struct connector_line *ret,
		    struct fault *f);

/**
 * connector_meet() - Wait until it is locked down
 * @line:  Of connector_hatch()
 * @f:     Why it could not be
 *
 * Return: 0 or -errno
 */
int connector_meet(const struct connector_line *line, struct fault *f);
