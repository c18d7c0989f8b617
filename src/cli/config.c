// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * config.c - `nsproxy config`: look at the configuration, change nothing
 *
 * A word behind the verb says what is wanted. This file has `check` and
 * `path`; `show` and `import` have their own.
 */
#include "verb.h"

#include "base/log.h"
#include "base/text.h"
#include "config_words.h"
#include "json.h"
#include "profiles.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_SHOWN 64
#define CONFIG_WORDS 2 /* the word and its operand */

static int take_json(void *ctx, const char *value, struct fault *f)
{
	struct config_call *call = ctx;

	(void)value;
	(void)f;
	call->as_json = true;
	return 0;
}

static const struct opt config_opts[] = {
	{ 0, "json", NULL, true, "check and show: answer as JSON", take_json },
};

static void check_tell(const struct conf *c)
{
	unsigned int proxies = 0;
	unsigned int profiles = 0;

	for (const struct problem *p = c->problems.first; p; p = p->next) {
		char where[ORIGIN_TEXT];

		(void)printf("%s: %s\n", origin_text(&p->at, where), p->text);
	}
	if (c->problems.count > 0)
		return;
	for (const struct section *s = c->first; s; s = s->next) {
		proxies += s->kind == SECTION_PROXY;
		profiles += s->kind == SECTION_PROFILE;
	}
	(void)printf(
		"no problem found (files: %u, proxies: %u, profiles: %u)\n",
		c->file_count, proxies, profiles);
	if (c->hidden > 0)
		(void)printf("%u of the system's files you may not read\n",
			     c->hidden);
}

static void check_tell_json(const struct conf *c)
{
	(void)fputs("{\"schema\":\"nsproxy.config-check/1\",\"problems\":[",
		    stdout);
	for (const struct problem *p = c->problems.first; p; p = p->next) {
		(void)printf("%s\n{\"file\":",
			     p == c->problems.first ? "" : ",");
		json_text(stdout, p->at.file ? p->at.file->path : "");
		(void)printf(",\"line\":%u,\"message\":", p->at.line);
		json_text(stdout, p->text);
		(void)fputs("}", stdout);
	}
	(void)puts("\n]}");
}

static int config_check(const struct config_call *call)
{
	struct conf c;
	int rc;

	if (call->operand) {
		conf_init(&c, geteuid());
		conf_add_file(&c, call->operand, LAYER_NAMED);
		rc = conf_finish(&c);
	} else {
		rc = profiles_load(&c);
	}
	if (call->as_json)
		check_tell_json(&c);
	else
		check_tell(&c);
	conf_fini(&c);
	return rc < 0 ? STATUS_FAILED : STATUS_DONE;
}

/** path_tell() - The main file, there or not, and what else there is */
static void path_tell(const char *dir, enum conf_layer layer)
{
	char path[PATH_MAX];
	struct conf c;

	if (snprintf(path, sizeof(path), "%s/%s", dir, CONF_MAIN_FILE) >=
	    (int)sizeof(path))
		return;
	(void)printf("%s%s\n", path,
		     access(path, F_OK) == 0 ? "" : " (not there)");
	conf_init(&c, geteuid());
	conf_add_dir(&c, dir, layer);
	for (unsigned int i = 0; i < c.file_count; i++)
		if (strstr(c.file[i]->path, "/" CONF_MORE_DIR "/"))
			(void)puts(c.file[i]->path);
	conf_fini(&c);
}

static int config_path(const struct config_call *call)
{
	char dir[PATH_MAX];

	(void)call;
	(void)printf("%s%s\n", profiles_presets(),
		     access(profiles_presets(), F_OK) == 0 ? ""
							   : " (not there)");
	path_tell(CONF_SYSTEM_DIR, LAYER_SYSTEM);
	if (profiles_user_dir(dir, sizeof(dir)))
		path_tell(dir, LAYER_USER);
	return STATUS_DONE;
}

/** struct config_word - what can stand behind the verb */
struct config_word {
	const char *name;
	bool takes_operand;
	bool needs_operand;
	int (*fn)(const struct config_call *call);
};

static const struct config_word config_words[] = {
	{ "check", true, false, config_check },
	{ "show", true, false, config_show },
	{ "path", false, false, config_path },
	{ "import", true, true, config_import },
};

#define WORDS (sizeof(config_words) / sizeof(config_words[0]))

static const struct config_word *config_find(const char *name, struct fault *f)
{
	const char *names[WORDS];
	char shown[CONFIG_SHOWN];
	const char *near;

	for (size_t i = 0; i < WORDS; i++) {
		names[i] = config_words[i].name;
		if (name && !strcmp(name, names[i]))
			return &config_words[i];
	}
	if (!name) {
		(void)fault_plain(f, -EINVAL, "a word is missing");
	} else {
		text_quote(shown, sizeof(shown), name, strlen(name));
		near = text_did_you_mean(name, names, WORDS);
		(void)fault_plain(f, -EINVAL, "'%s' is none of its words%s%s%s",
				  shown, near ? "; did you mean '" : "",
				  near ? near : "", near ? "'?" : "");
	}
	(void)fault_hint(f, "nsproxy config check|show|path|import");
	return NULL;
}

static int config_verb(const struct verb *v, char **argv)
{
	const char *words[CONFIG_WORDS] = { NULL };
	struct config_call call = { .verb = v };
	const struct config_word *word;
	struct fault f = { 0 };
	int status = STATUS_DONE;
	unsigned int n = 0;
	int used;

	log_init("config: ", LOG_LEVEL_WARN);
	/* Options may stand before, between and behind the words. */
	for (;; argv++) {
		if (!verb_options(v, argv, &call, &used, &status))
			return status;
		argv += used;
		if (!argv[0] || n == CONFIG_WORDS)
			break;
		words[n++] = argv[0];
	}
	word = config_find(words[0], &f);
	if (!word)
		return verb_say(v, &f, STATUS_MISUSED);
	call.operand = words[1];
	if (argv[0] || (call.operand && !word->takes_operand)) {
		(void)fault_plain(&f, -EINVAL, "'%s' takes %s", word->name,
				  word->takes_operand ? "one word only"
						      : "no further words");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	if (!call.operand && word->needs_operand) {
		(void)fault_plain(&f, -EINVAL, "'%s' needs a file", word->name);
		return verb_say(v, &f, STATUS_MISUSED);
	}
	return word->fn(&call);
}

const struct verb verb_config = {
	.name = "config",
	.args = "check [FILE] | show [NAME] | path | import FILE.json",
	.line = "Look at the configuration.",
	.more = "check   tell all that is wrong, each as FILE:LINE: SENTENCE\n"
		"show    tell a profile as it counts, and where it says so; "
		"without\n"
		"        NAME, the profiles there are\n"
		"path    tell which files are read\n"
		"import  write a netns-proxy configuration anew, to standard "
		"output\n"
		"\n"
		"Exit status: 0 all is well; 1 something is wrong; 4 there is "
		"no such profile\n",
	.opts = config_opts,
	.opt_count = sizeof(config_opts) / sizeof(config_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = config_verb,
};
