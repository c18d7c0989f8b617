// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * requests_logs.c - requests for what was said
 *
 * A caller that follows holds no lines, only the number of the last one it was
 * sent: however slow it is, it costs no memory, and when it does not take what
 * it was sent in time it is hung up on like any other. Lines that are pushed
 * out of the journal meanwhile are lost to it, and it is told so.
 */
#include "daemon/requests_own.h"

#include "bus/control.h"

#include <string.h>

#define LOGS_PART 64   /* lines of one reply of several */
#define LOGS_ONCE 256  /* of the only one: fits VARLINK_REPLY_MAX */
#define LOGS_MAX  1000 /* that are looked for in what was said before */

_Static_assert(LOGS_ONCE *(LINE_MAX * 2 + 256) < VARLINK_REPLY_MAX,
	       "as many lines fit, were each character escaped");
_Static_assert(LOGS_ONCE >= RING_LINES, "a sandbox's last lines fit one reply");

static json_t *logs_line(const struct line *l)
{
	return json_pack("{s:I, s:s, s:s, s:s}", "time_ms",
			 (json_int_t)l->time_ms, "sandbox", l->from, "level",
			 line_level_name(l->level), "text", l->text);
}

/** logs_take() - A reply with the next lines, at most @max of them */
static json_t *logs_take(const struct journal *j, struct caller *c,
			 unsigned int max)
{
	const uint64_t from = c->seen > c->since ? c->seen : c->since;
	const bool has_lost = journal_has_lost(j, c->name, from);
	json_t *all = json_array();
	const struct line *l;

	while (max-- > 0 && (l = journal_next(j, c->name, c->seen)) &&
	       l->seq <= c->until) {
		(void)json_array_append_new(all, logs_line(l));
		c->seen = l->seq;
	}
	return json_pack("{s:o, s:b}", "lines", all, "lost", has_lost);
}

static bool logs_has_more(const struct journal *j, const struct caller *c)
{
	const struct line *l = journal_next(j, c->name, c->seen);

	return l && l->seq <= c->until;
}

/** logs_feed() - Send what there is, a part now and more in the next turn */
static void logs_feed(const struct requests *r, struct caller *c)
{
	const bool has_end = c->until != UINT64_MAX;
	json_t *part;

	if (c->out.text || c->is_over ||
	    (!has_end && !logs_has_more(r->journal, c)))
		return;
	part = logs_take(r->journal, c, LOGS_PART);
	if (logs_has_more(r->journal, c)) {
		caller_part(c, part);
		journal_again(r->journal);
	} else if (has_end) {
		caller_reply(c, NULL, part, NULL, 0);
	} else {
		caller_part(c, part);
	}
}

void requests_fed(void *ctx, struct caller *c)
{
	const struct requests *r = ctx;

	logs_feed(r, c);
}

void requests_news(void *ctx)
{
	const struct requests *r = ctx;
	struct list *at;
	struct list *next;

	list_each_safe (at, next, &r->callers->list) {
		struct caller *c = container_of(at, struct caller, node);

		if (c->wait == CALLER_FOLLOW)
			logs_feed(r, c);
	}
}

void requests_last_lines(const struct requests *r, struct caller *c)
{
	c->until = UINT64_MAX;
	caller_reply(c, NULL, logs_take(r->journal, c, LOGS_ONCE), NULL, 0);
}

void request_logs(struct requests *r, struct caller *c, struct sandbox *s,
		  const json_t *p)
{
	const char *name = varlink_get_string(p, "name");
	const json_t *lines = json_object_get(p, "lines");
	const bool follow = json_is_true(json_object_get(p, "follow"));
	json_int_t count = lines ? json_integer_value(lines) : LOGS_MAX;
	const json_int_t most = c->more ? LOGS_MAX : LOGS_ONCE;

	if (name[0] != '\0' && !s) {
		caller_reply(c, CONTROL_INTERFACE ".NoSuchSandbox",
			     json_pack("{s:s}", "name", name), NULL, 0);
		return;
	}
	if (follow && !c->more) {
		caller_reply(c, "org.varlink.service.ExpectedMore", NULL, NULL,
			     0);
		return;
	}
	if (count > most)
		count = most;
	memcpy(c->name, name, strlen(name) + 1); /* it is a sandbox's, or "" */
	c->since = r->journal->seq;
	c->seen = journal_last(r->journal, name, (unsigned int)count);
	c->until = follow ? UINT64_MAX : c->since;
	if (c->more) {
		c->wait = CALLER_FOLLOW;
		logs_feed(r, c);
	} else {
		caller_reply(c, NULL, logs_take(r->journal, c, LOGS_ONCE), NULL,
			     0);
	}
}
