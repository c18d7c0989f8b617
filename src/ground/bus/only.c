// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * only.c - which names may leave a sandbox; pure
 *
 * The resolver, the gate, UDP and the gateway's server ask here, so that all
 * of them say the same.
 */
#include "bus/only.h"

#include <string.h>
#include <strings.h>

static bool only_matches(const struct plan_only *o, const char *name,
			 size_t len)
{
	const size_t own = strlen(o->name);

	if (len < own || strncasecmp(name + len - own, o->name, own) != 0)
		return false;
	if (len == own)
		return !o->below;
	/* A label in front, and not an empty one. */
	return len > own + 1 && name[len - own - 1] == '.';
}

bool only_allows(const struct plan *p, const char *name)
{
	size_t len = strlen(name);

	if (!only_is_set(p))
		return true;
	if (len > 0 && name[len - 1] == '.')
		len--;
	for (unsigned int i = 0; len > 0 && i < p->only_count; i++)
		if (only_matches(&p->only[i], name, len))
			return true;
	return false;
}
