// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build.c - the process that does for a daemon whatever takes time
 *
 * It dies with the daemon. Killed at any moment it leaves nothing behind: the
 * keeper ends with it until it has been told to stand, and the worker ends with
 * the keeper. The daemon has heard of both before that.
 */
#include "box/build.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/build_own.h"
#include "bus/channel.h"
#include "bus/plan_file.h"
#include "kern/netns_etc.h"
#include "kern/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int build_begin(struct build_wish *w, const int fds[static BUILD_WISH_FDS],
		struct hatchling *ret, struct fault *f)
{
	auto_fd self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	int give[BUILD_WISH_FDS];
	unsigned int count = 0;
	int rc;

	if (self < 0)
		return fault(f, -errno, "open our own program");
	for (int i = 0; i < BUILD_WISH_FDS; i++) {
		w->has[i] = fds[i] >= 0;
		if (w->has[i])
			give[count++] = fds[i];
	}
	rc = hatch_role(self, BUILDER_ROLE, w->name, ret, f);
	if (rc < 0)
		return rc;
	rc = channel_send(ret->chan, w, sizeof(*w), give, count);
	/* One that is gone already may have left its word. */
	if (rc < 0 && rc != -EPIPE && rc != -ECONNRESET) {
		fd_close(&ret->chan);
		return fault(f, rc, "tell the builder what to do");
	}
	return 0;
}

void build_end(int chan, struct build_word *ret, int fds[static BUILD_FDS])
{
	unsigned int count = 0;
	ssize_t n;

	for (int i = 0; i < BUILD_FDS; i++)
		fds[i] = -1;
	memset(ret, 0, sizeof(*ret));
	n = channel_recv(chan, ret, sizeof(*ret), fds, BUILD_FDS, &count);
	/* A role that could not be executed says only why. */
	if (n == (ssize_t)sizeof(struct hatch_word) && ret->fault.code < 0)
		return;
	if (n == (ssize_t)sizeof(*ret) &&
	    (ret->fault.code < 0 || count >= BUILD_FD_CHAN ||
	     (ret->work == BUILD_CLEAR && count == 0)))
		return;
	while (count > 0)
		fd_close(&fds[--count]);
	/* How far it got, nobody knows: the next one looks at the worker. */
	ret->lost_worker = true;
	(void)fault_plain(&ret->fault, -EPIPE,
			  "the builder died before it was done");
}

/** build_etc() - Resolver files for those who enter by the name alone */
static int build_etc(struct build *b, struct fault *f)
{
	char servers[PLAN_NAMESERVERS];

	(void)f; /* a sandbox does without */
	if (b->wish.is_pinned)
		(void)netns_etc_make(b->wish.name,
				     plan_nameservers(b->plan, servers),
				     &b->minor);
	return 0;
}

static void build_unetc(struct build *b)
{
	if (b->wish.is_pinned)
		netns_etc_remove(b->wish.name);
}

/** build_prepare() - Before there is a mount namespace that copies it */
static int build_prepare(struct build *b, struct fault *f)
{
	return b->wish.is_pinned ? pin_prepare(f) : 0;
}

/** build_name() - A name that other programs know */
static int build_name(struct build *b, struct fault *f)
{
	if (!b->wish.is_pinned)
		return 0;
	return pin_make(b->wish.name, b->fds[STORE_FD_NET], f);
}

static void build_unname(struct build *b)
{
	if (b->wish.is_pinned)
		(void)pin_remove(b->wish.name);
}

static void build_unkeep(struct build *b)
{
	(void)unlink(b->wish.path);
}

static void build_unhatch(struct build *b)
{
	if (b->worker.pid > 0)
		(void)kill(b->worker.pid, SIGKILL);
}

#define WHEN(work) (1u << (work))

/**
 * build_steps - what is done, in this order, and undone backwards
 * @when:  For which works
 * @undo:  What does not end with this process; called even if the step itself
 *         has failed; may be NULL
 */
