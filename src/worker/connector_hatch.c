// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * connector_hatch.c - a worker starts its connector
 */
#include "connector_hatch.h"

#include "base/fd.h"
#include "bus/channel.h"
#include "dial/connector_serve.h"
#include "lockdown.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a connector keeps: two channels, and sockets inside. */
#define CONNECTOR_INNER (PLAN_EXPOSE + 8)
#define CONNECTOR_LINES 2
#define CONNECTOR_FDS	(CONNECTOR_LINES + CONNECTOR_INNER)

/** struct kept - fds that stay, the channels first */
struct kept {
	int fd[CONNECTOR_FDS];
	unsigned int count;
};

static struct kept connector_keeps(const struct connector_start *s,
				   const struct connector_line *line)
{
	struct kept k = {
		.fd = { line->ask, line->wait },
		.count = CONNECTOR_LINES,
	};

	for (unsigned int i = 0; i < s->fd_count; i++)
		if ((s->fd[i].kind == PLAN_FD_NAMES_UDP ||
		     s->fd[i].kind == PLAN_FD_EXPOSE_UDP ||
		     s->fd[i].kind == PLAN_FD_FRONT_UDP) &&
		    k.count < CONNECTOR_FDS)
			k.fd[k.count++] = s->fd[i].fd;
	return k;
}

/** kept_from() - The lowest one that is not below @fd; INT_MAX: none */
static int kept_from(const struct kept *k, int fd)
{
	int lowest = INT_MAX;

	for (unsigned int i = 0; i < k->count; i++)
		if (k->fd[i] >= fd && k->fd[i] < lowest)
			lowest = k->fd[i];
	return lowest;
}

/** connector_files() - Nothing of the worker's is open but what is kept */
static int connector_files(const struct kept *k, int devnull)
{
	int at = STDERR_FILENO + 1;

	for (int fd = 0; fd < at; fd++)
		if (dup2(devnull, fd) < 0)
			return -errno;
	while (at < INT_MAX) {
		const int next = kept_from(k, at);

		if (next > at && syscall(SYS_close_range, at, next - 1, 0) < 0)
			return -errno;
		at = next == INT_MAX ? next : next + 1;
	}
	return 0;
}

static int connector_close(const struct connector_start *s,
			   const struct kept *k, pid_t worker, struct fault *f)
{
	int rc = connector_files(k, s->devnull);

	if (rc < 0)
		return fault(f, rc, "close the connector's files");
	rc = lockdown_late(LOCKDOWN_CONNECTOR, s->keep_cwd, f);
	if (rc < 0)
		return rc;
	/* The channels end with the worker as well, but a connector that was
	 * stopped would not see it. (Root's one for a unix socket keeps root's
	 * rights; of a worker that has not the kernel sends it nothing.) */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fault(f, -errno, "tie the connector to the worker");
	return getppid() == worker ? 0 : -ESRCH;
}

static void __attribute__((noreturn))
connector_main(const struct connector_start *s,
	       const struct connector_line *line, pid_t worker)
{
	const struct kept k = connector_keeps(s, line);
	const struct connector_book book = connector_book_of(s->plan);
	struct fault word = { 0 };
	int rc;

	(void)prctl(PR_SET_NAME, CONNECTOR_NAME);
	rc = connector_close(s, &k, worker, &word);
#ifdef __GLIBC__
	(void)malloc_trim(0); /* the filter was made in there */
#endif
	if (channel_send(line->wait, &word, sizeof(word), NULL, 0) == 0 &&
	    rc == 0)
		connector_serve(&book, line, k.fd + CONNECTOR_LINES,
				k.count - CONNECTOR_LINES);
	_exit(0);
}

static void connector_shut(struct connector_line *line)
{
	fd_close(&line->ask);
	fd_close(&line->wait);
}

static int connector_pairs(struct connector_line *near,
			   struct connector_line *far)
{
	int ask[2];
	int wait[2];
	int rc = channel_pair(ask);

	if (rc < 0)
		return rc;
	*near = (struct connector_line){ ask[0], -1 };
	*far = (struct connector_line){ ask[1], -1 };
	rc = channel_pair(wait);
	if (rc < 0) {
		connector_shut(near);
		connector_shut(far);
		return rc;
	}
	near->wait = wait[0];
	far->wait = wait[1];
	return 0;
}

int connector_hatch(const struct connector_start *s, struct connector_line *ret,
		    struct fault *f)
{
	struct connector_line near;
	struct connector_line far;
	const pid_t worker = getpid();
	int rc = connector_pairs(&near, &far);
	pid_t pid;

	if (rc < 0)
		return fault(f, rc, "make a channel to the connector");
	pid = fork();
	if (pid == 0)
		connector_main(s, &far, worker);
	rc = pid < 0 ? fault(f, -errno, "fork the connector") : 0;
	connector_shut(&far);
	if (rc < 0)
		connector_shut(&near);
	else
		*ret = near;
	return rc;
}

int connector_meet(const struct connector_line *line, struct fault *f)
{
	struct fault word;
	const ssize_t n =
		channel_recv(line->wait, &word, sizeof(word), NULL, 0, NULL);

	if (n == -EAGAIN)
		return fault_plain(f, -ETIMEDOUT,
				   "the connector was not ready in time");
	if (n != (ssize_t)sizeof(word))
		return fault_plain(f, -EPIPE,
				   "the connector died before it was ready");
	if (word.code == 0)
		return 0;
	word.text[sizeof(word.text) - 1] = '\0';
	word.hint[sizeof(word.hint) - 1] = '\0';
	*f = word;
	return word.code < 0 ? word.code : -EPROTO;
}
