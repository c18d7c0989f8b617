// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * table.c - rows of columns for people
 */
#include "table.h"

#include <string.h>

static const char *table_cell(const char *text)
{
	return text[0] ? text : "-";
}

void table_print(FILE *to, const char *const *cells, size_t rows,
		 size_t columns)
{
	for (size_t row = 0; row < rows; row++) {
		for (size_t col = 0; col < columns; col++) {
			const char *cell =
				table_cell(cells[row * columns + col]);
			int width = 0;

			for (size_t i = 0; i < rows; i++) {
				const char *other =
					table_cell(cells[i * columns + col]);

				if ((int)strlen(other) > width)
					width = (int)strlen(other);
			}
			/* No blanks at a line's end. */
			if (col + 1 == columns)
				(void)fprintf(to, "%s\n", cell);
			else
				(void)fprintf(to, "%-*s  ", width, cell);
		}
	}
}
