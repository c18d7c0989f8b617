/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * text_copy() - Copy a string that must fit
 * @to:    Room, always NUL-terminated afterwards
 * @size:  Of @to
 * @from:  NUL-terminated
 *
 * Return: whether it fitted; when not, @to is empty
 */
bool text_copy(char *to, size_t size, const char *from);

/** text_copy_n() - The same for the first @len bytes of @from (no NUL) */
bool text_copy_n(char *to, size_t size, const char *from, size_t len);

/**
 * text_quote() - Make bytes from outside fit for a log or an error
 * @to:    Room; cut with "..." when too small
 * @size:  Of @to, at least 8
 * @from:  Bytes
 * @len:   How many
 *
 * Anything but printable ASCII becomes \\xNN.
 *
 * Return: @to
 */
const char *text_quote(char *to, size_t size, const void *from, size_t len);

/**
 * text_plain() - The same for a sentence that may have been quoted already
 * @to:    Room; cut with "..." when too small
 * @size:  Of @to, at least 8
 * @from:  Bytes
 * @len:   How many
 *
 * Backslashes stay as they are; a reader cannot tell them from ours, but what
 * a terminal gets is harmless.
 *
 * Return: @to
 */
const char *text_plain(char *to, size_t size, const void *from, size_t len);

/**
 * text_uint() - Read a decimal number with nothing around it
 * @text:  "0" .. @max, no sign, no space, at most 10 digits
 * @max:   Greatest that is taken
 * @ret:   Result; untouched on failure
 *
 * Return: whether it was one
 */
bool text_uint(const char *text, uint32_t max, uint32_t *ret);

/** text_starts() - Does @text begin with @with? */
bool text_starts(const char *text, const char *with);

/**
 * text_name_ok() - May this stand as a host name in a proxy request?
 * @name:  Letters, digits, '-', '_' and dots (RFC 952, 1123, plus '_');
 *         labels of 1 to 63, in all 1 to 253 octets, no last dot
 */
bool text_name_ok(const char *name);

/**
 * text_did_you_mean() - The nearest word to a mistyped one
 * @word:   What was typed
 * @words:  Candidates
 * @count:  How many
 *
 * Return: the candidate at edit distance 1 or 2 (and below half of its
 * length), or NULL
 */
const char *text_did_you_mean(const char *word, const char *const *words,
			      size_t count);
