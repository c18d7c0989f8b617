/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * conf.h - a configuration: all files, taken whole or not at all
 *
 *	struct conf c;
 *
 *	conf_init(&c, geteuid());
 *	conf_add_dir(&c, CONF_SYSTEM_DIR, LAYER_SYSTEM);
 *	if (conf_finish(&c) < 0)
 *		... c.problems tells why
 *	conf_fini(&c);
 */
#include "conf/keys.h"
#include "conf/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONF_SYSTEM_DIR "/etc/nsproxy"
#define CONF_MAIN_FILE	"nsproxy.conf"
#define CONF_MORE_DIR	"conf.d" /* its *.conf, sorted by name */

#define CONF_FILES	256	     /* in all */
#define CONF_FILE_MAX	(256 * 1024) /* bytes of one */
#define CONF_SECTIONS	4096	     /* in all */
#define CONF_TEXTS	64	     /* of one list */

/** struct value - one text, and where it was said */
struct value {
	const char *text;
	struct origin at;
};

/**
 * struct setting - what a key holds
 * @is_set:  Somebody said so; else the values are the program's default
 * @value:   @count of them; a KEY_TEXTS may have none though it is set
 * @at:      Where it was said
 */
struct setting {
	bool is_set;
	unsigned int count;
	const struct value *value;
	struct origin at;
};

/**
 * struct section - proxy, profile, defaults or helper as it was written
 * @next:    In the order of reading
 * @parent:  SECTION_HELPER: its profile; else NULL
 * @name:    Empty for SECTION_DEFAULTS
 * @at:      Where it begins
 * @set:     By enum proxy_key, profile_key or helper_key; after conf_finish()
 *           with the defaults filled in
 */
struct section {
	struct section *next;
	const struct section *parent;
	enum section_kind kind;
	const char *name;
	struct origin at;
	struct setting set[KEYS_MAX];
};

/**
 * struct conf - a configuration
 * @uid:       Whose files a user's are, and who reads
 * @file:      Those that were read, @file_count of them, in that order
 * @first:     First section
 * @problems:  All that was found wrong
 * @is_torn:   A file could not be read to its end: what refers to other places
 *             cannot be judged
 * @hidden:    Files of the system's that this user may not read
 */
struct conf {
	struct arena arena;
	uid_t uid;
	struct conf_file *file[CONF_FILES];
	unsigned int file_count;
	struct section *first;
	struct section *last;
	unsigned int section_count;
	struct problems problems;
	bool is_torn;
	unsigned int hidden;
};

/** conf_init() - Begin an empty one, read for user @uid */
void conf_init(struct conf *c, uid_t uid);

/** conf_fini() - Free all; whatever pointed into it is dead */
void conf_fini(struct conf *c);

/**
 * conf_add_dir() - Read DIR/nsproxy.conf and DIR/conf.d
 * @c:      Gets sections and problems
 * @dir:    Directory; what is not there is not missed
 * @layer:  LAYER_SYSTEM or LAYER_USER
 */
void conf_add_dir(struct conf *c, const char *dir, enum conf_layer layer);

/**
 * conf_add_file() - Read one file; that it is missing is a problem
 * @c:      Gets sections and problems
 * @path:   File
 * @layer:  Whose rules hold
 */
void conf_add_file(struct conf *c, const char *path, enum conf_layer layer);

/** conf_add_presets() - Read the program's own file, as LAYER_PRESET; what is
 * not there is not missed */
void conf_add_presets(struct conf *c, const char *path);

/**
 * conf_add_text() - Take a text as if it had been a file's
 * @c:     Gets sections and problems
 * @file:  What problems are to name; lives as long as @c
 * @text:  @len bytes, of any kind; not kept
 * @len:   At most CONF_FILE_MAX
 */
void conf_add_text(struct conf *c, const struct conf_file *file,
		   const char *text, size_t len);

/** conf_new_file() - Note a file that is about to be read, or NULL if there
 * are too many; it lives as long as @c */
struct conf_file *conf_new_file(struct conf *c, const char *path,
				enum conf_layer layer);

/**
 * conf_finish() - Judge the whole
 * @c:  All has been added
 *
 * Return: 0; or -EINVAL if anything is wrong, and then only @c->problems may
 * be looked at
 */
int conf_finish(struct conf *c);

/**
 * conf_find() - The section of this name that counts for a place
 * @c:      Configuration
 * @kind:   SECTION_PROXY or SECTION_PROFILE
 * @name:   As written
 * @layer:  Who asks: nobody sees the sections of a higher layer; of those that
 *          are seen the highest layer's counts
 *
 * Return: the section, or NULL
 */
const struct section *conf_find(const struct conf *c, enum section_kind kind,
				const char *name, enum conf_layer layer);

/** conf_is_seen() - May a section be named by what stands in a @layer? */
bool conf_is_seen(const struct section *s, enum conf_layer layer);

/** conf_default() - What a key holds that nobody set */
struct setting conf_default(struct conf *c, const struct key *k);
