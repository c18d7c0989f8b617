/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

/**
 * table_print() - Write rows of columns, aligned
 * @to:       Stream
 * @cells:    Row after row; the first is the heading
 * @rows:     With the heading
 * @columns:  Of each row
 *
 * No cell may be NULL; an empty one becomes "-".
 */
void table_print(FILE *to, const char *const *cells, size_t rows,
		 size_t columns);
