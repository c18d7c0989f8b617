// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lockdown_test.c - what a locked-down worker can no longer do
 *
 * Each claim is tried in a child, since nothing of it can be taken back. The
 * kernel ends a child that makes a call which is not on the list.
 */
#include "base/fault.h"
#include "lockdown.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DID_IT	   42
#define NOT_LOCKED 43

/** locked() - How a child ends that is locked down and then does @fn */
static int locked(bool keep_cwd, void (*fn)(void))
{
	struct fault f = { 0 };
	const pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (lockdown_early(&f) < 0 || lockdown_late(keep_cwd, &f) < 0)
			_exit(NOT_LOCKED);
		fn();
		_exit(DID_IT);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* A sanitizer's calls are not on the list, so that its builds have none. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCKED_BUILD 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCKED_BUILD 0
#endif
#endif
#ifndef LOCKED_BUILD
#define LOCKED_BUILD 1
#endif

static void make_inet(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
	(void)socket(AF_INET6, SOCK_DGRAM, 0);
}

static void make_unix(void)
{
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void make_netlink(void)
{
	(void)socket(AF_NETLINK, SOCK_RAW, 0);
}

/* Its listeners all come with the plan. */
static void be_a_listener(void)
{
	(void)listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}

static void execute(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void trace(void)
{
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void become_dumpable(void)
{
	(void)prctl(PR_SET_DUMPABLE, 1);
}

static void assert_killed(int status)
{
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void inet_sockets_are_its_job(void **state)
{
	const int status = locked(false, make_inet);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DID_IT);
}

static void unix_sockets_are_for_unix_proxies(void **state)
{
	int status;

	(void)state;
	assert_killed(locked(false, make_unix));
	status = locked(true, make_unix);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DID_IT);
}

static void other_calls_end_it(void **state)
{
	(void)state;
	assert_killed(locked(false, make_netlink));
	assert_killed(locked(false, be_a_listener));
	assert_killed(locked(false, execute));
	assert_killed(locked(false, trace));
	assert_killed(locked(false, become_dumpable));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inet_sockets_are_its_job),
	};
	const struct CMUnitTest locked[] = {
		cmocka_unit_test(unix_sockets_are_for_unix_proxies),
		cmocka_unit_test(other_calls_end_it),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (LOCKED_BUILD)
		failed += cmocka_run_group_tests(locked, NULL, NULL);
	return failed;
}
