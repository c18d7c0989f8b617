// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sandbox_build.c - a sandbox sends builders, and takes what they have made
 *
 * A builder is waited for in a queue, and then until its deadline. Its answer
 * decides what the sandbox is next.
 */
#include "box/sandbox_own.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the 128 inotify instances that a user has by default (inotify(7)), root
 * too, the keepers leave most to others. */
#define SANDBOX_WATCHERS  24
/* A name server may be slow, and a busy machine, too. */
#define BUILD_PATIENCE_MS 60000
#define ADOPT_PATIENCE_MS 15000

/** sandbox_take() - What a builder made is ours now */
int sandbox_take(struct sandbox *s, const struct build_word *w,
		 int fds[static BUILD_FDS])
{
	auto_fd chan = fd_take(&fds[BUILD_FD_CHAN]);
	int rc;

	for (int i = BUILD_FD_NET; i <= BUILD_FD_LEADER; i++) {
		fd_close(&s->ns[i]);
		s->ns[i] = fd_take(&fds[i]);
	}
	s->is_root = w->is_root;
	s->is_attached = w->is_attached;
	s->leader_pid = w->leader;
	s->has_names = w->has_names;
	s->netns = w->netns;
	s->since_s = w->since_s;
	s->terms = w->terms;
	s->link = w->terms.veth;
	s->has_moved = w->terms.device[0] != '\0';
	(void)text_copy_n(s->way, sizeof(s->way), w->way,
			  strnlen(w->way, sizeof(w->way) - 1));
	rc = mourned_watch(s, &s->keeper, fd_take(&fds[BUILD_FD_KEEPER]),
			   w->keeper, sandbox_keeper_died);
	/* One that was not replaced goes on, and on logging. */
	if (chan < 0 && w->worker == s->worker.pid)
		chan = fd_take(&s->worker.chan);
	if (rc == 0)
		rc = mourned_watch(s, &s->worker,
				   fd_take(&fds[BUILD_FD_WORKER]), w->worker,
				   sandbox_worker_died);
	s->worker.chan = fd_take(&chan);
	if (rc == 0 && w->minder > 0)
		rc = mourned_watch(s, &s->minder,
				   fd_take(&fds[BUILD_FD_MINDER]), w->minder,
				   sandbox_minder_died);
	s->host->hear(s->host->ctx, s, fd_take(&fds[BUILD_FD_LOG]));
	return rc < 0 ? fault(&s->trouble, rc, "watch the sandbox's processes")
		      : 0;
}

/** sandbox_not_switched() - All is as it was, unless the worker is lost */
static bool sandbox_not_switched(struct sandbox *s, bool lost_worker)
{
	s->switched = s->trouble.code;
	s->changed[0] = '\0';
	if (lost_worker || s->worker.pidfd < 0)
		return false;
	log_info("sandbox '%s' was not switched: %s", s->name, s->trouble.text);
	sandbox_enter(s, SANDBOX_UP);
	sandbox_tell(s);
	return true;
}

/** sandbox_cleared() - Its link to the host is gone, and an interface of the
 * host's is given back, as far as can be had */
static void sandbox_cleared(struct sandbox *s)
{
	s->link = (struct veth){ 0 };
	s->has_moved = false;
	sandbox_ended(s);
}

/** sandbox_failed() - The builder could not do it */
static void sandbox_failed(struct sandbox *s, enum sandbox_state was)
{
	if (was == SANDBOX_ENDING) {
		log_warn("sandbox '%s': %s; 'nsproxy gc' tries again", s->name,
			 s->trouble.text);
		sandbox_cleared(s);
		return;
	}
	log_info("sandbox '%s': %s", s->name, s->trouble.text);
	/* A keeper that cannot be adopted may live: nothing is built over it.
	 */
	if (was == SANDBOX_ADOPTING)
		sandbox_enter(s, SANDBOX_DOWN);
	else
		sandbox_wait(s);
	sandbox_tell(s);
}

/** sandbox_tell_minor() - It is up without something; what concerns all of
 * them, as a read-only /etc does, is told once */
static void sandbox_tell_minor(const struct sandbox *s, const struct fault *f)
{
	static bool has_told;

	if (f->code == 0 || (f->code == -EROFS && has_told))
		return;
	has_told |= f->code == -EROFS;
	log_warn("sandbox '%s' is up, but 'ip netns exec' and others find no "
		 "resolver files for it: %s",
		 s->name, f->text);
}

static void sandbox_built(struct watch *watch, uint32_t events)
{
	struct sandbox *s = container_of(watch, struct sandbox, builder.watch);
	const enum sandbox_state was = s->state;
	struct build_word w;
	int fds[BUILD_FDS];
	bool has_worker;

	(void)events;
	build_end(s->builder.chan, &w, fds);
	sandbox_forget_builder(s);
	loop_untimer(s->host->loop, &s->timer);
	s->trouble = w.fault;
	has_worker = fds[BUILD_FD_CHAN] >= 0;
	if (w.fault.code == 0 && w.work == BUILD_CLEAR) {
		sandbox_cleared(s);
		return;
	}
	if (w.fault.code == 0 && sandbox_take(s, &w, fds) == 0) {
		s->restarts += was == SANDBOX_HATCHING && has_worker;
		s->born_ms = s->host->loop->now_ms;
		s->switched = 0;
		memcpy(s->changed, w.changed, sizeof(s->changed));
		sandbox_enter(s, SANDBOX_UP);
		if (was == SANDBOX_SWITCHING)
			log_info("sandbox '%s': profile '%s': %s", s->name,
				 s->terms.profile,
				 s->changed[0] ? s->changed : "unchanged");
		else
			log_info("sandbox '%s' is up", s->name);
		sandbox_tell_minor(s, &w.minor);
	}
	for (int i = 0; i < BUILD_FDS; i++)
		fd_close(&fds[i]);
	if (s->state == SANDBOX_UP)
		sandbox_tell(s);
	else if (was != SANDBOX_SWITCHING ||
		 !sandbox_not_switched(s, w.lost_worker))
		sandbox_failed(s, was);
}

