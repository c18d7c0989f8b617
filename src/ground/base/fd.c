// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * fd.c - file descriptors with one owner
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

void fd_close(int *fd)
{
	const int kept = errno;

	if (*fd >= 0)
		(void)close(*fd); /* EINTR on Linux has closed it anyway */
	*fd = -1;
	errno = kept;
}

void ptr_free(void *ptr)
{
	free(*(void **)ptr);
}

int fd_nonblock(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

void fd_be_near(int fd)
{
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

bool fd_may_be_wide(void)
{
	auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int got = 0;
	socklen_t len = sizeof(got);

	if (fd < 0)
		return false;
	fd_be_wide(fd);
	/* The kernel doubles what it is told (socket(7)). */
	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0 &&
	       got >= 2 * FD_WIDE_BYTES;
}

void fd_be_wide(int fd)
{
	const int bytes = FD_WIDE_BYTES;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes,
			 sizeof(bytes));
}

int fd_write_all(int fd, const void *buf, size_t len)
{
	const char *at = buf;

	while (len > 0) {
		const ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_write_file(const char *path, const char *text)
{
	const size_t len = strlen(text);
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}
