/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

/** PRIVATE_RUNTIME - where each user may make a directory of the own, in place
 * of the host's /run/user */
#define PRIVATE_RUNTIME "/run/user"

/**
 * private_places() - Cover the host's places of sockets with empty ones
 * @f:  Fault
 *
 * /run, /tmp, /var/tmp and /dev/shm become file systems in memory of this mount
 * namespace's own: with the host's go the buses, X11, agents, container daemons
 * and all else that is reached by a socket there. A resolv.conf that is a link
 * into /run leads to an empty file, to be covered.
 *
 * Needs a mount namespace of our own whose mounts do not propagate.
 *
 * Return: 0 or -errno
 */
int private_places(struct fault *f);

/**
 * private_proc() - Show the processes of our own PID namespace, and no others
 * @f:  Fault
 *
 * To be called by a process in it, with a mount namespace of our own.
 *
 * Return: 0 or -errno
 */
int private_proc(struct fault *f);
