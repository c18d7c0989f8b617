// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_text.c - make a text safe for libconfuse to read
 *
 * libconfuse expands ${NAME} from the environment, in double quotes and
 * outside of them. A configuration must mean the same whoever reads it, and
 * the environment is its reader's: so every '$' in double quotes is escaped
 * here, and outside of quotes there may be none. On the way, comments become
 * blanks (libconfuse counts a line too many for each C comment), and strings
 * that are never closed are told where they begin, not where the file ends.
 */
#include "conf/conf_text.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_DEPTH  8  /* braces within braces */
#define SCAN_SHOWN  40 /* bytes of a word in a sentence */
/* The title of a section is the most that is put in for one byte, a brace:
 * two numbers, two quotes, a few blanks. */
#define SCAN_GROWTH 32

/* What the next word is. */
enum scan_state {
	SCAN_NAME,  /* of an option or section */
	SCAN_TITLE, /* behind a name: '=' or '{' or a title */
	SCAN_OPEN,  /* behind a title: '{' */
	SCAN_VALUE, /* behind '=': a text or '{' */
	SCAN_LIST,  /* in the braces of a list */
};

struct scan {
	const char *at;
	const char *end;
	char *to;
	enum scan_state state;
	struct origin here;
	unsigned int titles;
	unsigned int depth;
	unsigned int opened[SCAN_DEPTH];
	bool is_bad;
	struct problems *ps;
};

#define scan_problem(s, ...)                                   \
	do {                                                   \
		(s)->is_bad = true;                            \
		problem_add((s)->ps, &(s)->here, __VA_ARGS__); \
	} while (0)

static char scan_next(const struct scan *s)
{
	return s->at + 1 < s->end ? s->at[1] : '\0';
}

static void scan_put(struct scan *s, const char *from, size_t len)
{
	memcpy(s->to, from, len);
	s->to += len;
}

static void scan_to_line_end(struct scan *s)
{
	while (s->at < s->end && *s->at != '\n')
		s->at++;
}

/** scan_comment() - Blank what stands between slash-star and star-slash */
static void scan_comment(struct scan *s)
{
	const struct origin began = s->here;

	for (s->at += 2; s->at < s->end; s->at++) {
		if (*s->at == '*' && scan_next(s) == '/') {
			s->at += 2;
			scan_put(s, " ", 1);
			return;
		}
		if (*s->at != '\n')
			continue;
		scan_put(s, "\n", 1);
		s->here.line++;
	}
	s->here = began;
	scan_problem(s, "the comment is never closed");
}

/**
 * scan_begin_word() - A word or string begins: put its quote, and before a
 * title its line
 */
static void scan_begin_word(struct scan *s, char quote)
{
	if (s->state == SCAN_NAME) {
		s->state = SCAN_TITLE;
		if (quote) {
			scan_problem(s, "a value stands where an option or a "
					"section should begin");
			return;
		}
	} else if (s->state == SCAN_TITLE) {
		s->state = SCAN_OPEN;
		s->to += sprintf(s->to, "%c%u:%u ", quote ? quote : '\'',
				 s->here.line, s->titles++);
		return;
	} else if (s->state == SCAN_VALUE) {
		s->state = SCAN_NAME;
	}
	if (quote)
		scan_put(s, &quote, 1);
}

/** scan_double_escape() - The character behind a backslash in double quotes */
static void scan_double_escape(struct scan *s)
{
	const char next = scan_next(s);

	if (!next || !strchr("\"\\$nt", next)) {
		scan_problem(s, "a backslash in double quotes must be "
				"followed by one of \" \\ $ n t");
		s->at++;
		return;
	}
	scan_put(s, s->at, 2);
	s->at += 2;
}

