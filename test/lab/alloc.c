// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * alloc.c - a preloaded library: the n-th allocation of a daemon fails
 *
 * LAB_ALLOC names a file of two numbers of 8 octets: which one fails (0: none),
 * and, written here, how many there were. Other processes are left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static volatile int64_t *tally;

/** alloc_is_daemon() - Is this `nsproxy daemon`, and no role of its? */
static bool alloc_is_daemon(void)
{
	const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	char words[512] = "";
	const ssize_t n = fd < 0 ? 0 : read(fd, words, sizeof(words) - 1);

	if (fd >= 0)
		(void)close(fd);
	return n > 0 && strstr(words, "nsproxy") &&
	       !strcmp(words + strlen(words) + 1, "daemon");
}

static void __attribute__((constructor)) alloc_map(void)
{
	const char *path = getenv("LAB_ALLOC");
	const int fd =
		path && alloc_is_daemon() ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd, 0);

	if (at != MAP_FAILED)
		tally = at;
	if (fd >= 0)
		(void)close(fd);
}

/** alloc_fails() - Is it this one's turn? */
static bool alloc_fails(void)
{
	if (!tally || ++tally[1] != tally[0])
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return alloc_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return alloc_fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return alloc_fails() ? NULL : __libc_realloc(old, size);
}
