// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * keeper.c - the process that lives in a sandbox's namespaces until the end
 *
 * It builds the sandbox, forks the command, and then waits: for its children
 * (as subreaper also for those whose parents are gone), for the worker, which
 * may ask for sockets born inside, and for the mount table. With its last
 * descendant it exits; by the end of the mint's channel the worker knows.
 */
#include "box/keeper.h"

#include "base/broken.h"
#include "base/fd.h"
#include "box/command.h"
#include "box/descend.h"
#include "box/mint.h"
#include "box/oneshot.h"
#include "box/setup.h"
#include "bus/channel.h"
#include "kern/guard.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Where the caller's channel is put; the standard files lie below. */
#define KEEPER_CHAN	3
/* Processes of a pipeline or a browser that has just ended are not worth a
 * word; the browser's need 20 ms on a quiet machine. */
#define KEEPER_GRACE_MS 100
/* How often to look for new side doors when inotify is refused. */
#define KEEPER_LOOK_MS	5000

/**
 * struct keeper - what it keeps
 * @setup:    The sandbox; fds for the worker are gone after KEEPER_READY
 * @caller:   Who runs the command; its pid counts while @chan is open
 * @chan:     Channel to it; -1 when it is gone or has heard the last word
 * @reaps:    signalfd for SIGCHLD
 * @is_over:  The command has ended; only what it left is waited for
 */
struct keeper {
	struct setup setup;
	struct command command;
	pid_t caller;
	int chan;
	int reaps;
	bool is_over;
};

/** keeper_tell() - Send a word; a caller that is gone needs none */
static void keeper_tell(struct keeper *k, const struct keeper_word *w)
{
	if (k->chan >= 0 && channel_send(k->chan, w, sizeof(*w), NULL, 0) < 0)
		fd_close(&k->chan);
}

static void keeper_tell_news(struct keeper *k, enum keeper_news news)
{
	struct keeper_word w;

	memset(&w, 0, sizeof(w));
	w.news = news;
	w.pid = k->command.pid;
	keeper_tell(k, &w);
}

/** keeper_fail() - The command never ran; never returns */
static void __attribute__((noreturn))
keeper_fail(struct keeper *k, const struct fault *f)
{
	struct keeper_word w;

	memset(&w, 0, sizeof(w));
	w.news = KEEPER_FAILED;
	w.fault = *f;
	keeper_tell(k, &w);
	command_cancel(&k->command);
	_exit(1);
}

/** keeper_name() - Where what runs beside the command will go: our namespaces
 */
