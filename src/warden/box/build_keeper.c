// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build_keeper.c - the builder's steps for keeper and worker
 */
#include "box/build_own.h"

#include "base/fd.h"
#include "box/standing.h"
#include "bus/plan_file.h"
#include "kern/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ASK_TIMES    40
#define ASK_PAUSE_MS 25

/** build_foreign() - Is it one that may be attached? */
int build_foreign(struct build *b, struct fault *f)
{
	int rc;

	if (b->foreign < 0)
		return 0;
	rc = foreign_check(b->foreign, b->wish.owner, f);
	if (rc == 0 && b->leader >= 0)
		rc = foreign_leader(b->leader, &b->leader_pid, f);
	return rc;
}

/** build_plan() - Plan and listeners, from the configuration */
int build_plan(struct build *b, struct fault *f)
{
	int rc = b->make_plan(b->wish.profile, b->plan, &b->terms, b->jobs,
			      b->publish_fd, f);

	if (rc < 0)
		return rc;
	if (b->foreign >= 0 && (b->jobs->count > 0 || b->terms.veth.is_wished ||
				b->plan->device[0] != '\0'))
		return fault_plain(
			f, -EINVAL,
			"profile '%s' has %s, which an attached namespace has "
			"no place for",
			b->wish.profile,
			b->plan->engine != ENGINE_NONE	  ? "an engine"
			: b->plan->names == NAMES_PROGRAM ? "'dns = dnsproxy'"
			: b->jobs->count > 0		  ? "helpers"
			: b->terms.veth.is_wished	  ? "'veth = true'"
							  : "'attach'");
	memcpy(b->terms.device, b->plan->device, sizeof(b->terms.device));
	memcpy(b->terms.profile, b->wish.profile, sizeof(b->terms.profile));
	b->plan->log_level = b->wish.log_level;
	rc = build_veth_choose(b, f);
	if (rc < 0)
		return rc;
	rc = plan_file_seal(b->plan, &b->plan_fd);
	if (rc == 0)
		rc = terms_seal(&b->terms, &b->terms_fd);
	return rc < 0 ? fault(f, rc, "seal the plan") : build_jobs(b, f);
}

/** build_tell_keeper() - Hand over what it shall keep */
static int build_tell_keeper(struct build *b, struct fault *f)
{
	struct store_word w = {
		.kind = STORE_BUILD,
		.is_blind = b->wish.is_blind,
		.is_attached = b->foreign >= 0,
		.leader = b->leader_pid,
	};
	int fds[STORE_FDS];
	unsigned int count = STORE_TASK_TAGS;
	int rc;

	memcpy(w.name, b->wish.name, sizeof(w.name));
	fds[STORE_TASK_LISTENER] = b->listener;
	fds[STORE_TASK_PLAN] = b->plan_fd;
	fds[STORE_TASK_TERMS] = b->terms_fd;
	fds[STORE_TASK_JOBS] = b->jobs_fd;
	fds[STORE_TASK_BOARD] = b->board_fd;
	for (unsigned int i = 0; i < b->plan->publish_count; i++) {
		w.tag[w.tag_count++] = (struct plan_fd){
			.kind = PLAN_FD_PUBLISH,
			.index = i,
		};
		fds[count++] = b->publish_fd[i];
	}
	if (w.is_attached)
		fds[count++] = b->foreign;
	if (w.leader > 0)
		fds[count++] = b->leader;
	rc = store_send(b->chan, &w, fds, count);
	return rc < 0 && rc != -EPIPE && rc != -ECONNRESET
		       ? fault(f, rc, "hand the keeper its plan")
		       : 0;
}

/** build_hear_keeper() - Everything it made, or why it failed */
static int build_hear_keeper(struct build *b, struct fault *f)
{
	const int rc = store_recv(b->chan, &b->given, b->fds, &b->fd_count);

	if (rc < 0)
		return fault_plain(f, -EPIPE,
				   "the keeper died before it was ready");
	if (b->given.kind == STORE_GIVEN)
		return 0;
	if (b->given.kind != STORE_FAILED || b->given.fault.code >= 0)
		return fault_plain(f, -EPROTO, "the keeper made no sense");
	*f = b->given.fault;
	return f->code;
}

int build_keeper(struct build *b, struct fault *f)
{
	auto_fd self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct hatchling keeper;
	int rc = store_listen(b->wish.path, &b->listener, f);

	if (rc < 0)
		return rc;
	if (self < 0)
		return fault(f, -errno, "open our own program");
	rc = hatch_role(self, KEEPER_ROLE, b->wish.name, &keeper, f);
	if (rc < 0)
		return rc;
	b->chan = keeper.chan;
	rc = build_tell_keeper(b, f);
	if (rc == 0)
		rc = build_hear_keeper(b, f);
	fd_close(&b->listener);
	return rc;
}

int build_worker(struct build *b, struct fault *f)
{
	auto_fd self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct plan_fd tag[PLAN_FDS];
	unsigned int count = 0;
	int rc = plan_file_read(b->fds[STORE_FD_PLAN], b->plan);

	if (rc < 0)
		return fault(f, rc, "read the plan that was kept");
	/* It may be the minder that died. */
	if (b->given.worker > 0 && !build_is_dead(b->fds[STORE_FD_WORKER]) &&
	    !build_is_retired(b->given.worker))
		return 0;
	if (self < 0)
		return fault(f, -errno, "open our own program");
	for (unsigned int i = 0; i < b->given.tag_count; i++) {
		if (plan_fd_is_outside(&b->given.tag[i]))
			continue;
		tag[count] = b->given.tag[i];
		tag[count++].fd = b->fds[STORE_FD_TAGS + i];
	}
	rc = hatch_worker(self, b->plan, tag, count, &b->worker, f);
	if (rc < 0)
		return rc;
	b->worker_pidfd = (int)syscall(SYS_pidfd_open, b->worker.pid, 0);
	return b->worker_pidfd < 0 ? fault(f, -errno, "open a pidfd") : 0;
}

static int build_ask_once(struct build *b, struct fault *f)
{
	int rc;

	fd_close(&b->chan);
	rc = store_open(b->wish.path, &b->chan, f);
	if (rc < 0)
		return rc;
	rc = store_ask(b->chan, &b->given, b->fds, &b->fd_count, f);
	/* Whoever may write here may have renamed one over another. */
	if (rc == 0 && strcmp(b->given.name, b->wish.name) != 0)
		return fault_plain(f, -EPROTO,
				   "the keeper at '%s' is of sandbox '%s'",
				   b->wish.path, b->given.name);
	return rc;
}

/**
 * build_ask() - Call a keeper
 *
 * One that is being killed still takes calls for a moment and then hangs up;
 * one that lives and hangs up does not want us.
 */
int build_ask(struct build *b, struct fault *f)
{
	const struct timespec pause = { .tv_nsec = ASK_PAUSE_MS * 1000000 };
	int rc = build_ask_once(b, f);

	for (int i = 0; (rc == -EPIPE || rc == -ECONNRESET) && i < ASK_TIMES;
	     i++) {
		(void)nanosleep(&pause, NULL);
		rc = build_ask_once(b, f);
	}
	/* Who had begun to put another in its place did not come to that. */
	if (rc == 0 && b->wish.work == BUILD_ADOPT && b->given.worker > 0 &&
	    build_is_retired(b->given.worker))
		(void)syscall(SYS_pidfd_send_signal, b->fds[STORE_FD_WORKER],
			      SIGKILL, NULL, 0);
	return rc;
}
