/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * keys.h - what may stand in a configuration: one table
 *
 * The reader, the checks, "did you mean", `config show` and the manual's list
 * all come from it.
 */
#include "base/fault.h"

#include <stdbool.h>
#include <stdio.h>

enum section_kind {
	SECTION_PROXY,
	SECTION_PROFILE,
	SECTION_DEFAULTS, /* the keys of a profile */
	SECTION_ENGINE,
	SECTION_HELPER, /* inside a profile */
	SECTION_KINDS
};

enum key_type {
	KEY_TEXT,  /* one */
	KEY_TEXTS, /* a list; a single text will do */
	KEY_FLAG,  /* true or false */
	KEY_WORD,  /* one of @words */
};

/* Index of a key in its section's part of the table. */
enum proxy_key {
	PROXY_URL,
	PROXY_USERNAME,
	PROXY_PASSWORD_FILE,
	PROXY_UDP,
	PROXY_KEYS
};

enum profile_key {
	PROFILE_CHAIN,
	PROFILE_DNS,
	PROFILE_EXPOSE,
	PROFILE_PUBLISH,
	PROFILE_USERS,
	PROFILE_AUTOSTART,
	PROFILE_VETH,
	PROFILE_VETH_PORTS,
	PROFILE_GUARD,
	PROFILE_ISOLATE,
	PROFILE_ONLY,
	PROFILE_ATTACH,
	PROFILE_WIREGUARD,
	PROFILE_ENGINE,
	PROFILE_KEYS
};

enum engine_key {
	ENGINE_COMMAND,
	ENGINE_USER,
	ENGINE_KEYS
};

enum helper_key {
	HELPER_COMMAND,
	HELPER_USER,
	HELPER_RESTART,
	HELPER_WHERE,
	HELPER_READY,
	HELPER_KEYS
};

#define KEYS_MAX	16 /* of one section */
/** KEYS_VETH_PORTS - most values of 'veth-ports' */
#define KEYS_VETH_PORTS 16

/* Words of a KEY_WORD, in the order of the table. */
enum udp_word {
	UDP_ASSOCIATE,
	UDP_NONE
};
/** guard_words - as written, by enum guard_word; ends with NULL */
extern const char *const guard_words[];

enum guard_word {
	GUARD_PLAIN,
	GUARD_GUARDED,
	GUARD_STRICT
};
enum isolate_word {
	ISOLATE_NONE,
	ISOLATE_SANDBOX
};
enum restart_word {
	RESTART_NEVER,
	RESTART_ON_FAILURE,
	RESTART_ALWAYS
};
enum where_word {
	WHERE_SANDBOX,
	WHERE_HOST
};

/**
 * struct key - one option of a section
 * @name:     As written
 * @type:     What it holds
 * @form:     For people: what a value looks like
 * @words:    KEY_WORD: the words, NULL-terminated; else NULL
 * @initial:  Its value when nobody sets it; NULL: none
 * @help:     One sentence
 * @check:    Is this one text good? 0, or -EINVAL with the fault filled;
 *            NULL: any text is
 */
struct key {
	const char *name;
	enum key_type type;
	const char *form;
	const char *const *words;
	const char *initial;
	const char *help;
	int (*check)(const char *text, struct fault *f);
};

/**
 * struct form - what a kind of section may hold
 * @name:      The word it begins with
 * @has_name:  It is called something: profile "work" { ... }
 * @help:      One sentence
 * @key:       Its keys
 * @count:     Of @key, at most KEYS_MAX
 */
struct form {
	const char *name;
	bool has_name;
	const char *help;
	const struct key *key;
	unsigned int count;
};

/** forms - indexed by enum section_kind */
extern const struct form forms[SECTION_KINDS];

/** key_find() - Return: the index of a key in its section, or -1 */
int key_find(enum section_kind kind, const char *name);

/**
 * key_read_flag() - Read true, yes, on, false, no, off
 * @text:  As written, in any case of letters
 * @ret:   Result; untouched on failure
 *
 * Return: whether it was one
 */
bool key_read_flag(const char *text, bool *ret);

/** key_read_word() - Return: the index of @text among @words, or -1 */
int key_read_word(const char *const *words, const char *text);

/** key_near_word() - Return: the word that @text may have meant, or NULL */
const char *key_near_word(const char *const *words, const char *text);

/**
 * name_fault() - Why can nothing be called so?
 * @name:  Of a proxy, profile, engine or helper
 *
 * Return: NULL if it can, else why not (static, fits behind "'NAME': ")
 */
const char *name_fault(const char *name);

/** keys_manual() - Write all sections and keys for the manual, as scdoc(5) */
void keys_manual(FILE *to);