/** scan_string() - What is in quotes, with them */
static void scan_string(struct scan *s)
{
	const char quote = *s->at++;

	scan_begin_word(s, quote);
	while (s->at < s->end && *s->at != quote) {
		const unsigned char c = (unsigned char)*s->at;

		if (c == '\n')
			break;
		if (c == '\\' && quote == '"') {
			scan_double_escape(s);
			continue;
		}
		if (c == '\\' && (unsigned char)scan_next(s) >= 0x20) {
			scan_put(s, s->at, 2);
			s->at += 2;
			continue;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			scan_problem(s,
				     "a control character (0x%02x) stands "
				     "in quotes",
				     c);
		if (c == '$' && quote == '"')
			scan_put(s, "\\", 1);
		scan_put(s, s->at++, 1);
	}
	if (s->at < s->end && *s->at == quote) {
		scan_put(s, s->at++, 1);
		return;
	}
	scan_problem(s, "the quote (%c) is not closed in its line", quote);
}

static bool scan_is_bare(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.:@", c));
}

/** scan_word() - A word without quotes */
static void scan_word(struct scan *s)
{
	const bool is_title = s->state == SCAN_TITLE;
	const char *from = s->at;

	while (s->at < s->end && scan_is_bare(*s->at))
		s->at++;
	scan_begin_word(s, '\0');
	scan_put(s, from, (size_t)(s->at - from));
	if (is_title)
		scan_put(s, "'", 1);
}

static void scan_open(struct scan *s)
{
	if (s->state == SCAN_TITLE) /* a section without a title */
		s->to += sprintf(s->to, " '%u:%u' ", s->here.line, s->titles++);
	if (s->state == SCAN_LIST)
		scan_problem(s, "a list cannot hold a list");
	if (s->depth == SCAN_DEPTH)
		scan_problem(s, "the braces are nested too deep");
	else
		s->opened[s->depth++] = s->here.line;
	s->state = s->state == SCAN_VALUE ? SCAN_LIST : SCAN_NAME;
	scan_put(s, "{", 1);
	s->at++;
}

static void scan_close(struct scan *s)
{
	if (s->depth > 0)
		s->depth--;
	else if (!s->is_bad) /* else its '{' may have been overlooked */
		scan_problem(s, "a '}' too many");
	s->state = SCAN_NAME;
	scan_put(s, "}", 1);
	s->at++;
}

static void scan_odd(struct scan *s)
{
	char shown[SCAN_SHOWN];
	size_t len = 1;

	while (s->at + len < s->end && !strchr(" \t\r\n\"'{}=,#", s->at[len]))
		len++;
	text_quote(shown, sizeof(shown), s->at, len);
	scan_problem(s,
		     "'%s' means nothing here; texts with such characters "
		     "stand in quotes",
		     shown);
	scan_to_line_end(s);
}

/** scan_step() - One token, or one blank */
static void scan_step(struct scan *s)
{
	const char c = *s->at;

	if (c == '\n')
		s->here.line++;
	if (c == '#' || (c == '/' && scan_next(s) == '/'))
		scan_to_line_end(s);
	else if (c == '/' && scan_next(s) == '*')
		scan_comment(s);
	else if (c == '"' || c == '\'')
		scan_string(s);
	else if (c == '{')
		scan_open(s);
	else if (c == '}')
		scan_close(s);
	else if (scan_is_bare(c))
		scan_word(s);
	else if (c && strchr(" \t\r\n,=", c)) {
		if (c == '=')
			s->state = SCAN_VALUE;
		scan_put(s, s->at++, 1);
	} else {
		scan_odd(s);
	}
}

char *conf_text_make(const char *raw, size_t len, const struct conf_file *file,
		     struct problems *ps)
{
	char *text = malloc(len * SCAN_GROWTH + SCAN_GROWTH);
	struct scan s = { .at = raw,
			  .end = raw + len,
			  .to = text,
			  .here = { file, 1 },
			  .ps = ps };

	if (!text) {
		scan_problem(&s, "there is no memory to read it");
		return NULL;
	}
	while (s.at < s.end)
		scan_step(&s);
	*s.to = '\0';
	if (s.depth > 0 && !s.is_bad) {
		s.here.line = s.opened[s.depth - 1];
		scan_problem(&s, "the '{' is never closed");
	}
	if (!s.is_bad)
		return text;
	free(text);
	return NULL;
}
