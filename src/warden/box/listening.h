/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/addr.h"

#include <stdbool.h>
#include <sys/types.h>

/** LISTENING_TABLES - of one network namespace: IPv4's and IPv6's */
#define LISTENING_TABLES 2

/**
 * listening_open() - The kernel's lists of this network namespace's sockets
 * @proc: Directory of this process in a /proc
 * @ret:  Fds, owned by the caller
 *
 * They stay those of this namespace whoever reads them.
 *
 * Return: how many; the second is missing where the kernel has no IPv6
 */
unsigned int listening_open(int proc, int ret[static LISTENING_TABLES]);

/**
 * listening_seen() - Does a user's socket listen at an address?
 * @table:  From listening_open()
 * @at:     Where; whoever listens at any address listens there, too
 * @uid:    Whose socket; another's is not the one
 *
 * No connection is made.
 */
bool listening_seen(int table, const struct addr *at, uid_t uid);
