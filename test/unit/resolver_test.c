// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * resolver_test.c - nsswitch.conf rewritten; patience of the kernel
 */
#include "kern/resolver.h"
#include "kern/sysctls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* row: D02 */
static void nsswitch_replaces_hosts_and_keeps_the_rest(void **state)
{
	char got[512];

	(void)state;
	assert_true(resolver_nsswitch("# comment\n"
				      "passwd: files systemd\n"
				      "hosts:  mymachines resolve [!UNAVAIL="
				      "return] files dns\n"
				      "networks: files\n",
				      got, sizeof(got)));
	assert_string_equal(got, "# comment\n"
				 "passwd: files systemd\n"
				 "hosts: files dns\n"
				 "networks: files\n");
}

static void nsswitch_finds_hosts_behind_blanks_and_without_newline(void **state)
{
	char got[64];

	(void)state;
	assert_true(resolver_nsswitch("\t hosts: nis", got, sizeof(got)));
	assert_string_equal(got, "hosts: files dns\n");
	assert_true(
		resolver_nsswitch("#hosts: x\nhosts_not: y", got, sizeof(got)));
	assert_string_equal(got, "#hosts: x\nhosts_not: y");
	assert_true(resolver_nsswitch("", got, sizeof(got)));
	assert_string_equal(got, "");
}

static void nsswitch_refuses_what_does_not_fit(void **state)
{
	static const char text[] = "hosts: a\n";
	static const char ours[] = "hosts: files dns\n";
	char *room = malloc(sizeof(ours));

	(void)state;
	assert_non_null(room);
	assert_true(resolver_nsswitch(text, room, sizeof(ours)));
	assert_string_equal(room, ours);
	assert_false(resolver_nsswitch(text, room, sizeof(ours) - 1));
	free(room);
}

static void retries_outlast_every_dial(void **state)
{
	(void)state;
	assert_int_equal(sysctls_retries(0), 4);
	assert_int_equal(sysctls_retries(1), 1);
	assert_int_equal(sysctls_retries(3), 2);
	assert_int_equal(sysctls_retries(15), 4);
	assert_int_equal(sysctls_retries(30), 4);
	assert_int_equal(sysctls_retries(31), 5);
	assert_int_equal(sysctls_retries(62), 5);
	assert_int_equal(sysctls_retries(63), 6);
	assert_int_equal(sysctls_retries(120), 6);
	assert_int_equal(sysctls_retries(UINT32_MAX), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nsswitch_replaces_hosts_and_keeps_the_rest),
		cmocka_unit_test(
			nsswitch_finds_hosts_behind_blanks_and_without_newline),
		cmocka_unit_test(nsswitch_refuses_what_does_not_fit),
		cmocka_unit_test(retries_outlast_every_dial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
