// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * terms_test.c - on what terms a sandbox lives, in sealed memory
 */
#include "box/terms.h"

#include "base/fd.h"
#include "bus/sealed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** read_of() - What is made of terms that say so */
static int read_of(struct terms *t, struct terms *ret)
{
	auto_fd fd = -1;

	t->magic = TERMS_MAGIC;
	t->size = sizeof(*t);
	assert_int_equal(sealed_put("x", t, sizeof(*t), &fd), 0);
	return terms_read(fd, ret);
}

static void sealed_terms_come_back(void **state)
{
	struct terms *t = calloc(2, sizeof(*t));
	const gid_t groups[] = { 7, 8 };
	auto_fd fd = -1;

	(void)state;
	t->access_count = 2;
	t->access[0].id = 1000;
	t->access[1] = (struct terms_access){ .is_group = true, .id = 8 };
	assert_int_equal(terms_seal(&t[0], &fd), 0);
	assert_int_equal(terms_read(fd, &t[1]), 0);
	assert_true(terms_admit(&t[1], 1000, NULL, 0));
	assert_true(terms_admit(&t[1], 1001, groups, 2));
	assert_false(terms_admit(&t[1], 8, groups, 1));
	free(t);
}

static void terms_that_make_no_sense_are_refused(void **state)
{
	struct terms *t = calloc(2, sizeof(*t));

	(void)state;
	assert_int_equal(read_of(&t[0], &t[1]), 0);
	t->access_count = 1;
	memset(&t->access[0].is_group, 0xff, 1); /* neither true nor false */
	assert_int_equal(read_of(&t[0], &t[1]), -EPROTO);
	memset(t, 0, sizeof(*t));
	memset(&t->isolate, 2, 1);
	assert_int_equal(read_of(&t[0], &t[1]), -EPROTO);
	memset(t, 0, sizeof(*t));
	t->guard = (enum guard_word)9;
	assert_int_equal(read_of(&t[0], &t[1]), -EPROTO);
	memset(t, 0, sizeof(*t));
	t->access_count = TERMS_ACCESS + 1;
	assert_int_equal(read_of(&t[0], &t[1]), -EPROTO);
	memset(t, 0, sizeof(*t));
	memset(t->profile, 'x', sizeof(t->profile));
	assert_int_equal(read_of(&t[0], &t[1]), -EPROTO);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_terms_come_back),
		cmocka_unit_test(terms_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
