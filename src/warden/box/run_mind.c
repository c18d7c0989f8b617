// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * run_mind.c - what runs beside the command of a one-shot, and who minds it
 *
 * As in a named sandbox: the minder starts an engine or dnsproxy, starts it
 * again, and ends with the keeper. Here the stand-in for the command takes the
 * builder's part, hears of an engine's each end, and replaces a minder that
 * died.
 */
#include "box/run.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/board.h"
#include "box/minder.h"
#include "box/oneshot.h"
#include "bus/channel.h"
#include "kern/namespace.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIND_AGAIN_MS	  100
#define MIND_AGAIN_MAX_MS 10000

/** mind_given() - What the keeper made of a kind, or @other */
static int mind_given(const struct run *r, enum plan_fd_kind kind, int other)
{
	for (unsigned int i = 0; i < r->fd_count; i++)
		if (r->fds[i].kind == kind)
			return r->fds[i].fd;
	return other;
}

/** mind_hatch() - Return: 0 or -errno */
static int mind_hatch(struct run *r, bool is_first, struct fault *f)
{
	const struct minder_task task = {
		.name = "run",
		.is_root = namespace_is_root(),
		.is_first = is_first,
		.is_telling = true,
	};
	auto_fd keeper = (int)syscall(SYS_pidfd_open, r->keeper, 0);
	const int fds[MINDER_FDS] = {
		[MINDER_FD_KEEPER] = keeper,
		[MINDER_FD_NET] = mind_given(r, PLAN_FD_BOX_NET, keeper),
		[MINDER_FD_MNT] = mind_given(r, PLAN_FD_BOX_MNT, keeper),
		[MINDER_FD_USER] = mind_given(r, PLAN_FD_BOX_USER, keeper),
		[MINDER_FD_JOBS] = r->jobs_fd,
		[MINDER_FD_BOARD] = r->board_fd,
		[MINDER_FD_TUN] = mind_given(r, PLAN_FD_ENGINE_TUN, keeper),
		[MINDER_FD_STALL] = mind_given(r, PLAN_FD_ENGINE_NET, keeper),
	};
	int rc;

	if (keeper < 0)
		return fault(f, -errno, "open a pidfd of the keeper");
	r->minded_ms = run_now();
	rc = minder_hatch(r->self_fd, &task, fds, &r->minder, f);
	if (rc == 0)
		rc = minder_hear(r->minder.chan, f);
	if (rc == 0)
		/* It is the keeper that it ends with. */
		(void)channel_send(r->minder.chan, &(char){ MINDER_KEEP }, 1,
				   NULL, 0);
	return rc;
}

int run_mind(struct run *r, struct fault *f)
{
	int rc;

	if (r->o->jobs->count == 0)
		return 0;
	rc = jobs_seal(r->o->jobs, &r->jobs_fd);
	if (rc == 0)
		rc = board_make(&r->board_fd);
	if (rc < 0)
		return fault(f, rc, "seal the commands of what runs beside it");
	return mind_hatch(r, true, f);
}

void run_lose_minder(struct run *r)
{
	const uint64_t now = run_now();
	const bool was_well = now - r->minded_ms > MIND_AGAIN_MAX_MS;

	r->minder.pid = 0;
	fd_close(&r->minder.chan);
	if (r->chan < 0)
		return;
	r->mind_gap_ms = was_well || r->mind_gap_ms == 0 ? MIND_AGAIN_MS
							 : r->mind_gap_ms * 2;
	if (r->mind_gap_ms > MIND_AGAIN_MAX_MS)
		r->mind_gap_ms = MIND_AGAIN_MAX_MS;
	r->mind_ms = now + r->mind_gap_ms;
}

void run_mind_again(struct run *r)
{
	struct fault f = { 0 };

	r->mind_ms = 0;
	if (mind_hatch(r, false, &f) == 0) {
		log_warn("the minder of what runs beside the command died and "
			 "was replaced, and what it minds with it");
		return;
	}
	log_warn("the minder of what runs beside the command died and cannot "
		 "be replaced yet: %s",
		 f.text);
	if (r->minder.pid == 0)
		run_lose_minder(r);
}

void run_hear_minder(struct run *r)
{
	struct hatch_word w;
	const ssize_t n =
		channel_recv(r->minder.chan, &w, sizeof(w), NULL, 0, NULL);

	if (n != (ssize_t)sizeof(w)) {
		fd_close(&r->minder.chan); /* its death is told soon */
		return;
	}
	w.fault.text[sizeof(w.fault.text) - 1] = '\0';
	log_warn("%s; it is started again, and nothing leaves meanwhile",
		 w.fault.text);
}
