// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * show.c - `nsproxy list` and `nsproxy status`
 *
 * What is up comes from the daemon, what else could be from the configuration.
 */
#include "verb.h"

#include "base/text.h"
#include "call.h"
#include "census.h"
#include "named.h"
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CELL 24 /* room for a number or a duration */

static int take_json(void *ctx, const char *value, struct fault *f)
{
	bool *as_json = ctx;

	(void)value;
	(void)f;
	*as_json = true;
	return 0;
}

static const struct opt list_opts[] = {
	{ 0, "json", NULL, false, "as JSON (nsproxy.list/1)", take_json },
};

static const struct opt status_opts[] = {
	{ 0, "json", NULL, false, "as JSON (nsproxy.status/1)", take_json },
};

static json_int_t show_int(const json_t *box, const char *key)
{
	return json_integer_value(json_object_get(box, key));
}

/** show_dump() - {"schema": ..., "sandboxes": ...}; takes @boxes */
static int show_dump(const char *schema, json_t *boxes)
{
	json_t *all =
		json_pack("{s:s, s:o}", "schema", schema, "sandboxes", boxes);
	const bool is_out = all &&
			    json_dumpf(all, stdout, JSON_INDENT(2)) == 0 &&
			    putchar('\n') == '\n';

	json_decref(all);
	return is_out ? STATUS_DONE : STATUS_FAILED;
}

/** show_duration() - "12 s", "5 min", "3 h", "8 d" since then */
static void show_duration(json_int_t since, char to[static CELL])
{
	static const struct {
		json_int_t seconds;
		const char *name;
	} unit[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	const json_int_t past = (json_int_t)time(NULL) - since;

	to[0] = '\0';
	if (since <= 0)
		return;
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++)
		if (past >= unit[i].seconds || unit[i].seconds == 1) {
			(void)snprintf(to, CELL, "%lld %s",
				       (long long)(past < 0 ? 0 : past) /
					       unit[i].seconds,
				       unit[i].name);
			return;
		}
}

static const char *show_string(const json_t *box, const char *key)
{
	return varlink_get_string(box, key);
}

static bool show_is_attached(const json_t *box)
{
	return json_is_true(json_object_get(box, "attached"));
}

static bool show_has(const json_t *boxes, const char *name)
{
	const json_t *box;
	size_t i;

	json_array_foreach ((json_t *)(size_t)boxes, i, box)
		if (!strcmp(show_string(box, "name"), name))
			return true;
	return false;
}

/** show_add_down() - Profiles that are not up */
static void show_add_down(json_t *boxes)
{
	struct named all = { 0 };

	/* A wrong configuration is told when something is brought up. */
	if (named_list(false, &all, NULL) < 0)
		return;
	for (unsigned int i = 0; i < all.count; i++)
		if (!show_has(boxes, all.name[i]))
			(void)json_array_append_new(
				boxes, json_pack("{s:s, s:s, s:s}", "name",
						 all.name[i], "state", "down",
						 "way", ""));
	named_fini(&all);
}

static int list_print(const json_t *boxes)
{
	const size_t rows = json_array_size(boxes) + 1;
	const char **cells = calloc(rows * 4, sizeof(*cells));
	char(*past)[CELL] = calloc(rows, CELL);
	const char **at = cells;

	if (!cells || !past) {
		free(cells);
		free(past);
		return STATUS_FAILED;
	}
	*at++ = "SANDBOX";
	*at++ = "STATE";
	*at++ = "FOR";
	*at++ = "WAY OUT";
	for (size_t i = 0; i + 1 < rows; i++) {
		const json_t *box = json_array_get(boxes, i);

		show_duration(show_int(box, "since"), past[i]);
		*at++ = show_string(box, "name");
		*at++ = show_is_attached(box) &&
					!strcmp(show_string(box, "state"), "up")
				? "up, attached"
				: show_string(box, "state");
		*at++ = past[i];
		*at++ = show_string(box, "way");
	}
	table_print(stdout, cells, rows, 4);
	free(cells);
	free(past);
	return STATUS_DONE;
}

/** list_ask() - Return: what to exit with */
static int list_ask(const struct verb *v, json_t **ret)
{
	struct varlink_reply r = { 0 };
	struct control c;
	int status = call_open(v, &c);

	if (status != STATUS_DONE)
		return status;
	status = call_ask(v, &c, "List", NULL, NULL, &r);
	if (status == STATUS_DONE) {
		*ret = json_incref(json_object_get(r.parameters, "sandboxes"));
		varlink_reply_fini(&r);
		/* Of those that were not told, some may be up. */
		if (!call_is_shared(&c))
			show_add_down(*ret);
	}
	control_close(&c);
	return status;
}

