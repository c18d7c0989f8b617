/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * wire_help.h - what the tests of codecs share
 *
 * Input lies in heap blocks of exactly its size, so that the sanitizer sees
 * the first octet too far; the same goes for room to write into.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** help_block() - Copy octets into a heap block of their size; free() it */
static inline uint8_t *help_block(const void *from, size_t len)
{
	uint8_t *block = malloc(len ? len : 1);

	assert_non_null(block);
	if (len > 0)
		memcpy(block, from, len);
	return block;
}

/** help_get_fn - Decode; compare with what is expected when it returns 0 */
typedef int help_get_fn(struct rd *r);

/** help_get() - Decode a block. Return: what @get did; @ret_taken: octets */
static inline int help_get(help_get_fn *get, const void *msg, size_t len,
			   size_t *ret_taken)
{
	uint8_t *block = help_block(msg, len);
	struct rd r = rd_of(block, len);
	const int err = get(&r);

	*ret_taken = len - rd_left(&r);
	assert_false(r.ran_out);
	free(block);
	return err;
}

/**
 * help_whole_or_nothing() - A message is taken when it is all there
 *
 * Every truncation must give @short_err and take nothing; with and without
 * octets behind it the message itself is taken.
 */
static inline void help_whole_or_nothing(help_get_fn *get, const void *msg,
					 size_t len, int short_err)
{
	uint8_t more[1024];
	size_t taken;

	assert_true(len + 3 <= sizeof(more));
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(help_get(get, msg, cut, &taken), short_err);
		assert_int_equal(taken, 0);
	}
	assert_int_equal(help_get(get, msg, len, &taken), 0);
	assert_int_equal(taken, len);
	memcpy(more, msg, len);
	memset(more + len, 0xff, 3);
	assert_int_equal(help_get(get, more, len + 3, &taken), 0);
	assert_int_equal(taken, len);
}

/** help_refused() - A message is refused with @err and nothing taken */
static inline void help_refused(help_get_fn *get, const void *msg, size_t len,
				int err)
{
	size_t taken;

	assert_int_equal(help_get(get, msg, len, &taken), err);
	assert_int_equal(taken, 0);
}

/** HELP_MSG() - Two arguments: octets of a string literal, and how many */
#define HELP_MSG(literal) (literal), (sizeof(literal) - 1)
