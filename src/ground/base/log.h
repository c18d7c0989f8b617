/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/** enum log_level - who must act: err someone, warn nobody any more, ... */
enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
};

/**
 * log_init() - Say who speaks and how much
 * @prefix:  Put before each line after "nsproxy: "; static, may be empty
 * @level:   The last level that is written
 */
void log_init(const char *prefix, enum log_level level);

/** log_level_now() - The last level that is written */
enum log_level log_level_now(void);

/** log_level_mark() - What stands before a line: "warning: ", ... or "" */
const char *log_level_mark(enum log_level level);

/**
 * log_fn - takes a line instead of standard error
 * @text:  The sentence alone: no prefix, no mark, no newline
 *
 * What it logs itself is written to standard error.
 */
typedef void log_fn(void *ctx, enum log_level level, const char *text);

/** log_divert() - Give all lines to @fn from now on; NULL ends that */
void log_divert(log_fn *fn, void *ctx);

/**
 * log_say() - Write one line to standard error in a single write(2)
 * @level:  Dropped when above the level of log_init()
 * @fmt:    printf format; strings from outside go through text_quote() first
 *
 * Where standard error does not block and is full, the line is lost; the next
 * one that is not says how many were.
 */
void log_say(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_err(...)  log_say(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_say(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_say(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                         \
	do {                                                   \
		if (log_level_now() >= LOG_LEVEL_DEBUG)        \
			log_say(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)
#define log_trace(...)                                         \
	do {                                                   \
		if (log_level_now() >= LOG_LEVEL_TRACE)        \
			log_say(LOG_LEVEL_TRACE, __VA_ARGS__); \
	} while (0)

/**
 * struct log_gate - lets one line of a kind through in a while
 * @next_ms:  Monotonic time before which the kind stays silent
 * @hushed:   How many were swallowed since the last one let through
 */
struct log_gate {
	unsigned long long next_ms;
	unsigned int hushed;
};

/**
 * log_may() - May a line of this kind be written now?
 * @g:       Gate of the kind
 * @now_ms:  Monotonic time
 * @gap_ms:  Least distance of two lines
 *
 * Return: 0 for no; else 1 + the number swallowed since the last line
 */
unsigned int log_may(struct log_gate *g, unsigned long long now_ms,
		     unsigned int gap_ms);
