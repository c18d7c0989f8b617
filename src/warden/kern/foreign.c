// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * foreign.c - network namespaces that others have made
 *
 * Root needs no user namespace but its own to set one up, and so never stands
 * in one where its owner has power.
 */
#include "kern/foreign.h"

#include "base/fd.h"
#include "kern/links.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

/** foreign_is_ours() - Is it the namespace of /proc/self/ns/@kind? */
static bool foreign_is_ours(int fd, const char *path)
{
	struct stat own;
	struct stat it;

	return stat(path, &own) < 0 || fstat(fd, &it) < 0 ||
	       (own.st_dev == it.st_dev && own.st_ino == it.st_ino);
}

int foreign_check(int fd, uid_t uid, struct fault *f)
{
	auto_fd user = -1;
	struct statfs fs;
	uid_t owner = (uid_t)-1;

	/* No other file is asked what only a namespace understands. */
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return fault_plain(f, -EINVAL, "it is no network namespace");
	if (foreign_is_ours(fd, "/proc/self/ns/net"))
		return fault_plain(f, -EINVAL,
				   "it is the host's network namespace");
	user = ioctl(fd, NS_GET_USERNS);
	if (user < 0 && errno == EPERM)
		return fault_plain(f, -EPERM,
				   "the network namespace is not the caller's");
	if (user < 0 || ioctl(user, NS_GET_OWNER_UID, &owner) < 0)
		return fault(f, -errno, "ask who owns the network namespace");
	if ((uid != 0 && owner != uid) ||
	    (geteuid() != 0 && owner != geteuid()))
		return fault_plain(f, -EPERM,
				   "the network namespace is user %u's", owner);
	return 0;
}

int foreign_leader(int fd, pid_t *ret_pid, struct fault *f)
{
	char path[40];
	char text[512] = "";
	const char *at;
	auto_fd info = -1;
	long pid;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0 || read(info, text, sizeof(text) - 1) < 0)
		return fault(f, -errno, "read %s", path);
	at = strstr(text, "\nPid:\t");
	if (!at)
		return fault_plain(f, -EINVAL,
				   "what shall end it is no process");
	pid = strtol(at + strlen("\nPid:\t"), NULL, 10);
	if (pid <= 0)
		return fault_plain(f, -ESRCH, "the process has ended");
	*ret_pid = (pid_t)pid;
	return 0;
}

/** foreign_is_shut() - Is there no way out of the namespace we are in? */
static int foreign_is_shut(struct fault *f)
{
	struct ifaddrs *all = NULL;
	int rc = 0;

	if (getifaddrs(&all) < 0)
		return fault(f, -errno, "list the links of the namespace");
	for (const struct ifaddrs *i = all; rc == 0 && i; i = i->ifa_next) {
		if (!strcmp(i->ifa_name, LINKS_TUN))
			rc = fault_plain(f, -EBUSY,
					 "it has a link " LINKS_TUN
					 " and so a way out already");
		else if (i->ifa_flags & IFF_UP && strcmp(i->ifa_name, "lo"))
			rc = fault_plain(f, -EBUSY,
					 "its link %s is up, which is a way "
					 "around the proxy",
					 i->ifa_name);
	}
	freeifaddrs(all);
	return rc;
}

int foreign_enter(int fd, bool is_root, struct fault *f)
{
	auto_fd user = -1;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	user = ioctl(fd, NS_GET_USERNS);
	if (user < 0)
		return fault(f, -errno, "ask who owns the network namespace");
	if (!is_root && !foreign_is_ours(user, "/proc/self/ns/user") &&
	    setns(user, CLONE_NEWUSER) < 0)
		return fault(f, -errno, "enter the user namespace");
	if (setns(fd, CLONE_NEWNET) < 0)
		return fault(f, -errno, "enter the network namespace");
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return fault(f, -errno, "keep our mounts from the host");
	return foreign_is_shut(f);
}
