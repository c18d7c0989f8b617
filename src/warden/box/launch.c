// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * launch.c - a minder starts a nurse
 *
 * Between the two stands for a moment a process that goes where a PID namespace
 * may be made: root's may be made at once; a user's, in the sandbox's user
 * namespace or, for a job on the host, in one of its own. The nurse is its
 * sibling, not its child, so that it dies with the minder.
 */
#include "box/launch.h"

#include "base/fd.h"
#include "bus/channel.h"
#include "kern/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** struct launch_word - from the process between */
struct launch_word {
	pid_t nurse;
	struct fault fault;
};

/** launch_power() - Get the right to make a PID namespace */
static int launch_power(const struct launch *l, struct fault *f)
{
	if (l->is_root)
		return 0;
	/* Only so may it write the map of its own ids. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "become dumpable");
	if (l->job->where == WHERE_HOST && l->job->engine == ENGINE_NONE)
		return namespace_leave_power_alone(f);
	return setns(l->user, CLONE_NEWUSER) < 0
		       ? fault(f, -errno, "enter the sandbox's user namespace")
		       : 0;
}

/** launch_between() - Make the PID namespace and its first process */
static void __attribute__((noreturn))
launch_between(const struct launch *l, int tell, int chan, int said)
{
	struct launch_word w;
	int rc;

	memset(&w, 0, sizeof(w));
	rc = launch_power(l, &w.fault);
	if (rc == 0 && unshare(CLONE_NEWPID) < 0)
		(void)fault(&w.fault, -errno, "make a PID namespace");
	if (w.fault.code == 0) {
		w.nurse = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD,
					 NULL, NULL, NULL, 0ul);
		if (w.nurse == 0)
			nurse_main(l, chan, said);
		if (w.nurse < 0)
			(void)fault(&w.fault, -errno, "fork");
	}
	(void)channel_send(tell, &w, sizeof(w), NULL, 0);
	_exit(0);
}

/** launch_fork() - Return: 0 or -errno, with the nurse's pid */
static int launch_fork(const struct launch *l, int chan, int said, pid_t *ret,
		       struct fault *f)
{
	struct launch_word w;
	int pair[2];
	pid_t between;
	ssize_t n;
	const int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel");
	between = fork();
	if (between == 0)
		launch_between(l, pair[1], chan, said);
	fd_close(&pair[1]);
	if (between < 0) {
		const int code = fault(f, -errno, "fork");

		fd_close(&pair[0]);
		return code;
	}
	n = channel_recv(pair[0], &w, sizeof(w), NULL, 0, NULL);
	fd_close(&pair[0]);
	(void)waitpid(between, NULL, 0);
	if (n != (ssize_t)sizeof(w))
		return fault_plain(f, -EPIPE,
				   "a process was killed before it could "
				   "start the program");
	if (w.fault.code < 0) {
		if (f)
			*f = w.fault;
		return w.fault.code;
	}
	*ret = w.nurse;
	return 0;
}

int launch(const struct launch *l, struct launched *ret, struct fault *f)
{
	auto_fd near = -1;
	auto_fd far = -1;
	auto_fd out = -1;
	auto_fd in = -1;
	int pair[2];
	int ends[2];
	int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel");
	near = pair[0];
	far = pair[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault(f, -errno, "make a pipe");
	out = ends[0];
	in = ends[1];
	if (fd_nonblock(out) < 0 || fd_nonblock(near) < 0)
		return fault(f, -EIO, "make a pipe");
	rc = launch_fork(l, far, in, &ret->pid, f);
	if (rc < 0)
		return rc;
	/* Our child, and not waited for: the pid is its own. */
	ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	if (ret->pidfd < 0) {
		rc = fault(f, -errno, "open a pidfd");
		(void)kill(ret->pid, SIGKILL);
		(void)waitpid(ret->pid, NULL, 0);
		return rc;
	}
	ret->chan = fd_take(&near);
	ret->said = fd_take(&out);
	return 0;
}
