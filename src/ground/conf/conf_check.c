// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_check.c - what must hold of each value and name
 *
 * The first half of conf_finish(); conf_sense.c is the second.
 */
#include "conf/conf_check.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define CHECK_SHOWN 80

static const char *quote(const char *text, char *shown)
{
	return text_quote(shown, CHECK_SHOWN, text, strlen(text));
}

/** check_type() - Flags and words */
static void check_type(struct conf *c, const struct key *k,
		       const struct value *v)
{
	char shown[CHECK_SHOWN];
	const char *near;
	bool flag;

	quote(v->text, shown);
	if (k->type == KEY_FLAG && !key_read_flag(v->text, &flag))
		problem_add(&c->problems, &v->at,
			    "'%s' is true or false, not '%s'", k->name, shown);
	if (k->type != KEY_WORD || key_read_word(k->words, v->text) >= 0)
		return;
	near = key_near_word(k->words, v->text);
	if (near)
		problem_add(&c->problems, &v->at,
			    "'%s' is one of %s, not '%s'; did you mean '%s'?",
			    k->name, k->form, shown, near);
	else
		problem_add(&c->problems, &v->at, "'%s' is one of %s, not '%s'",
			    k->name, k->form, shown);
}

static void check_setting(struct conf *c, const struct key *k,
			  const struct setting *set)
{
	if (k->type != KEY_TEXTS && set->count != 1)
		problem_add(&c->problems, &set->at,
			    "'%s' takes one value, not a list", k->name);
	if (set->count > CONF_TEXTS)
		problem_add(&c->problems, &set->at,
			    "'%s' takes at most %d values", k->name,
			    CONF_TEXTS);
	for (unsigned int i = 0; i < set->count; i++) {
		const struct value *v = &set->value[i];
		struct fault f = { 0 };

		check_type(c, k, v);
		if (k->check && k->check(v->text, &f) < 0)
			problem_add(&c->problems, &v->at, "'%s': %s%s%s",
				    k->name, f.text, f.hint[0] ? "; " : "",
				    f.hint);
	}
}

static void check_settings(struct conf *c, const struct section *s)
{
	const struct form *form = &forms[s->kind];

	for (unsigned int i = 0; i < form->count; i++)
		if (s->set[i].is_set)
			check_setting(c, &form->key[i], &s->set[i]);
}

static void check_name(struct conf *c, const struct section *s)
{
	const struct form *form = &forms[s->kind];
	char shown[CHECK_SHOWN];
	const char *why;

	quote(s->name, shown);
	if (!form->has_name && s->name[0] != '\0')
		problem_add(&c->problems, &s->at,
			    "'%s' has no name: there is one of it", form->name);
	if (!form->has_name)
		return;
	why = name_fault(s->name);
	if (why)
		problem_add(&c->problems, &s->at,
			    "%s '%s' cannot be called so: %s", form->name,
			    shown, why);
}

/** check_twice() - Was a section of this kind and name there before? */
static void check_twice(struct conf *c, const struct section *s)
{
	char where[ORIGIN_TEXT];

	for (const struct section *t = c->first; t && t != s; t = t->next) {
		if (t->kind != s->kind || t->parent != s->parent ||
		    t->at.file->layer != s->at.file->layer ||
		    s->name[0] == '\0' || strcmp(t->name, s->name) != 0)
			continue;
		problem_add(&c->problems, &s->at,
			    "%s '%s' is defined twice; first in %s",
			    forms[s->kind].name, s->name,
			    origin_text(&t->at, where));
		return;
	}
}

/** check_defaults() - A key may be set in one of the defaults of a layer */
static void check_defaults(struct conf *c, const struct section *s)
{
	char where[ORIGIN_TEXT];

	for (const struct section *t = c->first; t && t != s; t = t->next)
		for (unsigned int i = 0; i < PROFILE_KEYS; i++)
			if (t->kind == SECTION_DEFAULTS &&
			    t->at.file->layer == s->at.file->layer &&
			    t->set[i].is_set && s->set[i].is_set)
				problem_add(&c->problems, &s->set[i].at,
					    "the default of '%s' is set "
					    "twice; first in %s",
					    forms[s->kind].key[i].name,
					    origin_text(&t->set[i].at, where));
}

/** fill_from() - The defaults that hold for a profile's key */
static struct setting fill_from(struct conf *c, const struct section *s,
				unsigned int key)
{
	for (const struct section *d = c->first; d; d = d->next)
		if (d->kind == SECTION_DEFAULTS && s->kind == SECTION_PROFILE &&
		    d->set[key].is_set && !attach_is_without(s, key) &&
		    d->at.file->layer == s->at.file->layer)
			return d->set[key];
	if (((s->kind == SECTION_HELPER && key == HELPER_USER) ||
	     (s->kind == SECTION_ENGINE && key == ENGINE_USER)) &&
	    s->at.file->layer == LAYER_USER)
		return (struct setting){ 0 }; /* it is the user */
	return conf_default(c, &forms[s->kind].key[key]);
}

static void fill(struct conf *c, struct section *s)
{
	for (unsigned int i = 0; i < forms[s->kind].count; i++)
		if (!s->set[i].is_set)
			s->set[i] = fill_from(c, s, i);
}

void check_values(struct conf *c)
{
	for (const struct section *s = c->first; s; s = s->next) {
		check_name(c, s);
		check_settings(c, s);
		if (s->kind == SECTION_DEFAULTS)
			check_defaults(c, s);
		else
			check_twice(c, s);
	}
	for (struct section *s = c->first; s; s = s->next)
		if (s->kind != SECTION_DEFAULTS)
			fill(c, s);
}

int conf_finish(struct conf *c)
{
	check_values(c);
	check_sense(c);
	return c->problems.count > 0 ? -EINVAL : 0;
}
