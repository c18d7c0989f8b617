// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * profiles.c - the configuration as verbs need it
 *
 * Root has the system's files. A user has those too, as far as they may be
 * read, and own ones that go before them. Both have the presets, behind all.
 */
#include "profiles.h"

#include "base/log.h"
#include "base/text.h"
#include "conf/profile.h"
#include "settle.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILES_SHOWN 64

bool profiles_user_dir(char *to, size_t size)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int n;

	if (geteuid() == 0)
		return false;
	/* "All paths must be absolute" (XDG base directory specification). */
	if (xdg && xdg[0] == '/')
		n = snprintf(to, size, "%s/nsproxy", xdg);
	else if (home && home[0] == '/')
		n = snprintf(to, size, "%s/.config/nsproxy", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

const char *profiles_presets(void)
{
	const char *named =
		geteuid() != 0 ? secure_getenv("NSPROXY_PRESETS") : NULL;

	return named && named[0] == '/' ? named : PRESETS;
}

int profiles_load(struct conf *c)
{
	char dir[PATH_MAX];

	conf_init(c, geteuid());
	conf_add_presets(c, profiles_presets());
	conf_add_dir(c, CONF_SYSTEM_DIR, LAYER_SYSTEM);
	if (profiles_user_dir(dir, sizeof(dir)))
		conf_add_dir(c, dir, LAYER_USER);
	return conf_finish(c);
}

int profiles_fault(const struct conf *c, struct fault *f)
{
	const struct problem *first = c->problems.first;
	char where[ORIGIN_TEXT];

	(void)fault_plain(f, -EINVAL, "%s: %s", origin_text(&first->at, where),
			  first->text);
	if (c->problems.count == 1)
		return fault_hint(f, "the configuration is taken whole or not "
				     "at all");
	return fault_hint(f, "and %u more; nsproxy config check tells all",
			  c->problems.count - 1);
}

/** profiles_can_run() - May a one-shot stand for this profile? */
static int profiles_can_run(const struct profile *pr, struct fault *f)
{
	if (pr->guard == GUARD_STRICT) {
		(void)fault_plain(f, -EOPNOTSUPP,
				  "profile '%s' says 'guard = strict', and "
				  "run guards less than that",
				  pr->name);
		return fault_hint(f, "let it say 'guarded', which is what run "
				     "does");
	}
	if (pr->attach) {
		(void)fault_plain(f, -EPERM,
				  "profile '%s' has the interface '%s', and "
				  "only root's daemon can move one of the host",
				  pr->name, pr->attach);
		return fault_hint(f,
				  "as root: nsproxy up %s; without root: "
				  "-x direct://?dev=%s",
				  pr->name, pr->attach);
	}
	if (pr->helper_count > 0)
		log_warn("profile '%s' has helpers; run starts none", pr->name);
	return 0;
}

static int profiles_expose(const struct profile *pr, struct plan *p,
			   struct fault *f)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < pr->expose->count; i++)
		rc = settle_expose(p, pr->expose->value[i].text, f);
	return rc;
}

static int profiles_take(struct conf *c, const char *name, bool is_run,
			 struct plan *p, struct dns_wish *dns, struct fault *f)
{
	struct profile pr;
	int rc;

	rc = profile_get(c, name, &pr, f);
	if (rc == 0)
		rc = !is_run ? 0 : profiles_can_run(&pr, f);
	if (rc == 0 && p->hop_count == 0)
		rc = profile_chain_to_plan(c, &pr, p, f);
	if (rc < 0)
		return rc;
	if (!dns->is_set)
		profile_dns(&pr, dns);
	rc = profiles_expose(&pr, p, f);
	/* Said twice, it would let more out than either. */
	if (rc == 0 && p->only_count == 0)
		rc = profile_only(&pr, p, f);
	return rc < 0 ? rc : profile_publish(&pr, p, f);
}

int profiles_settle(const char *name, bool is_run, struct plan *p,
		    struct dns_wish *dns, struct fault *f)
{
	struct conf c;
	int rc;

	rc = profiles_load(&c) < 0 ? profiles_fault(&c, f)
				   : profiles_take(&c, name, is_run, p, dns, f);
	conf_fini(&c);
	return rc;
}
