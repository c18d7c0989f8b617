/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "box/job.h"
#include "bus/plan.h"
#include "conf/profile.h"

struct account;

/** named_caller() - Whom everybody but root runs them as: themselves */
void named_caller(struct account *ret);

/**
 * named_jobs() - From helpers as they were written to what is run
 * @pr:   Profile
 * @ret:  Its jobs, zeroed before
 * @f:    Why not: a program or a user is not there
 *
 * For root each has the user that was written, never root itself; for everybody
 * else it is the caller.
 *
 * Return: 0 or -errno
 */
int named_jobs(const struct profile *pr, struct jobs *ret, struct fault *f);

/**
 * named_engine() - Let a sandbox have an engine
 * @c:      Configuration
 * @name:   Engine
 * @layer:  Who asks, as for conf_find()
 * @p:      Told which kind it is
 * @ret:    Jobs; it is added to them
 * @f:      Why not: there is none, its program or user is not there
 *
 * Return: 0 or -errno
 */
int named_engine(struct conf *c, const char *name, enum conf_layer layer,
		 struct plan *p, struct jobs *ret, struct fault *f);

/**
 * named_run_engine() - The same for a one-shot
 * @profile:  Whose engine, unless one is named; or NULL
 * @engine:   Name, or NULL
 * @p, @ret:  As above; untouched when neither wants one
 * @f:        Why not
 *
 * Return: 0 or -errno
 */
int named_run_engine(const char *profile, const char *engine, struct plan *p,
		     struct jobs *ret, struct fault *f);
