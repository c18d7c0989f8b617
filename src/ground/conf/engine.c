// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * engine.c - a program that has a sandbox's TUN, as the user names it
 *
 * tun2socks is known without a section; one of the same name goes before it.
 */
#include "conf/engine.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ENGINE_SHOWN	   80
#define ENGINE_WORD	   4096
#define ENGINE_NAMES	   256 /* candidates for "did you mean" */

#define TEXT_OF_IT(number) #number
#define TEXT_OF(macro)	   TEXT_OF_IT(macro)

/** engine_words - what a placeholder stands for, by kind of engine */
static const struct engine_word {
	const char *name;
	const char *value[ENGINE_NAME + 1];
} engine_words[] = {
	{ "{tun_fd}", { [ENGINE_FD] = TEXT_OF(ENGINE_TUN_FD) } },
	{ "{tun}", { [ENGINE_NAME] = "nsp0" } },
	{ "{proxy}",
	  { [ENGINE_FD] =
		    "socks5://" ENGINE_FRONT ":" TEXT_OF(ENGINE_FRONT_PORT),
	    [ENGINE_NAME] = "socks5://" ENGINE_FRONT_NAME
			    ":" TEXT_OF(ENGINE_PORT_NAME) } },
	{ "{mtu}",
	  { [ENGINE_FD] = TEXT_OF(ENGINE_MTU),
	    [ENGINE_NAME] = TEXT_OF(ENGINE_MTU) } },
};

#define ENGINE_WORDS (sizeof(engine_words) / sizeof(engine_words[0]))

/** engine_known - those that need no section */
static const struct known {
	const char *name;
	const char *source;
	const char *command[16];
} engine_known[] = {
	{ "tun2socks",
	  "go install github.com/xjasonlyu/tun2socks/v2@latest",
	  { "tun2socks", "-device", "fd://{tun_fd}", "-proxy", "{proxy}",
	    "-mtu", "{mtu}", "-loglevel", "warn" } },
};

#define ENGINE_KNOWN (sizeof(engine_known) / sizeof(engine_known[0]))

static const struct known *engine_find_known(const char *name)
{
	for (size_t i = 0; i < ENGINE_KNOWN; i++)
		if (!strcmp(engine_known[i].name, name))
			return &engine_known[i];
	return NULL;
}

static const struct engine_word *engine_word_at(const char *text)
{
	for (size_t i = 0; i < ENGINE_WORDS; i++)
		if (text_starts(text, engine_words[i].name))
			return &engine_words[i];
	return NULL;
}

/** engine_ends() - Behind "{letters}"; or NULL: this brace means itself */
static const char *engine_ends(const char *brace)
{
	const size_t len = strspn(brace + 1, "abcdefghijklmnopqrstuvwxyz_-");

	return len > 0 && brace[1 + len] == '}' ? brace + len + 2 : NULL;
}

int engine_word_check(const char *text, struct fault *f)
{
	char shown[ENGINE_SHOWN];

	while ((text = strchr(text, '{'))) {
		const char *end = engine_ends(text);

		if (end && !engine_word_at(text))
			return fault_plain(
				f, -EINVAL,
				"'%s' stands for nothing; there are {tun_fd}, "
				"{tun}, {proxy} and {mtu}",
				text_quote(shown, sizeof(shown), text,
					   (size_t)(end - text)));
		text++;
	}
	return 0;
}

static bool engine_has(const struct setting *command, const char *word)
{
	for (unsigned int i = 0; i < command->count; i++)
		if (strstr(command->value[i].text, word))
			return true;
	return false;
}

int engine_kind(const struct setting *command, struct fault *f)
{
	const bool by_fd = engine_has(command, "{tun_fd}");
	const bool by_name = engine_has(command, "{tun}");

	if (by_fd && by_name)
		return fault_plain(f, -EINVAL,
				   "{tun_fd} and {tun} exclude each other");
	if (!by_fd && !by_name)
		return fault_plain(f, -EINVAL,
				   "it says nowhere how the program gets the "
				   "TUN: {tun_fd}, or {tun}");
	return by_fd ? ENGINE_FD : ENGINE_NAME;
}

/** engine_fill() - One word, with what its placeholders stand for */
static int engine_fill(struct conf *c, const char *text, enum plan_engine kind,
		       const char **ret)
{
	char full[ENGINE_WORD];
	size_t used = 0;

	while (*text && used < sizeof(full)) {
		const struct engine_word *w = engine_word_at(text);

		if (w)
			used += (size_t)snprintf(full + used,
						 sizeof(full) - used, "%s",
						 w->value[kind]);
		else
			full[used++] = *text;
		text += w ? strlen(w->name) : 1;
	}
	if (used >= sizeof(full))
		return -E2BIG;
	*ret = arena_text(&c->arena, full, used);
	return 0;
}

static int engine_fill_all(struct conf *c, const struct setting *command,
			   struct engine *e, struct fault *f)
{
	const int kind = engine_kind(command, f);

	if (kind < 0)
		return kind;
	e->kind = (enum plan_engine)kind;
	e->command = arena_take(&c->arena,
				(command->count + 1) * sizeof(*e->command));
	for (unsigned int i = 0; i < command->count; i++)
		if (engine_fill(c, command->value[i].text, e->kind,
				&e->command[i]) < 0)
			return fault_plain(f, -E2BIG,
					   "the command of engine '%s' is too "
					   "long",
					   e->name);
	return 0;
}

bool engine_is_known(const struct conf *c, const char *name,
		     enum conf_layer layer)
{
	return conf_find(c, SECTION_ENGINE, name, layer) ||
	       engine_find_known(name);
}

static int engine_unknown(const struct conf *c, const char *name,
			  struct fault *f)
{
	const char *names[ENGINE_NAMES];
	char shown[ENGINE_SHOWN];
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < ENGINE_KNOWN; i++)
		names[n++] = engine_known[i].name;
	for (const struct section *s = c->first; s; s = s->next)
		if (s->kind == SECTION_ENGINE && n < ENGINE_NAMES)
			names[n++] = s->name;
	near = text_did_you_mean(name, names, n);
	(void)fault_plain(f, -ENOENT, "there is no engine '%s'",
			  text_quote(shown, sizeof(shown), name, strlen(name)));
	if (near)
		return fault_hint(f, "did you mean '%s'?", near);
	return fault_hint(f, "tun2socks is known; an engine section describes "
			     "another, see nsproxy.conf(5)");
}

int engine_get(struct conf *c, const char *name, enum conf_layer layer,
	       struct engine *ret, struct fault *f)
{
	const struct section *s = conf_find(c, SECTION_ENGINE, name, layer);
	const struct known *known = engine_find_known(name);
	struct value word[sizeof(known->command) / sizeof(char *)] = { 0 };
	struct setting command = { .value = word };

	if (s) {
		const struct setting *user = &s->set[ENGINE_USER];

		*ret = (struct engine){
			.name = s->name,
			.user = user->count ? user->value->text : NULL,
		};
		return engine_fill_all(c, &s->set[ENGINE_COMMAND], ret, f);
	}
	if (!known)
		return engine_unknown(c, name, f);
	*ret = (struct engine){
		.name = known->name,
		.user = "nobody",
		.source = known->source,
	};
	while (known->command[command.count])
		word[command.count] =
			(struct value){ known->command[command.count], { 0 } },
		command.count++;
	return engine_fill_all(c, &command, ret, f);
}
