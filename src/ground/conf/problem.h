/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * problem.h - all that is wrong with a configuration
 */
#include "conf/arena.h"

#include <stdbool.h>
#include <stdio.h>

/* Whose rules hold for a file; of the first three, a later one's sections go
 * before those of the same name in an earlier one's. */
enum conf_layer {
	LAYER_PRESET, /* comes with the program */
	LAYER_SYSTEM, /* /etc/nsproxy: root's */
	LAYER_USER,   /* the user's own */
	LAYER_NAMED,  /* named on the command line: root's or the user's */
};

/**
 * struct conf_file - a file that was read
 * @path:            As opened
 * @number:          Its place in the order of reading
 * @layer:           Whose it is
 * @open_to_others:  Others than its owner may read it
 */
struct conf_file {
	const char *path;
	unsigned int number;
	enum conf_layer layer;
	bool open_to_others;
};

/**
 * struct origin - where something was said
 * @file:  NULL: nowhere, it is a default of the program's
 * @line:  From 1; 0: the file as a whole
 */
struct origin {
	const struct conf_file *file;
	unsigned int line;
};

#define ORIGIN_TEXT 300 /* room for a place in words; a longer path is cut */

/** origin_text() - "FILE:LINE", "FILE", or "default"; Return: @to */
const char *origin_text(const struct origin *at, char *to);

/** struct problem - one sentence and the place it is about */
struct problem {
	struct problem *next;
	struct origin at;
	const char *text;
};

#define PROBLEMS_MAX 500

/**
 * struct problems - a list of them
 * @arena:  Whose memory they take
 * @first:  Sorted by file and line
 * @count:  How many; no more than PROBLEMS_MAX are kept
 */
struct problems {
	struct arena *arena;
	struct problem *first;
	unsigned int count;
};

/**
 * problem_add() - Note what is wrong
 * @ps:   List; a problem it has already is not added again
 * @at:   Where
 * @fmt:  printf format of one sentence; bytes from outside quoted
 */
void problem_add(struct problems *ps, const struct origin *at, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));
