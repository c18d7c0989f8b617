// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * enter.c - a command goes into a sandbox that is there already
 *
 * No process stands between the shell and the command: this one enters, sheds
 * what gave it the power to, and executes. Each step is checked, and nothing
 * has been executed when one fails.
 */
#include "box/enter.h"

#include "base/broken.h"
#include "base/fd.h"
#include "base/text.h"
#include "box/admit.h"
#include "box/attend.h"
#include "box/execute.h"
#include "box/power.h"
#include "box/stdfiles.h"
#include "bus/channel.h"
#include "bus/plan.h"
#include "kern/guard.h"
#include "kern/namespace.h"
#include "kern/private.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	if (now.st_dev == p->st.st_dev && now.st_ino == p->st.st_ino)
		return 0;
	(void)fault_plain(
		f, -ENOENT, "'%s' is another directory inside",
		text_quote(shown, sizeof(shown), p->path, strlen(p->path)));
	return fault_hint(f, "begin in a directory that is the same in there: "
			     "cd /");
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
	if (e->guard == GUARD_STRICT && setns(e->pids, CLONE_NEWPID) < 0)
		return fault(f, -errno, "enter the sandbox's process ids");
	if (stat("/", &after) < 0)
		return fault(f, -errno, "look at the root directory inside");
	if (before.st_ino != after.st_ino || before.st_dev != after.st_dev)
		return fault_plain(f, -EPERM,
				   "the root directory is another one inside");
	return 0;
}

int enter_inside(const struct enter *e, int proc, struct fault *f)
{
	int rc = admit_net_at(proc, e->net, false, f);

	if (rc == 0)
		rc = enter_namespaces(e, f);
	return rc < 0 ? rc : admit_net_at(proc, e->net, true, f);
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

/**
 * enter_map() - In the helper: the ids of its parent's user namespace
 *
 * A caller may stop us at any point, end our parent, and get its number for a
 * process of its own: so the parent is known by @proc alone.
 */
static void __attribute__((noreturn)) enter_map(int chan, int proc)
{
	struct fault f = { 0 };
	char go;

	if (channel_recv(chan, &go, 1, NULL, 0, NULL) != 1)
		_exit(1);
	(void)(broken(BROKEN_NUMBER) ? namespace_map(getppid(), true, &f)
				     : namespace_map_at(proc, true, &f));
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
	struct fault got = { .code = -EPIPE };
	auto_fd self = -1;
	pid_t helper;
	int pair[2];
	int rc;

	if (!is_root)
		return namespace_leave_power_alone(f);
	self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self < 0)
		return fault(f, -errno, "open /proc/self");
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

/** enter_runtime() - The user's directory for sockets, in a /run that is new */
static void enter_runtime(void)
{
	const char *path = getenv("XDG_RUNTIME_DIR");
	char own[PATH_MAX];
	struct stat st;
	size_t len;

	if (!path || !text_starts(path, PRIVATE_RUNTIME "/"))
		return;
	len = strlen(PRIVATE_RUNTIME "/");
	len += strcspn(path + len, "/");
	if (len >= sizeof(own))
		return;
	memcpy(own, path, len);
	own[len] = '\0';
	/* Whoever else may enter could have been the first to make it. */
	if ((mkdir(own, 0700) < 0 && errno != EEXIST) || lstat(own, &st) < 0 ||
	    !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		(void)dprintf(STDERR_FILENO,
			      "nsproxy: XDG_RUNTIME_DIR is another user's "
			      "inside, and is unset\n");
		(void)unsetenv("XDG_RUNTIME_DIR");
	}
}

/** enter_attend() - Stay outside, with no power over the sandbox */
static void __attribute__((noreturn))
enter_attend(pid_t child, const struct power *p)
{
	struct fault f = { 0 };
	const int rc =
		p ? guard_become(p->uid, p->gid, true, &f) : guard_shed(0, &f);

	if (rc < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		(void)kill(child, SIGKILL);
	(void)syscall(SYS_close_range, 3, ~0u, 0);
	attend(child);
}

/**
 * enter_fork() - The command gets the sandbox's process ids, in a child
 *
 * Its own end raises SIGCHLD here, which the caller may have ignored: so that
 * is default until the child has put it back.
 */
static int enter_fork(const struct power *p, struct fault *f)
{
	const pid_t child = fork();

	if (child < 0)
		return fault(f, -errno, "fork");
	if (child > 0)
		enter_attend(child, p);
	return 0;
}

/** enter_go() - In, and down to who the command is */
static int enter_go(const struct enter *e, const struct power *p,
		    struct fault *f)
{
	const bool is_root = e->user < 0 && !p;
	int rc = enter_namespaces(e, f);

	if (rc == 0 && e->guard == GUARD_STRICT)
		rc = enter_fork(p, f);
	/* Only now /proc, which may be the sandbox's own, knows us. */
	if (rc == 0)
		rc = admit_net(e->net, true, f);
	if (rc < 0)
		return rc;
	if (e->guard != GUARD_PLAIN)
		return enter_guard(p, is_root, f);
	return p ? guard_become(p->uid, p->gid, false, f) : 0;
}

/** enter_leave() - Nothing can fail any more but the command itself */
static void __attribute__((noreturn))
enter_leave(const struct enter *e, const struct signals *before)
{
	enter_environ(e);
	if (e->guard == GUARD_STRICT) {
		enter_runtime();
		/* Who kills the stand-in means the command. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	}
	signals_restore(before);
	execute_command(e->verb, e->argv);
}

int enter_execute(const struct enter *e, struct fault *f)
{
	const bool is_lent = power_is_aside();
	struct signals before;
	struct power power;
	struct place place;
	int rc = stdfiles_check(e->verb, f);

	if (rc == 0)
		rc = place_save(&place, f);
	if (rc == 0)
		rc = admit(e, f);
	if (rc < 0)
		return rc;
	signals_save(&before);
	signals_hold();
	if (is_lent)
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
	if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
		return fault(f, -errno, "close inherited files");
	enter_leave(e, &before);
}
