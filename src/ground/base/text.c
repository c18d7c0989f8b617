// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * text.c - small strings with bounds
 */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool text_copy_n(char *to, size_t size, const char *from, size_t len)
{
	to[0] = '\0';
	if (len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

bool text_copy(char *to, size_t size, const char *from)
{
	return text_copy_n(to, size, from, strlen(from));
}

/** text_escape() - What is printable and not @odd as it is, the rest as \\xNN
 */
static const char *text_escape(char *to, size_t size, const void *from,
			       size_t len, int odd)
{
	const unsigned char *in = from;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		const bool plain =
			in[i] >= 0x20 && in[i] < 0x7f && in[i] != odd;
		const size_t need = plain ? 1 : 4;

		if (used + need + 4 > size) {
			memcpy(to + used, "...", 3);
			used += 3;
			break;
		}
		if (plain)
			to[used] = (char)in[i];
		else
			(void)snprintf(to + used, 5, "\\x%02x", in[i]);
		used += need;
	}
	to[used] = '\0';
	return to;
}

const char *text_quote(char *to, size_t size, const void *from, size_t len)
{
	return text_escape(to, size, from, len, '\\');
}

const char *text_plain(char *to, size_t size, const void *from, size_t len)
{
	return text_escape(to, size, from, len, -1);
}

bool text_uint(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;
	size_t digits = 0;

	for (; text[digits] != '\0'; digits++) {
		if (digits == 10 || !isdigit((unsigned char)text[digits]))
			return false;
		value = value * 10 + (uint64_t)(text[digits] - '0');
	}
	if (digits == 0 || value > max)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool text_starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

bool text_name_ok(const char *name)
{
	const size_t len = strlen(name);
	size_t label = 0;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)name[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum(c) && c != '-' && c != '_')
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0;
}

/** text_distance() - Edit distance of two short words (Levenshtein) */
static size_t text_distance(const char *a, const char *b)
{
	size_t row[33];
	const size_t na = strlen(a);
	const size_t nb = strlen(b);

	if (na > 32 || nb > 32)
		return 99;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *text_did_you_mean(const char *word, const char *const *words,
			      size_t count)
{
	const char *found = NULL;
	size_t best = 3;

	for (size_t i = 0; i < count; i++) {
		const size_t d = text_distance(word, words[i]);

		if (d < best && d * 2 < strlen(words[i]) + 1) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
