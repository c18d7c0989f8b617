/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>

/**
 * lockdown_early() - What must be done before anything is read
 * @f:  Why not
 *
 * Not dumpable, no core, as many fds as the hard limit allows.
 *
 * Return: 0 or -errno
 */
int lockdown_early(struct fault *f);

/** enum lockdown_kind - who gives up what it does not need */
enum lockdown_kind {
	LOCKDOWN_WORKER,    /* has a connector: may send to nobody by address */
	LOCKDOWN_SENDER,    /* the same, but it may by the sockets it gets */
	LOCKDOWN_SERVER,    /* makes its sockets itself */
	LOCKDOWN_CONNECTOR, /* makes sockets, and little else */
};

/**
 * lockdown_late() - Give up everything that is not needed
 * @kind:      Which system calls are
 * @keep_cwd:  The proxy is a unix socket in the current directory: keep that
 *             directory reachable for connect(2)
 * @f:         Why not
 *
 * Call when all files have been read and before the first byte from the
 * network is. In this order: own uid if root and empty file system, no
 * capabilities, no new privileges, system call allow-list. Each stage is read
 * back from the kernel.
 *
 * Return: 0 or -errno; on failure the caller must exit
 */
int lockdown_late(enum lockdown_kind kind, bool keep_cwd, struct fault *f);
