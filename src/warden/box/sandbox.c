// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sandbox.c - a named sandbox, from wish to ash, as its daemon sees it
 *
 * Nothing waits here: a builder does the work and its answer, the death of a
 * process or a timer moves the state on. A worker that dies is replaced while
 * its keeper lives; with the keeper the sandbox itself is gone, and a new one
 * is built under the name.
 */
#include "box/sandbox_own.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "box/minder.h"
#include "kern/netns_etc.h"
#include "kern/pin.h"
#include "kern/wall.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AGAIN_MS	100
#define AGAIN_MAX_MS	10000
/* A killed process that is in the kernel still has to come out. */
#define END_PATIENCE_MS 5000

static const char *const state_name[] = {
	[SANDBOX_DOWN] = "down",	 [SANDBOX_BUILDING] = "starting",
	[SANDBOX_ADOPTING] = "starting", [SANDBOX_UP] = "up",
	[SANDBOX_HATCHING] = "waiting",	 [SANDBOX_WAITING] = "waiting",
	[SANDBOX_ENDING] = "stopping",	 [SANDBOX_SWITCHING] = "up",
};

static_assert(sizeof(state_name) / sizeof(state_name[0]) == SANDBOX_STATES,
	      "each state has a name");

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

void sandbox_enter(struct sandbox *s, enum sandbox_state next)
{
	log_debug("sandbox '%s': %s -> %s", s->name, state_name[s->state],
		  state_name[next]);
	s->state = next;
}

void sandbox_tell(struct sandbox *s)
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
	s->foreign = s->leader = -1;
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

void mourned_forget(struct sandbox *s, struct mourned *m)
{
	loop_unwatch(s->host->loop, &m->watch);
	fd_close(&m->pidfd);
	fd_close(&m->chan);
	m->pid = 0;
}

void mourned_signal(const struct mourned *m, int sig)
{
	if (m->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, m->pidfd, sig, NULL, 0);
}

void mourned_kill(const struct mourned *m)
{
	mourned_signal(m, SIGKILL);
}

void sandbox_forget_builder(struct sandbox *s)
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
	fd_close(&s->leader);
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
	sandbox_begin(s, sandbox_has_keeper(s) ? BUILD_HATCH : BUILD_NEW);
	sandbox_tell(s);
}

/** sandbox_wait() - Something failed or died: try again in a while */
void sandbox_wait(struct sandbox *s)
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
void sandbox_ended(struct sandbox *s)
{
	char path[108];

	if (s->keeper.pidfd >= 0 || s->worker.pidfd >= 0 ||
	    s->minder.pidfd >= 0)
		return;
	loop_untimer(s->host->loop, &s->timer);
	if (s->link.is_wished || s->has_moved) {
		/* Programs inside may live on, and the link with them. */
		sandbox_begin(s, BUILD_CLEAR);
		return;
	}
	if (sandbox_path(s->host->dir, s->name, path, sizeof(path)))
		(void)unlink(path);
	if (s->host->is_pinned && !s->is_attached)
		netns_etc_remove(s->name);
	if (s->host->is_pinned && !s->is_attached && !pin_remove(s->name))
		log_warn("sandbox '%s': its name in %s could not be removed",
			 s->name, PIN_DIR);
	s->netns = 0;
	s->trouble = (struct fault){ 0 }; /* it was meant to end */
	sandbox_enter(s, SANDBOX_DOWN);
	log_info("sandbox '%s' is down", s->name);
	sandbox_tell(s);
}

void sandbox_clear(struct sandbox *s)
{
	assert(s->state == SANDBOX_DOWN);
	sandbox_enter(s, SANDBOX_ENDING);
	s->has_moved = s->host->is_pinned; /* who knows? */
	sandbox_ended(s);
}

void sandbox_worker_died(struct watch *w, uint32_t events)
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

/** sandbox_has_lost_leader() - Is that why its keeper has ended? */
static bool sandbox_has_lost_leader(const struct sandbox *s)
{
	struct pollfd p = {
		.fd = s->ns[BUILD_FD_LEADER],
		.events = POLLIN,
	};

	return s->leader_pid > 0 && poll(&p, 1, 0) > 0;
}

void sandbox_keeper_died(struct watch *w, uint32_t events)
{
	struct sandbox *s = container_of(w, struct sandbox, keeper.watch);
	const bool was_left = sandbox_has_lost_leader(s);

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
	if (was_left)
		log_info("sandbox '%s': process %d has ended, and so it is "
			 "detached",
			 s->name, s->leader_pid);
	else
		log_warn("sandbox '%s': %s; %s", s->name, s->trouble.text,
			 s->is_attached ? "it is struck off the list"
					: "a new sandbox is built");
	sandbox_wait(s);
	sandbox_tell(s);
}

/**
 * sandbox_is_hollow() - Has its keeper, dying, let go of all but its number?
 *
 * The first process of a PID namespace ends after the last one of it has been
 * waited for, by a parent outside maybe: a caller that is stopped could hold
 * that up for ever. Files and namespaces are gone before.
 */
static bool sandbox_is_hollow(const struct sandbox *s)
{
	char path[40];
	struct stat st;

	if (s->keeper.pid <= 0 || s->worker.pidfd >= 0 || s->minder.pidfd >= 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", s->keeper.pid);
	return stat(path, &st) < 0 && errno == ENOENT;
}

/** sandbox_stuck() - What was killed does not die: say so, kill again */
static void sandbox_stuck(struct timer *t)
{
	struct sandbox *s = container_of(t, struct sandbox, timer);

	if (sandbox_is_hollow(s)) {
		log_info("sandbox '%s': somebody has not waited for a command "
			 "that was inside; its keeper's process stays until "
			 "then",
			 s->name);
		sandbox_forget_keeper(s);
		sandbox_ended(s);
		return;
	}
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

void sandbox_minder_died(struct watch *w, uint32_t events)
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
int mourned_watch(struct sandbox *s, struct mourned *m, int pidfd, pid_t pid,
		  watch_fn *fn)
{
	mourned_forget(s, m);
	m->pidfd = pidfd;
	m->pid = pid;
	return loop_watch(s->host->loop, &m->watch, pidfd, EPOLLIN, fn);
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
