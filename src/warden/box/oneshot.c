// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * oneshot.c - a sandbox for one command, seen from outside
 *
 * The caller stays in the host's namespaces. It forks the keeper, which builds
 * the sandbox; hatches the worker with what the keeper hands over; says go;
 * and then stands in for the command: passes on signals, stops and continues
 * with it, returns its status. When the worker dies it hatches another.
 */
#include "box/oneshot.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/hatch.h"
#include "box/keeper.h"
#include "bus/channel.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HATCH_AGAIN_MS	   100
#define HATCH_AGAIN_MAX_MS 10000
/* Both end within a few milliseconds unless the machine is very busy. */
#define SEE_OFF_MS	   200

/**
 * struct run - one run, after the command has begun
 * @keeper:    Its pid
 * @chan:      Channel to it; -1 when it is dead
 * @self_fd:   Our own binary
 * @fds:       What each worker gets; closed when the keeper is dead
 * @worker:    pid 0 while there is none
 * @hatch_ms:  When to hatch the next worker; 0 for not at all
 * @gap_ms:    How long the last one was waited for
 * @born_ms:   When the worker came
 * @command:   Pid of the command
 * @pidfd:     Of the command: a pid might be another's by now
 * @signals:   signalfd for everything
 */
struct run {
	const struct oneshot *o;
	pid_t keeper;
	int chan;
	int self_fd;
	struct plan_fd fds[PLAN_FDS];
	unsigned int fd_count;
	struct hatchling worker;
	uint64_t hatch_ms;
	uint64_t gap_ms;
	uint64_t born_ms;
	pid_t command;
	int pidfd;
	int signals;
	bool is_over;
	int status;
	unsigned int left;
};

static uint64_t run_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/**
 * run_check_stdio() - Refuse sockets that lead around the sandbox
 *
 * A connected socket of the host's namespace can be connected to another
 * address. A standard file that is closed stays so for the command: what is
 * put in its place here is closed on exec.
 */
static int run_check_stdio(struct fault *f)
{
	static const char *const name[] = { "input", "output", "error" };

	for (int fd = 0; fd < 3; fd++) {
		int family = AF_UNIX;
		socklen_t len = sizeof(family);
		struct stat st;

		if (fstat(fd, &st) < 0) {
			/* Takes the lowest free number: this one. */
			if (open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
				return fault(f, -errno, "open /dev/null");
			continue;
		}
		if (!S_ISSOCK(st.st_mode))
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 ||
		    family == AF_UNIX)
			continue;
		(void)fault_plain(f, -EPERM,
				  "standard %s is a network socket: the "
				  "command could aim it past the proxy",
				  name[fd]);
		return fault_hint(f, "put a pipe between, for example "
				     "'nsproxy run ... | cat'");
	}
	return 0;
}

/** run_fork_keeper() - Return: 0 or -errno */
static int run_fork_keeper(struct run *r, const struct signals *before,
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
 * run_hear() - Wait for the keeper's next word
 * @want:   Which one
 * @fds:    Room for PLAN_FDS
 *
 * Return: 0, or -errno with the keeper's own fault
 */
static int run_hear(struct run *r, enum keeper_news want,
		    struct keeper_word *w, int *fds, unsigned int *ret_count,
		    struct fault *f)
{
	const ssize_t n = channel_recv(r->chan, w, sizeof(*w), fds, PLAN_FDS,
				       ret_count);

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

/** run_take_fds() - What the keeper made, and the caller's own listeners */
static int run_take_fds(struct run *r, struct fault *f)
{
	struct keeper_word w;
	int fds[PLAN_FDS];
	const int rc = run_hear(r, KEEPER_READY, &w, fds, &r->fd_count, f);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < r->fd_count; i++) {
		r->fds[i] = w.tag[i];
		r->fds[i].fd = fds[i];
	}
	return 0;
}

static int run_hatch(struct run *r, struct fault *f)
{
	const struct plan *p = r->o->plan;
	struct plan_fd fds[PLAN_FDS + PLAN_PUBLISH];
	unsigned int count = r->fd_count;

	memcpy(fds, r->fds, count * sizeof(fds[0]));
	for (unsigned int i = 0; i < p->publish_count; i++)
		fds[count++] = (struct plan_fd){
			.kind = PLAN_FD_PUBLISH,
			.index = i,
			.fd = r->o->publish_fd[i],
		};
	r->born_ms = run_now();
	return hatch_worker(r->self_fd, p, fds, count, &r->worker, f);
}

/** run_begin() - Say go, and learn who the command is */
static int run_begin(struct run *r, struct fault *f)
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
	/* Fails when the keeper is dead; its last word tells why. */
	(void)channel_send(r->chan, &go, 1, NULL, 0);
	rc = run_hear(r, KEEPER_BEGUN, &w, fds, &count, f);
	if (rc < 0)
		return rc;
	if (count != 1)
		return fault_plain(f, -EPROTO, "the keeper sent no pidfd");
	r->command = w.pid;
	r->pidfd = fds[0];
	return 0;
}

