// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * clock.c - a preloaded library: clocks that jump when the test says so
 *
 * LAB_CLOCK names a file of two numbers of 8 octets: seconds that are added to
 * the time of day, and to the clocks that never go back. It is mapped before
 * main(), so that a worker hears of a jump when it can open nothing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *jump;

static void __attribute__((constructor)) clock_map(void)
{
	const char *path = getenv("LAB_CLOCK");
	const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);

	if (at != MAP_FAILED)
		jump = at;
	if (fd >= 0)
		(void)close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	const int rc = (int)syscall(SYS_clock_gettime, id, t);

	if (rc == 0 && jump)
		t->tv_sec += id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE
				     ? jump[0]
				     : jump[1];
	return rc;
}

time_t time(time_t *ret)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec t = { 0 };

	(void)tz;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	*tv = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
	return 0;
}
