// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * print.c - lines to standard error, which may be stuck
 *
 * A pager that nobody scrolls must not stop a daemon: what cannot be written at
 * once is left out.
 */
#include "daemon/print.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void print_init(struct print *p)
{
	const char *said = getenv("JOURNAL_STREAM");
	char is[64];
	struct stat st;

	*p = (struct print){ 0 };
	if (!said || fstat(STDERR_FILENO, &st) < 0)
		return;
	/* systemd.exec(5) */
	(void)snprintf(is, sizeof(is), "%llu:%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	p->for_systemd = !strcmp(said, is);
}

void print_line(struct print *p, const struct line *l)
{
	struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };
	char text[LINE_MAX + 200];
	size_t used = 0;

	if (poll(&err, 1, 0) != 1 || !(err.revents & POLLOUT)) {
		p->unwritten++;
		return;
	}
	if (p->unwritten > 0)
		used = (size_t)snprintf(text, sizeof(text),
					"nsproxy: daemon: %u lines were not "
					"written here\n",
					p->unwritten);
	used += line_show(l, p->for_systemd, text + used, sizeof(text) - used);
	p->unwritten = 0;
	/* Nobody can be told that telling failed. */
	(void)!write(STDERR_FILENO, text, used);
}
