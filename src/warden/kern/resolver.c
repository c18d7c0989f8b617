// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * resolver.c - names are asked of the sandbox, not of the host's daemons
 *
 * nscd, systemd-resolved and Avahi answer on unix sockets in the file system,
 * which no network namespace contains: their directories are covered by empty
 * ones. resolv.conf and nsswitch.conf are covered by our own.
 *
 * What covers them lies on one private tmpfs that is attached nowhere any
 * more. Of each thing on it there is a spare: a detached mount that can be
 * moved onto a place at any time, after which a new spare is cloned from there.
 */
#include "kern/resolver.h"

#include "base/broken.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Largest nsswitch.conf or resolv.conf that is copied. */
#define RESOLVER_FILE_MAX 65536
#define RESOLVER_IP	  64  /* longest text of an address */
#define RESOLVER_REST	  128 /* one more of them, and the options */
#define RESOLVER_MOUNT	  (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define RESOLVER_TMPFS	  "mode=0755,size=1m,nr_inodes=32"
#define RESOLVED_DIR	  "/run/systemd/resolve"

static const char *const source[SOURCES] = {
	[SOURCE_EMPTY] = "empty",
	[SOURCE_RESOLVED] = "resolve",
	[SOURCE_NSSWITCH] = "nsswitch.conf",
	[SOURCE_RESOLV] = "resolv.conf",
};

static const struct {
	const char *path;
	enum resolver_source by;
	bool is_dir;
} cover[COVERS] = {
	[COVER_NSCD] = { "/run/nscd", SOURCE_EMPTY, true },
	[COVER_VAR_NSCD] = { "/var/run/nscd", SOURCE_EMPTY, true },
	[COVER_AVAHI] = { "/run/avahi-daemon", SOURCE_EMPTY, true },
	[COVER_VAR_AVAHI] = { "/var/run/avahi-daemon", SOURCE_EMPTY, true },
	[COVER_RESOLVED] = { RESOLVED_DIR, SOURCE_RESOLVED, true },
	[COVER_NSSWITCH] = { "/etc/nsswitch.conf", SOURCE_NSSWITCH, false },
	[COVER_RESOLV] = { "/etc/resolv.conf", SOURCE_RESOLV, false },
};

static bool resolver_append(char *to, size_t size, size_t *used,
			    const char *from, size_t len)
{
	if (len >= size - *used)
		return false;
	memcpy(to + *used, from, len);
	*used += len;
	to[*used] = '\0';
	return true;
}

bool resolver_nsswitch(const char *text, char *ret, size_t size)
{
	static const char ours[] = "hosts: files dns\n";
	size_t used = 0;

	ret[0] = '\0';
	while (*text) {
		const char *end = strchr(text, '\n');
		const size_t len =
			end ? (size_t)(end - text) + 1 : strlen(text);
		const size_t blank = strspn(text, " \t");
		const bool is_hosts = text_starts(text + blank, "hosts:");

		if (!resolver_append(ret, size, &used, is_hosts ? ours : text,
				     is_hosts ? sizeof(ours) - 1 : len))
			return false;
		text += len;
	}
	return true;
}

/**
 * resolver_read() - Read a small file of the host
 *
 * Return: heap text, or NULL when there is none or it is too long
 */
static char *resolver_read(const char *path)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	auto_free char *text = calloc(1, RESOLVER_FILE_MAX + 1);
	char *got = text;
	size_t used = 0;
	ssize_t n;

	if (fd < 0 || !text)
		return NULL;
	do {
		n = read(fd, text + used, RESOLVER_FILE_MAX + 1 - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 && used <= RESOLVER_FILE_MAX);
	if (n < 0 || used > RESOLVER_FILE_MAX)
		return NULL;
	text = NULL;
	return got;
}

static int resolver_put_file(int dir, const char *name, const char *text,
			     struct fault *f)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	auto_fd fd = openat(dir, name, flags, 0644);
	int rc;

	/* The mode is told again: the umask is the caller's. */
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return fault(f, -errno, "make the sandbox's %s", name);
	rc = fd_write_all(fd, text, strlen(text));
	return rc < 0 ? fault(f, rc, "write the sandbox's %s", name) : 0;
}

