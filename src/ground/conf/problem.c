// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * problem.c - all that is wrong with a configuration
 *
 * Nothing is taken from a configuration that has problems, so the reader and
 * the checks note each one and go on to the next.
 */
#include "conf/problem.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

#define PROBLEM_TEXT 900

const char *origin_text(const struct origin *at, char *to)
{
	char path[ORIGIN_TEXT - 16];

	if (!at->file)
		return strcpy(to, "default");
	text_quote(path, sizeof(path), at->file->path, strlen(at->file->path));
	if (at->line == 0)
		(void)snprintf(to, ORIGIN_TEXT, "%s", path);
	else
		(void)snprintf(to, ORIGIN_TEXT, "%s:%u", path, at->line);
	return to;
}

/** origin_is_before() - In the order of reading */
static bool origin_is_before(const struct origin *a, const struct origin *b)
{
	const unsigned int file_a = a->file ? a->file->number : 0;
	const unsigned int file_b = b->file ? b->file->number : 0;

	return file_a < file_b || (file_a == file_b && a->line < b->line);
}

static bool problem_is(const struct problem *p, const struct origin *at,
		       const char *text)
{
	return p->at.file == at->file && p->at.line == at->line &&
	       !strcmp(p->text, text);
}

void problem_add(struct problems *ps, const struct origin *at, const char *fmt,
		 ...)
{
	struct problem **spot = &ps->first;
	char text[PROBLEM_TEXT];
	struct problem *p;
	va_list ap;

	if (ps->count == PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	va_end(ap);
	while (*spot && !origin_is_before(at, &(*spot)->at)) {
		if (problem_is(*spot, at, text))
			return;
		spot = &(*spot)->next;
	}
	p = arena_take(ps->arena, sizeof(*p));
	p->at = *at;
	p->text = arena_text(ps->arena, text, strlen(text));
	p->next = *spot;
	*spot = p;
	ps->count++;
}
