// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lockdown_test.c - what a locked-down worker can no longer do
 *
 * Each claim is tried in a child, since nothing of it can be taken back. The
 * kernel ends a child that makes a call which is not on the list.
 */
#include "base/fault.h"
#include "lockdown.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DID_IT	   42
#define NOT_LOCKED 43

/** locked() - How a child ends that is locked down and then does @fn */
static int locked(enum lockdown_kind kind, bool keep_cwd, void (*fn)(void))
{
	struct fault f = { 0 };
	const pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (lockdown_early(&f) < 0 ||
		    lockdown_late(kind, keep_cwd, &f) < 0)
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
	(void)listen(STDIN_FILENO, 1);
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

static void assert_did_it(int status)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DID_IT);
}

static void leave(int status)
{
	if (status != 0)
		_exit(NOT_LOCKED);
}

/* Two sockets of each kind that talk, made before the lock-down. */
static int near;
static int far;

static void open_pair(int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	far = socket(AF_INET, type, 0);
	near = socket(AF_INET, type, 0);
	assert_int_equal(bind(far, (void *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(far, (void *)&at, &len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(far, 1), 0);
	assert_int_equal(connect(near, (void *)&at, sizeof(at)), 0);
}

static void close_pair(void)
{
	(void)close(near);
	(void)close(far);
}

static const struct sockaddr_in elsewhere = {
	.sin_family = AF_INET,
	.sin_port = 0x0900,
	.sin_addr = { 0x0100007f },
};

static void say(void)
{
	leave(send(near, "it", 2, MSG_NOSIGNAL) != 2);
	leave(write(near, "it", 2) != 2);
}

static void say_elsewhere(void)
{
	leave(sendto(near, "it", 2, MSG_NOSIGNAL, (const void *)&elsewhere,
		     sizeof(elsewhere)) != 2);
}

static void say_by_message(void)
{
	struct iovec iov = { .iov_base = (char[]){ "it" }, .iov_len = 2 };
	const struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	leave(sendmsg(near, &m, MSG_NOSIGNAL) != 2);
}

static void say_and_connect(void)
{
	(void)sendto(near, "it", 2, MSG_FASTOPEN, NULL, 0);
}

static void turn_elsewhere(void)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	(void)connect(near, &nowhere, sizeof(nowhere));
}

/* A loose source route by 192.0.2.1 */
static void route_elsewhere(void)
{
	static const uint8_t route[] = { 131, 7, 4, 192, 0, 2, 1, 0 };

	(void)setsockopt(near, IPPROTO_IP, IP_OPTIONS, route, sizeof(route));
}

/* What a neighbour on that link says would be where it leads */
static void link_elsewhere(void)
{
	(void)setsockopt(near, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
}

static void skip_routes(void)
{
	const int on = 1;

	(void)setsockopt(near, SOL_SOCKET, SO_DONTROUTE, &on, sizeof(on));
}

static void bind_it(void)
{
	(void)bind(near, (const void *)&elsewhere, sizeof(elsewhere));
}

static void have_it_signalled(void)
{
	(void)fcntl(near, F_SETOWN, getppid());
}

static void be_asynchronous(void)
{
	(void)fcntl(near, F_SETFL, O_NONBLOCK | O_ASYNC);
}

static void kill_parent(void)
{
	(void)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void read_it(void)
{
	char got;

	leave(read(near, &got, 1) == 0);
}

static void sockets_are_the_job_of_servers_and_connectors(void **state)
{
	(void)state;
	assert_did_it(locked(LOCKDOWN_SERVER, false, make_inet));
	assert_did_it(locked(LOCKDOWN_CONNECTOR, false, make_inet));
}

/* row: U25 */
static void a_workers_sockets_are_made_by_its_connector(void **state)
{
	(void)state;
	open_pair(SOCK_DGRAM);
	for (enum lockdown_kind k = LOCKDOWN_WORKER; k <= LOCKDOWN_SENDER;
	     k++) {
		assert_killed(locked(k, false, make_inet));
		assert_killed(locked(k, false, turn_elsewhere));
		assert_killed(locked(k, false, route_elsewhere));
		assert_killed(locked(k, false, link_elsewhere));
		assert_killed(locked(k, false, skip_routes));
		assert_killed(locked(k, false, bind_it));
		assert_did_it(locked(k, false, say));
	}
	close_pair();
}

/* row: U25 */
static void a_worker_sends_to_nobody_by_address(void **state)
{
	(void)state;
	open_pair(SOCK_DGRAM);
	assert_killed(locked(LOCKDOWN_WORKER, false, say_elsewhere));
	assert_killed(locked(LOCKDOWN_WORKER, false, say_by_message));
	assert_did_it(locked(LOCKDOWN_SENDER, false, say_elsewhere));
	assert_killed(locked(LOCKDOWN_SENDER, false, say_by_message));
	assert_did_it(locked(LOCKDOWN_SERVER, false, say_by_message));
	close_pair();
}

/* row: U25 */
static void sending_never_connects(void **state)
{
	(void)state;
	open_pair(SOCK_STREAM);
	assert_did_it(locked(LOCKDOWN_WORKER, false, say));
	for (enum lockdown_kind k = LOCKDOWN_WORKER; k <= LOCKDOWN_SERVER; k++)
		assert_killed(locked(k, false, say_and_connect));
	close_pair();
}

static void unix_sockets_are_for_unix_proxies(void **state)
{
	(void)state;
	assert_killed(locked(LOCKDOWN_SERVER, false, make_unix));
	assert_killed(locked(LOCKDOWN_CONNECTOR, false, make_unix));
	assert_did_it(locked(LOCKDOWN_SERVER, true, make_unix));
	assert_did_it(locked(LOCKDOWN_CONNECTOR, true, make_unix));
}

static void other_calls_end_it(void **state)
{
	(void)state;
	for (enum lockdown_kind k = LOCKDOWN_WORKER; k <= LOCKDOWN_CONNECTOR;
	     k++) {
		assert_killed(locked(k, false, make_netlink));
		assert_killed(locked(k, false, be_a_listener));
		assert_killed(locked(k, false, execute));
		assert_killed(locked(k, false, trace));
		assert_killed(locked(k, false, become_dumpable));
		assert_killed(locked(k, false, kill_parent));
		assert_killed(locked(k, false, have_it_signalled));
		assert_killed(locked(k, false, be_asynchronous));
	}
	assert_killed(locked(LOCKDOWN_CONNECTOR, false, read_it));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_the_job_of_servers_and_connectors),
	};
	const struct CMUnitTest locked[] = {
		cmocka_unit_test(a_workers_sockets_are_made_by_its_connector),
		cmocka_unit_test(a_worker_sends_to_nobody_by_address),
		cmocka_unit_test(sending_never_connects),
		cmocka_unit_test(unix_sockets_are_for_unix_proxies),
		cmocka_unit_test(other_calls_end_it),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (LOCKED_BUILD)
		failed += cmocka_run_group_tests(locked, NULL, NULL);
	return failed;
}
