/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * engine.h - a program that has a sandbox's TUN, as the user names it
 */
#include "base/fault.h"
#include "bus/plan.h"
#include "conf/conf.h"

/**
 * struct engine - one
 * @name:     As written
 * @command:  Program and arguments, placeholders filled in, NULL-terminated
 * @user:     Whom root's runs as; NULL: the user whose section it is
 * @kind:     How it takes the TUN
 * @source:   Words for people: how its program can be had; or NULL
 */
struct engine {
	const char *name;
	const char **command;
	const char *user;
	enum plan_engine kind;
	const char *source;
};

/**
 * engine_word_check() - Does it hold no placeholder but those there are?
 * @text:  One word of a command
 * @f:     Why not
 *
 * Return: 0 or -EINVAL
 */
int engine_word_check(const char *text, struct fault *f);

/**
 * engine_kind() - How does a command take the TUN?
 * @command:  Its words
 * @f:        Why it does not: neither {tun_fd} nor {tun}, or both
 *
 * Return: an enum plan_engine, or -EINVAL
 */
int engine_kind(const struct setting *command, struct fault *f);

/**
 * engine_is_known() - Is there an engine of this name?
 * @c:      Configuration
 * @name:   As written
 * @layer:  Who asks, as for conf_find()
 *
 * Return: whether a section or one of the program's own has it
 */
bool engine_is_known(const struct conf *c, const char *name,
		     enum conf_layer layer);

/**
 * engine_get() - Find an engine, and fill in its command
 * @c:      Configuration that conf_finish() found good
 * @name:   As written
 * @layer:  Who asks, as for conf_find()
 * @ret:    Result; lives as long as @c
 * @f:      Why not, with a hint
 *
 * Return: 0, -ENOENT, or -E2BIG
 */
int engine_get(struct conf *c, const char *name, enum conf_layer layer,
	       struct engine *ret, struct fault *f);
