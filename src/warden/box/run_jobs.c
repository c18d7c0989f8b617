// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * run_jobs.c - what runs inside beside the command of a one-shot
 *
 * The same minder as a named sandbox's, with nobody to read its board. It ends
 * with the keeper, so that what stays in the background keeps its jobs.
 */
#include "box/run_jobs.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/board.h"
#include "box/oneshot.h"
#include "box/run.h"
#include "bus/channel.h"
#include "kern/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_NAME	 "run"
#define JOBS_PATIENCE_MS 30000 /* the minder itself has less */
#define JOBS_AGAIN_MS	 1000

int run_jobs_open(int ret[static RUN_NAMESPACES], struct fault *f)
{
	static const char *const path[RUN_NAMESPACES] = {
		"/proc/self/ns/net",
		"/proc/self/ns/mnt",
		"/proc/self/ns/user",
	};

	for (int i = 0; i < RUN_NAMESPACES; i++)
		ret[i] = -1;
	for (int i = 0; i < RUN_NAMESPACES; i++) {
		ret[i] = open(path[i], O_RDONLY | O_CLOEXEC);
		if (ret[i] < 0)
			return fault(f, -errno, "open %s", path[i]);
	}
	return 0;
}

static int jobs_tell(const struct run *r, bool is_first, struct fault *f)
{
	const struct minder_task task = {
		.name = JOBS_NAME,
		.is_root = namespace_is_root(),
		.is_first = is_first,
	};
	const int rc = channel_send(r->minder.chan, &task, sizeof(task),
				    r->mind_fd, MINDER_FDS);

	/* One that is gone already may have left its word. */
	return rc < 0 && rc != -EPIPE && rc != -ECONNRESET
		       ? fault(f, rc, "tell the minder what to do")
		       : 0;
}

static int jobs_hear(const struct run *r, struct fault *f)
{
	struct pollfd p = { .fd = r->minder.chan, .events = POLLIN };
	struct hatch_word w;
	int n;

	do {
		n = poll(&p, 1, JOBS_PATIENCE_MS);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return fault_plain(f, -ETIMEDOUT,
				   "the minder did not say whether dnsproxy is "
				   "ready");
	if (channel_recv(r->minder.chan, &w, sizeof(w), NULL, 0, NULL) !=
	    (ssize_t)sizeof(w))
		return fault_plain(f, -EPIPE,
				   "the minder died before dnsproxy was ready");
	if (w.fault.code < 0 && f)
		*f = w.fault;
	return w.fault.code;
}

static int jobs_start(struct run *r, bool is_first, struct fault *f)
{
	static const char keep = MINDER_KEEP;
	int rc = hatch_role(r->self_fd, MINDER_ROLE, JOBS_NAME, &r->minder, f);

	if (rc < 0)
		return rc;
	rc = jobs_tell(r, is_first, f);
	if (rc == 0)
		rc = jobs_hear(r, f);
	if (rc == 0) {
		rc = channel_send(r->minder.chan, &keep, 1, NULL, 0);
		if (rc < 0)
			(void)fault(f, rc, "tell the minder to stay");
	}
	if (rc < 0)
		run_jobs_end(r);
	return rc;
}

int run_jobs_begin(struct run *r, int ns[static RUN_NAMESPACES],
		   struct fault *f)
{
	int rc;

	r->mind_fd[MINDER_FD_NET] = fd_take(&ns[0]);
	r->mind_fd[MINDER_FD_MNT] = fd_take(&ns[1]);
	r->mind_fd[MINDER_FD_USER] = fd_take(&ns[2]);
	r->mind_fd[MINDER_FD_KEEPER] =
		(int)syscall(SYS_pidfd_open, r->keeper, 0);
	if (r->mind_fd[MINDER_FD_KEEPER] < 0)
		return fault(f, -errno, "open a pidfd of the keeper");
	rc = jobs_seal(r->o->jobs, &r->mind_fd[MINDER_FD_JOBS]);
	if (rc == 0)
		rc = board_make(&r->mind_fd[MINDER_FD_BOARD]);
	return rc < 0 ? fault(f, rc, "seal the commands")
		      : jobs_start(r, true, f);
}

void run_jobs_died(struct run *r)
{
	r->minder.pid = 0;
	fd_close(&r->minder.chan);
	/* Without a keeper there is nothing to mind. */
	r->mind_ms = r->chan < 0 ? 0 : run_now() + JOBS_AGAIN_MS;
}

void run_jobs_again(struct run *r)
{
	struct fault f = { 0 };

	r->mind_ms = 0;
	if (jobs_start(r, false, &f) < 0) {
		log_warn("what answers DNS inside cannot be started: %s",
			 f.text);
		run_jobs_died(r);
	}
}

void run_jobs_end(struct run *r)
{
	if (r->minder.pid > 0) {
		/* Its jobs die with it. */
		(void)kill(r->minder.pid, SIGKILL);
		(void)waitpid(r->minder.pid, NULL, 0);
	}
	r->minder.pid = 0;
	fd_close(&r->minder.chan);
}
