/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * fd_close() - Close and empty an fd variable
 * @fd:  The one variable that owns it; -1 is empty. errno is kept
 */
void fd_close(int *fd);

/** auto_fd - an fd that is closed when its scope ends */
#define auto_fd __attribute__((cleanup(fd_close))) int

/**
 * fd_take() - Move an fd out of its variable
 * @fd:  Owner; is -1 afterwards
 *
 * Return: the fd, owned by the caller
 */
static inline int fd_take(int *fd)
{
	const int got = *fd;

	*fd = -1;
	return got;
}

/**
 * fd_nonblock() - Make reads and writes on @fd return at once
 * @fd:  Any open fd
 *
 * Return: 0 or -errno
 */
int fd_nonblock(int fd);

/**
 * fd_be_near() - Let a TCP socket, or those a listener accepts, use reno
 * @fd:  Before it is connected; both ends are on this machine. Where that is
 *       a mistake it sends as well, slower where packets are lost
 *
 * Nothing is lost on such a way, and the plainest is the fastest: others, as
 * bbr, may pace what they send, by timers that take a third of a relay's time
 * (bench/IDEAS.md). reno is there in every kernel, for everybody.
 */
void fd_be_near(int fd);

/* What fd_be_wide() tells SO_RCVBUF: net.core.rmem_max of Linux 6.18. With less
 * uploads are slower (bench/IDEAS.md). */
#define FD_WIDE_BYTES 4194304

/** fd_may_be_wide() - Does net.core.rmem_max allow it? Asks a new socket, since
 * that file is not seen in every network namespace */
bool fd_may_be_wide(void);

/**
 * fd_be_wide() - Let much wait in a TCP socket, whatever tcp_rmem says
 * @fd:  Ours, with the other end in a sandbox whose tcp_rmem is short
 *
 * A fixed buffer, and the window that goes with it: the kernel would move this
 * only by tcp_rmem. Not where fd_may_be_wide() is false: that would be less
 * than the kernel gives by itself.
 */
void fd_be_wide(int fd);

/**
 * fd_write_all() - Write a whole small buffer to a blocking fd
 * @fd:   File, pipe or socket
 * @buf:  Bytes
 * @len:  How many
 *
 * Return: 0 or -errno
 */
int fd_write_all(int fd, const void *buf, size_t len);

/**
 * fd_write_file() - Write a string into an existing file in one write(2)
 * @path:  File, opened O_WRONLY, never created
 * @text:  NUL-terminated content
 *
 * Return: 0 or -errno
 */
int fd_write_file(const char *path, const char *text);

/** auto_free - heap memory that is freed when its scope ends */
void ptr_free(void *ptr);
#define auto_free __attribute__((cleanup(ptr_free)))
