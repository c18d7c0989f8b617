/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * state.h - which sandboxes shall be up, on disk
 */
#include "base/fault.h"
#include "box/store.h"

#include <stddef.h>
#include <stdint.h>

#define STATE_VERSION 2
#define STATE_MAX     1024 /* sandboxes */

/**
 * struct state_box - one that shall be up
 * @profile:  What it is built from
 * @owner:    Who wished for it
 * @netns:    0 before it was up
 */
struct state_box {
	char name[STORE_NAME];
	char profile[STORE_NAME];
	uid_t owner;
	uint64_t netns;
};

/** struct state - all of them; state_fini() frees */
struct state {
	struct state_box *box;
	size_t count;
};

/**
 * state_parse() - Read what state_save() has written
 * @text:  @len bytes, of any kind
 * @len:   Of @text
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * Return: 0, -EPROTO, or -ENOTSUP if a newer version has written it
 */
int state_parse(const char *text, size_t len, struct state *ret,
		struct fault *f);

/**
 * state_load() - Read the file
 * @path:  File, which must be ours or root's; none is an empty state
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * Return: 0, -EPERM (owner or mode), -EINVAL (no file), or -errno
 */
int state_load(const char *path, struct state *ret, struct fault *f);

/**
 * state_save() - Write the file, whole or not at all, and durably
 * @dir:   Its directory
 * @path:  File; another one beside it is renamed over it
 * @s:     What to write
 * @f:     Why not; then the old one is still there
 *
 * Return: 0 or -errno
 */
int state_save(const char *dir, const char *path, const struct state *s,
	       struct fault *f);

void state_fini(struct state *s);
