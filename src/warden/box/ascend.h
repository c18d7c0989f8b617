/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

/** ascend_is_member() - Is the caller in this group, by what the kernel says?
 */
bool ascend_is_member(gid_t group);

/**
 * ascend() - Become root's process, with nothing of the caller's
 * @f:  Fault
 *
 * For a setuid start with power_is_aside() whose caller is trusted to start
 * root's daemon. Ids, groups, environment, limits, priority, timers, directory
 * and, as far as it can be, the control group are no longer the caller's; the
 * standard files and the session are. A limit that cannot be lifted is a fault,
 * since it would hit in the middle of something.
 *
 * Return: 0 or -errno
 */
int ascend(struct fault *f);