static int list_verb(const struct verb *v, char **argv)
{
	struct fault f = { 0 };
	bool as_json = false;
	int status = STATUS_DONE;
	json_t *boxes;

	if (!verb_words(v, argv, &as_json, &status))
		return status;
	if (argv[0]) {
		(void)fault_plain(&f, -EINVAL, "it takes no arguments");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	status = list_ask(v, &boxes);
	if (status != STATUS_DONE)
		return status;
	if (as_json)
		return show_dump("nsproxy.list/1", boxes);
	status = list_print(boxes);
	json_decref(boxes);
	return status;
}

/** status_count() - Add the number of processes inside to each of @boxes */
static void status_count(json_t *boxes)
{
	uint64_t *all = NULL;
	const size_t count = census_all(&all);
	json_t *box;
	size_t i;

	json_array_foreach (boxes, i, box) {
		const size_t in = census_count(all, count,
					       (uint64_t)show_int(box, "netns"),
					       (pid_t)show_int(box, "keeper"));

		(void)json_object_set_new(box, "processes",
					  json_integer((json_int_t)in));
	}
	free(all);
}

/** status_print_veth() - The link to the host, and what a firewall must allow:
 * an accept in our table does not undo a drop in another */
static void status_print_veth(const json_t *veth)
{
	const char *link = show_string(veth, "link");
	const json_t *ports = json_object_get(veth, "ports");
	const json_t *port;
	size_t i;

	(void)printf("%-10s %s, %s here, %s inside\n%-10s", "link", link,
		     show_string(veth, "host"), show_string(veth, "inside"),
		     "ports");
	json_array_foreach (ports, i, port)
		(void)printf(" %s", json_string_value(port));
	(void)printf("%s\n", json_array_size(ports) ? "" : " none");
	if (json_array_size(ports) == 0)
		return;
	(void)printf("%-10s one that drops what comes in must let this pass:\n"
		     "%-10s nft insert rule inet filter input iifname %s "
		     "accept\n"
		     "%-10s ufw allow in on %s\n"
		     "%-10s firewall-cmd --zone=trusted --add-interface=%s\n",
		     "firewall", "", link, "", link, "", link);
}

/** status_helper() - "helper     gost: running, pid 4711"; or an engine */
static void status_helper(const char *kind, const json_t *h)
{
	(void)printf("%-10s %s: %s", kind, show_string(h, "name"),
		     show_string(h, "state"));
	if (show_int(h, "pid") > 0)
		(void)printf(", pid %lld", (long long)show_int(h, "pid"));
	if (show_int(h, "restarts") > 0)
		(void)printf(", restarts %lld",
			     (long long)show_int(h, "restarts"));
	if (show_int(h, "status") >= 0)
		(void)printf(", ended with status %lld",
			     (long long)show_int(h, "status"));
	(void)fputs("\n", stdout);
	if (show_string(h, "last_words")[0])
		(void)printf("%-10s   last words: %s\n", "",
			     show_string(h, "last_words"));
}

/** status_print_attached() - Until when, and whom its programs may ask: what
 * their /etc/resolv.conf says is theirs */
static void status_print_attached(const json_t *box)
{
	const json_int_t leader = show_int(box, "leader");
	const char *dns = show_string(box, "dns");

	if (leader > 0)
		(void)printf("%-10s until process %lld ends\n", "attached",
			     (long long)leader);
	else
		(void)printf("%-10s until 'nsproxy detach %s'\n", "attached",
			     show_string(box, "name"));
	(void)printf("%-10s %s\n", "dns",
		     dns[0] ? dns : "what its programs ask, by the way out");
}

static void status_print(const json_t *box)
{
	static const struct {
		const char *label;
		const char *key;
	} number[] = {
		{ "processes", "processes" }, { "keeper", "keeper" },
		{ "worker", "worker" },	      { "restarts", "restarts" },
		{ "netns", "netns" },
	};
	const json_t *helper;
	char past[CELL];
	size_t n;

	show_duration(show_int(box, "since"), past);
	(void)printf("%-10s %s\n%-10s %s%s%s\n%-10s %s\n", "sandbox",
		     show_string(box, "name"), "state",
		     show_string(box, "state"), past[0] ? " for " : "", past,
		     "way out", show_string(box, "way"));
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		(void)printf("%-10s %lld\n", number[i].label,
			     (long long)show_int(box, number[i].key));
	if (show_is_attached(box))
		status_print_attached(box);
	if (json_object_get(box, "veth"))
		status_print_veth(json_object_get(box, "veth"));
	if (show_string(box, "trouble")[0])
		(void)printf("%-10s %s\n", "trouble",
			     show_string(box, "trouble"));
	if (json_object_get(box, "engine"))
		status_helper("engine", json_object_get(box, "engine"));
	json_array_foreach (json_object_get(box, "helpers"), n, helper) {
		status_helper("helper", helper);
	}
}

/** status_of() - The exit status tells whether it runs */
static int status_of(const json_t *box)
{
	const char *state = show_string(box, "state");

	return !strcmp(state, "up") || !strcmp(state, "waiting")
		       ? STATUS_DONE
		       : STATUS_NOT_RUNNING;
}

static int status_all(const struct verb *v, bool as_json)
{
	struct varlink_reply r = { 0 };
	const int status = call_once(v, "List", NULL, NULL, &r);
	json_t *boxes;
	json_t *box;
	size_t i;

	if (status != STATUS_DONE)
		return status;
	boxes = json_object_get(r.parameters, "sandboxes");
	status_count(boxes);
	if (as_json)
		(void)show_dump("nsproxy.status/1", json_incref(boxes));
	else
		json_array_foreach (boxes, i, box) {
			(void)fputs(i > 0 ? "\n" : "", stdout);
			status_print(box);
		}
	varlink_reply_fini(&r);
	return STATUS_DONE;
}

/** status_down() - A profile that is not up; Return: what to exit with */
static int status_down(const char *name, bool as_json)
{
	json_t *box = json_pack("{s:s, s:s, s:s}", "name", name, "state",
				"down", "way", "");

	if (as_json) {
		(void)show_dump("nsproxy.status/1", json_pack("[o]", box));
		return STATUS_NOT_RUNNING;
	}
	json_decref(box);
	(void)printf("%-10s %s\n%-10s down\n", "sandbox", name, "state");
	return STATUS_NOT_RUNNING;
}

static int status_one(const struct verb *v, const char *name, bool as_json)
{
	struct varlink_reply r = { 0 };
	struct control c;
	struct fault f = { 0 };
	int status = call_open(v, &c);
	json_t *boxes;
	json_t *box;

	if (status != STATUS_DONE)
		return status;
	if (control_call(&c, "Status", json_pack("{s:s}", "name", name),
			 CALL_PATIENCE_MS, &r, &f) < 0) {
		control_close(&c);
		return verb_say(v, &f, STATUS_FAILED);
	}
	control_close(&c);
	if (r.error[0] != '\0' &&
	    strcmp(r.error, CONTROL_INTERFACE ".NoSuchSandbox") != 0) {
		status = call_say(v, &r);
		varlink_reply_fini(&r);
		return status;
	}
	box = json_incref(json_object_get(r.parameters, "sandbox"));
	varlink_reply_fini(&r);
	if (!box && named_has(name))
		return status_down(name, as_json);
	if (!box) {
		char shown[80];

		(void)fault_plain(
			&f, -ENOENT, "there is no '%s'",
			text_quote(shown, sizeof(shown), name, strlen(name)));
		return verb_say(v, &f, STATUS_UNKNOWN);
	}
	boxes = json_pack("[o]", box);
	status_count(boxes);
	status = status_of(box);
	if (as_json) {
		(void)show_dump("nsproxy.status/1", boxes);
		return status;
	}
	status_print(box);
	json_decref(boxes);
	return status;
}

static int status_verb(const struct verb *v, char **argv)
{
	struct fault f = { 0 };
	bool as_json = false;
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &as_json, &status))
		return status;
	if (!argv[0])
		return status_all(v, as_json);
	if (!argv[1])
		return status_one(v, argv[0], as_json);
	(void)fault_plain(&f, -EINVAL, "it takes one name, or none");
	return verb_say(v, &f, STATUS_MISUSED);
}

const struct verb verb_list = {
	.name = "list",
	.args = "[--json]",
	.line = "List sandboxes, and profiles that are not up.",
	.opts = list_opts,
	.opt_count = sizeof(list_opts) / sizeof(list_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = list_verb,
};

const struct verb verb_status = {
	.name = "status",
	.args = "[--json] [NAME]",
	.line = "Tell all about one sandbox, or about each that is up.",
	.opts = status_opts,
	.opt_count = sizeof(status_opts) / sizeof(status_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = status_verb,
};
