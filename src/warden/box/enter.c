// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * enter.c - a command goes into a sandbox that is there already
 *
 * No process stands between the shell and the command: this one enters, sheds
 * what gave it the power to, and executes. Each step is checked, and nothing
 * has been executed when one fails.
 */
#include "box/enter.h"

#include "base/fd.h"
#include "base/text.h"
#include "box/execute.h"
#include "box/power.h"
#include "box/stdfiles.h"
#include "bus/channel.h"
#include "bus/plan.h"
#include "kern/guard.h"
#include "kern/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** struct place - a directory that must be the same one inside */
struct place {
	char path[PATH_MAX];
	struct stat st;
};

static int place_save(struct place *p, struct fault *f)
{
	/* The system call itself tells what cannot be reached. */
	if (syscall(SYS_getcwd, p->path, sizeof(p->path)) < 0 ||
	    stat(".", &p->st) < 0)
		return fault(f, -errno, "find the working directory");
	if (p->path[0] != '/')
		return fault_plain(f, -ENOENT,
				   "the working directory is out of reach");
	return 0;
}

static int place_restore(const struct place *p, struct fault *f)
{
	struct stat now;
	char shown[200];

	if (chdir(p->path) < 0 || stat(".", &now) < 0)
		return fault(f, -errno, "go back to '%s' inside",
			     text_quote(shown, sizeof(shown), p->path,
					strlen(p->path)));
	if (now.st_dev != p->st.st_dev || now.st_ino != p->st.st_ino)
		return fault_plain(f, -ENOENT,
				   "'%s' is another directory inside",
				   text_quote(shown, sizeof(shown), p->path,
					      strlen(p->path)));
	return 0;
}

/** enter_check_net() - Never mistake the host's network for a sandbox */
static int enter_check_net(int net, bool is_inside, struct fault *f)
{
	struct stat want;
	struct stat here;

	if (fstat(net, &want) < 0 || stat("/proc/self/ns/net", &here) < 0)
		return fault(f, -errno, "look at the network namespace");
	if ((want.st_ino == here.st_ino && want.st_dev == here.st_dev) ==
	    is_inside)
		return 0;
	return fault_plain(f, -EPERM,
			   is_inside ? "the sandbox's network was not entered"
				     : "the daemon gave no sandbox's network");
}

/** enter_check_kind() - Is this what the daemon said it is? */
static int enter_check_kind(int ns, int kind, struct fault *f)
{
	if (ioctl(ns, NS_GET_NSTYPE) == kind)
		return 0;
	return fault_plain(f, -EPROTO, "the daemon gave no namespace");
}

/** enter_check_owner() - Root's sandboxes belong to our own user namespace */
static int enter_check_owner(int ns, struct fault *f)
{
	auto_fd owner = ioctl(ns, NS_GET_USERNS);
	struct stat want;
	struct stat here;

	if (owner < 0 || fstat(owner, &want) < 0 ||
	    stat("/proc/self/ns/user", &here) < 0)
		return fault(f, -errno, "ask whose the sandbox is");
	if (want.st_ino == here.st_ino && want.st_dev == here.st_dev)
		return 0;
	return fault_plain(f, -EPERM,
			   "the sandbox belongs to another user namespace");
}

/**
 * enter_check_mounts() - Would the sandbox's mounts show more than ours?
 *
 * They were made from the daemon's. Who was given others, or another root
 * directory, must not come out of them by way of a sandbox.
 */
static int enter_check_mounts(const struct enter *e, struct fault *f)
{
	struct stat mine;

	if (stat("/proc/self/ns/mnt", &mine) < 0)
		return fault(f, -errno, "look at the mount namespace");
	if (mine.st_ino == e->mounts)
		return 0;
	(void)fault_plain(f, -EPERM,
			  "this process has mounts of its own, and the "
			  "sandbox has the host's");
	return fault_hint(f, "call it from outside, or run nsproxy there "
			     "without the daemon: nsproxy run");
}

static int enter_check(const struct enter *e, struct fault *f)
{
	int rc = enter_check_kind(e->net, CLONE_NEWNET, f);

	if (rc == 0)
		rc = enter_check_kind(e->mnt, CLONE_NEWNS, f);
	if (rc == 0)
		rc = enter_check_net(e->net, false, f);
	if (rc == 0 && e->user < 0)
		rc = enter_check_owner(e->net, f);
	if (rc == 0 && e->user < 0)
		rc = enter_check_owner(e->mnt, f);
	if (rc == 0 && power_is_aside())
		rc = enter_check_mounts(e, f);
	return rc;
}

