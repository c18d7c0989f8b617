// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * boxes.c - `nsproxy up`, `down`, `restart`, `stop`, `gc`
 *
 * Each asks the daemon one thing, a name at a time, and says nothing when all
 * went well.
 */
#include "verb.h"

#include "call.h"
#include "named.h"

#include <errno.h>

/** struct boxes - what the options said */
struct boxes {
	bool all;
	bool keep;
	bool dry_run;
};

static int take_all(void *ctx, const char *value, struct fault *f)
{
	struct boxes *b = ctx;

	(void)value;
	(void)f;
	b->all = true;
	return 0;
}

static int take_keep(void *ctx, const char *value, struct fault *f)
{
	struct boxes *b = ctx;

	(void)value;
	(void)f;
	b->keep = true;
	return 0;
}

static int take_dry_run(void *ctx, const char *value, struct fault *f)
{
	struct boxes *b = ctx;

	(void)value;
	(void)f;
	b->dry_run = true;
	return 0;
}

static const struct opt up_opts[] = {
	{ 0, "all", NULL, false, "all profiles of the configuration",
	  take_all },
};

static const struct opt down_opts[] = {
	{ 0, "all", NULL, false, "all that are up", take_all },
};

static const struct opt stop_opts[] = {
	{ 0, "keep", NULL, false,
	  "leave the sandboxes alive, for the next daemon", take_keep },
};

static const struct opt gc_opts[] = {
	{ 0, "dry-run", NULL, false, "only tell", take_dry_run },
};

/** boxes_ask() - One method for one name; Return: what to exit with */
static int boxes_ask(const struct verb *v, struct control *c,
		     const char *method, const char *name)
{
	struct varlink_reply r = { 0 };
	const int status =
		call_ask(v, c, method, "name", json_string(name), &r);

	varlink_reply_fini(&r);
	return status;
}

/** boxes_misused() - Neither names nor --all, or both */
static int boxes_misused(const struct verb *v, const struct boxes *b,
			 char **names)
{
	struct fault f = { 0 };

	if (b->all == !names[0])
		return STATUS_DONE;
	(void)fault_plain(&f, -EINVAL,
			  b->all ? "--all and names exclude each other"
				 : "the name of a sandbox is missing");
	return verb_say(v, &f, STATUS_MISUSED);
}

static int up_all(const struct verb *v, struct control *c)
{
	struct named all = { 0 };
	struct fault f = { 0 };
	int status = STATUS_DONE;

	if (named_list(false, &all, &f) < 0)
		return verb_say(v, &f, STATUS_FAILED);
	for (unsigned int i = 0; i < all.count; i++) {
		const int one = boxes_ask(v, c, "Up", all.name[i]);

		status = status == STATUS_DONE ? one : status;
	}
	named_fini(&all);
	return status;
}

static int down_all(const struct verb *v, struct control *c)
{
	struct varlink_reply r = { 0 };
	int status = call_ask(v, c, "List", NULL, NULL, &r);
	json_t *box;
	size_t i;

	json_array_foreach (json_object_get(r.parameters, "sandboxes"), i,
			    box) {
		const int one = boxes_ask(v, c, "Down",
					  varlink_get_string(box, "name"));

		status = status == STATUS_DONE ? one : status;
	}
	varlink_reply_fini(&r);
	return status;
}

static int up_verb(const struct verb *v, char **argv)
{
	struct boxes b = { 0 };
	struct control c;
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &b, &status))
		return status;
	status = boxes_misused(v, &b, argv);
	if (status == STATUS_DONE)
		status = call_open(v, &c);
	if (status != STATUS_DONE)
		return status;
	if (b.all)
		status = up_all(v, &c);
	for (; *argv; argv++) {
		const int one = boxes_ask(v, &c, "Up", *argv);

		status = status == STATUS_DONE ? one : status;
	}
	control_close(&c);
	return status;
}

