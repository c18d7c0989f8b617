/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * profiles.h - the configuration as verbs need it
 */
#include "base/fault.h"
#include "bus/plan.h"
#include "conf/conf.h"
#include "conf/dns.h"

#include <stddef.h>

/**
 * profiles_user_dir() - Where the user's own configuration is
 * @to:    Room
 * @size:  Of @to
 *
 * Return: whether there is such a place: not for root, and not without
 * XDG_CONFIG_HOME and HOME
 */
bool profiles_user_dir(char *to, size_t size);

/** profiles_presets() - The file of profiles that come with the program: where
 * it was installed to; NSPROXY_PRESETS names another, but not to root, and not
 * to a program that runs with more rights than its caller's */
const char *profiles_presets(void);

/**
 * profiles_load() - Read the caller's configuration
 * @c:  Result, judged; conf_fini() is due in any case. Empty when there are
 *      no files
 *
 * Return: 0, or -EINVAL: @c->problems tells why
 */
int profiles_load(struct conf *c);

/**
 * profiles_fault() - Put problems into one sentence
 * @c:  Configuration with at least one
 * @f:  The first of them, how many more, and how to see them all
 *
 * Return: -EINVAL
 */
int profiles_fault(const struct conf *c, struct fault *f);

/**
 * profiles_settle() - Add a profile to what the command line said
 * @name:  Profile
 * @is_run:  For a one-shot, which does not offer all that a profile may want
 * @p:     Plan: a chain that is there already stays instead of the profile's;
 *         exposed and published doors are added to
 * @dns:   What -d said; if nothing, becomes what the profile says
 * @f:     Why not
 *
 * Reads the configuration and the password files; looks exposed names up.
 *
 * Return: 0 or -errno
 */
int profiles_settle(const char *name, bool is_run, struct plan *p,
		    struct dns_wish *dns, struct fault *f);
