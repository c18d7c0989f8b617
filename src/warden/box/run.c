// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * run.c - stand in for a command that runs in a sandbox
 *
 * Seen from the shell, nsproxy is the command: what another process sends us
 * is passed on, we stop and continue with it, and its status is ours. When the
 * worker dies another is hatched, with the same device and listeners.
 */
#include "box/run.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/keeper.h"
#include "box/oneshot.h"
#include "bus/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HATCH_AGAIN_MS	   100
#define HATCH_AGAIN_MAX_MS 10000
/* An idle worker ends within a millisecond. */
#define SEE_OFF_MS	   50
/* Exit status 125, as waitpid(2) tells it. */
#define RUN_NEVER_BEGAN	   (125 << 8)

uint64_t run_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int run_hatch(struct run *r, struct fault *f)
{
	const struct plan *p = r->o->plan;
	struct plan_fd fds[PLAN_FDS + PLAN_PUBLISH];
	unsigned int count = 0;
	int rc = 0;

	for (unsigned int i = 0; i < r->fd_count; i++)
		if (!plan_fd_is_outside(&r->fds[i]))
			fds[count++] = r->fds[i];
	for (unsigned int i = 0; i < p->publish_count; i++)
		fds[count++] = (struct plan_fd){
			.kind = PLAN_FD_PUBLISH,
			.index = i,
			.fd = r->o->publish_fd[i],
		};
	r->born_ms = run_now();
	if (r->worker.pid == 0)
		rc = hatch_role(r->self_fd, WORKER_ROLE, NULL, &r->worker, f);
	return rc < 0 ? rc : hatch_give(&r->worker, p, fds, count, f);
}

/** run_lose_keeper() - The network is gone; the command goes on as ours */
static void run_lose_keeper(struct run *r)
{
	fd_close(&r->chan);
	while (r->fd_count > 0)
		fd_close(&r->fds[--r->fd_count].fd);
	r->hatch_ms = r->mind_ms = 0;
	log_warn("the sandbox's keeper died; the command goes on without a "
		 "network");
}

/** run_is_stopped() - Is the command stopped at this moment? */
static bool run_is_stopped(const struct run *r)
{
	char path[32];
	char line[512] = "";
	const char *state;
	auto_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", r->command);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return false;
	state = strrchr(line, ')'); /* the name may hold anything */
	return state && strncmp(state, ") T", 3) == 0;
}

/**
 * run_stop() - Stop with the command, so that the shell gets its prompt back
 *
 * A command that goes on in between makes the keeper wake us.
 */
static void run_stop(const struct run *r)
{
	if (run_is_stopped(r))
		(void)kill(getpid(), SIGSTOP);
}

static void run_listen(struct run *r)
{
	struct keeper_word w;
	int fds[PLAN_FDS];
	unsigned int count = 0;
	const ssize_t n =
		channel_recv(r->chan, &w, sizeof(w), fds, PLAN_FDS, &count);

	while (count > 0)
		(void)close(fds[--count]); /* none is expected */
	if (n != (ssize_t)sizeof(w)) {
		run_lose_keeper(r);
		return;
	}
	switch (w.news) {
	case KEEPER_STOPPED:
		run_stop(r);
		break;
	case KEEPER_ENDED:
		r->is_over = true;
		r->status = w.status;
		r->left = w.left;
		break;
	case KEEPER_FAILED:
		log_err("%s", w.fault.text);
		r->is_over = true;
		r->status = RUN_NEVER_BEGAN;
		break;
	case KEEPER_CONTINUED:
	case KEEPER_READY:
	case KEEPER_GUARDED:
		break;
	}
}

/** run_lose_worker() - Plan for the next one */
static void run_lose_worker(struct run *r)
{
	const uint64_t now = run_now();
	const bool was_well = now - r->born_ms > HATCH_AGAIN_MAX_MS;

	r->worker.pid = 0;
	fd_close(&r->worker.chan);
	if (r->chan < 0)
		return;
	r->gap_ms = was_well || r->gap_ms == 0 ? HATCH_AGAIN_MS : r->gap_ms * 2;
	if (r->gap_ms > HATCH_AGAIN_MAX_MS)
		r->gap_ms = HATCH_AGAIN_MAX_MS;
	r->hatch_ms = now + r->gap_ms;
}

static void run_hatch_again(struct run *r)
{
	struct fault f = { 0 };

	r->hatch_ms = 0;
	if (run_hatch(r, &f) == 0) {
		log_warn("the worker died and was replaced; open connections "
			 "are lost");
		return;
	}
	log_warn("the worker died and cannot be replaced yet: %s", f.text);
	run_lose_worker(r);
}

