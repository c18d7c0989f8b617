/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * namespace_is_root() - May this process make namespaces by its own power?
 *
 * Return: whether euid is 0 and CAP_SYS_ADMIN is effective; root of a
 * container that lacks it goes the way of users
 */
bool namespace_is_root(void);

/** namespace_has_ip6() - Does the kernel have IPv6? */
bool namespace_has_ip6(void);

enum namespace_how {
	/* Make them belong to a new user namespace, in which the caller keeps
	 * its uid and gid and holds every capability. */
	NAMESPACE_OWN_USER = 1,
	/* Set-user-id bits keep their meaning there. */
	NAMESPACE_KEEPS_SUID = 2,
	/* Process ids of its own: the process that comes back is a child of
	 * the one that called, which has ended, and is the first of them. */
	NAMESPACE_OWN_PIDS = 4,
};

/**
 * namespace_enter() - Move this process into a network and mount namespace
 * @how:  enum namespace_how, or-ed
 * @f:    Fault, with the setting that forbids it
 *
 * Mounts of the host still arrive afterwards; none goes back.
 *
 * Return: 0 or -errno
 */
int namespace_enter(unsigned int how, struct fault *f);

/**
 * namespace_leave_power() - Move this process into a user namespace of its own
 * @f:  Fault
 *
 * It has no ids until namespace_map() has been called by its parent.
 *
 * Return: 0 or -errno
 */
int namespace_leave_power(struct fault *f);

/**
 * namespace_leave_power_alone() - The same, with the caller's own uid and gid
 * @f:  Fault
 *
 * Nobody else is needed for these; the caller must be dumpable.
 *
 * Return: 0 or -errno
 */
int namespace_leave_power_alone(struct fault *f);

/**
 * namespace_map() - Give the user namespace of a child its ids
 * @pid:      Child that has called namespace_leave_power()
 * @all_ids:  Every id that is mapped here, as itself (needs CAP_SETUID here);
 *            else the caller's uid and gid alone
 * @f:        Fault
 *
 * The child must be dumpable, or a user may not write into its /proc.
 *
 * Return: 0 or -errno
 */
int namespace_map(pid_t pid, bool all_ids, struct fault *f);

/**
 * namespace_map_at() - The same for a process of another PID namespace
 * @proc:     Its directory in /proc, opened by itself: numbers may be another's
 * @all_ids:  As above
 * @f:        Fault
 *
 * Return: 0 or -errno
 */
int namespace_map_at(int proc, bool all_ids, struct fault *f);
