// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ascend.c - from a user's setuid start to a process of root's own
 */
#include "box/ascend.h"

#include "base/fd.h"
#include "box/power.h"
#include "kern/signals.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#define ASCEND_FILES  65536u
#define ASCEND_STACK  (8u * 1024 * 1024)
#define ASCEND_GROUPS 65536 /* NGROUPS_MAX */

bool ascend_is_member(gid_t group)
{
	gid_t *all = calloc(ASCEND_GROUPS, sizeof(*all));
	const int count = all ? getgroups(ASCEND_GROUPS, all) : 0;
	bool is_in = getgid() == group;

	for (int i = 0; i < count && !is_in; i++)
		is_in = all[i] == group;
	free(all);
	return is_in;
}

static int ascend_ids(struct fault *f)
{
	struct power p;
	const int rc = power_take(&p, f);

	if (rc < 0)
		return rc;
	if (setresuid(0, 0, 0) < 0 || setresgid(0, 0, 0) < 0 ||
	    setgroups(0, NULL) < 0)
		return fault(f, -errno, "become root");
	if (getuid() != 0 || getgid() != 0 || getgroups(0, NULL) != 0)
		return fault_plain(f, -EPERM, "root's ids were not taken");
	return 0;
}

/**
 * ascend_limit() - Lift one limit, or as far as it goes
 *
 * Root of a container may lack the power over hard limits; then the caller's
 * must leave room.
 */
static int ascend_limit(int which, rlim_t want, rlim_t floor, const char *name,
			struct fault *f)
{
	struct rlimit l = { want, want };

	if (setrlimit(which, &l) == 0)
		return 0;
	if (getrlimit(which, &l) < 0)
		return fault(f, -errno, "read the limit of %s", name);
	if (l.rlim_max < floor)
		return fault_plain(f, -EPERM,
				   "the caller's limit of %s is too low, and "
				   "cannot be lifted",
				   name);
	l.rlim_cur = l.rlim_max;
	return setrlimit(which, &l) < 0
		       ? fault(f, -errno, "lift the limit of %s", name)
		       : 0;
}

static int ascend_limits(struct fault *f)
{
	/* Floors: what a daemon of some hundred sandboxes has been seen to use,
	 * and several times more. */
	static const struct {
		int which;
		rlim_t want;
		rlim_t floor;
		const char *name;
	} limit[] = {
		{ RLIMIT_AS, RLIM_INFINITY, 1u << 30, "address space" },
		{ RLIMIT_CORE, 0, 0, "core file size" },
		{ RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY, "CPU time" },
		{ RLIMIT_DATA, RLIM_INFINITY, 1u << 28, "data size" },
		{ RLIMIT_FSIZE, RLIM_INFINITY, 1u << 24, "file size" },
		{ RLIMIT_MEMLOCK, RLIM_INFINITY, 1u << 16, "locked memory" },
		{ RLIMIT_NOFILE, ASCEND_FILES, 1024, "open files" },
		{ RLIMIT_NPROC, RLIM_INFINITY, 1024, "processes" },
		{ RLIMIT_SIGPENDING, ASCEND_FILES, 256, "pending signals" },
		{ RLIMIT_STACK, ASCEND_STACK, 1u << 20, "stack size" },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(limit) / sizeof(limit[0]); i++)
		rc = ascend_limit(limit[i].which, limit[i].want, limit[i].floor,
				  limit[i].name, f);
	return rc;
}

/** ascend_leave_group() - Whoever owns a control group may freeze what is in it
 */
static void ascend_leave_group(void)
{
	static const char *const roots[] = {
		"/sys/fs/cgroup/cgroup.procs",
		"/sys/fs/cgroup/unified/cgroup.procs",
	};

	/* Without control groups, or in a container, it stays where it is. */
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (fd_write_file(roots[i], "0") == 0)
			return;
}

static int ascend_rest(struct fault *f)
{
	static const int timers[] = { ITIMER_REAL, ITIMER_VIRTUAL,
				      ITIMER_PROF };
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char *env[] = { path, NULL };
	const struct itimerval none = { 0 };
	const struct sched_param usual = { 0 };

	environ = env;
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		(void)setitimer(timers[i], &none, NULL); /* cannot fail */
	if (sched_setscheduler(0, SCHED_OTHER, &usual) < 0 ||
	    setpriority(PRIO_PROCESS, 0, 0) < 0)
		return fault(f, -errno, "take the usual priority");
	/* As any daemon's; it is absent in odd containers. */
	(void)fd_write_file("/proc/self/oom_score_adj", "0");
	if (chdir("/") < 0)
		return fault(f, -errno, "leave for /");
	ascend_leave_group();
	return 0;
}

int ascend(struct fault *f)
{
	int rc;

	signals_hold();
	rc = ascend_ids(f);
	if (rc == 0)
		rc = ascend_limits(f);
	return rc < 0 ? rc : ascend_rest(f);
}
