/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * conf_text.h - make a text safe for libconfuse to read
 */
#include "conf/problem.h"

#include <stddef.h>

/**
 * conf_text_make() - Rewrite a configuration so that it means what it says
 * @raw:   Text of any bytes
 * @len:   Of @raw
 * @file:  For problems
 * @ps:    Gets what is wrong with the words; all of it in one go
 *
 * No environment variable is expanded in the result; line numbers are kept;
 * the title of each section becomes "LINE:COUNT" or "LINE:COUNT TITLE", so that
 * two of the same name stay two and each knows where it began.
 *
 * Return: text to be freed; NULL if there was a problem
 */
char *conf_text_make(const char *raw, size_t len, const struct conf_file *file,
		     struct problems *ps);