static int enter_namespaces(const struct enter *e, struct fault *f)
{
	struct stat before;
	struct stat after;

	if (stat("/", &before) < 0)
		return fault(f, -errno, "look at the root directory");
	if (e->user >= 0 && setns(e->user, CLONE_NEWUSER) < 0)
		return fault(f, -errno, "enter the sandbox's user namespace");
	if (setns(e->net, CLONE_NEWNET) < 0)
		return fault(f, -errno, "enter the sandbox's network");
	if (setns(e->mnt, CLONE_NEWNS) < 0)
		return fault(f, -errno, "enter the sandbox's mounts");
	if (stat("/", &after) < 0)
		return fault(f, -errno, "look at the root directory inside");
	if (before.st_ino != after.st_ino || before.st_dev != after.st_dev)
		return fault_plain(f, -EPERM,
				   "the root directory is another one inside");
	return enter_check_net(e->net, true, f);
}

/**
 * enter_fork_quietly() - A child whose end raises no signal
 *
 * The command may have SIGCHLD blocked, and must not find one of ours.
 */
static pid_t enter_fork_quietly(void)
{
	return (pid_t)syscall(SYS_clone, 0ul, NULL, NULL, NULL, 0ul);
}

/** enter_map() - In the helper: the ids of its parent's user namespace */
static void __attribute__((noreturn)) enter_map(int chan, pid_t parent)
{
	struct fault f = { 0 };
	char go;

	if (channel_recv(chan, &go, 1, NULL, 0, NULL) != 1)
		_exit(1);
	(void)namespace_map(parent, true, &f);
	(void)channel_send(chan, &f, sizeof(f), NULL, 0);
	_exit(0);
}

/**
 * enter_leave_power() - A user namespace of our own, with our ids
 *
 * Root's keeps every id, and only a process outside can say so.
 */
static int enter_leave_power(bool is_root, struct fault *f)
{
	const pid_t self = getpid();
	int pair[2];
	pid_t helper;
	struct fault got = { .code = -EPIPE };
	int rc;

	if (!is_root)
		return namespace_leave_power_alone(f);
	rc = channel_pair(pair);
	if (rc < 0)
		return fault(f, rc, "make a channel");
	helper = enter_fork_quietly();
	if (helper == 0) {
		fd_close(&pair[0]);
		enter_map(pair[1], self);
	}
	fd_close(&pair[1]);
	rc = helper < 0 ? fault(f, -errno, "fork") : namespace_leave_power(f);
	if (rc == 0) {
		(void)channel_send(pair[0], "G", 1, NULL, 0);
		(void)channel_recv(pair[0], &got, sizeof(got), NULL, 0, NULL);
		rc = got.code;
		if (rc < 0 && f)
			*f = got;
	}
	fd_close(&pair[0]);
	if (helper > 0)
		(void)waitpid(helper, NULL, __WALL);
	return rc;
}

/** enter_guard() - Shed everything, in this order; as `nsproxy run` does
 *
 * @p: Who to become, or NULL for who we are
 */
static int enter_guard(const struct power *p, bool is_root, struct fault *f)
{
	int rc = enter_leave_power(is_root || p, f);

	if (rc < 0)
		return rc;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	rc = p ? guard_become(p->uid, p->gid, true, f)
	       : guard_shed(is_root ? guard_file_powers() : 0, f);
	if (rc == 0)
		rc = guard_filter(f);
	return rc;
}

/** enter_environ() - As it was, and what tells where we are */
static void enter_environ(const struct enter *e)
{
	environ = power_environ();
	/* Without memory the command merely is not told. */
	(void)setenv("NSPROXY_SANDBOX", e->name, 1);
	(void)setenv("NSPROXY_GATEWAY", GATEWAY_IP4, 1);
}

/** enter_go() - In, and down to who the command is */
static int enter_go(const struct enter *e, const struct power *p,
		    struct fault *f)
{
	const bool is_root = e->user < 0 && !p;
	int rc = enter_namespaces(e, f);

	if (rc < 0)
		return rc;
	switch (e->guard) {
	case GUARD_PLAIN:
		return p ? guard_become(p->uid, p->gid, false, f) : 0;
	case GUARD_GUARDED:
		return enter_guard(p, is_root, f);
	case GUARD_STRICT:
		break;
	}
	return fault_plain(f, -EOPNOTSUPP,
			   "the sandbox has a guard that this "
			   "version does not know");
}

int enter_execute(const struct enter *e, struct fault *f)
{
	const bool is_lent = power_is_aside();
	struct power power;
	struct place place;
	int rc = stdfiles_check(e->verb, f);

	if (rc == 0)
		rc = place_save(&place, f);
	if (rc == 0)
		rc = enter_check(e, f);
	if (rc == 0 && is_lent)
		rc = power_take(&power, f);
	if (rc == 0)
		rc = enter_go(e, is_lent ? &power : NULL, f);
	/* As who the command is: the way there may be closed to root. */
	if (rc == 0)
		rc = place_restore(&place, f);
	if (rc == 0)
		rc = guard_place(f);
	if (rc < 0)
		return rc;
	enter_environ(e);
	if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
		return fault(f, -errno, "close inherited files");
	if (is_lent)
		(void)sigprocmask(SIG_SETMASK, &power.mask, NULL);
	execute_command(e->verb, e->argv);
}