static int keeper_name(struct setup *s, const struct jobs *j, struct fault *f)
{
	static const struct {
		enum plan_fd_kind kind;
		const char *path;
	} own[] = {
		{ PLAN_FD_BOX_NET, "/proc/self/ns/net" },
		{ PLAN_FD_BOX_MNT, "/proc/self/ns/mnt" },
		{ PLAN_FD_BOX_USER, "/proc/self/ns/user" },
	};

	for (size_t i = 0; j->count > 0 && i < sizeof(own) / sizeof(own[0]);
	     i++) {
		const int fd = open(own[i].path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return fault(f, -errno, "open %s", own[i].path);
		s->fds[s->fd_count++] = (struct plan_fd){
			.kind = own[i].kind,
			.fd = fd,
		};
	}
	return 0;
}

/** keeper_give() - Send a word with fds; a caller that is gone needs none */
static int keeper_give(struct keeper *k, const struct keeper_word *w,
		       const int *fds, unsigned int count, struct fault *f)
{
	const int rc = channel_send(k->chan, w, sizeof(*w), fds, count);

	if (rc == 0 || rc == -EPIPE || rc == -ECONNRESET)
		return 0;
	(void)fault(f, rc, "hand descriptors to the caller");
	if (rc == -ETOOMANYREFS)
		return fault_hint(f, "programs of this user have more on "
				     "their way to each other than one may "
				     "open: raise 'ulimit -n'");
	return rc;
}

/** keeper_hand_over() - The worker's fds leave for the caller */
static int keeper_hand_over(struct keeper *k, struct fault *f)
{
	struct setup *s = &k->setup;
	struct keeper_word w;
	int fds[PLAN_FDS];
	int rc;

	memset(&w, 0, sizeof(w));
	w.news = KEEPER_READY;
	for (unsigned int i = 0; i < s->fd_count; i++) {
		w.tag[i] = s->fds[i];
		fds[i] = s->fds[i].fd;
	}
	rc = keeper_give(k, &w, fds, s->fd_count, f);
	while (s->fd_count > 0)
		fd_close(&s->fds[--s->fd_count].fd);
	return rc;
}

/** keeper_isolate() - Keep the caller's channel and standard files only */
static int keeper_isolate(int chan, struct fault *f)
{
	if (chan != KEEPER_CHAN && dup3(chan, KEEPER_CHAN, O_CLOEXEC) < 0)
		return fault(f, -errno, "move a channel");
	/* A pipe of the caller's would stay open as long as the keeper. */
	if (!broken(BROKEN_FDS) &&
	    syscall(SYS_close_range, KEEPER_CHAN + 1, ~0u, 0) < 0)
		return fault(f, -errno, "close inherited files");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "become a subreaper");
	(void)prctl(PR_SET_NAME, "nsproxy-keeper", 0, 0, 0);
	return 0;
}

/** keeper_null() - Let go of a standard file */
static void keeper_null(int fd)
{
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Without /dev/null the reader of our output waits a little longer. */
	if (null >= 0)
		(void)dup2(null, fd);
}

/**
 * keeper_settle() - Shed what is no longer needed
 *
 * Mounts are still to be kept, so CAP_SYS_ADMIN stays. A group of its own, so
 * that kill(0, SIGKILL) in the program does not end the sandbox before its
 * last process; in the same session, since the program's group would count as
 * orphaned otherwise and could not be stopped from its terminal.
 */
static int keeper_settle(struct fault *f)
{
	const int rc = guard_shed(1ull << CAP_SYS_ADMIN, f);

	if (rc < 0)
		return rc;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	keeper_null(STDIN_FILENO);
	keeper_null(STDOUT_FILENO);
	(void)setpgid(0, 0);
	/* Pins no directory of the caller's. */
	return chdir("/") < 0 ? fault(f, -errno, "leave for /") : 0;
}

/** keeper_present() - Tell the caller who the command is, before it begins */
static int keeper_present(struct keeper *k, struct fault *f)
{
	auto_fd pidfd = (int)syscall(SYS_pidfd_open, k->command.pid, 0);
	struct keeper_word w;

	if (pidfd < 0)
		return fault(f, -errno, "open a pidfd of the command");
	memset(&w, 0, sizeof(w));
	w.news = KEEPER_GUARDED;
	w.pid = k->command.pid;
	return keeper_give(k, &w, &pidfd, 1, f);
}

/** keeper_begin() - Wait for the caller's word, then let the command go */
static int keeper_begin(struct keeper *k, struct fault *f)
{
	char go = 0;
	const int rc = keeper_present(k, f);

	if (rc < 0)
		return rc;
	if (channel_recv(k->chan, &go, 1, NULL, 0, NULL) != 1 ||
	    go != KEEPER_GO)
		return fault_plain(f, -EPIPE, "the caller is gone");
	return command_release(&k->command, f);
}

/** keeper_linger() - Give what is ending anyway a moment; count the rest */
static unsigned int keeper_linger(void)
{
	const struct timespec nap = { .tv_nsec = 2000000 };

	for (int waited = 0; waited < KEEPER_GRACE_MS; waited += 2) {
		pid_t pid;

		do {
			pid = waitpid(-1, NULL, WNOHANG);
		} while (pid > 0);
		if (pid < 0)
			return 0; /* ECHILD */
		/* Not poll(2): one pending SIGCHLD would cut it all short. */
		(void)nanosleep(&nap, NULL);
	}
	return descend_count();
}