/**
 * run_inherit() - The keeper has died: is the command still there?
 *
 * When it is, it is our child now. If the keeper took its status to the grave,
 * the command counts as killed with it.
 */
static void run_inherit(struct run *r)
{
	struct pollfd p = { .fd = r->pidfd, .events = POLLIN };
	int status = SIGKILL;

	r->keeper = 0;
	if (r->is_over || poll(&p, 1, 0) <= 0)
		return;
	(void)waitpid(r->command, &status, WNOHANG); /* else as said above */
	r->is_over = true;
	r->status = status;
}

static void run_reap(struct run *r)
{
	int status;
	pid_t pid;

	while (!r->is_over && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == r->worker.pid)
			run_lose_worker(r);
		if (pid == r->minder.pid)
			run_lose_minder(r);
		if (pid == r->keeper)
			run_inherit(r);
		/* Ours since the keeper died. */
		if (pid == r->command) {
			r->is_over = true;
			r->status = status;
		}
	}
}

/**
 * run_is_shared() - Has the command got this signal as well?
 *
 * The terminal's own signals reach the whole process group, the command in it;
 * but of its hangup it tells the leader of the session alone, which we are
 * when a terminal's window was opened for us.
 */
static bool run_is_shared(const struct signalfd_siginfo *s)
{
	if (s->ssi_code == SI_USER || s->ssi_code == SI_QUEUE ||
	    s->ssi_code == SI_TKILL)
		return false;
	return s->ssi_signo != SIGHUP || getsid(0) != getpid();
}

/** run_signal() - Pass on what was sent to us and not to the command */
static void run_signal(struct run *r, const struct signalfd_siginfo *s)
{
	const int sig = (int)s->ssi_signo;

	if (sig == SIGCHLD || run_is_shared(s))
		return;
	/* A shell continues the whole group; the keeper wakes only us. */
	if (sig == SIGCONT && !run_is_stopped(r))
		return;
	(void)syscall(SYS_pidfd_send_signal, r->pidfd, sig, NULL, 0);
}

static void run_read_signals(struct run *r)
{
	struct signalfd_siginfo s;

	while (read(r->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		run_signal(r, &s);
	run_reap(r);
}

/** run_patience() - Until somebody is to be replaced, or for ever */
static int run_patience(const struct run *r)
{
	const uint64_t now = run_now();
	uint64_t next = r->hatch_ms;

	if (next == 0 || (r->mind_ms > 0 && r->mind_ms < next))
		next = r->mind_ms;
	if (next == 0)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

void run_wait(struct run *r)
{
	run_reap(r); /* before signals were held, one may have been missed */
	while (!r->is_over) {
		struct pollfd p[] = {
			{ .fd = r->chan, .events = POLLIN },
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->minder.chan, .events = POLLIN },
		};

		(void)poll(p, 3, run_patience(r));
		if (p[0].revents)
			run_listen(r);
		if (p[2].revents)
			run_hear_minder(r);
		if (p[1].revents)
			run_read_signals(r);
		if (!r->is_over && r->hatch_ms > 0 && run_now() >= r->hatch_ms)
			run_hatch_again(r);
		if (!r->is_over && r->mind_ms > 0 && run_now() >= r->mind_ms)
			run_mind_again(r);
	}
}

void run_see_off(struct run *r)
{
	const uint64_t until = run_now() + SEE_OFF_MS;
	struct pollfd p = { .fd = r->worker.chan, .events = POLLIN };
	uint64_t now;

	/* Nobody is left who would miss the engine. */
	if (r->minder.pid > 0)
		(void)kill(r->minder.pid, SIGKILL);
	while (r->worker.pid > 0 && (now = run_now()) < until) {
		/* The end of its channel comes a moment before its own. */
		if (poll(&p, 1, (int)(until - now)) <= 0)
			break;
		if (waitpid(r->worker.pid, NULL, 0) == r->worker.pid)
			r->worker.pid = 0;
	}
}

void run_fini(struct run *r)
{
	while (r->fd_count > 0)
		fd_close(&r->fds[--r->fd_count].fd);
	fd_close(&r->chan);
	fd_close(&r->self_fd);
	fd_close(&r->worker.chan);
	fd_close(&r->minder.chan);
	fd_close(&r->jobs_fd);
	fd_close(&r->board_fd);
	fd_close(&r->pidfd);
	fd_close(&r->signals);
}
