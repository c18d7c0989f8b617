/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "bus/plan.h"

/**
 * plan_file_seal() - Put a plan into memory that nobody can change any more
 * @p:       Plan; magic and size are filled in on the way
 * @ret_fd:  Sealed memfd, CLOEXEC, owned by the caller
 *
 * So that it can be kept by a process that outlives us, and given back.
 *
 * Return: 0 or -errno
 */
int plan_file_seal(const struct plan *p, int *ret_fd);

/**
 * plan_file_read() - Take a plan out again
 * @fd:   From plan_file_seal(), maybe of another process
 * @ret:  Result; undefined on failure
 *
 * Return: 0; -EPROTO if it is no plan of this very binary; or -errno
 */
int plan_file_read(int fd, struct plan *ret);
