// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * shed.c - give up what a setuid start gave us
 *
 * Hardly a verb needs privilege, so main() comes here before it looks at the
 * rest of the command line.
 */
#include "shed.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct shed_ids {
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
};

static bool shed_read(struct shed_ids *ret)
{
	return getresuid(&ret->ruid, &ret->euid, &ret->suid) == 0 &&
	       getresgid(&ret->rgid, &ret->egid, &ret->sgid) == 0;
}

static bool shed_is_even(const struct shed_ids *i)
{
	return i->ruid == i->euid && i->ruid == i->suid && i->rgid == i->egid &&
	       i->rgid == i->sgid;
}

bool shed_is_privileged(void)
{
	/* A file with capabilities is AT_SECURE even where no_new_privs kept
	 * them back (Linux 6.x, cap_bprm_creds_from_file()). */
	const bool is_secure = getauxval(AT_SECURE) != 0 &&
			       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
	struct shed_ids i;

	return is_secure || !shed_read(&i) || !shed_is_even(&i);
}

bool shed_is_lent(void)
{
	struct shed_ids i;

	return shed_read(&i) && i.ruid != 0 && i.euid == 0 && i.suid == 0 &&
	       i.rgid == i.egid;
}

/** shed_caps() - Empty all sets. Return: 0 or -errno */
static int shed_caps(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { 0 };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, data) < 0 ||
	    syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (unsigned int n = 0; n < 2; n++)
		if (data[n].effective | data[n].permitted | data[n].inheritable)
			return -EPERM;
	return 0;
}

int shed_for_good(struct fault *f)
{
	struct shed_ids i;
	int rc = 0;

	if (!shed_read(&i))
		return fault(f, -errno, "read our own ids");
	/* Group first: without the uid we may not change it any more. */
	if (setresgid(i.rgid, i.rgid, i.rgid) < 0 ||
	    setresuid(i.ruid, i.ruid, i.ruid) < 0)
		return fault(f, -errno, "give up privileges");
	if (i.ruid != 0)
		rc = shed_caps();
	if (rc < 0)
		return fault(f, rc, "give up capabilities");
	if (!shed_read(&i) || !shed_is_even(&i) ||
	    (i.ruid != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0))
		return fault_plain(f, -EPERM,
				   "privileges could not be given "
				   "up");
	/* What we execute, ourselves above all, must not get it anew. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "forbid new privileges");
	/* Nothing is held that is not the caller's, so that /proc/self may be
	 * the caller's again: id maps are written there. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}
