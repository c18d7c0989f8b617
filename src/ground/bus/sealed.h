/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stddef.h>

/**
 * sealed_put() - Put a value into memory that nobody can change any more
 * @name:    For people who list open files
 * @data:    @size bytes
 * @size:    Of @data
 * @ret_fd:  Sealed memfd, CLOEXEC, owned by the caller
 *
 * So that it can be kept by a process that outlives us, and given back; never
 * on a disk.
 *
 * Return: 0 or -errno
 */
int sealed_put(const char *name, const void *data, size_t size, int *ret_fd);

/**
 * sealed_get() - Take a value out again
 * @fd:    From sealed_put(), maybe of another process
 * @data:  Room for @size bytes; undefined on failure
 * @size:  What it must be
 *
 * Return: 0; -EPROTO when it is not sealed or of another size; or -errno
 */
int sealed_get(int fd, void *data, size_t size);
