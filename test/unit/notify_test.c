// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * notify_test.c - what a service manager is told, and how it is found
 */
#include "daemon/notify.h"

#include "base/fd.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void addresses_are_paths_and_abstract_names(void **state)
{
	struct sockaddr_un at;
	char text[sizeof(at.sun_path) + 2];
	socklen_t len = 0;

	(void)state;
	assert_int_equal(notify_address("/run/x", &at, &len), 0);
	assert_string_equal(at.sun_path, "/run/x");
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 7);
	assert_int_equal(notify_address("@x", &at, &len), 0);
	assert_memory_equal(at.sun_path, "\0x", 2);
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 2);

	/* The greatest that fit, and one byte more. */
	memset(text, 'n', sizeof(text));
	text[0] = '/';
	text[sizeof(at.sun_path) - 1] = '\0';
	assert_int_equal(notify_address(text, &at, &len), 0);
	text[0] = '@';
	text[sizeof(at.sun_path) - 1] = 'n';
	text[sizeof(at.sun_path)] = '\0';
	assert_int_equal(notify_address(text, &at, &len), 0);
	assert_int_equal(len, sizeof(at));
	text[0] = '/';
	assert_int_equal(notify_address(text, &at, &len), -ENAMETOOLONG);
	text[0] = '@';
	text[sizeof(at.sun_path)] = 'n';
	text[sizeof(at.sun_path) + 1] = '\0';
	assert_int_equal(notify_address(text, &at, &len), -ENAMETOOLONG);
}

static void other_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "",	  "/",	       "@",
					   "run", "vsock:2:1", "./x" };
	struct sockaddr_un at;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(notify_address(bad[i], &at, &len),
				 -EAFNOSUPPORT);
}

static void pulse_is_half_of_the_watchdogs_patience(void **state)
{
	static const struct {
		const char *usec;
		const char *pid;
		uint64_t ms;
		int rc;
	} is[] = {
		{ NULL, NULL, 0, 0 },
		{ NULL, "x", 0, 0 },
		{ "30000000", NULL, 15000, 0 },
		{ "30000000", "77", 15000, 0 },
		{ "30000000", "78", 0, 0 },
		{ "7200000000", "77", 3600000, 0 },
		{ "1", NULL, 1, 0 },
		{ "0", NULL, 0, -EINVAL },
		{ "", NULL, 0, -EINVAL },
		{ "-1", NULL, 0, -EINVAL },
		{ " 1", NULL, 0, -EINVAL },
		{ "5s", NULL, 0, -EINVAL },
		{ "99999999999999999999", NULL, 0, -EINVAL },
		{ "5", "me", 0, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		uint64_t ms = 0;

		assert_int_equal(notify_pulse(is[i].usec, is[i].pid, 77, &ms),
				 is[i].rc);
		assert_int_equal(ms, is[i].ms);
	}
}

static void counts_in_words(void **state)
{
	static const struct {
		size_t up;
		size_t count;
		const char *text;
	} is[] = {
		{ 0, 0, "STATUS=0 sandboxes up" },
		{ 1, 1, "STATUS=1 sandbox up" },
		{ 3, 3, "STATUS=3 sandboxes up" },
		{ 0, 1, "STATUS=0 of 1 sandbox up" },
		{ 2, 3, "STATUS=2 of 3 sandboxes up" },
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		notify_put_count(is[i].up, is[i].count, text, sizeof(text));
		assert_string_equal(text, is[i].text);
	}
	/* The longest that can be. */
	notify_put_count(SIZE_MAX - 1, SIZE_MAX, text, sizeof(text));
	assert_non_null(strstr(text, "sandboxes up"));
}

static void reload_tells_when_it_began(void **state)
{
	char text[64];

	(void)state;
	notify_put_reloading(UINT64_MAX, text, sizeof(text));
	assert_string_equal(text,
			    "RELOADING=1\nMONOTONIC_USEC=18446744073709551615");
}

/** heard() - The next message that came, or "" */
static const char *heard(int sock)
{
	static char text[256];
	const ssize_t n = recv(sock, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/** manager() - A socket at this address */
static int manager(const char *where)
{
	struct sockaddr_un at;
	socklen_t len;
	const int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(sock >= 0);
	assert_int_equal(notify_address(where, &at, &len), 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&at, len), 0);
	return sock;
}

static void all_is_said_at(const char *where)
{
	auto_fd sock = manager(where);
	struct notify n;
	uint64_t before;
	uint64_t then = 0;
	struct timespec now;

	assert_int_equal(setenv("NOTIFY_SOCKET", where, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "2000000", 1), 0);
	assert_int_equal(notify_take(&n, NULL), 0);
	assert_int_equal(n.pulse_ms, 1000);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));

	notify_count(&n, 1, 1);
	notify_count(&n, 1, 1);
	notify_ready(&n);
	assert_string_equal(heard(sock), "STATUS=1 sandbox up");
	assert_string_equal(heard(sock), "READY=1");
	notify_alive(&n);
	assert_string_equal(heard(sock), "WATCHDOG=1");
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	before = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	notify_reloading(&n);
	assert_int_equal(sscanf(heard(sock),
				"RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &then),
			 1);
	assert_in_range(then, before, before + 10 * 1000000);
	notify_stopping(&n);
	assert_string_equal(heard(sock), "STOPPING=1");
	assert_string_equal(heard(sock), "");
	notify_fini(&n);
	notify_ready(&n);
	assert_string_equal(heard(sock), "");
}

static void manager_is_told_by_path_and_by_abstract_name(void **state)
{
	char where[64];

	(void)state;
	(void)snprintf(where, sizeof(where), "/tmp/nsproxy-notify-%d",
		       getpid());
	(void)unlink(where);
	all_is_said_at(where);
	(void)unlink(where);
	(void)snprintf(where, sizeof(where), "@nsproxy-notify-%d", getpid());
	all_is_said_at(where);
}

static void without_a_manager_nothing_is_said(void **state)
{
	struct notify n;

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_take(&n, NULL), 0);
	assert_int_equal(n.sock, -1);
	assert_int_equal(n.pulse_ms, 0);
	notify_ready(&n);
	notify_fini(&n);
}

static void nonsense_in_the_environment_is_a_fault(void **state)
{
	struct notify n;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(setenv("NOTIFY_SOCKET", "here", 1), 0);
	assert_int_equal(notify_take(&n, &f), -EAFNOSUPPORT);
	assert_non_null(strstr(f.text, "NOTIFY_SOCKET"));
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_int_equal(setenv("NOTIFY_SOCKET", "@x", 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "soon", 1), 0);
	assert_int_equal(notify_take(&n, &f), -EINVAL);
	assert_non_null(strstr(f.text, "WATCHDOG_USEC"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_paths_and_abstract_names),
		cmocka_unit_test(other_addresses_are_refused),
		cmocka_unit_test(pulse_is_half_of_the_watchdogs_patience),
		cmocka_unit_test(counts_in_words),
		cmocka_unit_test(reload_tells_when_it_began),
		cmocka_unit_test(manager_is_told_by_path_and_by_abstract_name),
		cmocka_unit_test(without_a_manager_nothing_is_said),
		cmocka_unit_test(nonsense_in_the_environment_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
