// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sandbox.c - a named sandbox, from wish to ash, as its daemon sees it
 *
 * Nothing waits here: a builder does the work and its answer, the death of a
 * process or a timer moves the state on. A worker that dies is replaced while
 * its keeper lives; with the keeper the sandbox itself is gone, and a new one
 * is built under the name.
 */
#include "box/sandbox.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "box/minder.h"
#include "kern/netns_etc.h"
#include "kern/pin.h"
#include "kern/wall.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the 128 inotify instances that a user has by default (inotify(7)), root
 * too, the keepers leave most to others. */
#define SANDBOX_WATCHERS  24
#define AGAIN_MS	  100
#define AGAIN_MAX_MS	  10000
/* A name server may be slow, and a busy machine, too. */
#define BUILD_PATIENCE_MS 60000
#define ADOPT_PATIENCE_MS 15000
/* A killed process that is in the kernel still has to come out. */
#define END_PATIENCE_MS	  5000

static const char *const state_name[] = {
	[SANDBOX_DOWN] = "down",	 [SANDBOX_BUILDING] = "starting",
	[SANDBOX_ADOPTING] = "starting", [SANDBOX_UP] = "up",
	[SANDBOX_HATCHING] = "waiting",	 [SANDBOX_WAITING] = "waiting",
	[SANDBOX_ENDING] = "stopping",	 [SANDBOX_SWITCHING] = "up",
};

static_assert(sizeof(state_name) / sizeof(state_name[0]) == SANDBOX_STATES,
	      "each state has a name");

static void sandbox_begin(struct sandbox *s, enum build_work work,
			  uint64_t stale);

const char *sandbox_state_name(const struct sandbox *s)
{
	if ((s->state == SANDBOX_WAITING && !sandbox_has_keeper(s)) ||
	    (s->state == SANDBOX_DOWN && s->trouble.code < 0))
		return "failed";
	return state_name[s->state];
}

bool sandbox_path(const char *dir, const char *name, char *to, size_t size)
{
	const int n = snprintf(to, size, "%s/%s", dir, name);

	return n > 0 && (size_t)n < size;
}

static void sandbox_enter(struct sandbox *s, enum sandbox_state next)
{
	log_debug("sandbox '%s': %s -> %s", s->name, state_name[s->state],
		  state_name[next]);
	s->state = next;
}

static void sandbox_tell(struct sandbox *s)
{
	s->host->changed(s->host->ctx, s);
}

static void mourned_init(struct mourned *m)
{
	*m = (struct mourned){ .pidfd = -1, .chan = -1, .watch.fd = -1 };
}

struct sandbox *sandbox_new(const struct sandbox_host *host, const char *name,
			    const char *profile)
{
	struct sandbox *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->host = host;
	s->foreign = -1;
	list_init(&s->node);
	list_init(&s->news);
	mourned_init(&s->builder);
	mourned_init(&s->keeper);
	mourned_init(&s->worker);
	mourned_init(&s->minder);
	for (int i = 0; i < BUILD_FDS; i++)
		s->ns[i] = -1;
	/* Good names have room. */
	(void)text_copy(s->name, sizeof(s->name), name);
	(void)text_copy(s->profile, sizeof(s->profile), profile);
	return s;
}

static void mourned_forget(struct sandbox *s, struct mourned *m)
{
	loop_unwatch(s->host->loop, &m->watch);
	fd_close(&m->pidfd);
	fd_close(&m->chan);
	m->pid = 0;
}

static void mourned_signal(const struct mourned *m, int sig)
{
	if (m->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, m->pidfd, sig, NULL, 0);
}

static void mourned_kill(const struct mourned *m)
{
	mourned_signal(m, SIGKILL);
}

static void sandbox_forget_builder(struct sandbox *s)
{
	mourned_forget(s, &s->builder);
	crew_leave(&s->turn);
}

static void sandbox_forget_keeper(struct sandbox *s)
{
	mourned_forget(s, &s->keeper);
	for (int i = 0; i < BUILD_FDS; i++)
		fd_close(&s->ns[i]);
}

void sandbox_free(struct sandbox *s)
{
	fd_close(&s->foreign);
	sandbox_forget_builder(s);
	sandbox_forget_keeper(s);
	mourned_forget(s, &s->worker);
	mourned_forget(s, &s->minder);
	loop_untimer(s->host->loop, &s->timer);
	list_del(&s->node);
	list_del(&s->news);
	free(s);
}

bool sandbox_has_keeper(const struct sandbox *s)
{
	return s->keeper.pidfd >= 0;
}

