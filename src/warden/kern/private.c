// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * private.c - places and processes of a sandbox's own
 *
 * A unix socket in the file system leads out of any network namespace: who
 * answers there may do on the host what it is asked to. Most of them lie in a
 * few directories.
 */
#include "kern/private.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIVATE_MOUNT (MS_NOSUID | MS_NODEV)

static const struct {
	const char *path;
	const char *options;
} place[] = {
	{ "/run", "mode=0755,size=20%" },
	{ "/tmp", "mode=1777" },
	{ "/var/tmp", "mode=1777" },
	{ "/dev/shm", "mode=1777" },
};

static const struct {
	const char *path;
	mode_t mode;
} room[] = {
	{ PRIVATE_RUNTIME, 01777 },
	{ "/run/lock", 01777 },
	{ "/run/shm", 01777 },
};

static int private_make_rooms(struct fault *f)
{
	for (size_t i = 0; i < sizeof(room) / sizeof(room[0]); i++)
		if (mkdir(room[i].path, 0700) < 0 ||
		    chmod(room[i].path, room[i].mode) < 0)
			return fault(f, -errno, "make the sandbox's %s",
				     room[i].path);
	return 0;
}

/** private_make_file() - An empty file below /run, with what is above it */
static int private_make_file(char *path, struct fault *f)
{
	auto_fd fd = -1;

	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return fault(f, -errno, "make the sandbox's %s", path);
		*at = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return fault(f, -errno, "make the sandbox's %s", path);
	return 0;
}

int private_places(struct fault *f)
{
	char resolv[PATH_MAX];
	const bool is_link = realpath("/etc/resolv.conf", resolv) &&
			     text_starts(resolv, "/run/");
	int rc;

	for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
		struct stat st;

		/* A link leads to one that is covered, too. */
		if (lstat(place[i].path, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		if (mount("nsproxy", place[i].path, "tmpfs", PRIVATE_MOUNT,
			  place[i].options) < 0)
			return fault(f, -errno, "cover %s", place[i].path);
	}
	rc = private_make_rooms(f);
	return rc == 0 && is_link ? private_make_file(resolv, f) : rc;
}

int private_proc(struct fault *f)
{
	if (mount("proc", "/proc", "proc", PRIVATE_MOUNT | MS_NOEXEC, NULL) ==
	    0)
		return 0;
	(void)fault(f, -errno, "show the sandbox's own processes in /proc");
	return fault_hint(f, "a container that hides parts of /proc does not "
			     "allow it; 'guard = guarded' does without");
}
