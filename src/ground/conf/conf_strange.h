/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * conf_strange.h - words that are unknown where they stand
 */
#include "conf/conf.h"

#define STRANGE_MAX  64 /* of one text */
#define STRANGE_NAME 64

/* What a brace can hold, beside the kinds of sections. */
enum hold {
	HOLD_ROOT = SECTION_KINDS, /* the file itself */
	HOLD_ANY,		   /* a section nobody knows */
	HOLD_DEEP, /* such a one in another, or in a known one */
	HOLDS
};

/**
 * struct strange - one of them
 * @in:          Where: an enum section_kind or enum hold
 * @like:        What it holds, if it is a section: the kind that was meant
 * @is_section:  Braces follow it, not a value
 */
struct strange {
	unsigned int in;
	unsigned int like;
	bool is_section;
	unsigned int line;
	char name[STRANGE_NAME];
};

/** struct strangers - those of one text */
struct strangers {
	struct strange word[STRANGE_MAX];
	unsigned int count;
};

/** strange_find() - The one of this name in @in, or NULL */
struct strange *strange_find(struct strangers *all, unsigned int in,
			     const char *name);

/** strange_section() - The section of this name, wherever it is, or NULL */
const struct strange *strange_section(const struct strangers *all,
				      const char *name);

/**
 * strange_add() - Note a word
 * @all:   List
 * @in:    Where it stands
 * @line:  In the file
 * @name:  Word
 *
 * Return: whether there is room, and it was not there yet
 */
bool strange_add(struct strangers *all, unsigned int in, unsigned int line,
		 const char *name);

/** strange_tell() - Note a problem for each, with what may have been meant */
void strange_tell(const struct strangers *all, const struct conf_file *file,
		  struct problems *ps);
