/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct opt - one command-line option
 * @brief:    One letter, or 0 for none
 * @name:     Long name without its dashes
 * @arg:      Name of its argument; NULL: it takes none
 * @repeats:  It may be given more than once
 * @help:     One line; NULL hides the option from people
 * @take:     Store @value (NULL when it takes none) in @ctx. Return: 0, or
 *            -errno with the fault filled
 */
struct opt {
	char brief;
	const char *name;
	const char *arg;
	bool repeats;
	const char *help;
	int (*take)(void *ctx, const char *value, struct fault *f);
};

#define OPTS_MAX 32 /* options of one verb */

/**
 * opts_parse() - Walk the options of a verb
 * @opts:      Table
 * @count:     Of @opts, at most OPTS_MAX
 * @argv:      First word to look at; NULL-terminated
 * @ctx:       For @take
 * @ret_used:  How many words were options (with "--", if it was there)
 * @f:         Why not
 *
 * Stops behind "--" and before the first word that is no option: what follows
 * is the command's own. "-h" and "--help" are known to every verb.
 *
 * Return: 0; 1 when help was asked for; -EINVAL or what @take returned
 */
int opts_parse(const struct opt *opts, size_t count, char *const *argv,
	       void *ctx, int *ret_used, struct fault *f);

/** opts_help() - Write the options and --help as aligned lines; hidden ones
 * are left out */
void opts_help(const struct opt *opts, size_t count, FILE *to);

/** opts_manual() - Write the options for the manual, as scdoc(5) */
void opts_manual(const struct opt *opts, size_t count, FILE *to);

/** opts_escape() - Write a text so that scdoc(5) takes it literally */
void opts_escape(const char *text, FILE *to);
