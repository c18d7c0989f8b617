// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * admit.c - is what the daemon gave a sandbox, and may we go there?
 *
 * Asked as the caller, before any power is taken up.
 */
#include "box/admit.h"

#include "base/fd.h"
#include "box/power.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

int admit_net_at(int proc, int net, bool is_inside, struct fault *f)
{
	struct stat want;
	struct stat here;

	if (fstat(net, &want) < 0 || fstatat(proc, "ns/net", &here, 0) < 0)
		return fault(f, -errno, "look at the network namespace");
	if ((want.st_ino == here.st_ino && want.st_dev == here.st_dev) ==
	    is_inside)
		return 0;
	return fault_plain(f, -EPERM,
			   is_inside ? "the sandbox's network was not entered"
				     : "the daemon gave no sandbox's network");
}

int admit_net(int net, bool is_inside, struct fault *f)
{
	auto_fd proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return fault(f, -errno, "open /proc/self");
	return admit_net_at(proc, net, is_inside, f);
}

/** admit_kind() - Is this what the daemon said it is? */
static int admit_kind(int ns, int kind, struct fault *f)
{
	if (ioctl(ns, NS_GET_NSTYPE) == kind)
		return 0;
	return fault_plain(f, -EPROTO, "the daemon gave no namespace");
}

/** admit_owner() - Root's sandboxes belong to our own user namespace */
static int admit_owner(int ns, struct fault *f)
{
	auto_fd owner = ioctl(ns, NS_GET_USERNS);
	struct stat want;
	struct stat here;

	if (owner < 0 || fstat(owner, &want) < 0 ||
	    stat("/proc/self/ns/user", &here) < 0)
		return fault(f, -errno, "ask whose the sandbox is");
	if (want.st_ino == here.st_ino && want.st_dev == here.st_dev)
		return 0;
	return fault_plain(f, -EPERM,
			   "the sandbox belongs to another user namespace");
}

/**
 * admit_mounts() - Would the sandbox's mounts show more than ours?
 *
 * They were made from the daemon's. Who was given others, or another root
 * directory, must not come out of them by way of a sandbox.
 */
static int admit_mounts(const struct enter *e, struct fault *f)
{
	struct stat mine;

	if (stat("/proc/self/ns/mnt", &mine) < 0)
		return fault(f, -errno, "look at the mount namespace");
	if (mine.st_ino == e->mounts)
		return 0;
	(void)fault_plain(f, -EPERM,
			  "this process has mounts of its own, and the "
			  "sandbox has the host's");
	return fault_hint(f, "call it from outside, or run nsproxy there "
			     "without the daemon: nsproxy run");
}

int admit(const struct enter *e, struct fault *f)
{
	int rc = admit_kind(e->net, CLONE_NEWNET, f);

	if (rc == 0)
		rc = admit_kind(e->mnt, CLONE_NEWNS, f);
	if (rc == 0)
		rc = admit_kind(e->pids, CLONE_NEWPID, f);
	if (rc == 0)
		rc = admit_net(e->net, false, f);
	if (rc == 0 && e->user < 0)
		rc = admit_owner(e->net, f);
	if (rc == 0 && e->user < 0)
		rc = admit_owner(e->mnt, f);
	if (rc == 0 && power_is_aside())
		rc = admit_mounts(e, f);
	return rc;
}
