// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pin.c - network namespaces with a name in the file system
 *
 * The same place and shape as ip-netns(8) has, so that `ip netns exec`,
 * NetworkNamespacePath= and podman find our sandboxes. What is ours there is
 * noted beforehand, in a directory of our own: whoever is killed half-way, the
 * next one knows what to remove, and leaves others' names alone.
 */
#include "kern/pin.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PIN_STACK 16 /* most mounts on top of each other that are expected */
#define PIN_MOUNT (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define PIN_TMPFS "mode=0755,size=64k,nr_inodes=8"

static void pin_path(char path[static PATH_MAX], const char *name)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", PIN_DIR, name);
}

static void pin_note_path(char path[static PATH_MAX], const char *name)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", PIN_NOTES, name);
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

/** pin_note() - Say what will be there, before it is */
static int pin_note(const char *name, int netns, struct fault *f)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	char path[PATH_MAX];
	struct stat st;
	auto_fd fd = -1;
	int rc = 0;

	if (fstat(netns, &st) < 0)
		return fault(f, -errno, "look at the namespace");
	pin_note_path(path, name);
	fd = open(path, flags, 0600);
	if (fd < 0 || dprintf(fd, "%" PRIuMAX "\n", (uintmax_t)st.st_ino) < 0)
		rc = -errno;
	return rc < 0 ? fault(f, rc, "write %s", path) : 0;
}

/** pin_is_ours() - Is what is there what the note tells of? */
static bool pin_is_ours(const char *path, uintmax_t noted)
{
	struct statfs fs;
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    statfs(path, &fs) < 0)
		return false;
	/* Of one who was killed before the namespace was mounted on it. */
	if (fs.f_type != NSFS_MAGIC)
		return st.st_size == 0;
	return st.st_ino == noted;
}

int pin_make(const char *name, int netns, struct fault *f)
{
	const int flags = O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	char path[PATH_MAX];
	char from[32];
	auto_fd fd = -1;
	int rc;

	(void)pin_remove(name);
	pin_path(path, name);
	if (access(path, F_OK) == 0) {
		(void)fault(f, -EEXIST, "make %s", path);
		return fault_hint(f,
				  "it is none of ours; 'ip netns delete %s' "
				  "removes it",
				  name);
	}
	rc = pin_note(name, netns, f);
	if (rc < 0)
		return rc;
	fd = open(path, flags, 0444);
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", netns);
	if (fd >= 0 && mount(from, path, "none", MS_BIND, NULL) == 0)
		return 0;
	rc = fault(f, -errno, "pin the namespace at %s", path);
	(void)pin_remove(name);
	return rc;
}

bool pin_remove(const char *name)
{
	char note[PATH_MAX];
	char path[PATH_MAX];
	char text[32] = "";
	auto_fd fd = -1;
	bool is_gone = true;

	pin_note_path(note, name);
	pin_path(path, name);
	fd = open(note, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return true;
	if (read(fd, text, sizeof(text) - 1) < 0)
		return false;
	/* Detached: somebody may stand in it. */
	if (pin_is_ours(path, strtoumax(text, NULL, 10)))
		is_gone = (umount2(path, MNT_DETACH) == 0 || errno == EINVAL) &&
			  unlink(path) == 0;
	return is_gone && unlink(note) == 0;
}
