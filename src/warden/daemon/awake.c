// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * awake.c - the links to sandboxes are open while the daemon is awake
 *
 * Every few seconds the wall is told so; when it hears nothing it shuts. Once
 * there is no sandbox with a link any more, the wall goes, too.
 */
#include "daemon/awake.h"

#include "base/log.h"
#include "daemon/fleet.h"
#include "kern/wall.h"

#include <errno.h>

#define AWAKE_MS 3000

_Static_assert(WALL_PATIENCE_S * 1000 > 3 * AWAKE_MS, "one may be lost");

/** awake_rebuild() - Somebody has removed our table */
static int awake_rebuild(const struct fleet *fl, struct fault *f)
{
	struct list *at;
	int rc = wall_make(f);

	list_each (at, &fl->all) {
		struct sandbox *s = container_of(at, struct sandbox, node);

		if (rc == 0 && s->link.is_wished && sandbox_has_keeper(s))
			rc = wall_let(&s->link, f);
	}
	return rc < 0 ? rc : wall_wake(f);
}

static void awake_tick(struct timer *t)
{
	struct awake *a = container_of(t, struct awake, timer);
	struct fault f = { 0 };
	int rc = wall_wake(&f);

	if (rc == -ENOENT) {
		log_warn("somebody removed the packet rules that guard links "
			 "to sandboxes (nf_tables 'inet " WALL_TABLE
			 "'); they are made again");
		rc = awake_rebuild(a->fleet, &f);
	}
	if (rc < 0)
		log_err("links to sandboxes stay shut: %s", f.text);
	(void)loop_timer(a->fleet->host.loop, t, AWAKE_MS, awake_tick);
}

/** awake_is_needed() - Has a sandbox a link, or may get one? */
static bool awake_is_needed(const struct fleet *fl, bool *ret_has_link)
{
	struct list *at;
	bool may = false;

	*ret_has_link = false;
	list_each (at, &fl->all) {
		const struct sandbox *s =
			container_of(at, struct sandbox, node);

		*ret_has_link |= s->link.is_wished;
		may |= s->state == SANDBOX_BUILDING ||
		       s->state == SANDBOX_ADOPTING || s->trouble.code < 0;
	}
	return may || *ret_has_link;
}

void awake_settle(struct awake *a)
{
	bool has_link;
	const bool is_needed = awake_is_needed(a->fleet, &has_link);

	if (has_link && !a->is_on) {
		a->is_on = a->has_wall = true;
		awake_tick(&a->timer);
	}
	if (is_needed || !a->has_wall)
		return;
	loop_untimer(a->fleet->host.loop, &a->timer);
	a->is_on = a->has_wall = false;
	(void)wall_remove();
}

void awake_start(struct awake *a, struct fleet *fl)
{
	*a = (struct awake){ .fleet = fl, .has_wall = fl->where->is_system };
	awake_settle(a);
}

void awake_stop(struct awake *a)
{
	if (a->is_on)
		wall_sleep();
	if (a->fleet)
		loop_untimer(a->fleet->host.loop, &a->timer);
	*a = (struct awake){ 0 };
}
