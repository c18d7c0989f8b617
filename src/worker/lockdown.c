// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lockdown.c - the stages by which a worker gives up what it does not need
 *
 * What a worker keeps: its fds and memory. Sockets on the host it gets from its
 * connector, which keeps hardly more than the making of them; a server makes
 * them itself. Who cannot be locked down does not start.
 */
#include "lockdown.h"

#include "base/broken.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY	    65534
/* Besides a user namespace. */
#define SHED_SPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

#if defined(__SANITIZE_ADDRESS__)
#define LOCKDOWN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCKDOWN_ASAN 1
#endif
#endif
#ifndef LOCKDOWN_ASAN
#define LOCKDOWN_ASAN 0
#endif

int lockdown_early(struct fault *f)
{
	struct rlimit files;
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fault(f, -errno, "make the worker undumpable");
	(void)setrlimit(RLIMIT_CORE, &none); /* undumpable anyway */
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return fault(f, -errno, "read the limit of open files");
	files.rlim_cur = files.rlim_max;
	/* Can only fail above fs.nr_open; then the old limit stands. */
	(void)setrlimit(RLIMIT_NOFILE, &files);
	return 0;
}

/**
 * shed_has_ids() - Are we a root that has another id to become?
 *
 * The root of a namespace that an ordinary user made (unshare -r, a container
 * of one id) is that user and may not change groups: it works as itself.
 */
static bool shed_has_ids(void)
{
	char said[8] = "";
	auto_fd fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

	if (geteuid() != 0)
		return false;
	return fd < 0 || read(fd, said, sizeof(said) - 1) <= 0 ||
	       strncmp(said, "deny", 4) != 0;
}

/** shed_uid() - Root's worker works as nobody */
static int shed_uid(struct fault *f)
{
	if (setgroups(0, NULL) < 0)
		return fault(f, -errno, "drop the worker's groups");
	/* EINVAL: a container that maps no such id; it has no other either. */
	if ((setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0) &&
	    errno != EINVAL)
		return fault(f, -errno, "become nobody");
	return 0;
}

static int shed_map_ids(uid_t uid, gid_t gid)
{
	char map[64];

	if (fd_write_file("/proc/self/setgroups", "deny") < 0)
		return -errno;
	(void)snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
	if (fd_write_file("/proc/self/uid_map", map) < 0)
		return -EPERM;
	(void)snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
	return fd_write_file("/proc/self/gid_map", map);
}

/**
 * shed_namespaces() - User, mount and other namespaces of our own
 *
 * Return: 1, 0 where user namespaces are not to be had, or -errno
 */
static int shed_namespaces(struct fault *f)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	/* Another uid's /proc/self is root's until we are dumpable. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER | SHED_SPACES) < 0)
		return prctl(PR_SET_DUMPABLE, 0);
	if (shed_map_ids(uid, gid) < 0)
		return fault(f, -EPERM, "map the worker's ids");
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fault(f, -errno, "make the worker undumpable");
	return 1;
}

/** shed_root() - An empty read-only root, in a mount namespace of our own */
static int shed_root(bool keep_cwd, struct fault *f)
{
	static const char *const spot[] = { "/tmp", "/run", "/var", "/proc" };
	const char *at = NULL;
	char old[32];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fault(f, -errno, "make the worker's mounts its own");
	for (size_t i = 0; i < sizeof(spot) / sizeof(*spot) && !at; i++)
		if (mount("none", spot[i], "tmpfs",
			  MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  "size=0,nr_inodes=2,mode=0755") == 0)
			at = spot[i];
	if (!at)
		return fault(f, -errno, "mount the worker's empty root");
	(void)snprintf(old, sizeof(old), "%s/o", at);
	if (mkdir(old, 0700) < 0 || syscall(SYS_pivot_root, at, old) < 0 ||
	    umount2("/o", MNT_DETACH) < 0 || rmdir("/o") < 0)
		return fault(f, -errno, "enter the worker's empty root");
	if (mount(NULL, "/", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
			  MS_NOEXEC,
		  NULL) < 0)
		return fault(f, -errno, "make the worker's root read-only");
	if (!keep_cwd && chdir("/") < 0)
		return fault(f, -errno, "leave the old root");
	return 0;
}