static const struct build_step {
	unsigned int when;
	int (*run)(struct build *b, struct fault *f);
	void (*undo)(struct build *b);
} build_steps[] = {
	{ WHEN(BUILD_NEW) | WHEN(BUILD_CLEAR), build_veth_clear, NULL },
	{ WHEN(BUILD_NEW) | WHEN(BUILD_CLEAR), build_moved_clear, NULL },
	{ WHEN(BUILD_NEW), build_foreign, NULL },
	{ WHEN(BUILD_NEW), build_plan, NULL },
	{ WHEN(BUILD_NEW), build_prepare, NULL },
	{ WHEN(BUILD_NEW), build_keeper, build_unkeep },
	{ WHEN(BUILD_HATCH) | WHEN(BUILD_ADOPT) | WHEN(BUILD_SWITCH), build_ask,
	  NULL },
	{ WHEN(BUILD_SWITCH), build_switch, NULL },
	{ WHEN(BUILD_SWITCH), build_retire, NULL },
	{ WHEN(BUILD_NEW) | WHEN(BUILD_HATCH) | WHEN(BUILD_SWITCH),
	  build_worker, build_unhatch },
	{ WHEN(BUILD_NEW), build_veth, build_unveth },
	{ WHEN(BUILD_NEW), build_moved, build_unmoved },
	{ WHEN(BUILD_NEW) | WHEN(BUILD_HATCH), build_minder, build_unmind },
	{ WHEN(BUILD_NEW), build_etc, build_unetc },
	{ WHEN(BUILD_NEW), build_name, build_unname },
};

#define BUILD_STEPS (sizeof(build_steps) / sizeof(build_steps[0]))

/** build_work() - Walk the table; @ret_done tells how far */
static int build_work(struct build *b, size_t *ret_done, struct fault *f)
{
	for (; *ret_done < BUILD_STEPS; ++*ret_done) {
		const struct build_step *step = &build_steps[*ret_done];
		int rc;

		if (!(step->when & WHEN(b->wish.work)))
			continue;
		rc = step->run(b, f);
		if (rc < 0) {
			++*ret_done;
			return rc;
		}
	}
	return 0;
}

static void build_undo(struct build *b, size_t done)
{
	while (done-- > 0)
		if (build_steps[done].when & WHEN(b->wish.work) &&
		    build_steps[done].undo)
			build_steps[done].undo(b);
}

/** build_let_go() - A worker has them, or none will: an attached namespace's
 * device ends with its last fd, and may have to before us */
static void build_let_go(struct build *b)
{
	for (unsigned int i = STORE_FD_TAGS; i < b->fd_count; i++)
		fd_close(&b->fds[i]);
}

/** build_way() - "socks5 10.0.0.1:1080, http proxy:3128" */
static void build_way(const struct plan *p, char *to, size_t size)
{
	size_t used = 0;

	to[0] = '\0';
	for (unsigned int i = 0; i < p->hop_count && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s%s",
					 i > 0 ? ", " : "", p->hop[i].label);
}

static int build_tell(struct build *b, int chan)
{
	const int worker = b->worker_pidfd >= 0 ? b->worker_pidfd
						: b->fds[STORE_FD_WORKER];
	const int minder = b->minder_pidfd >= 0 ? b->minder_pidfd
						: b->fds[STORE_FD_MINDER];
	const int fds[BUILD_FDS] = {
		[BUILD_FD_KEEPER] = b->fds[STORE_FD_KEEPER],
		[BUILD_FD_NET] = b->fds[STORE_FD_NET],
		[BUILD_FD_MNT] = b->fds[STORE_FD_MNT],
		[BUILD_FD_PID] = b->fds[STORE_FD_PID],
		[BUILD_FD_USER] = b->fds[STORE_FD_USER],
		[BUILD_FD_BOARD] = b->fds[STORE_FD_BOARD],
		[BUILD_FD_LEADER] = b->fds[STORE_FD_LEADER],
		[BUILD_FD_WORKER] = worker,
		[BUILD_FD_MINDER] = minder,
		[BUILD_FD_LOG] = b->fds[STORE_FD_LOG],
		[BUILD_FD_CHAN] = b->worker.chan,
	};
	struct build_word w = {
		.work = b->wish.work,
		.minor = b->minor,
		.since_s = b->given.since_s,
		.keeper = b->given.keeper,
		.worker = b->worker.pid > 0 ? b->worker.pid : b->given.worker,
		.minder = b->minder.pid > 0 ? b->minder.pid : b->given.minder,
		.is_root = b->given.is_root,
		.is_attached = b->given.is_attached,
		.leader = b->given.leader,
		.netns = b->given.netns,
	};

	if (b->wish.work == BUILD_CLEAR)
		return channel_send(chan, &w, sizeof(w), NULL, 0);
	/* An adopted one's plan has not been looked at yet. */
	if (b->wish.work == BUILD_ADOPT &&
	    plan_file_read(b->fds[STORE_FD_PLAN], b->plan) < 0)
		b->plan->hop_count = 0;
	if (b->wish.work != BUILD_NEW &&
	    terms_read(b->fds[STORE_FD_TERMS], &b->terms) < 0)
		return -EPROTO;
	w.terms = b->terms;
	memcpy(w.changed, b->changed, sizeof(w.changed));
	build_way(b->plan, w.way, sizeof(w.way));
	w.has_names = b->plan->names != NAMES_OFF;
	return channel_send(chan, &w, sizeof(w), fds,
			    b->worker.chan >= 0 ? BUILD_FDS : BUILD_FD_CHAN);
}