/** sandbox_again() - The back-off is over */
static void sandbox_again(struct timer *t)
{
	struct sandbox *s = container_of(t, struct sandbox, timer);

	/* The next one's jobs may want what the last one's still have. */
	if (!sandbox_has_keeper(s) && s->minder.pidfd >= 0) {
		if (s->host->loop->now_ms - s->lost_ms >= MINDER_PATIENCE_MS)
			mourned_kill(&s->minder);
		(void)loop_timer(s->host->loop, t, AGAIN_MS, sandbox_again);
		return;
	}
	sandbox_begin(s, sandbox_has_keeper(s) ? BUILD_HATCH : BUILD_NEW,
		      s->netns);
	sandbox_tell(s);
}

/** sandbox_wait() - Something failed or died: try again in a while */
static void sandbox_wait(struct sandbox *s)
{
	const uint64_t now = s->host->loop->now_ms;
	const bool was_well = s->born_ms > 0 && now - s->born_ms > AGAIN_MAX_MS;

	s->gap_ms = was_well || s->gap_ms == 0 ? AGAIN_MS : s->gap_ms * 2;
	if (s->gap_ms > AGAIN_MAX_MS)
		s->gap_ms = AGAIN_MAX_MS;
	s->born_ms = 0;
	sandbox_enter(s, SANDBOX_WAITING);
	(void)loop_timer(s->host->loop, &s->timer, s->gap_ms, sandbox_again);
}

/** sandbox_ended() - All that was killed is dead */
static void sandbox_ended(struct sandbox *s)
{
	char path[108];

	if (s->keeper.pidfd >= 0 || s->worker.pidfd >= 0 ||
	    s->minder.pidfd >= 0)
		return;
	loop_untimer(s->host->loop, &s->timer);
	if (s->link.is_wished) {
		/* Programs inside may live on, and the link with them. */
		sandbox_begin(s, BUILD_CLEAR, 0);
		return;
	}
	if (sandbox_path(s->host->dir, s->name, path, sizeof(path)))
		(void)unlink(path);
	if (s->host->is_pinned && !s->is_attached)
		netns_etc_remove(s->name);
	if (s->host->is_pinned && !s->is_attached && s->netns != 0 &&
	    !pin_remove(s->name, s->netns))
		log_warn("sandbox '%s': its name in %s could not be removed",
			 s->name, PIN_DIR);
	s->netns = 0;
	s->trouble = (struct fault){ 0 }; /* it was meant to end */
	sandbox_enter(s, SANDBOX_DOWN);
	log_info("sandbox '%s' is down", s->name);
	sandbox_tell(s);
}

static void sandbox_worker_died(struct watch *w, uint32_t events)
{
	struct sandbox *s = container_of(w, struct sandbox, worker.watch);

	(void)events;
	mourned_forget(s, &s->worker);
	if (s->state == SANDBOX_ENDING) {
		sandbox_ended(s);
		return;
	}
	if (s->state != SANDBOX_UP)
		return; /* the keeper died first, and that was told */
	log_warn("sandbox '%s': its worker died; open connections are lost, "
		 "the next one comes",
		 s->name);
	sandbox_wait(s);
	sandbox_tell(s);
}

static void sandbox_keeper_died(struct watch *w, uint32_t events)
{
	struct sandbox *s = container_of(w, struct sandbox, keeper.watch);

	(void)events;
	s->lost_ms = s->host->loop->now_ms;
	sandbox_forget_keeper(s);
	if (s->link.is_wished)
		wall_shut(s->link.link); /* a builder removes it */
	/* Without it nobody can be given the network again. */
	mourned_kill(&s->worker);
	if (s->state == SANDBOX_ENDING) {
		sandbox_ended(s);
		return;
	}
	sandbox_forget_builder(s);
	mourned_forget(s, &s->worker);
	(void)fault_plain(&s->trouble, -EPIPE,
			  "its keeper died; programs that were inside have no "
			  "network any more");
	log_warn("sandbox '%s': %s; %s", s->name, s->trouble.text,
		 s->is_attached ? "it is struck off the list"
				: "a new sandbox is built");
	sandbox_wait(s);
	sandbox_tell(s);
}

/** sandbox_stuck() - What was killed does not die: say so, kill again */
static void sandbox_stuck(struct timer *t)
{
	struct sandbox *s = container_of(t, struct sandbox, timer);

	log_warn("sandbox '%s': its processes have been killed and do not end",
		 s->name);
	mourned_kill(&s->keeper);
	mourned_kill(&s->worker);
	mourned_kill(&s->minder);
	(void)loop_timer(s->host->loop, t, END_PATIENCE_MS, sandbox_stuck);
}

