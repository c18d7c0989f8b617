// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * execute.c - the last step: a process of ours becomes the command
 */
#include "box/execute.h"

#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As shells have them. */
#define EXIT_NOT_EXECUTED 126
#define EXIT_NOT_FOUND	  127

/**
 * execute_is_somewhere() - Is there a file of this name in PATH, or as a path?
 *
 * execvp(3) says EACCES also when it could not look into one directory of PATH
 * and has found nothing in the others; a shell says that it is not there.
 */
static bool execute_is_somewhere(const char *name)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];

	if (strchr(name, '/') || !path)
		return true;
	for (;;) {
		const size_t len = strcspn(path, ":");

		(void)snprintf(file, sizeof(file), "%.*s%s%s", (int)len, path,
			       len > 0 ? "/" : "", name);
		if (access(file, F_OK) == 0)
			return true;
		if (path[len] == '\0')
			return false;
		path += len + 1;
	}
}

void execute_command(const char *verb, char **argv)
{
	char name[256];
	int code;

	(void)execvp(argv[0], argv);
	code = errno;
	if (code == EACCES && !execute_is_somewhere(argv[0]))
		code = ENOENT;
	(void)text_quote(name, sizeof(name), argv[0], strlen(argv[0]));
	if (code == ENOENT)
		(void)dprintf(STDERR_FILENO,
			      "nsproxy: %s: %s: command not found\n", verb,
			      name);
	else
		(void)dprintf(STDERR_FILENO, "nsproxy: %s: %s: %s\n", verb,
			      name, strerror(code));
	_exit(code == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTED);
}
