// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * hatch.c - from our own binary to a role: a worker that reads packets, ...
 *
 * Called in the caller's namespaces by the process that outlives the worker's
 * start. A role is executed, not just forked: fresh address layout, and no
 * secret of ours in its memory.
 */
#include "box/hatch.h"

#include "base/fd.h"
#include "bus/channel.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A worker only locks itself down; a busy machine may take a while. */
#define HATCH_PATIENCE_MS 10000
#define HATCH_SELF	  (WORKER_CHANNEL + 1)
/* Above every fd that hatch_become() arranges. */
#define HATCH_ASIDE	  10

/** hatch_arrange() - fds 0, 1, channel and binary in place, all else closed */
static int hatch_arrange(int self_fd, int chan)
{
	const int null = open("/dev/null", O_RDWR);
	const int self = fcntl(self_fd, F_DUPFD_CLOEXEC, HATCH_ASIDE);
	const int mine = fcntl(chan, F_DUPFD_CLOEXEC, HATCH_ASIDE);

	if (null < 0 || self < 0 || mine < 0 || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(mine, WORKER_CHANNEL) < 0 ||
	    dup3(self, HATCH_SELF, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, HATCH_SELF + 1, ~0u, 0) < 0)
		return -errno;
	return 0;
}

/** hatch_become() - In the child: turn into @role; never returns */
static void __attribute__((noreturn))
hatch_become(int self_fd, int chan, const char *role, const char *note)
{
	const char *argv[] = { "nsproxy", role, note, NULL };
	struct hatch_word word;
	int rc;

	memset(&word, 0, sizeof(word));
	signals_default();
	(void)setsid(); /* a fresh child leads no group, so it works */
	/* Pins no directory of the caller's. */
	if (chdir("/") < 0)
		_exit(1);
	rc = hatch_arrange(self_fd, chan);
	if (rc < 0) {
		(void)fault(&word.fault, rc, "arrange files for %s", role);
		(void)channel_send(chan, &word, sizeof(word), NULL, 0);
		_exit(1);
	}
	(void)syscall(SYS_execveat, HATCH_SELF, "", argv, environ,
		      AT_EMPTY_PATH);
	(void)fault(&word.fault, -errno, "execute our own binary as %s", role);
	(void)channel_send(WORKER_CHANNEL, &word, sizeof(word), NULL, 0);
	_exit(1);
}

/** hatch_wait() - Wait for the worker's one word */
static int hatch_wait(int chan, struct fault *f)
{
	struct pollfd p = { .fd = chan, .events = POLLIN };
	struct hatch_word word;
	ssize_t n;
	int rc;

	do {
		rc = poll(&p, 1, HATCH_PATIENCE_MS);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return fault_plain(f, -ETIMEDOUT,
				   "the worker was not ready in %d s",
				   HATCH_PATIENCE_MS / 1000);
	n = channel_recv(chan, &word, sizeof(word), NULL, 0, NULL);
	if (n == 0 || n == -ECONNRESET)
		return fault_plain(f, -EPIPE,
				   "the worker died before it was ready");
	if (n != (ssize_t)sizeof(word))
		return fault_plain(f, -EPROTO,
				   "the worker's first word made no sense");
	if (word.fault.code == 0)
		return 0;
	word.fault.text[sizeof(word.fault.text) - 1] = '\0';
	word.fault.hint[sizeof(word.fault.hint) - 1] = '\0';
	if (f)
		*f = word.fault;
	return word.fault.code < 0 ? word.fault.code : -EPROTO;
}

int hatch_role(int self_fd, const char *role, const char *note,
	       struct hatchling *ret, struct fault *f)
{
	int pair[2];
	pid_t pid;
	const int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel");
	pid = fork();
	if (pid == 0)
		hatch_become(self_fd, pair[1], role, note);
	if (pid < 0) {
		(void)fault(f, -errno, "fork");
		fd_close(&pair[0]);
		fd_close(&pair[1]);
		return f ? f->code : -EAGAIN;
	}
	fd_close(&pair[1]);
	*ret = (struct hatchling){ .pid = pid, .chan = pair[0] };
	return 0;
}

int hatch_give(struct hatchling *w, const struct plan *p,
	       const struct plan_fd *fds, unsigned int count, struct fault *f)
{
	int rc = plan_send(w->chan, p, fds, count);

	/* A worker that is gone already may have left its word. */
	if (rc < 0 && rc != -EPIPE && rc != -ECONNRESET)
		rc = fault(f, rc, "hand the worker its plan");
	else
		rc = hatch_wait(w->chan, f);
	if (rc < 0)
		hatch_drop(w);
	return rc;
}

void hatch_drop(struct hatchling *w)
{
	fd_close(&w->chan);
	if (w->pid <= 0)
		return;
	(void)kill(w->pid, SIGKILL);
	(void)waitpid(w->pid, NULL, 0);
	w->pid = 0;
}

int hatch_worker(int self_fd, const struct plan *p, const struct plan_fd *fds,
		 unsigned int count, struct hatchling *ret, struct fault *f)
{
	struct hatchling w = { .chan = -1 };
	int rc = hatch_role(self_fd, WORKER_ROLE, NULL, &w, f);

	if (rc == 0)
		rc = hatch_give(&w, p, fds, count, f);
	if (rc == 0)
		*ret = w;
	return rc;
}
