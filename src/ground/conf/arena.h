/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * arena.h - memory that is freed as a whole
 */
#include <stddef.h>

struct arena_piece;

/** struct arena - owner of all that was taken from it; zeroed is empty */
struct arena {
	struct arena_piece *last;
};

/**
 * arena_take() - Allocate zeroed memory
 * @a:     Owner
 * @size:  Bytes
 *
 * Never fails: a process that has no memory to read its configuration ends.
 *
 * Return: memory that lives until arena_fini()
 */
void *arena_take(struct arena *a, size_t size);

/** arena_text() - Keep a copy of the first @len bytes of @text, and a NUL */
char *arena_text(struct arena *a, const char *text, size_t len);

/** arena_fini() - Free all of it; what held texts is wiped */
void arena_fini(struct arena *a);