static void keeper_end(struct keeper *k, int status)
{
	struct keeper_word w;

	memset(&w, 0, sizeof(w));
	w.news = KEEPER_ENDED;
	w.pid = k->command.pid;
	w.status = status;
	w.left = keeper_linger();
	keeper_tell(k, &w);
	fd_close(&k->chan);
	/* Who reads the command's errors must not wait for us. */
	keeper_null(STDERR_FILENO);
	k->is_over = true;
}

/**
 * keeper_reap() - Hear of every child that has changed
 *
 * Return: whether there are any left
 */
static bool keeper_reap(struct keeper *k)
{
	struct signalfd_siginfo dust;
	int status;
	pid_t pid;

	while (read(k->reaps, &dust, sizeof(dust)) > 0)
		; /* waitpid(2) knows more */
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) >
	       0) {
		if (pid != k->command.pid || k->is_over)
			continue;
		if (WIFSTOPPED(status)) {
			keeper_tell_news(k, KEEPER_STOPPED);
		} else if (WIFCONTINUED(status)) {
			keeper_tell_news(k, KEEPER_CONTINUED);
			/* It may have stopped itself just now. */
			if (k->chan >= 0)
				(void)kill(k->caller, SIGCONT);
		} else {
			keeper_end(k, status);
		}
	}
	return pid == 0 || errno != ECHILD;
}

/** keeper_wait() - Until the last descendant is gone */
static void keeper_wait(struct keeper *k)
{
	struct resolver *r = &k->setup.resolver;

	while (keeper_reap(k) || !k->is_over) {
		struct pollfd p[] = {
			{ .fd = k->reaps, .events = POLLIN },
			{ .fd = k->chan },
			{ .fd = k->setup.mint, .events = POLLIN },
			{ .fd = r->mounts, .events = POLLPRI },
			{ .fd = r->changes, .events = POLLIN },
		};
		const int n = poll(p, sizeof(p) / sizeof(p[0]),
				   r->changes < 0 ? KEEPER_LOOK_MS : -1);

		if (p[1].revents)
			fd_close(&k->chan); /* the caller says nothing more */
		if (p[2].revents)
			mint_answer(&k->setup.mint, k->setup.is_short);
		if (n == 0 || p[3].revents || p[4].revents)
			resolver_keep(r);
	}
}

void keeper_main(const struct oneshot *o, const struct signals *before,
		 int chan)
{
	struct keeper k = {
		.caller = getppid(),
		.chan = chan,
		.command = { .chan = -1 },
		.reaps = -1,
	};
	struct fault f = { 0 };
	sigset_t child;

	setup_init(&k.setup, o->plan);
	if (keeper_isolate(chan, &f) < 0)
		keeper_fail(&k, &f);
	k.chan = KEEPER_CHAN;
	if (setup_build(&k.setup, &f) < 0 ||
	    keeper_name(&k.setup, o->jobs, &f) < 0 ||
	    keeper_hand_over(&k, &f) < 0)
		keeper_fail(&k, &f);
	/* Guarded while the caller hatches the worker. */
	if (command_start(o, before, k.setup.is_root, &k.command, &f) < 0 ||
	    keeper_settle(&f) < 0)
		keeper_fail(&k, &f);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	k.reaps = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k.reaps < 0) {
		(void)fault(&f, -errno, "open a signalfd");
		keeper_fail(&k, &f);
	}
	if (keeper_begin(&k, &f) < 0)
		keeper_fail(&k, &f);
	keeper_wait(&k);
	/* First of all, so that the worker ends while the kernel is still
	 * busy with our mounts. */
	fd_close(&k.setup.mint);
	_exit(0);
}
