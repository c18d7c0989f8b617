// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_read.c - libconfuse, in one file
 *
 * libconfuse stops at the first thing it does not like. So that one reading
 * finds all that is wrong, it is given little to dislike: every option is a
 * list of texts (what they must be is for conf_check.c), and a word that it
 * does not know is added to what it knows, after which it begins anew. What
 * then stops it is broken syntax.
 *
 * Its callbacks get no context, and its scanner lives in globals: one text is
 * read at a time, by one thread.
 */
#include "conf/conf_read.h"

#include "base/text.h"
#include "conf/conf_strange.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define READ_SHOWN 64 /* bytes of a word in a sentence */

/** struct reading - one text on its way through libconfuse */
struct reading {
	struct conf *conf;
	const struct conf_file *file;
	const cfg_t *root;
	struct strangers strange;
	bool again;
	bool has_told; /* why it stopped */
	bool is_open;  /* libconfuse is at it: a freed value was overwritten */
};

static _Thread_local struct reading *reading_now;

/** struct raw - a value, where it stands, and for what (libconfuse's) */
struct raw {
	unsigned int line;
	const char *name;
	char text[];
};

static struct origin reading_at(const struct reading *r, int line)
{
	return (struct origin){ r->file, line > 0 ? (unsigned int)line : 0 };
}

/* --- what libconfuse calls */

static int raw_new(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const size_t len = strlen(value);
	struct raw *raw = malloc(sizeof(*raw) + len + 1);

	if (!raw)
		return -1;
	raw->name = opt->name;
	raw->line = cfg->line > 0 ? (unsigned int)cfg->line : 0;
	memcpy(raw->text, value, len + 1);
	memcpy(result, &raw, sizeof(raw)); /* it is a void ** */
	return 0;
}

static void raw_free(void *value)
{
	struct raw *raw = value;
	struct reading *r = reading_now;

	if (r->is_open) {
		const struct origin at = { r->file, raw->line };

		problem_add(&r->conf->problems, &at,
			    "'%s' is set here, and again further down",
			    raw->name);
	}
	explicit_bzero(raw->text, strlen(raw->text));
	free(raw);
}

/** hold_of() - What kind of brace is this? */
static unsigned int hold_of(struct reading *r, const cfg_t *cfg)
{
	const struct strange *s = strange_section(&r->strange, cfg->name);

	if (cfg == r->root)
		return HOLD_ROOT;
	if (s)
		return s->like;
	for (unsigned int kind = 0; kind < SECTION_KINDS; kind++)
		if (!strcmp(cfg->name, forms[kind].name))
			return kind;
	return HOLD_DEEP; /* there are no others */
}