/** sandbox_end_rest() - The jobs are gone: end what they stood on */
static void sandbox_end_rest(struct sandbox *s)
{
	/* The worker first: connections are cut, not drained. */
	mourned_kill(&s->worker);
	/* It has something to tidy up. */
	mourned_signal(&s->keeper, s->is_attached ? SIGTERM : SIGKILL);
	(void)loop_timer(s->host->loop, &s->timer, END_PATIENCE_MS,
			 sandbox_stuck);
	sandbox_ended(s);
}

static void sandbox_minder_died(struct watch *w, uint32_t events)
{
	struct sandbox *s = container_of(w, struct sandbox, minder.watch);

	(void)events;
	mourned_forget(s, &s->minder);
	if (s->state == SANDBOX_ENDING) {
		sandbox_end_rest(s);
		return;
	}
	if (s->state != SANDBOX_UP)
		return; /* who died first has set it going */
	log_warn("sandbox '%s': its minder died, and its helpers with it; the "
		 "next ones come",
		 s->name);
	sandbox_wait(s);
	sandbox_tell(s);
}

/** mourned_watch() - Return: 0 or -errno; takes @pidfd either way */
static int mourned_watch(struct sandbox *s, struct mourned *m, int pidfd,
			 pid_t pid, watch_fn *fn)
{
	mourned_forget(s, m);
	m->pidfd = pidfd;
	m->pid = pid;
	return loop_watch(s->host->loop, &m->watch, pidfd, EPOLLIN, fn);
}

/** sandbox_take() - What a builder made is ours now */
static int sandbox_take(struct sandbox *s, const struct build_word *w,
			int fds[static BUILD_FDS])
{
	auto_fd chan = fd_take(&fds[BUILD_FD_CHAN]);
	int rc;

	for (int i = BUILD_FD_NET; i <= BUILD_FD_BOARD; i++) {
		fd_close(&s->ns[i]);
		s->ns[i] = fd_take(&fds[i]);
	}
	s->is_root = w->is_root;
	s->is_attached = w->is_attached;
	s->netns = w->netns;
	s->since_s = w->since_s;
	s->terms = w->terms;
	s->link = w->terms.veth;
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

/** sandbox_cleared() - Its link to the host is gone, as far as can be had */
static void sandbox_cleared(struct sandbox *s)
{
	s->link = (struct veth){ 0 };
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
static int sandbox_send_builder(struct sandbox *s, const struct build_wish *w)
{
	struct mourned *b = &s->builder;
	struct hatchling born;
	int rc = build_begin(w, s->host->lock, s->foreign, &born, &s->trouble);

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
		.is_attached = s->foreign >= 0,
		.owner = s->owner,
		.stale = s->stale,
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

/** sandbox_begin() - Wait for a builder; @stale as in struct build_wish */
static void sandbox_begin(struct sandbox *s, enum build_work work,
			  uint64_t stale)
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
	s->stale = stale;
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
	sandbox_begin(s, BUILD_SWITCH, 0);
}

void sandbox_up(struct sandbox *s, uint64_t stale)
{
	assert(s->state == SANDBOX_DOWN);
	sandbox_begin(s, BUILD_NEW, stale);
}

void sandbox_attach(struct sandbox *s, int net)
{
	assert(s->state == SANDBOX_DOWN);
	s->is_attached = true;
	s->foreign = net;
	sandbox_begin(s, BUILD_NEW, 0);
}

void sandbox_adopt(struct sandbox *s)
{
	assert(s->state == SANDBOX_DOWN);
	sandbox_begin(s, BUILD_ADOPT, 0);
}

/** sandbox_impatient() - Its minder takes too long */
static void sandbox_impatient(struct timer *t)
{
	struct sandbox *s = container_of(t, struct sandbox, timer);

	mourned_kill(&s->minder);
	sandbox_end_rest(s);
}

void sandbox_down(struct sandbox *s)
{
	if (s->state == SANDBOX_DOWN || s->state == SANDBOX_ENDING)
		return;
	if (s->builder.pid > 0) {
		struct build_word w;
		int fds[BUILD_FDS];

		mourned_kill(&s->builder);
		/* It may have done all its work a moment ago. */
		build_end(s->builder.chan, &w, fds);
		sandbox_forget_builder(s);
		if (w.fault.code == 0)
			(void)sandbox_take(s, &w, fds);
		for (int i = 0; i < BUILD_FDS; i++)
			fd_close(&fds[i]);
	}
	crew_leave(&s->turn);
	loop_untimer(s->host->loop, &s->timer);
	sandbox_enter(s, SANDBOX_ENDING);
	if (s->minder.pidfd < 0) {
		sandbox_end_rest(s);
		return;
	}
	/* While they end, jobs may still need the network to say goodbye. */
	mourned_signal(&s->minder, SIGTERM);
	(void)loop_timer(s->host->loop, &s->timer, MINDER_PATIENCE_MS,
			 sandbox_impatient);
}
