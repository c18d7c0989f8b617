/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * conf_read.h - libconfuse, in one file
 */
#include "conf/conf.h"

/**
 * conf_read() - Read a text that conf_text_make() made
 * @c:     Gets its sections, with each value as it was written, and problems
 * @file:  Where it comes from
 * @text:  Text
 */
void conf_read(struct conf *c, const struct conf_file *file, const char *text);
