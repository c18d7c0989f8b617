// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf.c - a configuration: all files, taken whole or not at all
 *
 * Texts come in by conf_files.c, are made safe by conf_text.c, become sections
 * in conf_read.c and are judged as a whole by conf_check.c.
 */
#include "conf/conf.h"

#include "conf/conf_read.h"
#include "conf/conf_text.h"

#include <stdlib.h>
#include <string.h>

void conf_init(struct conf *c, uid_t uid)
{
	*c = (struct conf){ .uid = uid };
	c->problems.arena = &c->arena;
}

void conf_fini(struct conf *c)
{
	arena_fini(&c->arena);
	*c = (struct conf){ 0 };
}

struct conf_file *conf_new_file(struct conf *c, const char *path,
				enum conf_layer layer)
{
	struct conf_file *file;

	if (c->file_count == CONF_FILES)
		return NULL;
	file = arena_take(&c->arena, sizeof(*file));
	file->path = arena_text(&c->arena, path, strlen(path));
	file->number = c->file_count;
	file->layer = layer;
	c->file[c->file_count++] = file;
	return file;
}

void conf_add_text(struct conf *c, const struct conf_file *file,
		   const char *text, size_t len)
{
	char *safe = conf_text_make(text, len, file, &c->problems);

	if (!safe) {
		c->is_torn = true;
		return;
	}
	conf_read(c, file, safe);
	explicit_bzero(safe, strlen(safe));
	free(safe);
}

bool conf_is_seen(const struct section *s, enum conf_layer layer)
{
	return s->at.file->layer == LAYER_NAMED || s->at.file->layer <= layer;
}

const struct section *conf_find(const struct conf *c, enum section_kind kind,
				const char *name, enum conf_layer layer)
{
	const struct section *found = NULL;

	for (const struct section *s = c->first; s; s = s->next) {
		if (s->kind != kind || strcmp(s->name, name) != 0 ||
		    !conf_is_seen(s, layer))
			continue;
		if (!found || s->at.file->layer > found->at.file->layer)
			found = s;
	}
	return found;
}

struct setting conf_default(struct conf *c, const struct key *k)
{
	struct value *value;

	if (!k->initial)
		return (struct setting){ 0 };
	value = arena_take(&c->arena, sizeof(*value));
	value->text = k->initial;
	return (struct setting){ .count = 1, .value = value };
}
