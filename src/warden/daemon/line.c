// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * line.c - one line that the daemon or a sandbox's process has said
 *
 * Workers read the network: whatever they write may be an attacker's. Here it
 * becomes text.
 */
#include "daemon/line.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "nsproxy: ";
static const char about[] = "sandbox '";

/* RFC 5424, 6.2.1, as sd-daemon(3) has it. */
static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERR] = { "error", 3 },   [LOG_LEVEL_WARN] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },   [LOG_LEVEL_DEBUG] = { "debug", 7 },
	[LOG_LEVEL_TRACE] = { "trace", 7 },
};

const char *line_level_name(enum log_level level)
{
	return levels[level].name;
}

struct line *line_new(enum log_level level, const char *from, const char *text,
		      size_t len)
{
	char plain[LINE_MAX];
	struct line *l;
	size_t got;

	got = strlen(text_plain(plain, sizeof(plain), text, len));
	l = calloc(1, sizeof(*l) + got + 1);
	if (!l)
		return NULL;
	l->refs = 1;
	l->level = level;
	l->len = got;
	(void)text_copy(l->from, sizeof(l->from), from); /* good names fit */
	memcpy(l->text, plain, got + 1);
	return l;
}

struct line *line_get(struct line *l)
{
	l->refs++;
	return l;
}

void line_put(struct line *l)
{
	if (l && --l->refs == 0)
		free(l);
}

/** line_skip() - Take @word off the front, if it is there */
static bool line_skip(const char **text, size_t *len, const char *word)
{
	const size_t n = strlen(word);

	if (*len < n || memcmp(*text, word, n) != 0)
		return false;
	*text += n;
	*len -= n;
	return true;
}

struct line *line_hear(const char *text, size_t len, const char *from)
{
	enum log_level level = LOG_LEVEL_WARN;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\0'))
		len--;
	if (line_skip(&text, &len, prefix)) {
		level = LOG_LEVEL_INFO; /* which has no mark */
		for (int i = LOG_LEVEL_ERR; i <= LOG_LEVEL_TRACE; i++)
			if (i != LOG_LEVEL_INFO &&
			    line_skip(&text, &len,
				      log_level_mark((enum log_level)i))) {
				level = (enum log_level)i;
				break;
			}
	}
	return len > 0 ? line_new(level, from, text, len) : NULL;
}

struct line *line_own(enum log_level level, const char *text)
{
	const char *name = text + strlen(about);
	const char *end = text_starts(text, about) ? strchr(name, '\'') : NULL;
	char from[STORE_NAME] = "";

	if (end && (text_starts(end, "': ") || text_starts(end, "' is ")) &&
	    text_copy_n(from, sizeof(from), name, (size_t)(end - name)) &&
	    store_name_ok(from))
		text = end[1] == ':' ? end + 3 : end + 2;
	else
		from[0] = '\0';
	return line_new(level, from, text, strlen(text));
}

size_t line_show(const struct line *l, bool priority, char *to, size_t size)
{
	char first[8] = "";
	int n;

	if (priority)
		(void)snprintf(first, sizeof(first), "<%d>",
			       levels[l->level].priority);
	n = snprintf(to, size, "%s%s%s%s%s%s%s\n", first, prefix,
		     l->from[0] ? about : "daemon", l->from,
		     l->from[0] ? "': " : ": ", log_level_mark(l->level),
		     l->text);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}
