// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * nurse.c - the first process of a job's PID namespace
 *
 * It dies with its minder and takes the namespace with it. It stands outside
 * of the sandbox's network; root's keeps the power to signal the job, and
 * nothing else.
 */
#include "box/launch.h"

#include "base/fd.h"
#include "bus/channel.h"
#include "kern/guard.h"
#include "kern/namespace.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where its channels are put; the standard files lie below. */
#define NURSE_CHAN  3
#define NURSE_CHILD 4
#define NURSE_ASIDE 10

/**
 * struct nurse - what it knows
 * @main:       The program's first process; 0 when it has ended
 * @last:       Status of who ended last
 * @is_ending:  Everything was asked to end
 */
struct nurse {
	pid_t main;
	int last;
	int reaps;
	bool is_ending;
};

static void nurse_tell(const struct nurse_word *w, const int *fds,
		       unsigned int count)
{
	/* A minder that is gone has killed us, or is about to. */
	(void)channel_send(NURSE_CHAN, w, sizeof(*w), fds, count);
}

static void __attribute__((noreturn)) nurse_fail(const struct fault *f)
{
	struct nurse_word w;

	memset(&w, 0, sizeof(w));
	w.news = NURSE_FAILED;
	w.fault = *f;
	nurse_tell(&w, NULL, 0);
	_exit(1);
}

static void __attribute__((noreturn)) nurse_end(int status)
{
	struct nurse_word w;

	memset(&w, 0, sizeof(w));
	w.news = NURSE_ENDED;
	w.status = status;
	nurse_tell(&w, NULL, 0);
	_exit(0); /* and whoever is left is killed */
}

/** nurse_arrange() - Two channels, and nothing else of the minder's */
static int nurse_arrange(int chan, int child)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int a = fcntl(chan, F_DUPFD_CLOEXEC, NURSE_ASIDE);
	const int b = fcntl(child, F_DUPFD_CLOEXEC, NURSE_ASIDE);

	if (null < 0 || a < 0 || b < 0 || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    dup3(a, NURSE_CHAN, O_CLOEXEC) < 0 ||
	    dup3(b, NURSE_CHILD, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, NURSE_CHILD + 1, ~0u, 0) < 0)
		return -errno;
	return 0;
}

/** nurse_map() - Give the job's user namespace root's ids, or the user's */
static void nurse_map(int proc, bool is_root)
{
	struct fault f = { 0 };

	if (namespace_map_at(proc, is_root, &f) < 0)
		nurse_fail(&f);
	(void)channel_send(NURSE_CHILD, "I", 1, NULL, 0);
}

/** nurse_hear_child() - Until the program takes over */
static void nurse_hear_child(bool is_root)
{
	struct fault f = { 0 };
	struct nurse_word runs;
	int tables[LISTENING_TABLES];
	unsigned int tables_count = 0;
	bool has_run = false;

	for (;;) {
		struct nurse_word w;
		int fds[LISTENING_TABLES];
		unsigned int count = 0;
		const ssize_t n = channel_recv(NURSE_CHILD, &w, sizeof(w), fds,
					       LISTENING_TABLES, &count);

		if (n == 0 && has_run)
			break;
		if (n == (ssize_t)sizeof(w) && w.news == NURSE_FAILED)
			nurse_fail(&w.fault);
		if (n != (ssize_t)sizeof(w)) {
			(void)fault_plain(&f, -EPIPE,
					  "its process died before the program "
					  "took over");
			nurse_fail(&f);
		}
		if (w.news == NURSE_ASKS && count == 1) {
			nurse_map(fds[0], is_root);
			fd_close(&fds[0]);
			continue;
		}
		runs = w;
		memcpy(tables, fds, sizeof(tables));
		tables_count = count;
		has_run = true;
	}
	nurse_tell(&runs, tables, tables_count);
	while (tables_count > 0)
		fd_close(&tables[--tables_count]);
	(void)close(NURSE_CHILD);
}

/** nurse_settle() - Keep nothing but what a signal needs */
static void nurse_settle(struct nurse *n, bool is_root)
{
	struct fault f = { 0 };
	sigset_t child;

	if (guard_shed(is_root ? 1ull << CAP_KILL : 0, &f) < 0)
		nurse_fail(&f);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	n->reaps = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (n->reaps < 0) {
		(void)fault(&f, -errno, "open a signalfd");
		nurse_fail(&f);
	}
}

static void nurse_reap(struct nurse *n)
{
	struct signalfd_siginfo dust;
	const bool had_main = n->main > 0;
	int status;
	pid_t pid;

	while (read(n->reaps, &dust, sizeof(dust)) > 0)
		; /* waitpid(2) knows more */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		n->last = status;
		if (pid != n->main)
			continue;
		n->main = 0;
		/* What a failed program leaves would be in the next one's way.
		 */
		if (status != 0 && !n->is_ending)
			nurse_end(status);
	}
	if (pid < 0)
		nurse_end(n->last);
	if (had_main && n->main == 0) {
		struct nurse_word w;

		memset(&w, 0, sizeof(w));
		w.news = NURSE_BACKGROUND;
		nurse_tell(&w, NULL, 0);
	}
}

static void nurse_hear(struct nurse *n)
{
	char word;

	if (channel_recv(NURSE_CHAN, &word, 1, NULL, 0, NULL) != 1)
		_exit(1); /* no minder, no job */
	n->is_ending = true;
	(void)kill(-1, SIGTERM);
	(void)kill(-1, SIGCONT);
}

void nurse_main(const struct launch *l, int chan, int said)
{
	struct nurse n = { .reaps = -1 };
	struct fault f = { 0 };
	int pair[2];

	/* It signals everything it sees. */
	if (getpid() != 1)
		_exit(1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "nsproxy-nurse", 0, 0, 0);
	signals_hold();
	if (channel_pair(pair) < 0)
		_exit(1);
	n.main = fork();
	if (n.main == 0) {
		fd_close(&pair[0]);
		fd_close(&chan);
		embark(l, pair[1], said);
	}
	/* The minder misses our word and sees us die. */
	if (n.main < 0 || nurse_arrange(chan, pair[0]) < 0)
		_exit(1);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || chdir("/") < 0) {
		(void)fault(&f, -errno, "settle");
		nurse_fail(&f);
	}
	nurse_hear_child(l->is_root);
	nurse_settle(&n, l->is_root);
	/* Changes of credentials may have undone it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;) {
		struct pollfd p[] = {
			{ .fd = n.reaps, .events = POLLIN },
			{ .fd = NURSE_CHAN, .events = POLLIN },
		};

		nurse_reap(&n);
		(void)poll(p, sizeof(p) / sizeof(p[0]), -1);
		if (p[1].revents)
			nurse_hear(&n);
	}
}
