// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * head.c - lines of an HTTP head
 *
 * http and http_request come in: first head_find() to see that the head is
 * there and clean, then head_line() for each line.
 */
#include "wire/head.h"

#include "wire/http.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

long head_find(const struct rd *r, size_t max)
{
	struct rd in = *r;
	unsigned int lines = 0;
	size_t in_line = 0;
	bool had_cr = false;

	for (size_t len = 1; len <= max && rd_left(&in) > 0; len++) {
		const uint8_t c = rd_u8(&in);

		if (c == '\n' && in_line == 0)
			return (long)len;
		if (c == '\n') {
			if (++lines > HTTP_LINES_MAX)
				return -EPROTO;
			in_line = 0;
			had_cr = false;
			continue;
		}
		if (had_cr || (c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
			return -EPROTO;
		if (c == '\r')
			had_cr = true;
		else
			in_line++;
	}
	return rd_left(r) < max ? -EAGAIN : -EMSGSIZE;
}

bool head_until(struct rd *r, char delim, struct rd *ret)
{
	const size_t left = rd_left(r);
	const uint8_t *hit = left > 0 ? memchr(r->at, delim, left) : NULL;
	size_t len;

	if (!hit)
		return false;
	len = (size_t)(hit - r->at);
	*ret = rd_of(rd_bytes(r, len), len);
	rd_skip(r, 1);
	return true;
}

bool head_line(struct rd *head, struct rd *line, struct rd *whole)
{
	const uint8_t *const start = head->at;
	struct rd text;
	size_t len;

	if (!head_until(head, '\n', &text))
		return false;
	len = rd_left(&text);
	if (len > 0 && text.at[len - 1] == '\r')
		text = rd_of(text.at, --len);
	if (len == 0)
		return false;
	*line = text;
	if (whole)
		*whole = rd_of(start, (size_t)(head->at - start));
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool head_field(struct rd line, struct rd *name, struct rd *value)
{
	size_t len;

	if (!head_until(&line, ':', name) || !head_is_token(name))
		return false;
	while (rd_left(&line) > 0 && is_blank(line.at[0]))
		rd_skip(&line, 1);
	len = rd_left(&line);
	while (len > 0 && is_blank(line.at[len - 1]))
		len--;
	*value = rd_of(line.at, len);
	return true;
}

bool head_is(const struct rd *span, const char *text)
{
	const size_t len = strlen(text);

	return rd_left(span) == len &&
	       !strncasecmp((const char *)span->at, text, len);
}

bool head_is_token(const struct rd *span)
{
	struct rd in = *span;

	while (rd_left(&in) > 0) {
		const uint8_t c = rd_u8(&in);

		if (c == '\0' || (!isalnum(c) && !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return rd_left(span) > 0;
}

bool head_is_version(const struct rd *span)
{
	return rd_left(span) == 8 && !memcmp(span->at, "HTTP/1.", 7) &&
	       isdigit(span->at[7]);
}
