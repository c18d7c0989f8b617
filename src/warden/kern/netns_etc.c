// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * netns_etc.c - /etc/netns/NAME: what ip-netns(8) and others put over /etc
 *
 * `ip netns exec`, firejail and the like know no more of a namespace than its
 * name: they bind each file of this directory over the one in /etc. Ours is a
 * link to files that a reboot empties.
 */
#include "kern/netns_etc.h"

#include "base/fd.h"
#include "kern/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_ETC_OPEN	(O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define NETNS_ETC_FILES 2

static const char *const netns_etc_files[NETNS_ETC_FILES] = { "resolv.conf",
							      "nsswitch.conf" };

static void netns_etc_path(char to[static PATH_MAX], const char *dir,
			   const char *name)
{
	(void)snprintf(to, PATH_MAX, "%s/%s", dir, name);
}

/** netns_etc_dir() - A directory that all may read, whatever our umask is */
static int netns_etc_dir(const char *path, struct fault *f)
{
	if (mkdir(path, 0755) == 0)
		return chmod(path, 0755) < 0
			       ? fault(f, -errno, "change the mode of %s", path)
			       : 0;
	return errno == EEXIST ? 0 : fault(f, -errno, "make %s", path);
}

/** netns_etc_is_ours() - Is the link there, and does it lead to @dir? */
static bool netns_etc_is_ours(const char *link, const char *dir)
{
	char to[PATH_MAX];
	const ssize_t n = readlink(link, to, sizeof(to));

	return n == (ssize_t)strlen(dir) && !memcmp(to, dir, (size_t)n);
}

static int netns_etc_link(const char *dir, const char *name, struct fault *f)
{
	char link[PATH_MAX];
	int rc = netns_etc_dir(NETNS_ETC_LINKS, f);

	if (rc < 0)
		return rc;
	netns_etc_path(link, NETNS_ETC_LINKS, name);
	rc = symlink(dir, link) < 0 ? -errno : 0;
	if (rc == 0 || netns_etc_is_ours(link, dir))
		return 0;
	return fault(f, rc, "link %s to %s", link, dir);
}

/** netns_etc_clear() - Take the files away */
static void netns_etc_clear(const char *path)
{
	auto_fd dir = open(path, NETNS_ETC_OPEN);

	for (size_t i = 0; dir >= 0 && i < NETNS_ETC_FILES; i++)
		(void)unlinkat(dir, netns_etc_files[i], 0);
}

int netns_etc_make(const char *name, const char *nameserver, struct fault *f)
{
	char path[PATH_MAX];
	auto_fd dir = -1;
	int rc;

	netns_etc_path(path, NETNS_ETC_DIR, name);
	rc = netns_etc_dir(path, f);
	if (rc < 0)
		return rc;
	netns_etc_clear(path); /* of one before it that was killed */
	dir = open(path, NETNS_ETC_OPEN);
	if (dir < 0)
		return fault(f, -errno, "open %s", path);
	rc = resolver_write(dir, nameserver, f);
	return rc < 0 ? rc : netns_etc_link(path, name, f);
}

void netns_etc_remove(const char *name)
{
	char dir[PATH_MAX];
	char link[PATH_MAX];

	netns_etc_path(dir, NETNS_ETC_DIR, name);
	netns_etc_path(link, NETNS_ETC_LINKS, name);
	if (netns_etc_is_ours(link, dir))
		(void)unlink(link);
	netns_etc_clear(dir);
	(void)rmdir(dir);
}
