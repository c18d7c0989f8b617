// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * fleet.c - all sandboxes of a daemon
 *
 * What shall be up is on disk; what lives shows by its keeper's socket. A
 * daemon that begins brings the two together, so that it may be killed at any
 * moment.
 */
#include "daemon/fleet.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/state.h"
#include "kern/netns_etc.h"
#include "kern/pin.h"
#include "kern/veth.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLEET_BUILDERS 2 /* at a time, for each core */

struct sandbox *fleet_find(const struct fleet *fl, const char *name)
{
	struct list *at;

	list_each (at, &fl->all) {
		struct sandbox *s = container_of(at, struct sandbox, node);

		if (!strcmp(s->name, name))
			return s;
	}
	return NULL;
}

/** fleet_save() - Write down who shall be up */
static int fleet_save(const struct fleet *fl, struct fault *f)
{
	struct state st = { 0 };
	struct list *at;
	int rc;

	st.box = calloc(fl->count + 1, sizeof(*st.box));
	if (!st.box)
		return fault(f, -ENOMEM, "write the state");
	list_each (at, &fl->all) {
		struct sandbox *s = container_of(at, struct sandbox, node);
		struct state_box *b = &st.box[st.count];

		/* It cannot be built again. */
		if (s->is_over || s->is_attached)
			continue;
		st.count++;
		memcpy(b->name, s->name, sizeof(b->name));
		memcpy(b->profile, s->profile, sizeof(b->profile));
		b->owner = s->owner;
		b->netns = s->netns;
	}
	rc = state_save(fl->where->state_dir, fl->where->state, &st, f);
	state_fini(&st);
	return rc;
}

/** fleet_add() - One more, the daemon's own; NULL when there is no room */
static struct sandbox *fleet_add(struct fleet *fl, const char *name,
				 const char *profile)
{
	struct sandbox *s;

	if (fl->count == STATE_MAX)
		return NULL;
	s = sandbox_new(&fl->host, name, profile);
	if (!s)
		return NULL;
	s->owner = geteuid();
	list_add_tail(&fl->all, &s->node);
	fl->count++;
	journal_add(fl->journal, name);
	return s;
}

static void fleet_drop(struct fleet *fl, struct sandbox *s)
{
	fl->count--;
	journal_drop(fl->journal, s->name);
	sandbox_free(s);
}

bool fleet_is_down(const struct fleet *fl)
{
	struct list *at;

	list_each (at, &fl->all) {
		struct sandbox *s = container_of(at, struct sandbox, node);

		if (s->state != SANDBOX_DOWN || s->is_over)
			return false;
	}
	return true;
}

size_t fleet_count_up(const struct fleet *fl)
{
	struct list *at;
	size_t count = 0;

	list_each (at, &fl->all)
		count += container_of(at, struct sandbox, node)->state ==
			 SANDBOX_UP;
	return count;
}

/** fleet_count_of() - How many sandboxes are a user's */
static size_t fleet_count_of(const struct fleet *fl, uid_t owner)
{
	struct list *at;
	size_t count = 0;

	list_each (at, &fl->all)
		count += container_of(at, struct sandbox, node)->owner == owner;
	return count;
}

/** fleet_new() - One more, if there may be; Return: 0 or -errno */
static int fleet_new(struct fleet *fl, const char *name, const char *profile,
		     uid_t owner, struct sandbox **ret, struct fault *f)
{
	struct sandbox *s;

	if (owner != geteuid() && fleet_count_of(fl, owner) >= FLEET_MAX_OF)
		return fault_plain(f, -EDQUOT,
				   "a user can have %d sandboxes at a time",
				   FLEET_MAX_OF);
	s = fleet_add(fl, name, profile);
	if (!s)
		return fault_plain(f, -ENOSPC,
				   "at most %d sandboxes can be up at a time",
				   STATE_MAX);
	s->owner = owner;
	*ret = s;
	return 0;
}

int fleet_attach(struct fleet *fl, const char *name, const char *profile,
		 uid_t owner, int net, int leader, struct fault *f)
{
	auto_fd given = net;
	auto_fd with = leader;
	struct sandbox *s = NULL;
	const int rc = fleet_new(fl, name, profile, owner, &s, f);

	if (rc == 0)
		sandbox_attach(s, fd_take(&given), fd_take(&with));
	return rc;
}

int fleet_up(struct fleet *fl, const char *name, const char *profile,
	     uid_t owner, struct sandbox **ret, struct fault *f)
{
	struct sandbox *s = NULL;
	int rc = fleet_new(fl, name, profile, owner, &s, f);

	if (rc < 0)
		return rc;
	rc = fleet_save(fl, f);
	if (rc < 0) {
		fleet_drop(fl, s);
		return rc;
	}
	sandbox_up(s);
	*ret = s;
	return 0;
}

