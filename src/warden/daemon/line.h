/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * line.h - one line that the daemon or a sandbox's process has said
 */
#include "base/log.h"
#include "box/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MAX 1024 /* of a text, its NUL included */

/**
 * struct line - a line; may be in more than one ring
 * @seq:      Grows by one with each line of the daemon; from 1
 * @time_ms:  When it was said, milliseconds since 1970
 * @refs:     How many hold it
 * @from:     The sandbox it is of or about; empty for the daemon alone
 * @text:     The sentence: printable ASCII, no mark, NUL-terminated
 */
struct line {
	uint64_t seq;
	int64_t time_ms;
	unsigned int refs;
	enum log_level level;
	char from[STORE_NAME];
	size_t len;
	char text[];
};

/**
 * line_new() - Make one, with one reference; .seq and .time_ms are 0
 * @level:  Of it
 * @from:   Good name of a sandbox, or ""
 * @text:   Any bytes; what cannot be printed is escaped, what is too long cut
 * @len:    Of @text
 *
 * Return: NULL without memory
 */
struct line *line_new(enum log_level level, const char *from, const char *text,
		      size_t len);
struct line *line_get(struct line *l);
void line_put(struct line *l);

/**
 * line_hear() - Take apart what a process of a sandbox has written
 * @text:  @len bytes, perhaps hostile ones; log_say()'s prefix and mark, and
 *         the newline, are taken off
 * @len:   Of @text
 * @from:  The sandbox
 *
 * What has no prefix of ours is somebody else's, and a warning.
 *
 * Return: as line_new(); NULL also when nothing is left
 */
struct line *line_hear(const char *text, size_t len, const char *from);

/**
 * line_own() - Take apart what the daemon itself says
 * @text:  As for log_fn; "sandbox 'NAME': ..." and "sandbox 'NAME' is ..." are
 *         about that sandbox, and lose these words
 *
 * Return: as line_new()
 */
struct line *line_own(enum log_level level, const char *text);

/** line_level_name() - "error", "warning", "info", "debug" or "trace" */
const char *line_level_name(enum log_level level);

/**
 * line_show() - Write it as standard error gets it, with its newline
 * @l:         Line
 * @priority:  With the "<4>" that systemd's journal understands
 * @to:        Room
 * @size:      Of @to, more than LINE_MAX + 100 so that all fits
 *
 * Return: length
 */
size_t line_show(const struct line *l, bool priority, char *to, size_t size);
