// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * awake.c - the links to sandboxes are open while the daemon is awake
 *
 * Every few seconds the wall is told so; when it hears nothing it shuts. Once
 * there is no sandbox with a link any more, the wall goes, too.
 */
#include "daemon/awake.h"

#include "base/fd.h"
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

static void awake_due(struct timer *t);

/** awake_tell() - Tell the wall now, and again in a while */
static void awake_tell(struct awake *a)
{
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
	(void)loop_timer(a->fleet->host.loop, &a->timer, AWAKE_MS, awake_due);
}

static void awake_due(struct timer *t)
{
	awake_tell(container_of(t, struct awake, timer));
}

static void awake_changed(struct watch *w, uint32_t events)
{
	struct awake *a = container_of(w, struct awake, changes);

	(void)events;
	if (wall_heard(a->changes_fd))
		awake_tell(a);
}

/** awake_begin() - The first link is there */
static void awake_begin(struct awake *a)
{
	struct fault f = { 0 };
	int rc = wall_listen(&a->changes_fd, &f);

	if (rc == 0)
		rc = loop_watch(a->fleet->host.loop, &a->changes, a->changes_fd,
				EPOLLIN, awake_changed);
	if (rc < 0)
		log_warn("rules that somebody removes come back after %d s "
			 "only: %s",
			 AWAKE_MS / 1000, f.text);
	a->is_on = a->has_wall = true;
	awake_tell(a);
}

/** awake_end() - The last link is gone, or the daemon goes */
static void awake_end(struct awake *a)
{
	loop_untimer(a->fleet->host.loop, &a->timer);
	loop_unwatch(a->fleet->host.loop, &a->changes);
	fd_close(&a->changes_fd);
	a->is_on = false;
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

	if (has_link && !a->is_on)
		awake_begin(a);
	if (is_needed || !a->has_wall)
		return;
	awake_end(a);
	a->has_wall = false;
	(void)wall_remove();
}

void awake_start(struct awake *a, struct fleet *fl)
{
	*a = (struct awake){
		.fleet = fl,
		.changes.fd = -1,
		.changes_fd = -1,
		.has_wall = fl->where->is_system,
	};
	awake_settle(a);
}

void awake_stop(struct awake *a)
{
	if (!a->fleet)
		return; /* it has not begun */
	if (a->is_on)
		wall_sleep();
	awake_end(a);
}