/** fleet_is_dead() - Was it found out that its keeper is no more? */
static bool fleet_is_dead(const struct sandbox *s)
{
	return s->trouble.code == -ECONNREFUSED || s->trouble.code == -ENOENT;
}

/** fleet_unlink() - What a dead one has left */
static void fleet_unlink(const struct fleet *fl, const char *name)
{
	char path[WHERE_MAX];

	if (fl->where->is_system) {
		netns_etc_remove(name);
		(void)veth_remove(name);
	}
	if (sandbox_path(fl->where->boxes, name, path, sizeof(path)))
		(void)unlink(path);
}

/** fleet_tell() - What is on the disk now, or could not be put there */
static void fleet_tell(struct fleet *fl, struct sandbox *s,
		       const struct fault *f)
{
	list_del(&s->news);
	if (!s->is_over) {
		fl->told(fl->ctx, s, f);
		return;
	}
	if (f)
		log_err("sandbox '%s' would come back with the next daemon",
			s->name);
	list_del(&s->node);
	fl->count--;
	awake_settle(&fl->awake);
	/* Those who follow its lines get the last ones now. */
	journal_drain(fl->journal, s->name);
	fl->told(fl->ctx, s, f);
	journal_drop(fl->journal, s->name);
	sandbox_free(s);
}

/** fleet_flush() - Write down once what has changed in a turn of the loop */
static void fleet_flush(struct task *t)
{
	struct fleet *fl = container_of(t, struct fleet, flush);
	struct fault f = { 0 };
	const int rc = fleet_save(fl, &f);

	if (rc < 0)
		log_err("%s", f.text);
	while (!list_empty(&fl->news))
		fleet_tell(fl,
			   container_of(fl->news.next, struct sandbox, news),
			   rc < 0 ? &f : NULL);
}

/** fleet_note() - Tell of it when it is written down */
static void fleet_note(struct fleet *fl, struct sandbox *s)
{
	list_del(&s->news);
	list_add_tail(&fl->news, &s->news);
	loop_defer(fl->host.loop, &fl->flush, fleet_flush);
}

/** fleet_end() - Strike it off the list, tell, and free it */
static void fleet_end(struct fleet *fl, struct sandbox *s)
{
	s->is_over = true;
	fleet_note(fl, s);
}

/** fleet_not_adopted() - Its keeper is dead, or does not understand us */
static void fleet_not_adopted(struct fleet *fl, struct sandbox *s)
{
	if (!fleet_is_dead(s)) {
		log_err("sandbox '%s': %s", s->name, s->trouble.text);
		fl->told(fl->ctx, s, NULL); /* it stays on the list so */
	} else if (s->is_wished) {
		sandbox_up(s);
	} else {
		sandbox_clear(s);
	}
}

static void fleet_hear(void *ctx, struct sandbox *s, int log)
{
	struct fleet *fl = ctx;

	journal_hear(fl->journal, s->name, log);
}

static void fleet_changed(void *ctx, struct sandbox *s)
{
	struct fleet *fl = ctx;

	if (s->state == SANDBOX_DOWN && s->trouble.code < 0) {
		fleet_not_adopted(fl, s);
		return;
	}
	/* Also one that could not be built when it was first asked for, and an
	 * attached one whose keeper died. */
	if (s->state == SANDBOX_DOWN ||
	    (s->state == SANDBOX_WAITING && !s->is_wished &&
	     !sandbox_has_keeper(s))) {
		if (s->is_attached || s->state == SANDBOX_WAITING)
			fleet_unlink(fl, s->name);
		if (fl->where->is_system && s->state == SANDBOX_WAITING)
			(void)pin_remove(s->name);
		fleet_end(fl, s);
		return;
	}
	if (s->state == SANDBOX_UP) {
		s->is_wished = !s->is_attached;
		memcpy(s->profile, s->terms.profile, sizeof(s->profile));
		awake_settle(&fl->awake);
		/* With its namespace's number, for 'nsproxy id'. */
		fleet_note(fl, s);
		return;
	}
	fl->told(fl->ctx, s, NULL);
}

/** fleet_find_living() - Every keeper's socket, whoever made it */
static int fleet_find_living(struct fleet *fl, struct fault *f)
{
	DIR *dir = opendir(fl->where->boxes);
	const struct dirent *e;

	if (!dir)
		return fault(f, -errno, "read '%s'", fl->where->boxes);
	while ((e = readdir(dir)))
		if (store_name_ok(e->d_name) && !fleet_find(fl, e->d_name))
			(void)fleet_add(fl, e->d_name, e->d_name);
	(void)closedir(dir);
	return 0;
}

