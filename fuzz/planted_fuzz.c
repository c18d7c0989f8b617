// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * planted_fuzz.c - a decoder with a fault, which must be found
 *
 * The control of all the others: a build that finds nothing here would find
 * nothing there either.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *name = malloc(8);
	volatile uint8_t sink;

	/* It takes the length that it is told. */
	if (name && len > 9 && data[0] == 'N' && data[1] == 8)
		memcpy(name, data + 2, len - 2);
	sink = name ? name[0] : 0;
	(void)sink;
	free(name);
	return 0;
}
