/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * named.h - what the configuration says about named sandboxes
 */
#include "base/fault.h"
#include "box/job.h"
#include "box/terms.h"
#include "bus/plan.h"
#include "bus/wireguard.h"

#include <stdbool.h>

/** named_plan() - A build_plan_fn: from a profile to a plan whose names are
 * looked up and whose published doors are open, to its terms and its jobs */
int named_plan(const char *profile, struct plan *p, struct terms *t,
	       struct jobs *j, int *publish_fd, struct fault *f);

/** named_wireguard() - A build_wireguard_fn */
int named_wireguard(const char *profile, struct wireguard *ret,
		    struct fault *f);

/**
 * struct named - names of profiles; named_fini() frees
 * @name:  NULL-terminated
 */
struct named {
	const char **name;
	unsigned int count;
};

/**
 * named_list() - The profiles that the caller has; not the presets, which stand
 * for nothing until they are named
 * @autostart_only:  Leave the others out
 * @ret:             Each name once
 * @f:               Why not: the configuration is wrong
 *
 * Return: 0 or -errno
 */
int named_list(bool autostart_only, struct named *ret, struct fault *f);
void named_fini(struct named *n);

/** named_has() - Is there such a profile? Not if the configuration is wrong */
bool named_has(const char *name);
