// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * json.c - strings as JSON
 */
#include "json.h"

#include <stddef.h>

/**
 * json_utf8() - Length of the sequence at @s (RFC 3629, 4)
 *
 * Return: 1 to 4, or 0 if it is malformed
 */
static size_t json_utf8(const unsigned char *s)
{
	size_t len;

	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0; /* the end of the string is here, too */
	return len;
}

void json_text(FILE *to, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	(void)fputc('"', to);
	while (*s) {
		const size_t len = json_utf8(s);

		if (len == 0)
			(void)fputs("\\ufffd", to);
		else if (*s == '"' || *s == '\\')
			(void)fprintf(to, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			(void)fprintf(to, "\\u%04x", *s);
		else
			(void)fwrite(s, 1, len, to);
		s += len ? len : 1;
	}
	(void)fputc('"', to);
}
