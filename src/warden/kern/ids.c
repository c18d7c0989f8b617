// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ids.c - become another user for good
 */
#include "kern/ids.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/** ids_are() - Are all of them these, and is no other group left? */
static bool ids_are(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	return getresuid(&u[0], &u[1], &u[2]) == 0 &&
	       getresgid(&g[0], &g[1], &g[2]) == 0 && u[0] == uid &&
	       u[1] == uid && u[2] == uid && g[0] == gid && g[1] == gid &&
	       g[2] == gid && getgroups(0, NULL) == 0;
}

/** ids_rearm() - What setresuid(2) has made ineffective; guard_shed() needs it
 */
static int ids_rearm(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	for (unsigned int i = 0; i < 2; i++)
		d[i].effective = d[i].permitted;
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

int ids_become(uid_t uid, gid_t gid, struct fault *f)
{
	int rc;

	if (uid == 0)
		return fault_plain(f, -EPERM, "nothing is run as root");
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    setresuid(uid, uid, uid) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become user %u, group %u", uid, gid);
	rc = ids_rearm();
	if (rc < 0)
		return fault(f, rc, "set capabilities");
	return ids_are(uid, gid) ? 0
				 : fault_plain(f, -EPERM,
					       "user %u, group %u were not "
					       "taken on",
					       uid, gid);
}
