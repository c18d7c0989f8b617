// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * guard_test.c - what a guarded process can no longer do
 *
 * Each claim is tried in a child in a user namespace of its own, since nothing
 * of it can be taken back.
 */
#include "base/fault.h"
#include "base/fd.h"
#include "kern/guard.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILD_SKIPS 77

/** Exits with the line at which a claim failed */
#define CLAIM(truth)                           \
	do {                                   \
		if (!(truth))                  \
			_exit(__LINE__ % 256); \
	} while (0)

/** in_child() - Run @fn in a child with power over a new user namespace */
static void in_child(void (*fn)(void))
{
	const pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		char uid[32];
		char gid[32];

		(void)snprintf(uid, sizeof(uid), "0 %u 1", geteuid());
		(void)snprintf(gid, sizeof(gid), "0 %u 1", getegid());
		if (unshare(CLONE_NEWUSER) < 0 ||
		    fd_write_file("/proc/self/setgroups", "deny") < 0 ||
		    fd_write_file("/proc/self/uid_map", uid) < 0 ||
		    fd_write_file("/proc/self/gid_map", gid) < 0)
			_exit(CHILD_SKIPS);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CHILD_SKIPS)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void read_caps(struct __user_cap_data_struct d[2])
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	CLAIM(syscall(SYS_capget, &h, d) == 0);
}

static void child_sheds_all(void)
{
	struct __user_cap_data_struct d[2];
	struct fault f;

	CLAIM(guard_shed(0, &f) == 0);
	read_caps(d);
	for (int i = 0; i < 2; i++)
		CLAIM(d[i].permitted == 0 && d[i].effective == 0 &&
		      d[i].inheritable == 0);
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		CLAIM(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0);
	CLAIM(unshare(CLONE_NEWNS) < 0 && errno == EPERM);
	CLAIM(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) ==
	      (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	       SECBIT_NO_CAP_AMBIENT_RAISE |
	       SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED |
	       SECBIT_NO_SETUID_FIXUP_LOCKED));
}

static void shed_leaves_no_capability(void **state)
{
	(void)state;
	in_child(child_sheds_all);
}

static void child_keeps_file_powers(void)
{
	const uint64_t keep = guard_file_powers();
	struct __user_cap_data_struct d[2];
	struct fault f;

	CLAIM(guard_shed(keep, &f) == 0);
	read_caps(d);
	CLAIM(d[0].permitted == (uint32_t)keep);
	CLAIM(d[0].effective == (uint32_t)keep);
	CLAIM(d[0].inheritable == 0);
	CLAIM(d[1].permitted == (uint32_t)(keep >> 32));
	CLAIM(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) == 1);
	CLAIM(prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) == 0);
	CLAIM(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	CLAIM(prctl(PR_CAPBSET_READ, CAP_NET_RAW, 0, 0, 0) == 0);
	CLAIM(prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) == 0);
}

static void shed_keeps_powers_over_files_only(void **state)
{
	(void)state;
	in_child(child_keeps_file_powers);
}

static void child_is_filtered(void)
{
	const unsigned long high = 1ul << 32;
	struct fault f;
	int pair[2];

	CLAIM(guard_shed(0, &f) == 0);
	CLAIM(guard_filter(&f) == 0);
	CLAIM(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CLAIM(syscall(SYS_keyctl, 0, 0) < 0 && errno == EPERM);
	CLAIM(syscall(SYS_add_key, 0, 0, 0, 0, 0) < 0 && errno == EPERM);
	CLAIM(syscall(SYS_request_key, 0, 0, 0, 0) < 0 && errno == EPERM);
	CLAIM(ioctl(0, TIOCSTI, "x") < 0 && errno == EPERM);
	CLAIM(ioctl(0, TIOCLINUX, "x") < 0 && errno == EPERM);
	CLAIM(syscall(SYS_ioctl, 0, TIOCSTI | high, "x") < 0 && errno == EPERM);
	CLAIM(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS);
	CLAIM(socket(AF_VSOCK, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT);
	CLAIM(syscall(SYS_socket, AF_VSOCK | high, SOCK_STREAM, 0) < 0 &&
	      errno == EAFNOSUPPORT);
	CLAIM(socketpair(AF_TIPC, SOCK_STREAM, 0, pair) < 0 &&
	      errno == EAFNOSUPPORT);
	CLAIM(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	CLAIM(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	CLAIM(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	CLAIM(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	/* Sandboxes inside the sandbox go on working. */
	CLAIM(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
}

static void filter_closes_side_doors_and_no_others(void **state)
{
	(void)state;
	in_child(child_is_filtered);
}

static void child_stands_nowhere(void)
{
	char dir[] = "/tmp/guard-test-XXXXXX";
	struct fault f;

	CLAIM(guard_place(&f) == 0);
	CLAIM(mkdtemp(dir) && chdir(dir) == 0 && rmdir(dir) == 0);
	CLAIM(guard_place(&f) == -ENOENT);
}

static void place_refuses_a_directory_that_is_gone(void **state)
{
	(void)state;
	in_child(child_stands_nowhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shed_leaves_no_capability),
		cmocka_unit_test(shed_keeps_powers_over_files_only),
		cmocka_unit_test(filter_closes_side_doors_and_no_others),
		cmocka_unit_test(place_refuses_a_directory_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
