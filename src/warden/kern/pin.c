// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pin.c - network namespaces with a name in the file system
 *
 * The same place and shape as ip-netns(8) has, so that `ip netns exec`,
 * NetworkNamespacePath= and podman find our sandboxes.
 */
#include "kern/pin.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN_STACK 16 /* most mounts on top of each other that are expected */
#define PIN_MOUNT (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define PIN_TMPFS "mode=0755,size=64k,nr_inodes=8"

static void pin_path(char path[static PATH_MAX], const char *name)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", PIN_DIR, name);
}

int pin_prepare(struct fault *f)
{
	if (mkdir(PIN_DIR, 0755) == 0)
		(void)chmod(PIN_DIR, 0755); /* whatever our umask is */
	else if (errno != EEXIST)
		return fault(f, -errno, "make %s", PIN_DIR);
	if (mount("", PIN_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return fault(f, -errno, "share %s", PIN_DIR);
	if (mount(PIN_DIR, PIN_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", PIN_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return fault(f, -errno, "mount %s", PIN_DIR);
	return 0;
}

int pin_alone(const char *name, struct fault *f)
{
	char path[PATH_MAX];
	auto_fd fd = -1;

	if (access(PIN_DIR, F_OK) < 0)
		return 0; /* nobody here has names */
	/* All that is mounted there goes with it. */
	for (int i = 0; i < PIN_STACK && umount2(PIN_DIR, MNT_DETACH) == 0; i++)
		continue;
	if (mount("nsproxy", PIN_DIR, "tmpfs", PIN_MOUNT, PIN_TMPFS) < 0)
		return fault(f, -errno, "cover %s", PIN_DIR);
	pin_path(path, name);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 ||
	    mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0)
		return fault(f, -errno, "pin the namespace inside at %s", path);
	return 0;
}

int pin_make(const char *name, int netns, uint64_t stale, struct fault *f)
{
	const int flags = O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	char path[PATH_MAX];
	char from[32];
	auto_fd fd = -1;

	pin_path(path, name);
	if (stale != 0)
		(void)pin_remove(name, stale);
	fd = open(path, flags, 0444);
	if (fd < 0) {
		(void)fault(f, -errno, "make %s", path);
		if (f && f->code == -EEXIST)
			return fault_hint(f,
					  "it is none of ours; 'ip netns "
					  "delete %s' removes it",
					  name);
		return f ? f->code : -EPERM;
	}
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", netns);
	if (mount(from, path, "none", MS_BIND, NULL) < 0) {
		(void)fault(f, -errno, "pin the namespace at %s", path);
		(void)unlink(path);
		return f ? f->code : -EPERM;
	}
	return 0;
}

bool pin_remove(const char *name, uint64_t inode)
{
	char path[PATH_MAX];
	struct stat st;

	pin_path(path, name);
	if (stat(path, &st) < 0)
		return errno == ENOENT;
	if (st.st_ino != inode)
		return false;
	/* Detached: somebody may stand in it. */
	return umount2(path, MNT_DETACH) == 0 && unlink(path) == 0;
}
