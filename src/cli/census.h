/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/**
 * census_take() - Which processes are in a network namespace?
 * @netns:   Its inode
 * @but:     Left out: the keeper
 * @ret:     Pids in ascending order; to be freed
 *
 * Those of other users are seen by root alone.
 *
 * Return: how many; 0 also without memory
 */
size_t census_take(uint64_t netns, pid_t but, pid_t **ret);
