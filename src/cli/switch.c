// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * switch.c - `nsproxy switch` and `nsproxy reload`: other plans, live
 */
#include "verb.h"

#include "call.h"
#include "named.h"
#include "profiles.h"

#include <errno.h>
#include <string.h>

static int take_true(void *ctx, const char *value, struct fault *f)
{
	bool *flag = ctx;

	(void)value;
	(void)f;
	*flag = true;
	return 0;
}

static const struct opt switch_opts[] = {
	{ 0, "close", NULL, false,
	  "cut open connections; else they go on by the old way", take_true },
};

static const struct opt reload_opts[] = {
	{ 0, "json", NULL, false, "as JSON (nsproxy.reload/1)", take_true },
};

/** switch_ask() - Return: what to exit with; @ret is to be freed */
static int switch_ask(const struct verb *v, const char *method, json_t *p,
		      struct varlink_reply *ret)
{
	struct fault f = { 0 };
	struct control c;
	int status = call_open(v, &c);

	if (status != STATUS_DONE) {
		json_decref(p);
		return status;
	}
	if (control_call(&c, method, p, CALL_PATIENCE_MS, ret, &f) < 0)
		status = verb_say(v, &f, STATUS_FAILED);
	else if (ret->error[0] != '\0')
		status = call_say(v, ret);
	control_close(&c);
	return status;
}

static int switch_verb(const struct verb *v, char **argv)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	bool is_closing = false;
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &is_closing, &status))
		return status;
	if (!argv[0] || !argv[1] || argv[2]) {
		(void)fault_plain(&f, -EINVAL,
				  "it takes a sandbox and a profile");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	status = switch_ask(v, "Switch",
			    json_pack("{s:s, s:s, s:b}", "name", argv[0],
				      "profile", argv[1], "close", is_closing),
			    &r);
	varlink_reply_fini(&r);
	return status;
}

/** reload_check() - What is wrong is told before anything is asked */
static int reload_check(const struct verb *v)
{
	struct fault f = { 0 };
	struct conf c;
	int rc;

	rc = profiles_load(&c) < 0 ? profiles_fault(&c, &f) : 0;
	conf_fini(&c);
	return rc < 0 ? verb_say(v, &f, STATUS_FAILED) : STATUS_DONE;
}

/** reload_print() - One line for each that is not as it was */
static int reload_print(const json_t *changes)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *one = json_array_get(changes, i);
		const char *what = varlink_get_string(one, "what");

		if (!strcmp(what, "unchanged"))
			continue;
		if (!strcmp(what, "failed"))
			status = STATUS_FAILED;
		(void)printf("%s %s: %s\n", varlink_get_string(one, "name"),
			     what, varlink_get_string(one, "detail"));
	}
	return status;
}

static int reload_dump(json_t *changes)
{
	json_t *all = json_pack("{s:s, s:O}", "schema", "nsproxy.reload/1",
				"changes", changes);
	const bool is_out = all &&
			    json_dumpf(all, stdout, JSON_INDENT(2)) == 0 &&
			    putchar('\n') == '\n';

	json_decref(all);
	return is_out ? STATUS_DONE : STATUS_FAILED;
}

/** reload_has() - Was it up, whatever became of it? */
static bool reload_has(const json_t *changes, const char *name)
{
	for (size_t i = 0; i < json_array_size(changes); i++)
		if (!strcmp(varlink_get_string(json_array_get(changes, i),
					       "name"),
			    name))
			return true;
	return false;
}

/** reload_start() - Profiles that have come, and shall be up by themselves */
static int reload_start(const struct verb *v, json_t *changes)
{
	struct named all = { 0 };
	int status = STATUS_DONE;

	/* It was read well a moment ago. */
	if (named_list(true, &all, NULL) < 0)
		return STATUS_DONE;
	for (unsigned int i = 0; i < all.count; i++) {
		struct varlink_reply r = { 0 };
		int one;

		if (reload_has(changes, all.name[i]))
			continue;
		one = switch_ask(v, "Up",
				 json_pack("{s:s}", "name", all.name[i]), &r);
		varlink_reply_fini(&r);
		status = status == STATUS_DONE ? one : status;
		(void)json_array_append_new(
			changes,
			json_pack("{s:s, s:s, s:s}", "name", all.name[i],
				  "what",
				  one == STATUS_DONE ? "started" : "failed",
				  "detail", "autostart"));
	}
	named_fini(&all);
	return status;
}

static int reload_verb(const struct verb *v, char **argv)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	bool as_json = false;
	int status = STATUS_DONE;
	json_t *changes;

	if (!verb_words(v, argv, &as_json, &status))
		return status;
	if (argv[0]) {
		(void)fault_plain(&f, -EINVAL, "it takes no arguments");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	status = reload_check(v);
	if (status == STATUS_DONE)
		status = switch_ask(v, "Reload", NULL, &r);
	changes = json_object_get(r.parameters, "changes");
	if (status == STATUS_DONE)
		status = reload_start(v, changes);
	if (changes) {
		const int out =
			as_json ? reload_dump(changes) : reload_print(changes);

		status = status == STATUS_DONE ? out : status;
	}
	varlink_reply_fini(&r);
	return status;
}

static const char switch_more[] =
	"The namespace and the programs inside stay. What shapes the namespace "
	"cannot\nchange so: expose, publish, guard, helpers, timeouts, and "
	"whether names are\nlooked up at all; that is refused, and takes "
	"'nsproxy restart'.\n";

const struct verb verb_switch = {
	.name = "switch",
	.args = "[--close] NAME PROFILE",
	.line = "Give a sandbox that is up another profile's way out.",
	.more = switch_more,
	.opts = switch_opts,
	.opt_count = sizeof(switch_opts) / sizeof(switch_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = switch_verb,
};

static const char reload_more[] =
	"All or nothing: a configuration that is wrong changes nothing. What "
	"has changed\nserves new connections, open ones go on; sandboxes whose "
	"profiles have not\nchanged notice nothing. New profiles with "
	"'autostart = true' are brought up.\nSIGHUP to the daemon does the "
	"same.\n";

const struct verb verb_reload = {
	.name = "reload",
	.args = "[--json]",
	.line = "Let sandboxes be as the configuration says now.",
	.more = reload_more,
	.opts = reload_opts,
	.opt_count = sizeof(reload_opts) / sizeof(reload_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = reload_verb,
};
