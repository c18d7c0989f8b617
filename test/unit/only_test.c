// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * only_test.c - which names may leave, and how that is written
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/only.h"
#include "conf/only.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct plan plan;

static void given(const char *one, const char *two)
{
	struct fault f = { 0 };

	memset(&plan, 0, sizeof(plan));
	if (one)
		assert_int_equal(only_add(&plan, one, &f), 0);
	if (two)
		assert_int_equal(only_add(&plan, two, &f), 0);
}

static void all_names_may_leave_when_nothing_is_said(void **state)
{
	(void)state;
	given(NULL, NULL);
	assert_false(only_is_set(&plan));
	assert_true(only_allows(&plan, "example.org"));
	assert_true(only_allows(&plan, ""));
}

static void names_below_a_starred_domain_may_leave(void **state)
{
	(void)state;
	given("*.i2p", NULL);
	assert_true(only_is_set(&plan));
	assert_true(only_allows(&plan, "site.i2p"));
	assert_true(only_allows(&plan, "a.b.site.i2p"));
	assert_false(only_allows(&plan, "i2p"));
}

static void a_plain_domain_may_leave_itself(void **state)
{
	(void)state;
	given("example.org", NULL);
	assert_true(only_allows(&plan, "example.org"));
	assert_true(only_allows(&plan, "www.example.org"));
	assert_false(only_allows(&plan, "org"));
}

static void labels_are_compared_whole(void **state)
{
	(void)state;
	given("*.i2p", "example.org");
	assert_false(only_allows(&plan, "evil-i2p"));
	assert_false(only_allows(&plan, "evili2p"));
	assert_false(only_allows(&plan, "a.evil-i2p"));
	assert_false(only_allows(&plan, "badexample.org"));
	assert_false(only_allows(&plan, "site.i2p.example.com"));
	assert_false(only_allows(&plan, "i2p.com"));
	assert_false(only_allows(&plan, ".i2p"));
	assert_false(only_allows(&plan, "site.i2p.."));
	assert_false(only_allows(&plan, ""));
	assert_false(only_allows(&plan, "."));
}

static void letter_case_and_a_last_dot_do_not_matter(void **state)
{
	(void)state;
	given("*.I2P.", "Example.ORG");
	assert_string_equal(plan.only[0].name, "i2p");
	assert_true(only_allows(&plan, "SITE.i2P"));
	assert_true(only_allows(&plan, "site.i2p."));
	assert_true(only_allows(&plan, "EXAMPLE.org."));
	assert_false(only_allows(&plan, "I2P."));
}

static void patterns_that_are_no_domains_are_refused(void **state)
{
	static const char *const bad[] = {
		"",	     "*",    "*.",     "*i2p",	"a.*.b",
		"a..b",	     ".i2p", "**.i2p", "i2p..", "192.0.2.1",
		"*.1.2.3.4", "::1",  "a b",    "a/b",	"http://a.i2p",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct plan_only one = { .name = "kept" };
		struct fault f = { 0 };

		if (only_parse(bad[i], &one, &f) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_string_equal(one.name, "kept");
		assert_true(f.text[0] != '\0' && f.hint[0] != '\0');
		assert_int_equal(only_parse(bad[i], &one, NULL), -EINVAL);
	}
}

static void more_patterns_than_fit_are_refused(void **state)
{
	struct fault f = { 0 };
	char text[16];

	(void)state;
	given(NULL, NULL);
	for (int i = 0; i < PLAN_ONLY; i++) {
		(void)snprintf(text, sizeof(text), "a%d", i);
		assert_int_equal(only_add(&plan, text, &f), 0);
	}
	assert_int_equal(only_add(&plan, "b", &f), -E2BIG);
	assert_int_equal(plan.only_count, PLAN_ONLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_names_may_leave_when_nothing_is_said),
		cmocka_unit_test(names_below_a_starred_domain_may_leave),
		cmocka_unit_test(a_plain_domain_may_leave_itself),
		cmocka_unit_test(labels_are_compared_whole),
		cmocka_unit_test(letter_case_and_a_last_dot_do_not_matter),
		cmocka_unit_test(patterns_that_are_no_domains_are_refused),
		cmocka_unit_test(more_patterns_than_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
