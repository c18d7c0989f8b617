// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * account.c - users and groups, out of their files alone
 *
 * getpwnam(3) would load plug-ins and ask daemons; a privileged process of ours
 * does neither. Accounts that stand elsewhere are written as numbers.
 */
#include "conf/account.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_SHOWN 80

/** account_number() - A decimal number, and no id that means "none" */
static bool account_number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || n >= UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static int account_none(const char *kind, const char *name, const char *file,
			struct fault *f)
{
	char shown[ACCOUNT_SHOWN];

	(void)fault_plain(f, -ENOENT, "there is no %s '%s' in %s", kind,
			  text_quote(shown, sizeof(shown), name, strlen(name)),
			  file);
	return fault_hint(f, "one that is known elsewhere can be written as a "
			     "number");
}

static void account_take(const struct passwd *p, struct account *ret)
{
	*ret = (struct account){ .uid = p->pw_uid, .gid = p->pw_gid };
	(void)text_copy(ret->name, sizeof(ret->name), p->pw_name);
	(void)text_copy(ret->home, sizeof(ret->home), p->pw_dir);
}

int account_user(const char *name, struct account *ret, struct fault *f)
{
	FILE *in = fopen("/etc/passwd", "re");
	const struct passwd *p;
	uint32_t id = 0;
	const bool is_number = account_number(name, &id);
	bool found = false;

	if (!in && !is_number)
		return fault(f, -errno, "open /etc/passwd");
	while (in && !found && (p = fgetpwent(in))) {
		found = is_number ? p->pw_uid == id : !strcmp(p->pw_name, name);
		if (found)
			account_take(p, ret);
	}
	if (in)
		(void)fclose(in);
	if (!found && is_number)
		*ret = (struct account){ .uid = id, .gid = id };
	return found || is_number
		       ? 0
		       : account_none("user", name, "/etc/passwd", f);
}

int account_group(const char *name, gid_t *ret, struct fault *f)
{
	FILE *in;
	const struct group *g;
	uint32_t id = 0;
	bool found = false;

	if (account_number(name, &id)) {
		*ret = id;
		return 0;
	}
	in = fopen("/etc/group", "re");
	if (!in)
		return fault(f, -errno, "open /etc/group");
	while (!found && (g = fgetgrent(in)))
		if (!strcmp(g->gr_name, name)) {
			*ret = g->gr_gid;
			found = true;
		}
	(void)fclose(in);
	return found ? 0 : account_none("group", name, "/etc/group", f);
}
