/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

/**
 * kin_connect() - Connect to a unix socket of our own network namespace
 * @path:    As it was bound
 * @type:    SOCK_STREAM or SOCK_SEQPACKET
 * @wait_s:  How long to wait, there and later, for a side that does not move;
 *           0 for ever
 * @ret_fd:  Result, CLOEXEC, owned by the caller
 * @f:       Why not: -ENOENT or -ECONNREFUSED when nobody listens, -EPERM for
 *           somebody of another namespace
 *
 * A program in a sandbox has our uid and sees our files: it may have put a
 * socket of its own there. What listens must have been born in our namespace.
 *
 * Return: 0 or -errno
 */
int kin_connect(const char *path, int type, unsigned int wait_s, int *ret_fd,
		struct fault *f);
