// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * verb.c - what all verbs share: options, help, and how faults are told
 */
#include "verb.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void verb_help(const struct verb *v, FILE *to)
{
	(void)fprintf(to, "usage: nsproxy %s%s%s\n\n%s\n", v->name,
		      v->args[0] ? " " : "", v->args, v->line);
	(void)fputs("\noptions:\n", to);
	opts_help(v->opts, v->opt_count, to);
	if (v->more)
		(void)fprintf(to, "\n%s", v->more);
}

void verb_manual(const struct verb *v, FILE *to)
{
	(void)fprintf(to, "## nsproxy %s ", v->name);
	opts_escape(v->args, to);
	(void)fputs("\n\n", to);
	opts_escape(v->line, to);
	(void)fputs("\n\n", to);
	opts_manual(v->opts, v->opt_count, to);
}

int verb_say(const struct verb *v, const struct fault *f, int status)
{
	char said[2 * sizeof(f->text)];
	char hint[2 * sizeof(f->hint)];
	char text[sizeof(said) + sizeof(hint) + 64];
	int len;

	/* A word that somebody gave may be anything. */
	text_plain(said, sizeof(said), f->text, strlen(f->text));
	text_plain(hint, sizeof(hint), f->hint, strlen(f->hint));
	len = snprintf(text, sizeof(text), "nsproxy: %s: %s\n%s%s%s", v->name,
		       said, f->hint[0] ? "hint: " : "", hint,
		       f->hint[0] ? "\n" : "");
	if (len > 0)
		(void)fd_write_all(STDERR_FILENO, text, strlen(text));
	return status; /* nobody can be told that telling failed */
}

bool verb_options(const struct verb *v, char **argv, void *ctx, int *ret_used,
		  int *ret_status)
{
	struct fault f = { 0 };
	const int rc =
		opts_parse(v->opts, v->opt_count, argv, ctx, ret_used, &f);

	if (rc == 0)
		return true;
	if (rc > 0) {
		verb_help(v, stdout);
		*ret_status = STATUS_DONE;
	} else {
		*ret_status = verb_say(v, &f, v->misuse);
	}
	return false;
}

bool verb_words(const struct verb *v, char **argv, void *ctx, int *ret_status)
{
	char **to = argv;
	bool are_over = false;
	int used;

	while (*argv) {
		if (are_over)
			used = 0;
		else if (!verb_options(v, argv, ctx, &used, ret_status))
			return false;
		are_over |= used > 0 && !strcmp(argv[used - 1], "--");
		argv += used;
		if (*argv)
			*to++ = *argv++;
	}
	*to = NULL;
	return true;
}

int verb_no_words(const struct verb *v, char **argv)
{
	struct fault f = { 0 };

	if (!argv[0])
		return STATUS_DONE;
	(void)fault_plain(&f, -EINVAL, "it takes no arguments");
	return verb_say(v, &f, STATUS_MISUSED);
}

int verb_take_verbose(void *ctx, const char *value, struct fault *f)
{
	int *level = ctx;

	(void)value;
	if (*level == LOG_LEVEL_ERR)
		return fault_plain(f, -1,
				   "--quiet and --verbose exclude each "
				   "other");
	if (*level < LOG_LEVEL_TRACE)
		(*level)++;
	return 0;
}

int verb_take_quiet(void *ctx, const char *value, struct fault *f)
{
	int *level = ctx;

	(void)value;
	if (*level != LOG_LEVEL_WARN)
		return fault_plain(f, -1,
				   "--quiet and --verbose exclude each "
				   "other");
	*level = LOG_LEVEL_ERR;
	return 0;
}
