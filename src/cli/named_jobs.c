// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * named_jobs.c - from a profile's helpers to what a sandbox's minder runs
 */
#include "named_jobs.h"

#include "base/text.h"
#include "conf/account.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOB_SHOWN 160

_Static_assert(JOBS_MAX > HELPERS_MAX, "each helper is a job, and dnsproxy");
_Static_assert(JOB_BYTES >= HELPER_BYTES, "each command fits");
_Static_assert(JOB_WORDS >= CONF_TEXTS, "each list of words fits");
_Static_assert(JOB_USER >= ACCOUNT_NAME && JOB_HOME >= ACCOUNT_HOME,
	       "each account fits");

/** named_program() - Is there anything to run? */
static int named_program(const struct helper *h, struct fault *f)
{
	char path[PATH_MAX];
	char shown[JOB_SHOWN];
	const int rc = job_find(h->command[0], path, sizeof(path));

	text_quote(shown, sizeof(shown), h->command[0], strlen(h->command[0]));
	if (rc == -EINVAL)
		return fault_plain(f, rc,
				   "helper '%s': write '%s' with a path that "
				   "begins with '/', or without one",
				   h->name, shown);
	if (rc == -ENOENT && h->command[0][0] != '/')
		return fault_plain(f, rc,
				   "helper '%s': there is no program '%s' in "
				   "%s",
				   h->name, shown, JOB_PATH);
	return rc < 0 ? fault(f, rc, "helper '%s': find program '%s'", h->name,
			      shown)
		      : 0;
}

void named_caller(struct account *ret)
{
	char number[16];
	const char *home = getenv("HOME");

	(void)snprintf(number, sizeof(number), "%u", geteuid());
	if (account_user(number, ret, NULL) < 0)
		*ret = (struct account){ 0 };
	ret->uid = geteuid();
	ret->gid = getegid();
	/* Not everybody's account is in the file. */
	if (ret->home[0] == '\0' && home)
		(void)text_copy(ret->home, sizeof(ret->home), home);
}

static int named_user(const struct helper *h, struct account *ret,
		      struct fault *f)
{
	struct fault why = { 0 };

	if (geteuid() != 0) {
		named_caller(ret);
		return 0;
	}
	if (!h->user)
		return fault_plain(f, -EPERM,
				   "helper '%s' would run as root; root's "
				   "belong to %s, with a 'user'",
				   h->name, CONF_SYSTEM_DIR);
	if (account_user(h->user, ret, &why) < 0)
		return fault_plain(f, why.code, "helper '%s': %s", h->name,
				   why.text);
	if (ret->uid == 0)
		return fault_plain(f, -EPERM,
				   "helper '%s': user '%s' is root, and "
				   "helpers run as ordinary users",
				   h->name, h->user);
	return 0;
}

static int named_job(const struct helper *h, struct job *ret, struct fault *f)
{
	struct account who;
	int rc = named_user(h, &who, f);

	if (rc == 0)
		rc = named_program(h, f);
	if (rc < 0)
		return rc;
	if (!job_pack(ret, h->command) ||
	    !text_copy(ret->name, sizeof(ret->name), h->name))
		return fault_plain(f, -E2BIG,
				   "the command of helper '%s' is too long",
				   h->name);
	ret->restart = h->restart;
	ret->where = h->where;
	ret->ready = h->ready;
	ret->uid = who.uid;
	ret->gid = who.gid;
	memcpy(ret->user, who.name, sizeof(who.name));
	memcpy(ret->home, who.home, sizeof(who.home));
	return 0;
}

int named_jobs(const struct profile *pr, struct jobs *ret, struct fault *f)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < pr->helper_count; i++)
		rc = named_job(&pr->helper[i], &ret->job[ret->count++], f);
	return rc;
}
