/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <sys/types.h>

/**
 * ids_become() - Be another user for good, in no group but one
 * @uid:  Whom; not 0
 * @gid:  Its group
 * @f:    Why not
 *
 * Capabilities stay until guard_shed(). Reads back what the kernel says.
 *
 * Return: 0 or -errno
 */
int ids_become(uid_t uid, gid_t gid, struct fault *f);