/** build_commit() - From here on the keeper stands without us */
static int build_commit(struct build *b)
{
	const struct store_word w = {
		.kind = STORE_KEEP,
		.worker = b->worker.pid,
		.minder = b->minder.pid,
	};
	int fds[2];
	unsigned int count = 0;

	if (b->wish.work == BUILD_ADOPT || b->wish.work == BUILD_CLEAR)
		return 0;
	if (b->wish.work == BUILD_SWITCH)
		return build_tell_switch(b);
	if (w.worker > 0)
		fds[count++] = b->worker_pidfd;
	if (w.minder > 0)
		fds[count++] = b->minder_pidfd;
	/* First: it ends with the keeper, should that not hear of it. */
	build_keep_minder(b);
	return store_send(b->chan, &w, fds, count);
}

/** build_hear() - Take the wish, and what is with it: the lock is held until we
 * end */
static bool build_hear(struct build *b, int chan)
{
	unsigned int count = 0;
	unsigned int next = 0;
	int fds[BUILD_WISH_FDS];

	if (channel_recv(chan, &b->wish, sizeof(b->wish), fds, BUILD_WISH_FDS,
			 &count) != (ssize_t)sizeof(b->wish))
		return false;
	if (b->wish.has[BUILD_WISH_LOCK] && next < count)
		next++;
	if (b->wish.has[BUILD_WISH_FOREIGN] && next < count)
		b->foreign = fds[next++];
	if (b->wish.has[BUILD_WISH_LEADER] && next < count)
		b->leader = fds[next];
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return getppid() == b->wish.daemon;
}

int builder_main(int chan, build_plan_fn *make_plan,
		 build_wireguard_fn *read_wireguard)
{
	struct build *b = calloc(1, sizeof(*b));
	struct build_word bad = { 0 };
	size_t done = 0;
	int rc = -ENOMEM;

	if (!b || !(b->plan = calloc(1, sizeof(*b->plan))) ||
	    !(b->jobs = calloc(1, sizeof(*b->jobs))))
		return 1;
	b->make_plan = make_plan;
	b->read_wireguard = read_wireguard;
	b->plan_fd = b->terms_fd = b->listener = b->chan = -1;
	b->foreign = b->leader = -1;
	b->worker_pidfd = b->worker.chan = b->veth_held = -1;
	b->moved.chan = -1;
	b->jobs_fd = b->board_fd = b->minder_pidfd = b->minder.chan = -1;
	for (int i = 0; i < PLAN_PUBLISH; i++)
		b->publish_fd[i] = -1;
	if (!build_hear(b, chan))
		return 1;
	log_init("", (enum log_level)b->wish.log_level);
	rc = build_work(b, &done, &bad.fault);
	build_let_go(b);
	explicit_bzero(b->plan, rc < 0 ? sizeof(*b->plan) : 0);
	if (rc == 0)
		rc = build_tell(b, chan);
	if (rc == 0)
		rc = build_commit(b);
	if (rc == 0) {
		moved_keep(&b->moved);
		return 0;
	}
	build_undo(b, done);
	bad.lost_worker = b->lost_worker;
	if (bad.fault.code == 0)
		(void)fault(&bad.fault, rc, "hand the sandbox over");
	(void)channel_send(chan, &bad, sizeof(bad), NULL, 0);
	return 1;
}
