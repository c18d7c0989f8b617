// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * logs.c - `nsproxy logs`: what the daemon and its sandboxes have said
 *
 * The daemon sends lines in parts; each is written out as it comes. Texts are
 * printable ASCII already.
 */
#include "verb.h"

#include "base/text.h"
#include "call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** struct logs - what the options said
 * @lines:  How many of those before; -1 for all that are kept
 */
struct logs {
	bool follow;
	bool as_json;
	int64_t lines;
	const char *name;
};

static int take_follow(void *ctx, const char *value, struct fault *f)
{
	struct logs *l = ctx;

	(void)value;
	(void)f;
	l->follow = true;
	return 0;
}

static int take_lines(void *ctx, const char *value, struct fault *f)
{
	struct logs *l = ctx;
	uint32_t n;

	if (!text_uint(value, INT_MAX, &n))
		return fault_plain(f, -EINVAL, "'%s' is no number of lines",
				   value);
	l->lines = n;
	return 0;
}

static int take_json(void *ctx, const char *value, struct fault *f)
{
	struct logs *l = ctx;

	(void)value;
	(void)f;
	l->as_json = true;
	return 0;
}

static const struct opt logs_opts[] = {
	{ 'f', "follow", NULL, false, "go on with each line that comes",
	  take_follow },
	{ 'n', "lines", "LINES", false,
	  "only the last ones; otherwise all that are kept", take_lines },
	{ 0, "json", NULL, false, "one JSON object a line (nsproxy.log/1)",
	  take_json },
};

static const char logs_more[] =
	"The daemon keeps the last 256 lines, or 32 KiB, of each sandbox and "
	"as much of\nits own; with a sandbox they end, and so does -f. Without "
	"NAME come those of\nall, which only those may see who may do "
	"anything.\n";

/** logs_json() - {"schema":"nsproxy.log/1","time":"2024-05-01T12:00:00.123Z",
 * ...} */
static void logs_json(const json_t *line, int64_t ms)
{
	const time_t seconds = (time_t)(ms / 1000);
	char when[40] = "";
	struct tm t;
	json_t *out;

	if (gmtime_r(&seconds, &t))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &t);
	out = json_pack("{s:s, s:o, s:s, s:s, s:s}", "schema", "nsproxy.log/1",
			"time",
			json_sprintf("%s.%03dZ", when, (int)(ms % 1000)),
			"sandbox", varlink_get_string(line, "sandbox"), "level",
			varlink_get_string(line, "level"), "text",
			varlink_get_string(line, "text"));
	if (out)
		(void)json_dumpf(out, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(out);
}

/** logs_line() - "12:00:00 work: warning: ..."; the date, too, if it is not
 * today's */
static void logs_line(const json_t *line, int64_t ms)
{
	const char *name = varlink_get_string(line, "sandbox");
	const char *level = varlink_get_string(line, "level");
	const bool is_info = !strcmp(level, "info");
	const time_t seconds = (time_t)(ms / 1000);
	const time_t now = time(NULL);
	char when[40] = "";
	struct tm today;
	struct tm t;

	if (localtime_r(&seconds, &t) && localtime_r(&now, &today))
		(void)strftime(when, sizeof(when),
			       t.tm_year == today.tm_year &&
					       t.tm_yday == today.tm_yday
				       ? "%H:%M:%S"
				       : "%Y-%m-%d %H:%M:%S",
			       &t);
	/* No sandbox can be called so. */
	(void)printf("%s %s: %s%s%s\n", when, name[0] ? name : "(daemon)",
		     is_info ? "" : level, is_info ? "" : ": ",
		     varlink_get_string(line, "text"));
}

/** logs_write() - The lines of one reply; false: nobody reads them */
static bool logs_write(const struct logs *l, const struct varlink_reply *r)
{
	json_t *line;
	size_t i;

	if (json_is_true(json_object_get(r->parameters, "lost")))
		(void)fputs("nsproxy: logs: lines were lost here\n", stderr);
	json_array_foreach (json_object_get(r->parameters, "lines"), i, line) {
		const int64_t ms =
			json_integer_value(json_object_get(line, "time_ms"));

		if (l->as_json)
			logs_json(line, ms);
		else
			logs_line(line, ms);
	}
	return fflush(stdout) == 0;
}

/** logs_wait() - For the daemon; false: nobody reads our output any more */
static bool logs_wait(const struct control *c)
{
	struct pollfd p[] = {
		{ .fd = c->fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* only its end is of interest */
	};

	(void)poll(p, 2, -1);
	return !(p[1].revents & (POLLERR | POLLHUP | POLLNVAL));
}

/** logs_left() - The daemon hung up */
static int logs_left(const struct verb *v)
{
	struct fault f = { 0 };

	if (call_is_there())
		(void)fault_plain(&f, -EPIPE,
				  "the daemon hung up, since its lines were "
				  "not taken in time");
	else
		(void)fault_plain(&f, -EPIPE, "the daemon has ended");
	return verb_say(v, &f, STATUS_FAILED);
}

/** logs_hear() - One reply after another, until the last */
static int logs_hear(const struct verb *v, const struct logs *l,
		     struct control *c)
{
	for (;;) {
		struct varlink_reply r = { 0 };
		struct fault f;
		const int status = call_next(v, c, &r, &f);
		const bool is_last = !r.continues;
		bool is_read = true;

		if (f.code == -EAGAIN) {
			if (!logs_wait(c))
				return STATUS_DONE;
			continue;
		}
		if (f.code == -EPIPE || f.code == -ECONNRESET)
			return logs_left(v);
		if (status != STATUS_DONE)
			return f.code < 0 ? verb_say(v, &f, status) : status;
		is_read = logs_write(l, &r);
		varlink_reply_fini(&r);
		if (!is_read)
			return STATUS_FAILED;
		if (is_last)
			return STATUS_DONE;
	}
}

static int logs_ask(const struct verb *v, const struct logs *l)
{
	json_t *p = json_pack("{s:b}", "follow", l->follow);
	struct fault f = { 0 };
	struct control c;
	int status = call_open(v, &c);

	if (status != STATUS_DONE) {
		json_decref(p);
		return status;
	}
	/* These fail only without memory; then the daemon misses them. */
	if (l->name)
		(void)json_object_set_new(p, "name", json_string(l->name));
	if (l->lines >= 0)
		(void)json_object_set_new(p, "lines", json_integer(l->lines));
	if (control_follow(&c, "Logs", p, &f) < 0)
		status = verb_say(v, &f, STATUS_FAILED);
	else
		status = logs_hear(v, l, &c);
	control_close(&c);
	return status;
}

static int logs_verb(const struct verb *v, char **argv)
{
	struct logs l = { .lines = -1 };
	struct fault f = { 0 };
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &l, &status))
		return status;
	l.name = argv[0];
	if (argv[0] && (argv[1] || argv[0][0] == '\0')) {
		(void)fault_plain(&f, -EINVAL,
				  "it takes the name of one sandbox, or none");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	return logs_ask(v, &l);
}

const struct verb verb_logs = {
	.name = "logs",
	.args = "[-f] [-n LINES] [NAME]",
	.line = "Tell what the daemon and its sandboxes have said.",
	.more = logs_more,
	.opts = logs_opts,
	.opt_count = sizeof(logs_opts) / sizeof(logs_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = logs_verb,
};
