// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * power.c - root's power, lent by a setuid start
 *
 * A hostile caller chooses our arguments, environment, files, limits and
 * signals, may stop or kill us at any moment, and may start us a thousand
 * times. So nothing is held that others could miss: no lock, no file, no half
 * made state; and root's ids are effective for some twenty system calls only.
 */
#include "box/power.h"

#include "base/fd.h"
#include "kern/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Three quarters of the 8 MiB that Linux lends arguments and environment at
 * most (fs/exec.c: bprm_set_stack_limit()). */
#define ENVIRON_MAX (6u * 1024 * 1024)

static bool power_aside;
static char **power_first;

/** power_split() - NUL-ended texts, one behind the other, as an environ */
static char **power_split(char *text, size_t len)
{
	char **list;
	size_t count = 0;
	size_t at = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\0';
	list = calloc(count + 1, sizeof(*list));
	for (size_t i = 0; list && i < count; i++) {
		list[i] = text + at;
		at += strlen(text + at) + 1;
	}
	return list;
}

/**
 * power_note_environ() - The block that execve(2) made, untouched by the loader
 *
 * While the file is still root's. Used for the command alone, once that has no
 * power; we ourselves look at the purged one.
 */
static void power_note_environ(void)
{
	auto_fd fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? malloc(ENVIRON_MAX) : NULL;
	size_t used = 0;
	ssize_t n = text ? 1 : 0;

	while (n > 0 && used < ENVIRON_MAX) {
		n = read(fd, text + used, ENVIRON_MAX - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (n == 0 && used > 0 && text[used - 1] == '\0')
		power_first = power_split(text, used);
	if (!power_first)
		free(text); /* the purged one must do */
}

static int power_be_caller(struct fault *f)
{
	const uid_t uid = getuid();
	const gid_t gid = getgid();

	/* The saved uid is what we come back by. */
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, 0) < 0)
		return fault(f, -errno, "put privileges aside");
	if (geteuid() != uid || getegid() != gid)
		return fault_plain(f, -EPERM,
				   "privileges could not be put aside");
	return 0;
}

int power_put_aside(struct fault *f)
{
	int rc;

	if (geteuid() != 0 || getuid() == 0)
		return fault_plain(f, -EPERM, "this was no setuid start");
	if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
		return fault(f, -errno, "close inherited files");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	power_note_environ();
	rc = power_be_caller(f);
	if (rc < 0)
		return rc;
	power_aside = true;
	return 0;
}

bool power_is_aside(void)
{
	return power_aside;
}

char **power_environ(void)
{
	return power_first ? power_first : environ;
}

int power_lose(struct fault *f)
{
	if (!power_aside)
		return 0;
	power_aside = false;
	return guard_become(getuid(), getgid(), false, f);
}

int power_forget(struct fault *f)
{
	const bool was_aside = power_aside;
	const int rc = power_lose(f);

	/* Nothing is held that is not the caller's, so that /proc/self may be
	 * the caller's again: id maps are written there. */
	if (rc == 0 && was_aside)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return rc;
}

int power_take(struct power *ret, struct fault *f)
{
	const struct power p = { .uid = getuid(), .gid = getgid() };

	if (!power_aside)
		return fault_plain(f, -EPERM, "no privilege was lent");
	if (seteuid(0) < 0 || geteuid() != 0)
		return fault(f, -errno, "take up privileges");
	*ret = p;
	return 0;
}
