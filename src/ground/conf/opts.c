// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * opts.c - command-line options from a table
 *
 * A short form may be joined with its argument (-xURL) and, without one, with
 * others (-qv); a long one takes "=" or the next word.
 */
#include "conf/opts.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define OPTS_SHOWN 64 /* bytes of the user's words in a sentence */

/** struct opts_walk - where we are in the words */
struct opts_walk {
	const struct opt *opts;
	size_t count;
	char *const *argv;
	int at;
	uint32_t seen;
	void *ctx;
	struct fault *f;
};

static int opts_take(struct opts_walk *w, const struct opt *o,
		     const char *value)
{
	const uint32_t bit = 1u << (o - w->opts);

	if ((w->seen & bit) && !o->repeats)
		return fault_plain(w->f, -EINVAL, "'--%s' is given twice",
				   o->name);
	w->seen |= bit;
	return o->take(w->ctx, value, w->f);
}

/** opts_need() - The next word is the argument of @o */
static int opts_need(struct opts_walk *w, const struct opt *o)
{
	const char *value = w->argv[w->at];

	if (!value)
		return fault_plain(w->f, -EINVAL, "'--%s' needs its %s",
				   o->name, o->arg);
	w->at++;
	return opts_take(w, o, value);
}

static int opts_unknown(struct opts_walk *w, const char *name, size_t len)
{
	const char *names[OPTS_MAX];
	char word[OPTS_SHOWN];
	char shown[OPTS_SHOWN];
	const char *near = NULL;
	size_t n = 0;

	for (size_t i = 0; i < w->count; i++)
		if (w->opts[i].help)
			names[n++] = w->opts[i].name;
	if (len > 3 && text_starts(name, "--") &&
	    text_copy_n(word, sizeof(word), name + 2, len - 2))
		near = text_did_you_mean(word, names, n);
	(void)fault_plain(w->f, -EINVAL, "unknown option '%s'",
			  text_quote(shown, sizeof(shown), name, len));
	if (near)
		return fault_hint(w->f, "did you mean '--%s'?", near);
	return fault_hint(w->f, "--help lists the options");
}

static int opts_long(struct opts_walk *w, const char *word)
{
	const size_t len = strcspn(word, "=");
	const char *value = word[len] == '=' ? word + len + 1 : NULL;

	if (!strcmp(word, "--help"))
		return 1;
	for (size_t i = 0; i < w->count; i++) {
		const struct opt *o = &w->opts[i];

		if (strlen(o->name) != len - 2 ||
		    strncmp(o->name, word + 2, len - 2) != 0)
			continue;
		if (value && !o->arg)
			return fault_plain(w->f, -EINVAL,
					   "'--%s' takes no argument", o->name);
		return o->arg && !value ? opts_need(w, o)
					: opts_take(w, o, value);
	}
	return opts_unknown(w, word, len);
}

static const struct opt *opts_find_brief(const struct opts_walk *w, char c)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->opts[i].brief == c)
			return &w->opts[i];
	return NULL;
}

static int opts_short(struct opts_walk *w, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		const struct opt *o = opts_find_brief(w, *c);
		const char one[] = { '-', *c, '\0' };
		int rc;

		if (!o && *c == 'h')
			return 1;
		if (!o)
			return opts_unknown(w, one, 2);
		if (o->arg)
			return c[1] ? opts_take(w, o, c + 1) : opts_need(w, o);
		rc = opts_take(w, o, NULL);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int opts_parse(const struct opt *opts, size_t count, char *const *argv,
	       void *ctx, int *ret_used, struct fault *f)
{
	struct opts_walk w = {
		.opts = opts, .count = count, .argv = argv, .ctx = ctx, .f = f
	};
	int rc = 0;

	while (rc == 0 && argv[w.at]) {
		const char *word = argv[w.at];

		if (word[0] != '-' || word[1] == '\0')
			break;
		w.at++;
		if (!strcmp(word, "--"))
			break;
		rc = word[1] == '-' ? opts_long(&w, word)
				    : opts_short(&w, word);
	}
	if (rc == 0)
		*ret_used = w.at;
	return rc;
}

/** opts_form() - "-x, --proxy URL" */
static int opts_form(const struct opt *o, char *to, size_t size)
{
	char brief[] = "    ";

	if (o->brief) {
		brief[0] = '-';
		brief[1] = o->brief;
		brief[2] = ',';
	}
	return snprintf(to, size, "%s--%s%s%s", brief, o->name,
			o->arg ? " " : "", o->arg ? o->arg : "");
}

void opts_help(const struct opt *opts, size_t count, FILE *to)
{
	static const struct opt help = { .brief = 'h',
					 .name = "help",
					 .help = "show this" };
	char form[64];
	int wide = opts_form(&help, form, sizeof(form));

	for (size_t i = 0; i < count; i++) {
		const int n = opts_form(&opts[i], form, sizeof(form));

		if (opts[i].help && n > wide)
			wide = n;
	}
	for (size_t i = 0; i <= count; i++) {
		const struct opt *o = i < count ? &opts[i] : &help;

		if (!o->help)
			continue;
		(void)opts_form(o, form, sizeof(form));
		(void)fprintf(to, "  %-*s  %s\n", wide, form, o->help);
	}
}

void opts_escape(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (strchr("\\*_", *text))
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
}

void opts_manual(const struct opt *opts, size_t count, FILE *to)
{
	for (size_t i = 0; i < count; i++) {
		const struct opt *o = &opts[i];

		if (!o->help)
			continue;
		(void)fputc('*', to);
		if (o->brief)
			(void)fprintf(to, "-%c*, *", o->brief);
		(void)fprintf(to, "--%s*", o->name);
		if (o->arg) {
			(void)fputs(" _", to);
			opts_escape(o->arg, to);
			(void)fputc('_', to);
		}
		(void)fputs("\n\t", to);
		opts_escape(o->help, to);
		(void)fputs("\n\n", to);
	}
}