/**
 * shed_place() - Own uid, own namespaces, empty root
 *
 * Root needs no user namespace to make the others, and makes them first: so it
 * is never dumpable as nobody, whose other processes could look into it then.
 * Where user namespaces are not to be had (root in a tight container) the
 * system call list still has nothing that opens a file.
 */
static int shed_place(bool is_root, bool keep_cwd, struct fault *f)
{
	const bool is_early = is_root && unshare(SHED_SPACES) == 0;
	int rc = is_early ? shed_root(keep_cwd, f) : 0;

	if (rc == 0 && is_root)
		rc = shed_uid(f);
	if (rc < 0 || is_early)
		return rc;
	rc = shed_namespaces(f);
	return rc > 0 ? shed_root(keep_cwd, f) : rc;
}

static int shed_caps(struct fault *f)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };
	struct __user_cap_data_struct now[2];

	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno == EINVAL)
			break; /* beyond the kernel's last */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0)
		return fault(f, -errno, "drop the worker's capabilities");
	if (syscall(SYS_capget, &head, now) < 0 ||
	    memcmp(now, none, sizeof(none)) != 0)
		return fault_plain(f, -EPERM, "the worker kept capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "forbid new privileges");
	return 0;
}

/** shed_landlock() - No file rights at all, where the kernel knows Landlock */
static void shed_landlock(void)
{
	struct landlock_ruleset_attr attr = {
		/* Every right of ABI 1; newer ones need no listing here since
		 * nothing is open that they could be used on. */
		.handled_access_fs = (1ull << 13) - 1,
	};
	auto_fd fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
				  sizeof(attr), 0);

	/* A second belt: the empty root and the call list are the first. */
	if (fd >= 0)
		(void)syscall(SYS_landlock_restrict_self, fd, 0);
}

static const int lockdown_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(splice),
	SCMP_SYS(pipe2),
	SCMP_SYS(close),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(sched_yield),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(brk),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	/* What the tests make of it all: tools/syscalls. */
	SCMP_SYS(exit_group),
};

/* What a connector does: hear wishes, make sockets, send them. */
static const int connector_calls[] = {
	SCMP_SYS(recvfrom),   SCMP_SYS(sendto),	      SCMP_SYS(sendmsg),
	SCMP_SYS(close),      SCMP_SYS(getsockname),  SCMP_SYS(getppid),
	SCMP_SYS(brk),	      SCMP_SYS(munmap),	      SCMP_SYS(madvise),
	SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
};

static int allow_calls(scmp_filter_ctx ctx, const int *call, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call[i], 0);
	return rc;
}

static int allow_option(scmp_filter_ctx ctx, int level, int name)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)level),
				SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)name));
}

/** allow_making() - Sockets, and where they lead */
static int allow_making(scmp_filter_ctx ctx, bool want_unix)
{
	/* Unix sockets last: abstract ones need no file system, so that only
	 * one whose proxy is reached by one may make any. */
	static const int family[] = { AF_INET, AF_INET6, AF_UNIX };
	const size_t count = sizeof(family) / sizeof(*family) - !want_unix;
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);

	rc |= allow_option(ctx, SOL_SOCKET, SO_BINDTODEVICE);
	rc |= allow_option(ctx, IPPROTO_TCP, TCP_CONGESTION);
	rc |= allow_option(ctx, SOL_SOCKET, SO_RCVBUF);
	for (size_t i = 0; i < count; i++)
		rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, family[i]));
	return rc;
}

/**
 * allow_sending() - To whom it may send
 *
 * Never a connection: MSG_FASTOPEN makes one of a socket that has ended. An
 * address is a pointer, of which the kernel's filter sees whether it is there,
 * but not inside of sendmsg(2)'s struct, where also another interface may stand
 * (IP_PKTINFO) or a route: whoever serves a sandbox does not call that.
 */
static int allow_sending(scmp_filter_ctx ctx, bool by_address)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendto),
				by_address ? 1 : 2,
				SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0),
				SCMP_A4(SCMP_CMP_EQ, 0));
}

/** allow_flags() - What it may change of an fd: never to whom signals go
 * (F_SETOWN, F_SETSIG; O_ASYNC sends them) */
