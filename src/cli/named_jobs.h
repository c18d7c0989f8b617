/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "box/job.h"
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
