/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stddef.h>
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

/**
 * census_all() - The network namespace of each process, sorted
 * @ret:  Inodes, one for each process; to be freed
 *
 * For many questions at a time; see census_count().
 *
 * Return: how many; 0 also without memory
 */
size_t census_all(uint64_t **ret);

/**
 * census_count() - How many processes are in a network namespace?
 * @all:    From census_all(); @count of them
 * @count:  Of @all
 * @netns:  Its inode
 * @but:    Not counted: the keeper
 *
 * Return: how many
 */
size_t census_count(const uint64_t *all, size_t count, uint64_t netns,
		    pid_t but);
