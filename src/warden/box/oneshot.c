// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * oneshot.c - a sandbox for one command, seen from outside
 *
 * The caller stays in the host's namespaces. It forks the keeper, which builds
 * the sandbox; hatches the worker with what the keeper hands over; says go;
 * and then stands in for the command (run.c) until that has ended.
 */
#include "box/oneshot.h"

#include "base/fd.h"
#include "box/keeper.h"
#include "box/run.h"
#include "box/stdfiles.h"
#include "bus/channel.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/** oneshot_fork_keeper() - Return: 0 or -errno */
static int oneshot_fork_keeper(struct run *r, const struct signals *before,
			       struct fault *f)
{
	int pair[2];
	int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel to the keeper");
	r->keeper = fork();
	if (r->keeper == 0) {
		/* The caller's end must not outlive the caller here. */
		fd_close(&pair[0]);
		keeper_main(r->o, before, pair[1]);
	}
	r->chan = pair[0];
	if (r->keeper < 0)
		rc = fault(f, -errno, "fork the keeper");
	fd_close(&pair[1]);
	return rc;
}

/**
 * oneshot_hear() - Wait for the keeper's next word
 * @want:   Which one
 * @fds:    Room for PLAN_FDS
 *
 * Return: 0, or -errno with the keeper's own fault
 */
static int oneshot_hear(struct run *r, enum keeper_news want,
			struct keeper_word *w, int *fds,
			unsigned int *ret_count, struct fault *f)
{
	const ssize_t n =
		channel_recv(r->chan, w, sizeof(*w), fds, PLAN_FDS, ret_count);

	if (n != (ssize_t)sizeof(*w))
		return fault_plain(f, -EPIPE,
				   "the keeper died before the command began");
	if (w->news == want)
		return 0;
	if (w->news == KEEPER_FAILED && w->fault.code < 0) {
		if (f)
			*f = w->fault;
		return w->fault.code;
	}
	return fault_plain(f, -EPROTO, "the keeper spoke out of turn");
}

/** oneshot_take_fds() - What the keeper made, and the caller's own listeners */
static int oneshot_take_fds(struct run *r, struct fault *f)
{
	struct keeper_word w;
	int fds[PLAN_FDS];
	const int rc = oneshot_hear(r, KEEPER_READY, &w, fds, &r->fd_count, f);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < r->fd_count; i++) {
		r->fds[i] = w.tag[i];
		r->fds[i].fd = fds[i];
	}
	return 0;
}

/** oneshot_begin() - Learn who the command is, and say go */
static int oneshot_begin(struct run *r, struct fault *f)
{
	const char go = KEEPER_GO;
	struct keeper_word w;
	int fds[PLAN_FDS];
	unsigned int count = 0;
	sigset_t held;
	int rc;

	signals_held(&held);
	r->signals = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		return fault(f, -errno, "open a signalfd");
	rc = oneshot_hear(r, KEEPER_GUARDED, &w, fds, &count, f);
	if (rc < 0)
		return rc;
	if (count != 1)
		return fault_plain(f, -EPROTO, "the keeper sent no pidfd");
	r->command = w.pid;
	r->pidfd = fds[0];
	/* Last of all: whatever fails from here on, the command may run. */
	if (channel_send(r->chan, &go, 1, NULL, 0) < 0)
		return fault_plain(f, -EPIPE,
				   "the keeper died before the command began");
	return 0;
}

/** oneshot_let_go() - A pipe must end when the command closes it, not we */
static void oneshot_let_go(void)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
}

static int oneshot_start(struct run *r, struct fault *f)
{
	struct signals before;
	int rc = stdfiles_check("run", f);

	if (rc < 0)
		return rc;
	r->self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (r->self_fd < 0)
		return fault(f, -errno, "open /proc/self/exe");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "become a subreaper");
	/* It becomes a worker while the keeper makes the sandbox: first, since
	 * the kernel gives a program that begins the idler processor. */
	rc = hatch_role(r->self_fd, WORKER_ROLE, NULL, &r->worker, f);
	if (rc < 0)
		return rc;
	signals_save(&before);
	signals_hold(); /* the keeper inherits it */
	rc = oneshot_fork_keeper(r, &before, f);
	signals_let(&before); /* until it has begun, Ctrl-C ends it all */
	if (rc == 0)
		rc = oneshot_take_fds(r, f);
	if (rc == 0)
		rc = run_hatch(r, f);
	if (rc == 0)
		rc = run_mind(r, f);
	signals_hold();
	return rc < 0 ? rc : oneshot_begin(r, f);
}

static void oneshot_say_left(const struct run *r)
{
	if (r->left == 0 || r->o->is_quiet)
		return;
	if (r->left == 1)
		(void)dprintf(STDERR_FILENO,
			      "nsproxy: run: 1 process stays in the "
			      "background; its sandbox ends with it\n");
	else
		(void)dprintf(STDERR_FILENO,
			      "nsproxy: run: %u processes stay in the "
			      "background; their sandbox ends with them\n",
			      r->left);
}

int oneshot_run(const struct oneshot *o, int *ret_status, struct fault *f)
{
	struct run r = {
		.o = o,
		.chan = -1,
		.self_fd = -1,
		.worker = { .chan = -1 },
		.minder = { .chan = -1 },
		.jobs_fd = -1,
		.board_fd = -1,
		.pidfd = -1,
		.signals = -1,
	};
	const int rc = oneshot_start(&r, f);

	if (rc < 0) {
		hatch_drop(&r.worker);
		run_fini(&r);
		if (r.keeper > 0)
			(void)waitpid(r.keeper, NULL, 0);
		return rc;
	}
	oneshot_let_go();
	run_wait(&r);
	oneshot_say_left(&r);
	fd_close(&r.chan);
	if (r.left == 0)
		run_see_off(&r);
	run_fini(&r);
	*ret_status = WIFSIGNALED(r.status) ? 128 + WTERMSIG(r.status)
					    : WEXITSTATUS(r.status);
	return 0;
}
