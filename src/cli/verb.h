/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * verb.h - what `nsproxy WORD` is made of
 *
 * Each verb stands beside its code; the table of all is in main.c.
 */
#include "base/fault.h"
#include "conf/opts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit statuses (run has also its command's own, 126 and 127). */
enum verb_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_MISUSED = 2,
	STATUS_NOT_RUNNING = 3, /* it is there, and not up */
	STATUS_UNKNOWN = 4,	/* there is no such sandbox or profile */
	STATUS_DENIED = 5,
	STATUS_UNREACHABLE = 6, /* the proxy */
	STATUS_NOT_BEGUN = 125, /* `run`: the command was never started */
};

/**
 * struct verb - one word after "nsproxy"
 * @name:    The word
 * @args:    Synopsis of what follows
 * @line:    What it does, in one line
 * @more:    Text behind the options in its help; may be NULL
 * @opts:    Its options
 * @opt_count:  Of @opts
 * @misuse:  Status when it is called wrongly
 * @fn:      Does it; @argv begins behind the verb and ends with NULL
 */
struct verb {
	const char *name;
	const char *args;
	const char *line;
	const char *more;
	const struct opt *opts;
	size_t opt_count;
	int misuse;
	int (*fn)(const struct verb *v, char **argv);
};

extern const struct verb verb_run;
extern const struct verb verb_serve;
extern const struct verb verb_check;
extern const struct verb verb_demo;
extern const struct verb verb_config;
extern const struct verb verb_daemon;
extern const struct verb verb_up;
extern const struct verb verb_down;
extern const struct verb verb_restart;
extern const struct verb verb_switch;
extern const struct verb verb_reload;
extern const struct verb verb_attach;
extern const struct verb verb_detach;
extern const struct verb verb_list;
extern const struct verb verb_status;
extern const struct verb verb_exec;
extern const struct verb verb_shell;
extern const struct verb verb_pids;
extern const struct verb verb_id;
extern const struct verb verb_logs;
extern const struct verb verb_gc;
extern const struct verb verb_stop;
extern const struct verb verb_version;

/**
 * verb_options() - Read the options of a verb, or say why not
 * @v:           Verb
 * @argv:        Words behind the verb
 * @ctx:         For the options' take()
 * @ret_used:    How many words were options
 * @ret_status:  Set when false is returned: what to exit with
 *
 * Return: whether the verb may go on
 */
bool verb_options(const struct verb *v, char **argv, void *ctx, int *ret_used,
		  int *ret_status);

/**
 * verb_words() - Read options wherever they stand, for verbs without a command
 * @v:           Verb
 * @argv:        Words behind the verb; afterwards only those that are no option
 * @ctx:         For the options' take()
 * @ret_status:  Set when false is returned: what to exit with
 *
 * Return: whether the verb may go on
 */
bool verb_words(const struct verb *v, char **argv, void *ctx, int *ret_status);

/** verb_no_words() - A verb that takes none: are there any? Return: exit
 * status, and STATUS_DONE when there are none */
int verb_no_words(const struct verb *v, char **argv);

/** verb_help() - Write synopsis, options and the rest of a verb's help */
void verb_help(const struct verb *v, FILE *to);

/** verb_manual() - Write a verb's part of the manual, as scdoc(5) */
void verb_manual(const struct verb *v, FILE *to);

/**
 * verb_say() - Tell a fault on standard error
 * @v:       Verb that failed
 * @f:       "nsproxy: VERB: sentence", and "hint: ..." if it has one
 * @status:  What the caller exits with
 *
 * Return: @status
 */
int verb_say(const struct verb *v, const struct fault *f, int status);

/**
 * verb_take_verbose() / verb_take_quiet() - take() of -v and -q
 * @ctx:  Must point to a struct whose first member is an int log level that
 *        began as LOG_LEVEL_WARN
 */
int verb_take_verbose(void *ctx, const char *value, struct fault *f);
int verb_take_quiet(void *ctx, const char *value, struct fault *f);

#define VERB_OPT_QUIET                                               \
	{                                                            \
		'q', "quiet", NULL, false, "say nothing but errors", \
			verb_take_quiet                              \
	}
#define VERB_OPT_VERBOSE                                                      \
	{                                                                     \
		'v', "verbose", NULL, true,                                   \
			"say more; -vv and -vvv even more", verb_take_verbose \
	}
