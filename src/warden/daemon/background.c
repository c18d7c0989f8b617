// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * background.c - a daemon that its caller's shell does not wait for
 *
 * For hosts without a service manager. The caller waits for one word through a
 * pipe, so that its exit status and its words tell whether there is a daemon.
 * A caller that is killed meanwhile has changed its mind.
 */
#include "daemon/background.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int background_files(const char *log, int ret[static 2], struct fault *f)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	auto_fd to = -1;

	if (null < 0)
		return fault(f, -errno, "open /dev/null");
	to = log ? open(log, flags, 0600) : fcntl(null, F_DUPFD_CLOEXEC, 0);
	if (to < 0)
		return fault(f, -errno, "open '%s'", log ? log : "/dev/null");
	ret[0] = fd_take(&null);
	ret[1] = fd_take(&to);
	return 0;
}

/** background_leave() - In the child: nothing of the caller's any more */
static int background_leave(int null, int log, struct fault *f)
{
	if (setsid() < 0)
		return fault(f, -errno, "begin a session");
	if (chdir("/") < 0)
		return fault(f, -errno, "go to '/'");
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		return fault(f, -errno, "leave the standard files");
	return 0;
}

int background_fork(const char *log, struct background *ret, struct fault *f)
{
	int files[2] = { -1, -1 };
	int ends[2];
	int rc = background_files(log, files, f);
	auto_fd null = files[0];
	auto_fd to = files[1];
	auto_fd hear = -1;
	auto_fd tell = -1;
	pid_t child;

	if (rc < 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault(f, -errno, "make a pipe");
	hear = ends[0];
	tell = ends[1];
	child = fork();
	if (child < 0)
		return fault(f, -errno, "fork");
	*ret = (struct background){ .child = child };
	ret->tell = fd_take(child > 0 ? &hear : &tell);
	if (child == 0 && (rc = background_leave(null, to, f)) < 0) {
		(void)background_tell(ret, f);
		_exit(1); /* the caller says why */
	}
	return 0;
}

int background_wait(struct background *b, struct fault *f)
{
	struct fault got = { 0 };
	ssize_t n;

	do {
		n = read(b->tell, &got, sizeof(got));
	} while (n < 0 && errno == EINTR);
	fd_close(&b->tell);
	if (n != (ssize_t)sizeof(got))
		return fault_plain(f, -EPIPE,
				   "the daemon ended before it was ready");
	if (got.code < 0)
		*f = got;
	return got.code;
}

int background_tell(struct background *b, const struct fault *f)
{
	const struct fault well = { 0 };
	int rc;

	if (b->tell < 0)
		return 0;
	(void)signal(SIGPIPE, SIG_IGN); /* before the daemon blocks it */
	rc = fd_write_all(b->tell, f ? f : &well, sizeof(well));
	fd_close(&b->tell);
	return rc;
}
