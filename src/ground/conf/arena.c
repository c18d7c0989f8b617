// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * arena.c - memory that is freed as a whole
 *
 * A configuration is built once, read often and dropped in one go; nobody
 * has to know which of its texts belongs to whom.
 */
#include "conf/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_piece {
	struct arena_piece *before;
	size_t size;
	max_align_t bytes[];
};

void *arena_take(struct arena *a, size_t size)
{
	struct arena_piece *p = calloc(1, sizeof(*p) + size);

	if (!p) {
		(void)fputs("nsproxy: no memory for the configuration\n",
			    stderr);
		abort();
	}
	p->before = a->last;
	p->size = size;
	a->last = p;
	return p->bytes;
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_take(a, len + 1);

	memcpy(copy, text, len);
	return copy;
}

void arena_fini(struct arena *a)
{
	while (a->last) {
		struct arena_piece *p = a->last;

		a->last = p->before;
		explicit_bzero(p->bytes, p->size); /* a URL may hold a secret */
		free(p);
	}
}
