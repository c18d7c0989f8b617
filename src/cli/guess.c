// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * guess.c - what did they mean whose first word is no verb?
 *
 * Tools of this kind often take the command straight away; whoever expects
 * that is told the words to type.
 */
#include "guess.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUESS_COLUMNS 80
#define GUESS_SHOWN   40 /* bytes of the word itself */

static bool guess_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

static bool guess_is_program(const char *word)
{
	const char *dirs = getenv("PATH");
	char path[4096];

	if (strchr(word, '/'))
		return guess_is_file(word);
	for (const char *at = dirs; at; at = strchr(at, ':')) {
		int n;

		at += *at == ':';
		n = snprintf(path, sizeof(path), "%.*s/%s",
			     (int)strcspn(at, ":"), at, word);
		if (n > 0 && (size_t)n < sizeof(path) && guess_is_file(path))
			return true;
	}
	return false;
}

/** guess_add() - Append a word as a shell would need it; false: no room */
static bool guess_add(char *line, size_t size, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=.,/:@%";
	const size_t used = strlen(line);
	char shown[GUESS_COLUMNS];
	const char *mark = "";
	int n;

	if (strlen(word) >= sizeof(shown))
		return false;
	if (word[0] == '\0' || word[strspn(word, plain)] != '\0')
		mark = "'";
	/* A quote inside would need more than quotes around. */
	if (strchr(word, '\''))
		return false;
	text_quote(shown, sizeof(shown), word, strlen(word));
	n = snprintf(line + used, size - used, " %s%s%s", mark, shown, mark);
	if (n > 0 && (size_t)n < size - used)
		return true;
	line[used] = '\0';
	return false;
}

void guess_verb(char *const *argv, const char *const *names, size_t count)
{
	char line[GUESS_COLUMNS] = "nsproxy run --";
	char shown[GUESS_SHOWN];
	const char *near = text_did_you_mean(argv[0], names, count);
	const char *more = "";

	text_quote(shown, sizeof(shown), argv[0], strlen(argv[0]));
	if (argv[0][0] == '-') {
		(void)fprintf(stderr,
			      "nsproxy: '%s' is no verb; did you mean: nsproxy "
			      "run %s ...\n",
			      shown, shown);
		return;
	}
	if (!guess_is_program(argv[0])) {
		(void)fprintf(stderr, "nsproxy: '%s' is no verb%s%s%s\n", shown,
			      near ? "; did you mean '" : "", near ? near : "",
			      near ? "'?" : "; see nsproxy help");
		return;
	}
	for (; argv[0] && more[0] == '\0'; argv++)
		if (!guess_add(line, sizeof(line) - 4, argv[0]))
			more = " …";
	(void)fprintf(stderr, "nsproxy: '%s' is no verb; did you mean: %s%s\n",
		      shown, line, more);
}
