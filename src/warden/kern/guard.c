// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * guard.c - what the program can no longer do
 *
 * Called in the program's own process, in its own user namespace, after
 * everything that needs power has been done and before it is executed.
 */
#include "kern/guard.h"

#include "base/broken.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <limits.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP(name) (1ull << (name))
/* The kernel counts to CAP_LAST_CAP of its own headers, which may be newer. */
#define CAPS_END  64
/* KEEP_CAPS stays open: ping(8) asks for it, and has nothing to keep. */
#define GUARD_SECUREBITS                                                      \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED)
/* Above AF_MAX of every kernel so far; higher ones do not exist. */
#define FAMILY_END 64

uint64_t guard_file_powers(void)
{
	return CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) |
	       CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_FOWNER) | CAP(CAP_FSETID) |
	       CAP(CAP_KILL) | CAP(CAP_SETGID) | CAP(CAP_SETUID) |
	       CAP(CAP_SETPCAP) | CAP(CAP_SETFCAP) | CAP(CAP_SYS_CHROOT) |
	       CAP(CAP_MKNOD) | CAP(CAP_AUDIT_WRITE) | CAP(CAP_IPC_LOCK) |
	       CAP(CAP_IPC_OWNER) | CAP(CAP_LEASE) | CAP(CAP_LINUX_IMMUTABLE) |
	       CAP(CAP_SYS_NICE) | CAP(CAP_SYS_RESOURCE);
}

static int guard_drop_bounding(uint64_t keep, struct fault *f)
{
	for (unsigned int cap = 0; cap < CAPS_END; cap++) {
		const int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break; /* the kernel's last one is behind us */
		if (has == 0 || (keep & CAP(cap)))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return fault(f, -errno, "drop capability %u for good",
				     cap);
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return fault_plain(f, -EPERM,
					   "capability %u would not go", cap);
	}
	return 0;
}

/** guard_are_ids() - Are all of ours these, and can we not come back? */
static bool guard_are_ids(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 ||
	    getresgid(&g[0], &g[1], &g[2]) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return false;
	return (uid == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) < 0) &&
	       (gid == 0 || uid == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) < 0);
}

/** guard_set_caps() - Exactly what @d says, read back */
static int guard_set_caps(struct __user_cap_data_struct *d, struct fault *f)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct seen[2];

	if (syscall(SYS_capset, &h, d) < 0)
		return fault(f, -errno, "drop capabilities");
	if (syscall(SYS_capget, &h, seen) < 0)
		return fault(f, -errno, "read capabilities");
	if (memcmp(seen, d, sizeof(seen)) != 0)
		return fault_plain(f, -EPERM, "capabilities would not go");
	return 0;
}

/**
 * guard_lock_bits() - No id 0 means power here any more, whatever comes
 *
 * The bounding set alone would do. In a user namespace that is made later, by
 * a browser for instance, all this is as in any new one.
 */
static int guard_lock_bits(struct fault *f)
{
	const int had = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	const int want = had | (int)GUARD_SECUREBITS;

	if (had < 0 || prctl(PR_SET_SECUREBITS, want, 0, 0, 0) < 0)
		return fault(f, -errno, "lock the rules for capabilities");
	return prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == want
		       ? 0
		       : fault_plain(f, -EPERM,
				     "the rules for capabilities were not "
				     "locked");
}

int guard_become(uid_t uid, gid_t gid, bool bound, struct fault *f)
{
	struct __user_cap_data_struct none[2] = { 0 };
	int rc;

	/* Fails only where the kernel has no ambient set to clear. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "keep no capabilities");
	rc = bound ? guard_drop_bounding(0, f) : 0;
	if (rc == 0 && bound)
		rc = guard_lock_bits(f);
	if (rc < 0)
		return rc;
	/* The group first: without the uid it cannot be changed any more. */
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return fault(f, -errno, "become user %u", uid);
	rc = guard_set_caps(none, f);
	if (rc < 0)
		return rc;
	if (!guard_are_ids(uid, gid))
		return fault_plain(f, -EPERM,
				   "privileges could not be given "
				   "up");
	return 0;
}

int guard_shed(uint64_t keep, struct fault *f)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];
	int rc;

	if (broken(BROKEN_CAPS))
		return 0;
	/* Fails only where the kernel has no ambient set to clear. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	rc = guard_drop_bounding(keep, f);
	if (rc < 0)
		return rc;
	memset(d, 0, sizeof(d));
	/* Only what is held can be kept. */
	if (syscall(SYS_capget, &h, d) < 0)
		return fault(f, -errno, "read capabilities");
	/* Without this one there was nothing to shed. */
	if (keep == 0 && (d[0].effective & CAP(CAP_SETPCAP)))
		rc = guard_lock_bits(f);
	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < 2; i++) {
		d[i].permitted &= (uint32_t)(keep >> 32 * i);
		d[i].effective = d[i].permitted;
		d[i].inheritable = 0;
	}
	return guard_set_caps(d, f);
}

/** guard_deny() - Refuse a system call with @code, whatever its arguments */
static int guard_deny(scmp_filter_ctx ctx, int code, int call)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint16_t)code), call, 0);
}