static int resolver_put_dir(int dir, const char *name, struct fault *f)
{
	if (mkdirat(dir, name, 0755) < 0 || fchmodat(dir, name, 0755, 0) < 0)
		return fault(f, -errno, "make the sandbox's %s", name);
	return 0;
}

/** resolver_put_ours() - A resolv.conf that names the sandbox's servers */
static int resolver_put_ours(int dir, const char *name, const char *nameserver,
			     struct fault *f)
{
	char text[512] = "";
	size_t used = 0;

	for (const char *at = nameserver; *at; at += strspn(at, " ")) {
		const size_t len = strcspn(at, " ");

		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "nameserver %.*s\n",
			len < RESOLVER_IP ? (int)len : RESOLVER_IP, at);
		if (used > sizeof(text) - RESOLVER_REST)
			break;
		at += len;
	}
	(void)snprintf(text + used, sizeof(text) - used,
		       "options edns0 timeout:3 attempts:3\n");
	return resolver_put_file(dir, name, text, f);
}

/** resolver_put_nsswitch() - Without the file the C library's default is
 * "dns files" */
static int resolver_put_nsswitch(int dir, struct fault *f)
{
	auto_free char *host = resolver_read("/etc/nsswitch.conf");
	auto_free char *ours = malloc(2 * RESOLVER_FILE_MAX);

	if (!host || !ours ||
	    !resolver_nsswitch(host, ours, 2 * RESOLVER_FILE_MAX))
		return 0;
	return resolver_put_file(dir, "nsswitch.conf", ours, f);
}

int resolver_write(int dir, const char *nameserver, struct fault *f)
{
	const int rc = nameserver ? resolver_put_ours(dir, "resolv.conf",
						      nameserver, f)
				  : 0;

	return rc < 0 ? rc : resolver_put_nsswitch(dir, f);
}

/** resolver_put_resolv() - Ours, or the real upstreams behind the host's stub
 */
static int resolver_put_resolv(int dir, const char *nameserver, struct fault *f)
{
	static const char *const files[] = { "resolve/resolv.conf",
					     "resolve/stub-resolv.conf" };
	auto_free char *kept = NULL;
	int rc = resolver_put_dir(dir, "resolve", f);

	if (!nameserver)
		kept = resolver_read(RESOLVED_DIR "/resolv.conf");
	for (int i = 0; rc == 0 && i < 2; i++) {
		if (nameserver)
			rc = resolver_put_ours(dir, files[i], nameserver, f);
		else if (kept)
			rc = resolver_put_file(dir, files[i], kept, f);
	}
	return rc;
}

static int resolver_fill(int dir, const char *nameserver, struct fault *f)
{
	int rc = resolver_put_dir(dir, "empty", f);

	if (rc == 0)
		rc = resolver_put_resolv(dir, nameserver, f);
	return rc < 0 ? rc : resolver_write(dir, nameserver, f);
}

