// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * requests_switch.c - another plan for sandboxes that live
 *
 * Switch gives one sandbox another profile. Reload gives each the profile it
 * has, as that is written now; builders find out what that changes.
 */
#include "daemon/requests_own.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

void request_switch(struct requests *r, struct caller *c, struct sandbox *s,
		    const json_t *p)
{
	const char *profile = varlink_get_string(p, "profile");

	if (strcmp(profile, s->profile) != 0 &&
	    !access_may(&r->access, c, RIGHT_MANAGE, s)) {
		/* An owner who may bring up nothing now gets nothing new. */
		requests_denied(r, c);
	} else if (r->is_stopping || s->state == SANDBOX_ENDING) {
		requests_busy(c, "it is being taken down");
	} else if (s->state == SANDBOX_SWITCHING) {
		requests_busy(c, "it is being switched already");
	} else if (s->state != SANDBOX_UP) {
		requests_not_running(c, s);
	} else {
		requests_wait(c, CALLER_SWITCH, s->name);
		sandbox_switch(s, profile,
			       json_is_true(json_object_get(p, "close")));
	}
}

static void reload_note(struct requests *r, const struct sandbox *s,
			const char *what, const char *detail)
{
	(void)json_array_append_new(
		r->reload, json_pack("{s:s, s:s, s:s}", "name", s->name, "what",
				     what, "detail", detail));
	if (strcmp(what, "unchanged") != 0)
		log_info("reload: sandbox '%s' %s: %s", s->name, what, detail);
}

/** reload_end() - Tell who waits */
static void reload_end(struct requests *r)
{
	json_t *changes = r->reload;
	struct list *at;
	struct list *next;

	r->reload = NULL;
	list_each_safe (at, next, &r->callers->list) {
		struct caller *c = container_of(at, struct caller, node);

		if (c->wait == CALLER_RELOAD)
			caller_reply(c, NULL,
				     json_pack("{s:O}", "changes", changes),
				     NULL, 0);
	}
	json_decref(changes);
}

void requests_settled(struct requests *r, struct sandbox *s)
{
	if (s->state == SANDBOX_SWITCHING || !s->is_reloading)
		return;
	s->is_reloading = false;
	if (s->switched == -ENOKEY)
		reload_note(r, s, "gone", "its profile; it stays as it is");
	else if (s->switched < 0)
		reload_note(r, s, "failed", s->trouble.text);
	else if (s->changed[0] == '\0')
		reload_note(r, s, "unchanged", "");
	else
		reload_note(r, s, "switched", s->changed);
	if (--r->reloading == 0)
		reload_end(r);
}

/** reload_begin() - Let every sandbox be as its profile is now; Return: false
 * without memory */
static bool reload_begin(struct requests *r)
{
	struct list *at;
	struct list *next;

	r->reload = json_array();
	if (!r->reload)
		return false;
	access_init(&r->access, r->access.is_system);
	r->reloading = 1; /* until all have begun */
	list_each_safe (at, next, &r->fleet->all) {
		struct sandbox *s = container_of(at, struct sandbox, node);

		if (s->state != SANDBOX_UP) {
			reload_note(r, s, "failed", "it is not up");
			continue;
		}
		s->is_reloading = true;
		r->reloading++;
		sandbox_switch(s, s->profile, false);
	}
	if (--r->reloading == 0)
		reload_end(r);
	return true;
}

void request_reload(struct requests *r, struct caller *c, struct sandbox *s,
		    const json_t *p)
{
	(void)s;
	(void)p;
	if (r->is_stopping) {
		requests_busy(c, "the daemon is being stopped");
		return;
	}
	if (r->reload) {
		requests_busy(c, "another reload goes on");
		return;
	}
	c->wait = CALLER_RELOAD;
	if (!reload_begin(r))
		requests_busy(c, "there is no memory for it");
}
