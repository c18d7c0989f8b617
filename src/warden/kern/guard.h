/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * guard_shed() - Give up capabilities for good
 * @keep:  Bits of those that stay: permitted, effective and in the bounding
 *         set; never inheritable, never ambient
 * @f:     Fault
 *
 * Reads back what the kernel says. Needs CAP_SETPCAP for the bounding set.
 * Where none stays, id 0 is locked to mean none (securebits).
 *
 * Return: 0 or -errno
 */
int guard_shed(uint64_t keep, struct fault *f);

/**
 * guard_become() - Be an ordinary user for good
 * @uid, @gid:  Who; real, effective and saved ids become these
 * @bound:      Empty the bounding set as well, so that nothing that is executed
 *              can ever have a capability, and lock id 0 to mean none
 * @f:          Fault
 *
 * Needs CAP_SETUID and CAP_SETGID, with @bound CAP_SETPCAP. Supplementary
 * groups stay. Reads back what the kernel says, and tries to come back, which
 * must fail.
 *
 * Return: 0 or -errno
 */
int guard_become(uid_t uid, gid_t gid, bool bound, struct fault *f);

/** guard_file_powers() - What root keeps inside: powers over files and ids */
uint64_t guard_file_powers(void);

/**
 * guard_filter() - Set no_new_privs and the program's system call filter
 * @f:  Fault
 *
 * Everything is allowed but the doors that lead around the sandbox: the
 * kernel's keyring (it resolves names on the host), typing into the caller's
 * terminal, socket families that know no network namespace, and io_uring,
 * which makes sockets behind the filter's back.
 *
 * Return: 0 or -errno
 */
int guard_filter(struct fault *f);

/**
 * guard_filter_engine() - The same, and no sockets but those of its network
 * @f:  Fault
 *
 * An engine sees the host's files, and must not reach by a unix socket what it
 * cannot by its network.
 *
 * Return: 0 or -errno
 */
int guard_filter_engine(struct fault *f);

/**
 * guard_place() - Refuse a working directory outside of the mount namespace
 *
 * Return: 0 or -errno with @f filled
 */
int guard_place(struct fault *f);