/** run_lose_keeper() - The network is gone; the command goes on as ours */
static void run_lose_keeper(struct run *r)
{
	fd_close(&r->chan);
	while (r->fd_count > 0)
		fd_close(&r->fds[--r->fd_count].fd);
	r->hatch_ms = 0;
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
	const ssize_t n = channel_recv(r->chan, &w, sizeof(w), fds, PLAN_FDS,
				       &count);

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
	case KEEPER_CONTINUED:
	case KEEPER_READY:
	case KEEPER_BEGUN:
	case KEEPER_FAILED:
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
	r->gap_ms = was_well || r->gap_ms == 0 ? HATCH_AGAIN_MS :
						 r->gap_ms * 2;
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
 * run_signal() - Pass on what another process sent to us
 *
 * The terminal's own signals have reached the command already: it is in the
 * same process group.
 */
static void run_signal(struct run *r, const struct signalfd_siginfo *s)
{
	const int sig = (int)s->ssi_signo;

	if (sig == SIGCHLD)
		return;
	if (s->ssi_code != SI_USER && s->ssi_code != SI_QUEUE &&
	    s->ssi_code != SI_TKILL)
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

/** run_wait() - Until the command has ended */
static void run_wait(struct run *r)
{
	run_reap(r); /* before signals were held, one may have been missed */
	while (!r->is_over) {
		struct pollfd p[] = {
			{ .fd = r->chan, .events = POLLIN },
			{ .fd = r->signals, .events = POLLIN },
		};
		const uint64_t now = run_now();
		int patience = -1;

		if (r->hatch_ms > 0)
			patience = r->hatch_ms > now ? (int)(r->hatch_ms - now) :
						       0;
		(void)poll(p, 2, patience);
		if (p[0].revents)
			run_listen(r);
		if (p[1].revents)
			run_read_signals(r);
		if (!r->is_over && r->hatch_ms > 0 && run_now() >= r->hatch_ms)
			run_hatch_again(r);
	}
}

/**
 * run_see_off() - Nothing stays: let keeper and worker end before we do
 *
 * Else they would be left for init to reap, and in many a container there is
 * none. A worker that has bytes to deliver yet is not waited for.
 */
static void run_see_off(struct run *r)
{
	const uint64_t until = run_now() + SEE_OFF_MS;
	struct pollfd p = { .fd = r->signals, .events = POLLIN };
	struct signalfd_siginfo dust;
	uint64_t now;
	pid_t pid;

	while ((r->keeper > 0 || r->worker.pid > 0) &&
	       (now = run_now()) < until) {
		(void)poll(&p, 1, (int)(until - now));
		while (read(r->signals, &dust, sizeof(dust)) > 0)
			; /* nobody is left to pass it on to */
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
			if (pid == r->keeper)
				r->keeper = 0;
			if (pid == r->worker.pid)
				r->worker.pid = 0;
		}
	}
}

/** run_let_go() - A pipe must end when the command closes it, not we */
static void run_let_go(void)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
}

static int run_start(struct run *r, struct fault *f)
{
	struct signals before;
	int rc = run_check_stdio(f);

	if (rc < 0)
		return rc;
	r->self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (r->self_fd < 0)
		return fault(f, -errno, "open /proc/self/exe");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "become a subreaper");
	signals_save(&before);
	signals_hold(); /* the keeper inherits it */
	rc = run_fork_keeper(r, &before, f);
	signals_let(&before); /* until it has begun, Ctrl-C ends it all */
	if (rc == 0)
		rc = run_take_fds(r, f);
	if (rc == 0)
		rc = run_hatch(r, f);
	signals_hold();
	return rc < 0 ? rc : run_begin(r, f);
}

static void run_fini(struct run *r)
{
	while (r->fd_count > 0)
		fd_close(&r->fds[--r->fd_count].fd);
	fd_close(&r->chan);
	fd_close(&r->self_fd);
	fd_close(&r->worker.chan);
	fd_close(&r->pidfd);
	fd_close(&r->signals);
}

static void run_say_left(const struct run *r)
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
		.pidfd = -1,
		.signals = -1,
	};
	const int rc = run_start(&r, f);

	if (rc < 0) {
		run_fini(&r);
		if (r.keeper > 0)
			(void)waitpid(r.keeper, NULL, 0);
		return rc;
	}
	run_let_go();
	run_wait(&r);
	run_say_left(&r);
	fd_close(&r.chan);
	if (r.left == 0)
		run_see_off(&r);
	run_fini(&r);
	*ret_status = WIFSIGNALED(r.status) ? 128 + WTERMSIG(r.status) :
					      WEXITSTATUS(r.status);
	return 0;
}
