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

int background_log(const char *path, int *ret_fd, struct fault *f)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	const int fd = open(path, flags, 0600);

	if (fd < 0)
		return fault(f, -errno, "open '%s'", path);
	*ret_fd = fd;
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

int background_fork(int log, struct background *ret, struct fault *f)
{
	int ends[2];
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	auto_fd hear = -1;
	auto_fd tell = -1;
	pid_t child;

	if (null < 0)
		return fault(f, -errno, "open /dev/null");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault(f, -errno, "make a pipe");
	hear = ends[0];
	tell = ends[1];
	child = fork();
	if (child < 0)
		return fault(f, -errno, "fork");
	*ret = (struct background){ .child = child };
	ret->tell = fd_take(child > 0 ? &hear : &tell);
	if (child == 0 &&
	    background_leave(null, log >= 0 ? log : null, f) < 0) {
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