/** reading_fault() - libconfuse has stopped */
static void reading_fault(cfg_t *cfg, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void reading_fault(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct reading *r = reading_now;
	const struct origin at = reading_at(r, cfg->line);
	char shown[2 * READ_SHOWN];
	char text[256];
	va_list copy;

	va_copy(copy, ap);
	if (!strcmp(fmt, "no such option '%s'"))
		r->again = strange_add(&r->strange, hold_of(r, cfg), at.line,
				       va_arg(copy, const char *));
	if (!strcmp(fmt, "missing equal sign after option '%s'")) {
		struct strange *s = strange_find(&r->strange, hold_of(r, cfg),
						 va_arg(copy, const char *));

		r->again = s && !s->is_section && s->in != HOLD_DEEP;
		if (r->again)
			s->is_section = true;
	}
	va_end(copy);
	if (r->again)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut is fine */
	text_quote(shown, sizeof(shown), text, strlen(text));
	problem_add(&r->conf->problems, &at, "%s", shown);
	r->conf->is_torn = true;
	r->has_told = true;
}

/* --- what libconfuse is told */

#define HOLD_MAX (KEYS_MAX + SECTION_KINDS + STRANGE_MAX + 1)

static cfg_opt_t opt_of_texts(const char *name)
{
	return (cfg_opt_t){ .name = name,
			    .type = CFGT_PTR,
			    .flags = CFGF_LIST,
			    .parsecb = raw_new,
			    .freecb = raw_free };
}

static cfg_opt_t opt_of_section(const char *name, cfg_opt_t *holds)
{
	return (cfg_opt_t){ .name = name,
			    .type = CFGT_SEC,
			    .flags = CFGF_MULTI | CFGF_TITLE,
			    .subopts = holds };
}

/** hold_fill() - Make the table of what can stand in one kind of brace */
static void hold_fill(const struct reading *r, unsigned int in,
		      cfg_opt_t hold[HOLDS][HOLD_MAX])
{
	unsigned int n = 0;

	for (unsigned int i = 0; in < SECTION_KINDS && i < forms[in].count; i++)
		hold[in][n++] = opt_of_texts(forms[in].key[i].name);
	for (unsigned int kind = 0; kind < SECTION_KINDS; kind++)
		if (in == (kind == SECTION_HELPER ? (unsigned)SECTION_PROFILE
						  : (unsigned)HOLD_ROOT))
			hold[in][n++] =
				opt_of_section(forms[kind].name, hold[kind]);
	for (unsigned int i = 0; i < r->strange.count; i++) {
		const struct strange *s = &r->strange.word[i];

		if (s->in == in)
			hold[in][n++] =
				s->is_section
					? opt_of_section(s->name, hold[s->like])
					: opt_of_texts(s->name);
	}
	hold[in][n] = (cfg_opt_t){ 0 };
}

/* --- what libconfuse found */

static struct setting reading_setting(struct reading *r, cfg_opt_t *opt,
				      const struct section *s)
{
	struct setting got = { .at = s->at };
	const unsigned int n = cfg_opt_size(opt);
	struct value *value;

	/* An empty list is something that was said, too. */
	got.is_set = n > 0 || (opt->flags & CFGF_MODIFIED);
	if (n == 0)
		return got;
	value = arena_take(&r->conf->arena, n * sizeof(*value));
	for (unsigned int i = 0; i < n; i++) {
		const struct raw *raw = cfg_opt_getnptr(opt, i);

		value[i].text = arena_text(&r->conf->arena, raw->text,
					   strlen(raw->text));
		value[i].at = (struct origin){ r->file, raw->line };
	}
	got.at = value[0].at;
	got.value = value;
	got.count = n;
	return got;
}

/** reading_title() - Undo what conf_text_make() did to a title */
static void reading_title(struct reading *r, struct section *s,
			  const char *title)
{
	const char *rest = title + strcspn(title, " ");

	s->at.file = r->file;
	s->at.line = (unsigned int)strtoul(title, NULL, 10);
	rest += *rest == ' ';
	s->name = arena_text(&r->conf->arena, rest, strlen(rest));
}

static struct section *reading_add(struct reading *r, cfg_t *cfg,
				   enum section_kind kind,
				   const struct section *parent)
{
	struct conf *c = r->conf;
	struct section *s;
	static const char too_many[] = "there are too many sections";

	if (c->section_count == CONF_SECTIONS) {
		problem_add(&c->problems, &(struct origin){ r->file, 0 },
			    too_many);
		return NULL;
	}
	s = arena_take(&c->arena, sizeof(*s));
	s->kind = kind;
	s->parent = parent;
	reading_title(r, s, cfg_title(cfg));
	for (unsigned int i = 0; i < forms[kind].count; i++)
		s->set[i] = reading_setting(
			r, cfg_getopt(cfg, forms[kind].key[i].name), s);
	if (c->last)
		c->last->next = s;
	else
		c->first = s;
	c->last = s;
	c->section_count++;
	return s;
}

/** reading_take() - Keep the sections of one name, and those in them */
static void reading_take(struct reading *r, cfg_t *in, const char *name,
			 enum section_kind kind, const struct section *parent)
{
	cfg_opt_t *opt = cfg_getopt(in, name);

	for (unsigned int i = 0; i < cfg_opt_size(opt); i++) {
		cfg_t *cfg = cfg_opt_getnsec(opt, i);
		struct section *s = reading_add(r, cfg, kind, parent);

		if (s && kind == SECTION_PROFILE)
			reading_take(r, cfg, forms[SECTION_HELPER].name,
				     SECTION_HELPER, s);
	}
}

static void reading_harvest(struct reading *r, cfg_t *root)
{
	for (unsigned int kind = 0; kind < SECTION_KINDS; kind++)
		if (kind != SECTION_HELPER)
			reading_take(r, root, forms[kind].name, kind, NULL);
	/* A mistyped section is one: what refers to it is not at fault. */
	for (unsigned int i = 0; i < r->strange.count; i++) {
		const struct strange *s = &r->strange.word[i];

		if (s->is_section && s->in == HOLD_ROOT &&
		    s->like < SECTION_HELPER)
			reading_take(r, root, s->name, s->like, NULL);
	}
}

/** reading_parse() - Let libconfuse read; Return: whether it read all */
static bool reading_parse(struct reading *r, cfg_t *root, const char *text)
{
	bool is_whole;

	(void)cfg_set_error_function(root, reading_fault);
	r->root = root;
	r->is_open = true;
	is_whole = cfg_parse_buf(root, text) == CFG_SUCCESS;
	r->is_open = false;
	if (!r->again)
		reading_harvest(r, root);
	(void)cfg_free(root);
	return is_whole;
}

/** reading_pass() - Once through the text */
static void reading_pass(struct reading *r, const char *text)
{
	cfg_opt_t(*hold)[HOLD_MAX] = calloc(HOLDS, sizeof(*hold));
	bool is_whole = false;
	cfg_t *root = NULL;

	r->again = false;
	for (unsigned int in = 0; hold && in < HOLDS; in++)
		hold_fill(r, in, hold);
	if (hold)
		root = cfg_init(hold[HOLD_ROOT], CFGF_NONE);
	if (root)
		is_whole = reading_parse(r, root, text);
	free(hold);
	if (is_whole || r->again || r->has_told)
		return;
	/* It is silent when it has no memory. */
	problem_add(&r->conf->problems, &(struct origin){ r->file, 0 },
		    "there is no memory to read it");
	r->conf->is_torn = true;
}

void conf_read(struct conf *c, const struct conf_file *file, const char *text)
{
	struct reading r = { .conf = c, .file = file };

	reading_now = &r;
	do
		reading_pass(&r, text);
	while (r.again);
	strange_tell(&r.strange, file, &c->problems);
	reading_now = NULL;
}