/** fleet_read() - Those that shall be up */
static int fleet_read(struct fleet *fl, struct fault *f)
{
	struct state st = { 0 };
	const int rc = state_load(fl->where->state, &st, f);

	for (size_t i = 0; rc == 0 && i < st.count; i++) {
		struct sandbox *s = fleet_find(fl, st.box[i].name);

		if (!s)
			s = fleet_add(fl, st.box[i].name, st.box[i].profile);
		if (!s)
			continue; /* no memory: others may still find some */
		s->owner = st.box[i].owner;
		s->netns = st.box[i].netns;
		s->has_moved = fl->where->is_system; /* until it is adopted */
		s->is_wished = true;
	}
	state_fini(&st);
	return rc;
}

int fleet_start(struct fleet *fl, struct loop *loop, int level,
		const char *const *also, struct fault *f)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned int most =
		FLEET_BUILDERS * (cores > 0 ? (unsigned int)cores : 1);
	struct list *at;
	struct list *next;
	int rc;

	list_init(&fl->all);
	list_init(&fl->news);
	crew_init(&fl->makers, loop, most);
	crew_init(&fl->askers, loop, most);
	fl->host = (struct sandbox_host){
		.loop = loop,
		.dir = fl->where->boxes,
		.is_pinned = fl->where->is_system,
		.log_level = level,
		.lock = fl->lock,
		.hear = fleet_hear,
		.count = &fl->count,
		.makers = &fl->makers,
		.askers = &fl->askers,
		.changed = fleet_changed,
		.ctx = fl,
	};
	rc = fleet_read(fl, f);
	if (rc == 0)
		rc = fleet_find_living(fl, f);
	if (rc < 0)
		return rc;
	list_each_safe (at, next, &fl->all)
		sandbox_adopt(container_of(at, struct sandbox, node));
	for (; also && *also; also++) {
		struct sandbox *s;

		if (!fleet_find(fl, *also) &&
		    fleet_up(fl, *also, *also, geteuid(), &s, f) == 0)
			s->is_wished = true;
	}
	awake_start(&fl->awake, fl);
	return 0;
}

void fleet_stop(struct fleet *fl)
{
	awake_stop(&fl->awake);
	while (!list_empty(&fl->all)) {
		struct sandbox *s =
			container_of(fl->all.next, struct sandbox, node);

		fleet_drop(fl, s);
	}
	if (fl->host.loop)
		loop_undefer(fl->host.loop, &fl->flush);
}

/** fleet_collect_pins() - Those whose name others still know; a namespace that
 * it holds may have an interface of the host's */
static void fleet_collect_pins(struct fleet *fl, bool is_dry, json_t *found)
{
	DIR *dir = opendir(PIN_NOTES);
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		struct sandbox *s;

		if (!store_name_ok(e->d_name) || fleet_find(fl, e->d_name))
			continue;
		(void)json_object_set_new(found, e->d_name, json_null());
		s = is_dry ? NULL : fleet_add(fl, e->d_name, e->d_name);
		if (s)
			sandbox_clear(s);
	}
	if (dir)
		(void)closedir(dir);
}

/** fleet_collect_in() - Those whose leavings are in one directory */
static void fleet_collect_in(const struct fleet *fl, const char *path,
			     bool is_dry, json_t *found)
{
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		/* All that live, or are being built, are in the fleet. */
		if (!store_name_ok(e->d_name) || fleet_find(fl, e->d_name))
			continue;
		(void)json_object_set_new(found, e->d_name, json_null());
		if (!is_dry)
			fleet_unlink(fl, e->d_name);
	}
	if (dir)
		(void)closedir(dir);
}

/** struct leavings - what fleet_collect() is about */
struct leavings {
	const struct fleet *fleet;
	bool is_dry;
	json_t *found;
};

/** fleet_keeps() - Is this link one of a sandbox that lives? */
static bool fleet_keeps(void *ctx, const char *link, const char *name)
{
	const struct leavings *l = ctx;
	const struct sandbox *s = fleet_find(l->fleet, name);

	/* One that is being built has a link which it has not told of. */
	if (s && (s->state != SANDBOX_UP || !strcmp(s->link.link, link)))
		return true;
	(void)json_object_set_new(l->found, name, json_null());
	return l->is_dry;
}

json_t *fleet_collect(struct fleet *fl, bool is_dry)
{
	json_t *found = json_object();
	json_t *names = json_array();
	const char *name;
	json_t *null;

	fleet_collect_in(fl, fl->where->boxes, is_dry, found);
	if (fl->where->is_system)
		fleet_collect_in(fl, NETNS_ETC_DIR, is_dry, found);
	if (fl->where->is_system)
		fleet_collect_pins(fl, is_dry, found);
	if (fl->where->is_system)
		(void)veth_sweep(fleet_keeps,
				 &(struct leavings){ fl, is_dry, found });
	json_object_foreach (found, name, null)
		(void)json_array_append_new(names, json_string(name));
	json_decref(found);
	return names;
}