static int down_verb(const struct verb *v, char **argv)
{
	struct boxes b = { 0 };
	struct control c;
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &b, &status))
		return status;
	status = boxes_misused(v, &b, argv);
	if (status == STATUS_DONE)
		status = call_open(v, &c);
	if (status != STATUS_DONE)
		return status;
	if (b.all)
		status = down_all(v, &c);
	for (; *argv; argv++) {
		const int one = boxes_ask(v, &c, "Down", *argv);

		status = status == STATUS_DONE ? one : status;
	}
	control_close(&c);
	return status;
}

/** restart_one() - Not an attached one: nobody has its namespace but those
 * inside. Return: what to exit with */
static int restart_one(const struct verb *v, struct control *c,
		       const char *name)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	int status = call_ask(v, c, "Status", "name", json_string(name), &r);
	const json_t *box = json_object_get(r.parameters, "sandbox");

	if (json_is_true(json_object_get(box, "attached"))) {
		(void)fault_plain(&f, -EOPNOTSUPP,
				  "'%s' is attached: detach it and attach it "
				  "again",
				  name);
		status = verb_say(v, &f, STATUS_FAILED);
	}
	varlink_reply_fini(&r);
	if (status == STATUS_DONE)
		status = boxes_ask(v, c, "Down", name);
	return status == STATUS_DONE ? boxes_ask(v, c, "Up", name) : status;
}

static int restart_verb(const struct verb *v, char **argv)
{
	const struct boxes none = { 0 };
	struct control c;
	int status = STATUS_DONE;

	if (!verb_words(v, argv, NULL, &status))
		return status;
	status = boxes_misused(v, &none, argv);
	if (status == STATUS_DONE)
		status = call_open(v, &c);
	if (status != STATUS_DONE)
		return status;
	for (; *argv; argv++) {
		const int one = restart_one(v, &c, *argv);

		status = status == STATUS_DONE ? one : status;
	}
	control_close(&c);
	return status;
}

static int stop_verb(const struct verb *v, char **argv)
{
	struct varlink_reply r = { 0 };
	struct boxes b = { 0 };
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &b, &status))
		return status;
	status = verb_no_words(v, argv);
	if (status == STATUS_DONE)
		status = call_once(v, "Stop", "keep", json_boolean(b.keep), &r);
	varlink_reply_fini(&r);
	return status;
}

static int gc_verb(const struct verb *v, char **argv)
{
	struct varlink_reply r = { 0 };
	struct boxes b = { 0 };
	int status = STATUS_DONE;
	json_t *name;
	size_t i;

	if (!verb_words(v, argv, &b, &status))
		return status;
	status = verb_no_words(v, argv);
	if (status == STATUS_DONE)
		status = call_once(v, "Collect", "dry_run",
				   json_boolean(b.dry_run), &r);
	json_array_foreach (json_object_get(r.parameters, "removed"), i, name) {
		if (json_is_string(name))
			(void)printf("%s %s\n",
				     b.dry_run ? "would remove" : "removed",
				     json_string_value(name));
	}
	varlink_reply_fini(&r);
	return status;
}

const struct verb verb_up = {
	.name = "up",
	.args = "NAME... | --all",
	.line = "Bring up the sandbox of a profile; the daemon keeps it.",
	.opts = up_opts,
	.opt_count = sizeof(up_opts) / sizeof(up_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = up_verb,
};

const struct verb verb_down = {
	.name = "down",
	.args = "NAME... | --all",
	.line = "Take a sandbox down: programs inside lose the network.",
	.opts = down_opts,
	.opt_count = sizeof(down_opts) / sizeof(down_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = down_verb,
};

const struct verb verb_restart = {
	.name = "restart",
	.args = "NAME...",
	.line = "Take a sandbox down and bring a new one up.",
	.misuse = STATUS_MISUSED,
	.fn = restart_verb,
};

const struct verb verb_stop = {
	.name = "stop",
	.args = "[--keep]",
	.line = "End the daemon, and its sandboxes with it.",
	.opts = stop_opts,
	.opt_count = sizeof(stop_opts) / sizeof(stop_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = stop_verb,
};

const struct verb verb_gc = {
	.name = "gc",
	.args = "[--dry-run]",
	.line = "Remove what dead sandboxes have left.",
	.opts = gc_opts,
	.opt_count = sizeof(gc_opts) / sizeof(gc_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = gc_verb,
};