/**
 * guard_deny_ioctl() - Refuse one ioctl request
 *
 * The kernel looks at the low 32 bits of the request only, so must we.
 */
static int guard_deny_ioctl(scmp_filter_ctx ctx, unsigned int request)
{
	return seccomp_rule_add(
		ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
		SCMP_A1_64(SCMP_CMP_MASKED_EQ,
			   broken(BROKEN_WIDTH) ? ~0ull : 0xffffffffu,
			   request));
}

/** guard_may_family() - What an engine needs comes first */
static bool guard_may_family(unsigned int family, bool is_engine)
{
	static const unsigned int may[] = { AF_INET, AF_INET6,	AF_NETLINK,
					    AF_UNIX, AF_PACKET, AF_ALG };
	const size_t count = is_engine ? 3 : sizeof(may) / sizeof(may[0]);

	for (size_t i = 0; i < count; i++)
		if (may[i] == family)
			return true;
	return false;
}

/**
 * guard_refused() - How many families from @first on one comparison refuses
 *
 * As many as differ in their lowest bits alone. A rule for each, for two calls
 * of two architectures, took half a millisecond of every start.
 *
 * Return: A power of two, or 0 when @first is not refused
 */
static unsigned int guard_refused(unsigned int first, bool is_engine)
{
	unsigned int run = 0;
	unsigned int count = 1;

	while (first + run < FAMILY_END &&
	       !guard_may_family(first + run, is_engine))
		run++;
	if (run == 0)
		return 0;
	while (2 * count <= run && first % (2 * count) == 0)
		count *= 2;
	return count;
}

/**
 * guard_deny_families() - Refuse families that know no network namespace
 *
 * On i386, socket(2) may come as socketcall(2), whose arguments lie in memory
 * that no filter can read. libseccomp then compares the call's number alone:
 * socketcall(SYS_SOCKET) is refused for every family.
 */
static int guard_deny_families(scmp_filter_ctx ctx, int call, bool is_engine)
{
	unsigned int family = 0;
	int rc = 0;

	while (rc == 0 && family < FAMILY_END) {
		const unsigned int count = guard_refused(family, is_engine);
		const unsigned int mask = ~(count - 1);

		if (count > 0)
			rc = seccomp_rule_add(
				ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
				SCMP_A0_64(SCMP_CMP_MASKED_EQ, mask, family));
		family += count > 0 ? count : 1;
	}
	return rc;
}

static int guard_write_filter(scmp_filter_ctx ctx, bool is_engine)
{
	static const struct {
		int call;
		int code;
	} denied[] = {
		{ SCMP_SYS(keyctl), EPERM },
		{ SCMP_SYS(add_key), EPERM },
		{ SCMP_SYS(request_key), EPERM },
		{ SCMP_SYS(io_uring_setup), ENOSYS },
		{ SCMP_SYS(io_uring_enter), ENOSYS },
		{ SCMP_SYS(io_uring_register), ENOSYS },
	};
	int rc = 0;

#ifdef __x86_64__
	/* x32 has no arch of its own; its calls count as of a bad arch. */
	rc = seccomp_arch_add(ctx, SCMP_ARCH_X86);
#elif defined(__aarch64__)
	rc = seccomp_arch_add(ctx, SCMP_ARCH_ARM);
#endif
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
				      SCMP_ACT_ERRNO(ENOSYS));
	for (size_t i = 0; rc == 0 && i < sizeof(denied) / sizeof(denied[0]);
	     i++)
		rc = guard_deny(ctx, denied[i].code, denied[i].call);
	if (rc == 0)
		rc = guard_deny_ioctl(ctx, TIOCSTI);
	if (rc == 0)
		rc = guard_deny_ioctl(ctx, TIOCLINUX);
	if (rc == 0)
		rc = guard_deny_families(ctx, SCMP_SYS(socket), is_engine);
	if (rc == 0)
		rc = guard_deny_families(ctx, SCMP_SYS(socketpair), false);
	return rc;
}

static int guard_load(bool is_engine, struct fault *f)
{
	scmp_filter_ctx ctx;
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "set no_new_privs");
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return fault(f, -ENOMEM, "make a system call filter");
	rc = guard_write_filter(ctx, is_engine);
	if (rc == 0 && !broken(BROKEN_FILTER))
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc < 0 ? fault(f, rc, "load the system call filter") : 0;
}

int guard_filter(struct fault *f)
{
	return guard_load(false, f);
}

int guard_filter_engine(struct fault *f)
{
	return guard_load(true, f);
}

int guard_place(struct fault *f)
{
	char path[PATH_MAX];
	/* The system call itself: getcwd(3) would search the tree instead of
	 * telling that it cannot be reached. */
	const long n = syscall(SYS_getcwd, path, sizeof(path));

	if (n < 0 && errno == ERANGE)
		return 0; /* deeper than PATH_MAX, but there */
	if (n < 0 && errno == ENOENT) {
		/* Whether it was within reach is not told any more. */
		(void)fault_plain(f, -ENOENT,
				  "the working directory has been removed");
		return fault_hint(f, "cd to one that exists");
	}
	if (n < 0)
		return fault(f, -errno, "find the working directory");
	if (path[0] != '/')
		return fault_plain(f, -ENOENT,
				   "the working directory is out of reach");
	return 0;
}
