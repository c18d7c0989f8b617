// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build_jobs.c - the builder's steps for what a sandbox's minder runs
 */
#include "box/build_own.h"

#include "base/fd.h"
#include "box/board.h"
#include "box/minder.h"
#include "bus/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/** build_ends() - Wait until the process of a pidfd is no more; false if it
 * takes too long */
static bool build_ends(int pidfd, int patience_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, patience_ms) > 0;
}

bool build_is_dead(int pidfd)
{
	return build_ends(pidfd, 0);
}

int build_jobs(struct build *b, struct fault *f)
{
	int rc = jobs_seal(b->jobs, &b->jobs_fd);

	if (rc == 0)
		rc = board_make(&b->board_fd);
	return rc < 0 ? fault(f, rc, "seal the helpers' commands") : 0;
}

/** build_minder_wanted() - Are there jobs that nobody minds? */
static int build_minder_wanted(struct build *b, struct fault *f)
{
	const int rc = jobs_read(b->fds[STORE_FD_JOBS], b->jobs);

	if (rc < 0)
		return fault(f, rc, "read the jobs that were kept");
	if (b->jobs->count == 0)
		return 0;
	return b->given.minder == 0 || build_is_dead(b->fds[STORE_FD_MINDER]);
}

/** build_given() - What the keeper has of a kind, or its own pidfd */
static int build_given(const struct build *b, enum plan_fd_kind kind)
{
	for (unsigned int i = 0; i < b->given.tag_count; i++)
		if (b->given.tag[i].kind == kind)
			return b->fds[STORE_FD_TAGS + i];
	return b->fds[STORE_FD_KEEPER];
}

int build_minder(struct build *b, struct fault *f)
{
	auto_fd self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct minder_task task = {
		.is_root = b->given.is_root,
		.is_first = b->wish.work == BUILD_NEW,
	};
	const int fds[MINDER_FDS] = {
		[MINDER_FD_KEEPER] = b->fds[STORE_FD_KEEPER],
		[MINDER_FD_NET] = b->fds[STORE_FD_NET],
		[MINDER_FD_MNT] = b->fds[STORE_FD_MNT],
		[MINDER_FD_USER] = b->fds[STORE_FD_USER],
		[MINDER_FD_JOBS] = b->fds[STORE_FD_JOBS],
		[MINDER_FD_BOARD] = b->fds[STORE_FD_BOARD],
		[MINDER_FD_TUN] = build_given(b, PLAN_FD_ENGINE_TUN),
		[MINDER_FD_STALL] = build_given(b, PLAN_FD_ENGINE_NET),
	};
	int rc = build_minder_wanted(b, f);

	if (rc <= 0)
		return rc;
	if (self < 0)
		return fault(f, -errno, "open our own program");
	memcpy(task.name, b->wish.name, sizeof(task.name));
	rc = minder_hatch(self, &task, fds, &b->minder, f);
	if (b->minder.pid <= 0)
		return rc;
	b->minder_pidfd = (int)syscall(SYS_pidfd_open, b->minder.pid, 0);
	if (rc == 0 && b->minder_pidfd < 0)
		rc = fault(f, -errno, "open a pidfd");
	return rc < 0 ? rc : minder_hear(b->minder.chan, f);
}

void build_unmind(struct build *b)
{
	if (b->minder.pid <= 0)
		return;
	(void)kill(b->minder.pid, SIGTERM);
	if (b->minder_pidfd >= 0 &&
	    build_ends(b->minder_pidfd, MINDER_PATIENCE_MS))
		return;
	(void)kill(b->minder.pid, SIGKILL);
}

void build_keep_minder(struct build *b)
{
	static const char word = MINDER_KEEP;

	/* One that is gone is the daemon's to replace. */
	if (b->minder.pid > 0)
		(void)channel_send(b->minder.chan, &word, 1, NULL, 0);
}
