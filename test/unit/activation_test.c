// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * activation_test.c - which handed-in listeners are taken
 */
#include "daemon/activation.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void one_listener_for_this_process_is_wanted(void **state)
{
	static const struct {
		const char *pid;
		const char *fds;
		int rc;
	} is[] = {
		{ NULL, NULL, 0 },	 { "77", "1", 1 },
		{ "78", "1", -ESRCH },	 { "77", "0", -EINVAL },
		{ "77", "2", -EINVAL },	 { "77", NULL, -EINVAL },
		{ NULL, "1", -EINVAL },	 { "", "1", -EINVAL },
		{ "77", "", -EINVAL },	 { "77", "one", -EINVAL },
		{ "77", "-1", -EINVAL }, { "4294967373", "1", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		struct fault f = { 0 };

		assert_int_equal(activation_count(is[i].pid, is[i].fds, 77, &f),
				 is[i].rc);
		assert_int_equal(f.text[0] != '\0', is[i].rc < 0);
		assert_int_equal(
			activation_count(is[i].pid, is[i].fds, 77, NULL),
			is[i].rc);
	}
}

/** listener() - At an address that the kernel chooses */
static int listener(int family, int type)
{
	const struct sockaddr any = { .sa_family = (sa_family_t)family };
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int sock = socket(family, type | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	if (family == AF_INET)
		assert_int_equal(bind(sock, (struct sockaddr *)&in, sizeof(in)),
				 0);
	else
		assert_int_equal(bind(sock, &any, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(sock, 1), 0);
	return sock;
}

static void what_is_no_unix_stream_listener_is_refused(void **state)
{
	auto_fd good = listener(AF_UNIX, SOCK_STREAM);
	auto_fd inet = listener(AF_INET, SOCK_STREAM);
	auto_fd packets = listener(AF_UNIX, SOCK_SEQPACKET);
	auto_fd deaf = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(activation_check(good, &f), 0);
	assert_int_equal(activation_check(inet, &f), -EPROTOTYPE);
	assert_non_null(strstr(f.text, "unix socket"));
	assert_int_equal(activation_check(packets, &f), -EPROTOTYPE);
	assert_non_null(strstr(f.text, "stream"));
	assert_int_equal(activation_check(deaf, &f), -EPROTOTYPE);
	assert_non_null(strstr(f.text, "listening"));
	assert_int_equal(activation_check(file, &f), -ENOTSOCK);
	assert_int_equal(activation_check(-1, &f), -EBADF);
}

static void what_is_taken_is_kept_from_children(void **state)
{
	auto_fd made = listener(AF_UNIX, SOCK_STREAM);
	char pid[16];
	int got = -1;

	(void)state;
	assert_int_equal(dup2(made, ACTIVATION_FD), ACTIVATION_FD);
	if (made == ACTIVATION_FD)
		made = -1;
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", "1", 1), 0);
	assert_int_equal(setenv("LISTEN_FDNAMES", "nsproxy.socket", 1), 0);
	assert_int_equal(activation_take(&got, NULL), 0);
	assert_int_equal(got, ACTIVATION_FD);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_true((fcntl(got, F_GETFL) & O_NONBLOCK) != 0);
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
	fd_close(&got);
}

static void nothing_handed_in_is_no_fault(void **state)
{
	int got = -1;

	(void)state;
	assert_int_equal(activation_take(&got, NULL), 0);
	assert_int_equal(got, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_listener_for_this_process_is_wanted),
		cmocka_unit_test(what_is_no_unix_stream_listener_is_refused),
		cmocka_unit_test(what_is_taken_is_kept_from_children),
		cmocka_unit_test(nothing_handed_in_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