static int resolver_clone(int dir, const char *path)
{
	return (int)syscall(SYS_open_tree, dir, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/** resolver_take_spares() - Detached mounts of what lies in @dir */
static int resolver_take_spares(struct resolver *r, int dir, struct fault *f)
{
	for (int i = 0; i < SOURCES; i++) {
		r->spare[i] = resolver_clone(dir, source[i]);
		if (r->spare[i] < 0 && errno != ENOENT)
			return fault(f, -errno, "clone the sandbox's %s",
				     source[i]);
	}
	return 0;
}

/**
 * resolver_make_source() - Build the tmpfs, take the spares, detach it again
 *
 * For a moment it hides a directory, which only this process can see: nobody
 * else lives in this mount namespace yet.
 */
static int resolver_make_source(struct resolver *r, const char *nameserver,
				struct fault *f)
{
	const char *at = access("/tmp", F_OK) == 0 ? "/tmp" : "/run";
	auto_fd dir = -1;
	struct stat st;
	int rc;

	/* Not one that resolver_fill() reads from, if that can be helped. */
	if (mount("nsproxy", at, "tmpfs", RESOLVER_MOUNT, RESOLVER_TMPFS) < 0)
		return fault(f, -errno, "mount a tmpfs on %s", at);
	dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0) {
		rc = fault(f, -errno, "open the tmpfs on %s", at);
	} else {
		r->dev = st.st_dev;
		rc = resolver_fill(dir, nameserver, f);
	}
	if (rc == 0 && mount(NULL, at, NULL,
			     MS_REMOUNT | MS_RDONLY | RESOLVER_MOUNT, NULL) < 0)
		rc = fault(f, -errno, "make the resolver's files read-only");
	if (rc == 0)
		rc = resolver_take_spares(r, dir, f);
	if (umount2(at, MNT_DETACH) < 0 && rc == 0)
		rc = fault(f, -errno, "uncover %s", at);
	return rc;
}

/** resolver_is_covered() - At a glance, by one call: a keeper that cannot be
 * told of changes looks at each place every few seconds, and there are many */
static bool resolver_is_covered(const struct resolver *r, enum resolver_cover i)
{
	struct stat st;

	return stat(cover[i].path, &st) == 0 ? st.st_dev == r->dev
					     : errno == ENOENT;
}

/**
 * resolver_cover_one() - Make sure that what is at a place is ours
 *
 * Return: 0, also when there is nothing to cover, or -errno
 */
static int resolver_cover_one(struct resolver *r, enum resolver_cover i)
{
	const unsigned int flags =
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
	auto_fd at = open(cover[i].path, O_PATH | O_CLOEXEC);
	int *spare = &r->spare[cover[i].by];
	struct stat st;

	if (at < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(at, &st) < 0)
		return -errno;
	if (st.st_dev == r->dev || S_ISDIR(st.st_mode) != cover[i].is_dir)
		return 0;
	if (*spare < 0 || broken(BROKEN_COVERS))
		return 0; /* the host's shall stay */
	if (syscall(SYS_move_mount, *spare, "", at, "", flags) < 0)
		return -errno;
	fd_close(spare);
	*spare = resolver_clone(AT_FDCWD, cover[i].path);
	return *spare < 0 ? -errno : 0;
}

/** resolver_listen() - Learn of changes; without, the mount table must do */
static void resolver_listen(struct resolver *r)
{
	static const char *const dirs[] = { "/etc", "/run", "/run/systemd",
					    "/var/run" };

	/* Adding what is already watched changes nothing. */
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		(void)inotify_add_watch(r->changes, dirs[i],
					IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

int resolver_open(struct resolver *r, const char *nameserver, struct fault *f)
{
	int rc;

	*r = (struct resolver){ .mounts = -1, .changes = -1 };
	for (int i = 0; i < SOURCES; i++)
		r->spare[i] = -1;
	rc = resolver_make_source(r, nameserver, f);
	for (int i = 0; rc == 0 && i < COVERS; i++) {
		rc = resolver_cover_one(r, i);
		if (rc < 0)
			rc = fault(f, rc, "cover %s", cover[i].path);
	}
	if (rc < 0)
		return rc;
	r->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (r->mounts < 0)
		return fault(f, -errno, "open /proc/self/mountinfo");
	r->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	resolver_listen(r);
	return 0;
}

void resolver_keep(struct resolver *r)
{
	char events[4096];

	while (r->changes >= 0 && read(r->changes, events, sizeof(events)) > 0)
		; /* which one it was does not matter */
	if (r->changes >= 0)
		resolver_listen(r);
	/* What cannot be covered now may be at the next change; names still
	 * cannot leave by port 53. */
	for (int i = 0; i < COVERS && !broken(BROKEN_RENAMES); i++)
		if (!resolver_is_covered(r, i))
			(void)resolver_cover_one(r, i);
}

void resolver_close(struct resolver *r)
{
	for (int i = 0; i < SOURCES; i++)
		fd_close(&r->spare[i]);
	fd_close(&r->mounts);
	fd_close(&r->changes);
}
