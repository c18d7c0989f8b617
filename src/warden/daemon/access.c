// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * access.c - who may what
 *
 * Ids are the kernel's (SO_PEERCRED, SO_PEERGROUPS), as they were when the
 * caller connected; names became numbers when the sandbox was built.
 */
#include "daemon/access.h"

#include "base/broken.h"
#include "base/log.h"
#include "conf/account.h"

#include <errno.h>
#include <unistd.h>

void access_init(struct access *a, bool is_system)
{
	struct fault f = { 0 };

	*a = (struct access){ .is_system = is_system };
	if (!is_system)
		return;
	a->has_group = account_group(ACCESS_GROUP, &a->group, &f) == 0;
	if (!a->has_group && f.code != -ENOENT)
		log_warn("%s; nobody is admitted as a member of group '%s'",
			 f.text, ACCESS_GROUP);
}

static bool access_is_member(const struct caller *c, gid_t group)
{
	if (c->who.gid == group)
		return true;
	for (size_t i = 0; i < c->group_count; i++)
		if (c->groups[i] == group)
			return true;
	return false;
}

static bool access_may_manage(const struct access *a, const struct caller *c)
{
	if (c->who.uid == 0 || c->who.uid == geteuid())
		return true;
	return a->is_system && a->has_group && access_is_member(c, a->group);
}

static bool access_is_admitted(const struct caller *c, const struct sandbox *s)
{
	return sandbox_has_keeper(s) &&
	       (broken(BROKEN_STRANGERS) ||
		terms_admit(&s->terms, c->who.uid, c->groups, c->group_count) ||
		terms_admit(&s->terms, c->who.uid, &c->who.gid, 1));
}

bool access_may(const struct access *a, const struct caller *c,
		enum right right, const struct sandbox *s)
{
	const bool is_owner = a->is_system && s && s->owner == c->who.uid;

	switch (right) {
	case RIGHT_NONE:
		return true;
	case RIGHT_ENTER:
		return access_may_manage(a, c) || is_owner ||
		       (a->is_system && s && access_is_admitted(c, s));
	case RIGHT_OWN:
		return access_may_manage(a, c) || is_owner;
	case RIGHT_MANAGE:
		return access_may_manage(a, c);
	}
	return false;
}