/** sandbox_late() - The builder took too long */
static void sandbox_late(struct timer *t)
{
	struct sandbox *s = container_of(t, struct sandbox, timer);
	const enum sandbox_state was = s->state;

	mourned_kill(&s->builder);
	sandbox_forget_builder(s);
	(void)fault_plain(&s->trouble, -ETIMEDOUT,
			  "it could not be built in time");
	s->switched = s->trouble.code;
	sandbox_failed(s, was);
}

/** sandbox_send_builder() - Return: 0 or -errno with the trouble filled */
static int sandbox_send_builder(struct sandbox *s, struct build_wish *w)
{
	struct mourned *b = &s->builder;
	struct hatchling born;
	const int fds[BUILD_WISH_FDS] = {
		[BUILD_WISH_LOCK] = s->host->lock,
		[BUILD_WISH_FOREIGN] = s->foreign,
		[BUILD_WISH_LEADER] = s->leader,
	};
	int rc = build_begin(w, fds, &born, &s->trouble);

	if (rc < 0)
		return rc;
	b->pid = born.pid;
	b->chan = born.chan;
	/* Ours and not waited for yet: the pid is still its own. */
	b->pidfd = (int)syscall(SYS_pidfd_open, b->pid, 0);
	rc = b->pidfd < 0 ? -errno
			  : loop_watch(s->host->loop, &b->watch, b->chan,
				       EPOLLIN, sandbox_built);
	return rc < 0 ? fault(&s->trouble, rc, "watch the builder") : 0;
}

/** sandbox_build() - It has its turn: send a builder */
static void sandbox_build(struct turn *t)
{
	struct sandbox *s = container_of(t, struct sandbox, turn);
	struct build_wish wish = {
		.work = s->work,
		.is_pinned = s->host->is_pinned && !s->is_attached,
		.owner = s->owner,
		.was = s->link,
		.is_closing = s->is_closing,
		.is_blind = *s->host->count > SANDBOX_WATCHERS,
		.log_level = s->host->log_level,
		.daemon = getpid(),
	};
	const enum sandbox_state was = s->state;
	int rc = 0;

	memcpy(wish.name, s->name, sizeof(wish.name));
	memcpy(wish.profile, s->work == BUILD_SWITCH ? s->next : s->profile,
	       sizeof(wish.profile));
	if (!sandbox_path(s->host->dir, s->name, wish.path, sizeof(wish.path)))
		rc = fault_plain(&s->trouble, -ENAMETOOLONG,
				 "the path '%s/%s' is too long for a socket",
				 s->host->dir, s->name);
	if (rc == 0)
		rc = sandbox_send_builder(s, &wish);
	fd_close(&s->foreign);
	fd_close(&s->leader);
	if (rc < 0) {
		sandbox_forget_builder(s);
		if (was != SANDBOX_SWITCHING || !sandbox_not_switched(s, false))
			sandbox_failed(s, was);
		return;
	}
	(void)loop_timer(s->host->loop, &s->timer,
			 s->work == BUILD_ADOPT ? ADOPT_PATIENCE_MS
						: BUILD_PATIENCE_MS,
			 sandbox_late);
}

void sandbox_begin(struct sandbox *s, enum build_work work)
{
	static const enum sandbox_state during[] = {
		[BUILD_NEW] = SANDBOX_BUILDING,
		[BUILD_HATCH] = SANDBOX_HATCHING,
		[BUILD_ADOPT] = SANDBOX_ADOPTING,
		[BUILD_SWITCH] = SANDBOX_SWITCHING,
		[BUILD_CLEAR] = SANDBOX_ENDING,
	};
	const struct sandbox_host *h = s->host;

	s->work = work;
	sandbox_enter(s, during[work]);
	crew_ask(work == BUILD_NEW ? h->makers : h->askers, &s->turn,
		 sandbox_build);
}

void sandbox_switch(struct sandbox *s, const char *profile, bool is_closing)
{
	assert(s->state == SANDBOX_UP);
	s->switched = -EINPROGRESS;
	s->is_closing = is_closing;
	(void)text_copy(s->next, sizeof(s->next), profile);
	sandbox_begin(s, BUILD_SWITCH);
}

void sandbox_up(struct sandbox *s)
{
	assert(s->state == SANDBOX_DOWN);
	sandbox_begin(s, BUILD_NEW);
}

void sandbox_attach(struct sandbox *s, int net, int leader)
{
	assert(s->state == SANDBOX_DOWN);
	s->is_attached = true;
	s->foreign = net;
	s->leader = leader;
	sandbox_begin(s, BUILD_NEW);
}

void sandbox_adopt(struct sandbox *s)
{
	assert(s->state == SANDBOX_DOWN);
	sandbox_begin(s, BUILD_ADOPT);
}
