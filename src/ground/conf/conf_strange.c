// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_strange.c - words that are unknown where they stand
 *
 * conf_read.c collects them, lets libconfuse know them, and in the end has
 * each told with what may have been meant.
 */
#include "conf/conf_strange.h"

#include "base/text.h"

#include <string.h>

struct strange *strange_find(struct strangers *all, unsigned int in,
			     const char *name)
{
	for (unsigned int i = 0; i < all->count; i++)
		if (all->word[i].in == in && !strcmp(all->word[i].name, name))
			return &all->word[i];
	return NULL;
}

const struct strange *strange_section(const struct strangers *all,
				      const char *name)
{
	for (unsigned int i = 0; i < all->count; i++)
		if (all->word[i].is_section && !strcmp(all->word[i].name, name))
			return &all->word[i];
	return NULL;
}

/**
 * strange_like() - What does an unknown section hold?
 *
 * No kind may come to hold itself: libconfuse copies what can be inside.
 */
static unsigned int strange_like(unsigned int in, const char *name)
{
	const char *names[SECTION_KINDS];
	const char *near;

	if (in != HOLD_ROOT && in != SECTION_PROFILE)
		return HOLD_DEEP;
	for (unsigned int kind = 0; kind < SECTION_KINDS; kind++)
		names[kind] = forms[kind].name;
	near = text_did_you_mean(name, names, SECTION_KINDS);
	for (unsigned int kind = 0; near && kind < SECTION_KINDS; kind++)
		if (near == names[kind] &&
		    (in == HOLD_ROOT || kind == SECTION_HELPER))
			return kind;
	return HOLD_ANY;
}

bool strange_add(struct strangers *all, unsigned int in, unsigned int line,
		 const char *name)
{
	struct strange *s = &all->word[all->count];

	if (all->count == STRANGE_MAX || strange_find(all, in, name) ||
	    !text_copy(s->name, sizeof(s->name), name))
		return false;
	s->in = in;
	s->like = strange_like(in, name);
	s->is_section = false;
	s->line = line;
	all->count++;
	return true;
}

/** strange_home() - The kind of section in which this is a key, or NULL */
static const struct form *strange_home(const char *name)
{
	for (unsigned int kind = 0; kind < SECTION_KINDS; kind++)
		if (key_find(kind, name) >= 0)
			return &forms[kind];
	return NULL;
}

static const char *strange_near(const struct strange *s)
{
	const char *names[KEYS_MAX];
	size_t n = 0;

	if (s->is_section)
		return s->like < SECTION_KINDS ? forms[s->like].name : NULL;
	for (unsigned int i = 0;
	     s->in < SECTION_KINDS && i < forms[s->in].count; i++)
		names[n++] = forms[s->in].key[i].name;
	return text_did_you_mean(s->name, names, n);
}

static void strange_tell_one(const struct strange *s, const struct origin *at,
			     struct problems *ps)
{
	const char *const what = s->is_section ? "section" : "option";
	const struct form *home = s->is_section ? NULL : strange_home(s->name);
	const char *near = strange_near(s);

	if (near && !strcmp(near, s->name))
		problem_add(ps, at, "the section '%s' stands inside a %s",
			    s->name, forms[SECTION_PROFILE].name);
	else if (near)
		problem_add(ps, at, "unknown %s '%s'; did you mean '%s'?", what,
			    s->name, near);
	else if (home)
		problem_add(ps, at, "the option '%s' stands inside a %s",
			    s->name, home->name);
	else
		problem_add(ps, at, "unknown %s '%s'", what, s->name);
}

void strange_tell(const struct strangers *all, const struct conf_file *file,
		  struct problems *ps)
{
	for (unsigned int i = 0; i < all->count; i++) {
		const struct strange *s = &all->word[i];
		const struct origin at = { file, s->line };

		/* Of what is in an unknown section, the section is told. */
		if (s->in != HOLD_ANY && s->in != HOLD_DEEP)
			strange_tell_one(s, &at, ps);
	}
}
