// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * named_jobs.c - from a profile's helpers to what a sandbox's minder runs
 */
#include "named_jobs.h"

#include "base/text.h"
#include "conf/account.h"
#include "conf/engine.h"
#include "profiles.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOB_SHOWN 160

_Static_assert(JOBS_MAX >= HELPERS_MAX + 2,
	       "each helper is a job, an engine, and dnsproxy");
_Static_assert(JOB_BYTES >= HELPER_BYTES, "each command fits");
_Static_assert(JOB_WORDS >= CONF_TEXTS, "each list of words fits");
_Static_assert(JOB_USER >= ACCOUNT_NAME && JOB_HOME >= ACCOUNT_HOME,
	       "each account fits");

/**
 * struct wanted - what somebody wrote about a program to be run
 * @kind:    "helper" or "engine"
 * @source:  How the program can be had; or NULL
 */
struct wanted {
	const char *kind;
	const char *name;
	const char *const *command;
	const char *user;
	const char *source;
};

/** named_program() - Is there anything to run? */
static int named_program(const struct wanted *h, struct fault *f)
{
	char path[PATH_MAX];
	char shown[JOB_SHOWN];
	int rc = job_find(h->command[0], path, sizeof(path));

	text_quote(shown, sizeof(shown), h->command[0], strlen(h->command[0]));
	if (rc == -EINVAL)
		return fault_plain(f, rc,
				   "%s '%s': write '%s' with a path that "
				   "begins with '/', or without one",
				   h->kind, h->name, shown);
	if (rc == -ENOENT && h->command[0][0] != '/')
		(void)fault_plain(f, rc,
				  "%s '%s': there is no program '%s' in "
				  "%s",
				  h->kind, h->name, shown, JOB_PATH);
	else if (rc < 0)
		(void)fault(f, rc, "%s '%s': find program '%s'", h->kind,
			    h->name, shown);
	if (rc < 0 && h->source)
		return fault_hint(f,
				  "'%s' gets it, into ~/go/bin; put it into "
				  "/usr/local/bin",
				  h->source);
	return rc;
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

static int named_user(const struct wanted *h, struct account *ret,
		      struct fault *f)
{
	struct fault why = { 0 };

	if (geteuid() != 0) {
		named_caller(ret);
		return 0;
	}
	if (!h->user)
		return fault_plain(f, -EPERM,
				   "%s '%s' would run as root; root's "
				   "belong to %s, with a 'user'",
				   h->kind, h->name, CONF_SYSTEM_DIR);
	if (account_user(h->user, ret, &why) < 0)
		return fault_plain(f, why.code, "%s '%s': %s", h->kind, h->name,
				   why.text);
	if (ret->uid == 0)
		return fault_plain(f, -EPERM,
				   "%s '%s': user '%s' is root, and "
				   "%ss run as ordinary users",
				   h->kind, h->name, h->user, h->kind);
	return 0;
}

static int named_job(const struct wanted *h, struct job *ret, struct fault *f)
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
				   "the command of %s '%s' is too long",
				   h->kind, h->name);
	ret->uid = who.uid;
	ret->gid = who.gid;
	memcpy(ret->user, who.name, sizeof(who.name));
	memcpy(ret->home, who.home, sizeof(who.home));
	return 0;
}

static int named_helper(const struct helper *h, struct job *ret,
			struct fault *f)
{
	const struct wanted wanted = {
		.kind = "helper",
		.name = h->name,
		.command = h->command,
		.user = h->user,
	};

	ret->restart = h->restart;
	ret->where = h->where;
	ret->ready = h->ready;
	return named_job(&wanted, ret, f);
}

int named_jobs(const struct profile *pr, struct jobs *ret, struct fault *f)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < pr->helper_count; i++)
		rc = named_helper(&pr->helper[i], &ret->job[ret->count++], f);
	return rc;
}

int named_engine(struct conf *c, const char *name, enum conf_layer layer,
		 struct plan *p, struct jobs *ret, struct fault *f)
{
	struct job *job = &ret->job[ret->count];
	struct engine e;
	struct wanted wanted = { .kind = "engine" };
	int rc = engine_get(c, name, layer, &e, f);

	if (rc < 0)
		return rc;
	wanted.name = e.name;
	wanted.command = e.command;
	wanted.user = e.user;
	wanted.source = e.source;
	rc = named_job(&wanted, job, f);
	if (rc < 0)
		return rc;
	job->restart = RESTART_ALWAYS; /* however it ends: without it is none */
	job->where = WHERE_HOST;
	job->engine = e.kind;
	p->engine = e.kind;
	p->engine_uid = job->uid;
	ret->count++;
	return 0;
}

int named_run_engine(const char *profile, const char *engine, struct plan *p,
		     struct jobs *ret, struct fault *f)
{
	struct profile pr = { .engine = engine };
	enum conf_layer layer = LAYER_USER;
	struct conf c;
	int rc = 0;

	if (profiles_load(&c) < 0)
		rc = profiles_fault(&c, f);
	if (rc == 0 && !engine && profile)
		rc = profile_get(&c, profile, &pr, f);
	if (rc == 0 && pr.section)
		layer = pr.section->at.file->layer;
	if (rc == 0 && pr.engine)
		rc = named_engine(&c, pr.engine, layer, p, ret, f);
	conf_fini(&c);
	return rc;
}
