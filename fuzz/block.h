/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * block.h - the fuzzer's octets in blocks of their own
 *
 * Of exactly their size, so that the sanitizer sees the first octet too far.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** block_of() - A copy of @data, for free() */
static inline uint8_t *block_of(const uint8_t *data, size_t len)
{
	uint8_t *block = malloc(len ? len : 1);

	assert(block);
	if (len > 0)
		memcpy(block, data, len);
	return block;
}

/** text_of() - The same with a NUL behind it */
static inline char *text_of(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);

	assert(text);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}
