// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * namespace.c - user, network and mount namespaces, and why they are refused
 *
 * A user's sandbox is two user namespaces deep: the network belongs to the
 * outer one, in which only the keeper lives; the program lives in the inner
 * one and has no power over the outer. For root the outer one is the one it
 * was called in.
 */
#include "kern/namespace.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

bool namespace_is_root(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2] = { 0 };

	if (geteuid() != 0 || syscall(SYS_capget, &h, d) < 0)
		return false;
	return (d[0].effective & 1u << CAP_SYS_ADMIN) != 0;
}

bool namespace_has_ip6(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}

/** namespace_setting() - First number of a file below /proc/sys, or -1 */
static long namespace_setting(const char *path)
{
	char text[32] = "";
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}

/** namespace_hint() - Which setting of this machine stands in the way? */
static int namespace_hint(struct fault *f)
{
	if (namespace_setting("/proc/sys/kernel/unprivileged_userns_clone") ==
	    0)
		return fault_hint(f, "this machine lets only root make user "
				     "namespaces: sudo sysctl -w kernel."
				     "unprivileged_userns_clone=1");
	if (namespace_setting("/proc/sys/user/max_user_namespaces") == 0)
		return fault_hint(f, "this machine allows no user namespaces: "
				     "sudo sysctl -w "
				     "user.max_user_namespaces=10000");
	if (namespace_setting("/proc/sys/kernel/"
			      "apparmor_restrict_unprivileged_userns") == 1)
		return fault_hint(f, "AppArmor keeps programs without a "
				     "profile from user namespaces: install "
				     "nsproxy's profile, or sudo sysctl -w "
				     "kernel.apparmor_restrict_unprivileged_"
				     "userns=0");
	if (f && f->code == -ENOSPC)
		return fault_hint(f, "too many namespaces are in use: see "
				     "/proc/sys/user/max_*_namespaces");
	return fault_hint(f, "a container's seccomp profile or a chroot may "
			     "forbid user namespaces: allow them there, or "
			     "run nsproxy outside");
}

/** namespace_write() - Write /proc/@who/@file */
static int namespace_write(const char *who, const char *file, const char *text,
			   struct fault *f)
{
	char path[64];
	int rc;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", who, file);
	rc = fd_write_file(path, text);
	if (rc < 0) {
		(void)fault(f, rc, "write %s", path);
		return namespace_hint(f);
	}
	return 0;
}

/** namespace_map_one() - One line: @uid and @gid as themselves */
static int namespace_map_one(const char *who, uid_t uid, gid_t gid,
			     struct fault *f)
{
	char line[48];
	int rc = namespace_write(who, "setgroups", "deny", f);

	if (rc < 0)
		return rc;
	(void)snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	rc = namespace_write(who, "uid_map", line, f);
	if (rc < 0)
		return rc;
	(void)snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	return namespace_write(who, "gid_map", line, f);
}

/**
 * namespace_copy_map() - Every id that is mapped here, as itself
 *
 * /proc/self/uid_map tells what our ids mean to our parent; of each line only
 * the first and last number, our own ids, matter.
 */
static int namespace_copy_map(const char *who, const char *file,
			      struct fault *f)
{
	char path[64];
	char map[8192] = "";
	size_t used = 0;
	char line[128];
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/self/%s", file);
	in = fopen(path, "re");
	if (!in)
		return fault(f, -errno, "read %s", path);
	while (fgets(line, sizeof(line), in)) {
		unsigned int first;
		unsigned int outside;
		unsigned int count;

		if (sscanf(line, "%u %u %u", &first, &outside, &count) != 3 ||
		    used >= sizeof(map) - 48)
			break;
		used += (size_t)snprintf(map + used, sizeof(map) - used,
					 "%u %u %u\n", first, first, count);
	}
	(void)fclose(in);
	return namespace_write(who, file, map, f);
}

/**
 * namespace_forget_suid() - Make every mount here nosuid
 *
 * The program gains nothing by set-user-id bits and file capabilities anyway
 * (no_new_privs). But the kernel refuses to execute a file with capabilities
 * that the bounding set lacks, as ping has them on many systems; on a nosuid
 * mount it ignores them. Before Linux 5.12 such files stay unexecutable.
 */
static void namespace_forget_suid(void)
{
	struct mount_attr nosuid = { .attr_set = MOUNT_ATTR_NOSUID };

	(void)syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &nosuid,
		      sizeof(nosuid));
}

/** namespace_become_first() - Go on as the first process of the new ids */
static int namespace_become_first(struct fault *f)
{
	const pid_t pid = fork();

	if (pid < 0)
		return fault(f, -errno, "fork");
	if (pid > 0)
		_exit(0);
	return 0;
}

int namespace_enter(unsigned int how, struct fault *f)
{
	const bool own_user = how & NAMESPACE_OWN_USER;
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int flags = CLONE_NEWNET | CLONE_NEWNS;
	int rc = 0;

	flags |= own_user ? CLONE_NEWUSER : 0;
	flags |= how & NAMESPACE_OWN_PIDS ? CLONE_NEWPID : 0;
	if (unshare(flags) < 0) {
		(void)fault(f, -errno, "make namespaces");
		return namespace_hint(f);
	}
	if (own_user)
		rc = namespace_map_one("self", uid, gid, f);
	if (rc == 0 && how & NAMESPACE_OWN_PIDS)
		rc = namespace_become_first(f);
	if (rc < 0)
		return rc;
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
		(void)fault(f, -errno, "keep our mounts from the host");
		return namespace_hint(f);
	}
	if (!(how & NAMESPACE_KEEPS_SUID))
		namespace_forget_suid();
	return 0;
}

int namespace_leave_power(struct fault *f)
{
	if (unshare(CLONE_NEWUSER) < 0) {
		(void)fault(f, -errno, "make the program's user namespace");
		return namespace_hint(f);
	}
	return 0;
}

int namespace_leave_power_alone(struct fault *f)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	const int rc = namespace_leave_power(f);

	return rc < 0 ? rc : namespace_map_one("self", uid, gid, f);
}

/**
 * namespace_check_owner() - Is a process's user namespace ours?
 *
 * With every id in it, its owner is as mighty as root: who made it must be who
 * maps it.
 */
static int namespace_check_owner(const char *who, struct fault *f)
{
	auto_fd ns = -1;
	char path[64];
	uid_t owner = (uid_t)-1;

	(void)snprintf(path, sizeof(path), "/proc/%s/ns/user", who);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || ioctl(ns, NS_GET_OWNER_UID, &owner) < 0)
		return fault(f, -errno, "ask who owns %s", path);
	if (owner != geteuid())
		return fault_plain(f, -EPERM,
				   "the program's user namespace is user %u's",
				   owner);
	return 0;
}

/** namespace_map_who() - @who: a directory below /proc */
static int namespace_map_who(const char *who, bool all_ids, struct fault *f)
{
	int rc;

	if (!all_ids)
		return namespace_map_one(who, geteuid(), getegid(), f);
	rc = namespace_check_owner(who, f);
	if (rc < 0)
		return rc;
	rc = namespace_copy_map(who, "uid_map", f);
	return rc < 0 ? rc : namespace_copy_map(who, "gid_map", f);
}

int namespace_map(pid_t pid, bool all_ids, struct fault *f)
{
	char who[16];

	(void)snprintf(who, sizeof(who), "%d", pid);
	return namespace_map_who(who, all_ids, f);
}

int namespace_map_at(int proc, bool all_ids, struct fault *f)
{
	char who[24];

	(void)snprintf(who, sizeof(who), "self/fd/%d", proc);
	return namespace_map_who(who, all_ids, f);
}
