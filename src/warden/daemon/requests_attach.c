// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * requests_attach.c - a way out for a network namespace that others made
 *
 * The namespace comes with the call, and perhaps a process. They are looked at
 * by the builder, since a file may be anything and take its time.
 */
#include "daemon/requests_own.h"

#include "base/fd.h"

#include <errno.h>

void request_attach(struct requests *r, struct caller *c, struct sandbox *s,
		    const json_t *p)
{
	const char *name = varlink_get_string(p, "name");
	const char *profile = varlink_get_string(p, "profile");
	struct fault f = { 0 };
	auto_fd net = caller_take_fd(c);
	auto_fd leader = caller_take_fd(c);

	if (profile[0] == '\0')
		profile = name;
	if (net < 0) {
		(void)fault_plain(&f, -EINVAL,
				  "one network namespace must come with the "
				  "call");
		caller_fail(c, &f);
	} else if (r->is_stopping || s) {
		requests_busy(c, s ? "a sandbox has that name already"
				   : "the daemon is ending");
	} else if (fleet_attach(r->fleet, name, profile, c->who.uid,
				fd_take(&net), fd_take(&leader), &f) < 0) {
		caller_fail(c, &f);
	} else {
		requests_wait(c, CALLER_UP, name);
	}
}
