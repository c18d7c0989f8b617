// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * log.c - one sentence a line, to standard error
 *
 * A line is one write(2), so that lines of several processes do not mix.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *log_prefix = "";
static enum log_level log_max = LOG_LEVEL_WARN;
static log_fn *log_diverted;
static void *log_diverted_ctx;
static unsigned int log_lost;

static const char *const log_level_name[] = {
	[LOG_LEVEL_ERR] = "error: ",   [LOG_LEVEL_WARN] = "warning: ",
	[LOG_LEVEL_INFO] = "",	       [LOG_LEVEL_DEBUG] = "debug: ",
	[LOG_LEVEL_TRACE] = "trace: ",
};

void log_init(const char *prefix, enum log_level level)
{
	log_prefix = prefix;
	log_max = level;
}

enum log_level log_level_now(void)
{
	return log_max;
}

const char *log_level_mark(enum log_level level)
{
	return log_level_name[level];
}

void log_divert(log_fn *fn, void *ctx)
{
	log_diverted = fn;
	log_diverted_ctx = ctx;
}

/** log_write() - One line, whose newline has room */
static void log_write(char *line)
{
	size_t used = strlen(line);

	line[used++] = '\n';
	/* Nobody can be told that telling failed, but of the next one. */
	if (write(STDERR_FILENO, line, used) >= 0)
		log_lost = 0;
	else if (errno == EAGAIN)
		log_lost++;
}

void log_say(enum log_level level, const char *fmt, ...)
{
	log_fn *const fn = log_diverted;
	const int kept = errno;
	char line[1024];
	int used = 0;
	va_list ap;
	int n;

	if (level > log_max)
		return;
	if (!fn)
		used = snprintf(line, sizeof(line), "nsproxy: %s%s", log_prefix,
				log_level_name[level]);
	if (!fn && log_lost > 0)
		used += snprintf(line + used, sizeof(line) - (size_t)used,
				 "(%u lines were lost here) ", log_lost);
	va_start(ap, fmt);
	n = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, fmt, ap);
	va_end(ap);
	if (n >= 0 && fn) {
		log_diverted = NULL;
		fn(log_diverted_ctx, level, line);
		log_diverted = fn;
	} else if (n >= 0) {
		log_write(line);
	}
	errno = kept;
}

unsigned int log_may(struct log_gate *g, unsigned long long now_ms,
		     unsigned int gap_ms)
{
	const unsigned int hushed = g->hushed;

	if (now_ms < g->next_ms) {
		g->hushed++;
		return 0;
	}
	g->next_ms = now_ms + gap_ms;
	g->hushed = 0;
	return hushed + 1;
}