static int allow_flags(scmp_filter_ctx ctx)
{
	static const int command[] = { F_GETFL, F_SETPIPE_SZ, F_GETPIPE_SZ };
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
				  SCMP_A1(SCMP_CMP_EQ, F_SETFL),
				  SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0));

	for (size_t i = 0; i < sizeof(command) / sizeof(*command); i++)
		rc |= seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)command[i]));
	return rc;
}

/**
 * allow_tuning() - What it may set of a socket: nothing that leads elsewhere
 *
 * A source route (IP_OPTIONS, IPV6_RTHDR), another interface (SO_BINDTODEVICE,
 * SO_BINDTOIFINDEX; unbound sockets ask for no right) or none of the routes
 * (SO_DONTROUTE) would turn a connected socket's packets to a neighbour.
 */
static int allow_tuning(scmp_filter_ctx ctx)
{
	static const struct {
		int level;
		int name;
	} option[] = {
		{ SOL_SOCKET, SO_LINGER },
		{ SOL_SOCKET, SO_KEEPALIVE },
		{ SOL_SOCKET, SO_OOBINLINE },
		{ SOL_SOCKET, SO_RCVBUF },
		{ SOL_SOCKET, SO_RCVLOWAT },
		{ IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL },
		{ IPPROTO_TCP, TCP_KEEPCNT },
		{ IPPROTO_IP, IP_RECVERR },
		{ IPPROTO_IPV6, IPV6_RECVERR },
		{ IPPROTO_IPV6, IPV6_V6ONLY },
		{ IPPROTO_TCP, TCP_WINDOW_CLAMP },
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(option) / sizeof(*option); i++)
		rc |= allow_option(ctx, option[i].level, option[i].name);
	return rc;
}

/** allow_worker() - The calls whose arguments matter */
static int allow_worker(scmp_filter_ctx ctx)
{
	int rc = 0;

	/* Memory, never code (PROT_EXEC is 4). */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
			       SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			       SCMP_A2(SCMP_CMP_MASKED_EQ, 4, 0));
	/* A worker that retires shows it by its name. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			       SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	/* It ends itself when a promise is broken, and nobody else. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* Opening a file fails; a library that tries it goes on. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 0);
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat),
			       0);
	return rc;
}

static int allow_connector(scmp_filter_ctx ctx, bool want_unix)
{
	int rc = allow_calls(ctx, connector_calls,
			     sizeof(connector_calls) / sizeof(int));

	rc |= allow_making(ctx, want_unix);
	/* A change of user undoes it, so that it comes after. */
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			       SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG));
	return rc;
}

static int allow_all(scmp_filter_ctx ctx, enum lockdown_kind kind,
		     bool want_unix)
{
	int rc = allow_tuning(ctx);

	if (kind == LOCKDOWN_CONNECTOR)
		return rc | allow_connector(ctx, want_unix);
	rc |= allow_calls(ctx, lockdown_calls,
			  sizeof(lockdown_calls) / sizeof(int));
	rc |= allow_flags(ctx);
	rc |= allow_worker(ctx);
	rc |= allow_sending(ctx, kind != LOCKDOWN_WORKER);
	if (kind != LOCKDOWN_SERVER)
		return rc;
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0);
	rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1,
			       SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	return rc | allow_making(ctx, want_unix);
}

static int shed_calls(enum lockdown_kind kind, bool want_unix, struct fault *f)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = ctx ? allow_all(ctx, kind, want_unix) : -ENOMEM;

	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc ? fault(f, rc < 0 ? rc : -EINVAL,
			  "load the worker's system call filter")
		  : 0;
}

int lockdown_late(enum lockdown_kind kind, bool keep_cwd, struct fault *f)
{
	/* A proxy's unix socket may be root's alone. */
	const bool is_root = !keep_cwd && shed_has_ids();
	int rc = 0;

	/* The sanitizer opens files and makes calls of its own. */
	if (!LOCKDOWN_ASAN)
		rc = shed_place(is_root, keep_cwd, f);
	else if (is_root)
		rc = shed_uid(f);
	if (rc == 0)
		rc = shed_caps(f);
	if (rc == 0 && !LOCKDOWN_ASAN)
		shed_landlock();
	if (rc == 0 && !LOCKDOWN_ASAN && !broken(BROKEN_LOCKDOWN))
		rc = shed_calls(kind, keep_cwd, f);
	return rc;
}
