/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stddef.h>

/**
 * resolvers_start() - Fork the processes that look names up for a worker
 * @forget:    Secrets of the caller, which the processes wipe from their
 *             memory before they begin; not looked at
 * @len:       Of @forget
 * @ret_chan:  The worker's end of their channel (see bus/resolve_msg.h),
 *             owned by the caller; when its last copy is closed they end
 * @f:         Why not
 *
 * They are children of the caller, and die with it too.
 *
 * Return: 0 or -errno; what was started then ends by itself
 */
int resolvers_start(void *forget, size_t len, int *ret_chan, struct fault *f);
