/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "daemon/notify.h"

/**
 * struct daemon_wish - how to be a daemon
 * @level:      Log level
 * @autostart:  Sandboxes to bring up, NULL-terminated; may be NULL
 * @listener:   For callers, made by others and taken over; -1: make one
 * @notify:     Service manager, taken over
 * @ready:      Called once, when callers are listened to and the fleet has
 *              begun; what is below 0 ends the daemon. May be NULL
 * @ctx:        For @ready
 */
struct daemon_wish {
	int level;
	const char *const *autostart;
	int listener;
	struct notify notify;
	int (*ready)(void *ctx);
	void *ctx;
};

/**
 * daemon_run() - Keep named sandboxes until a signal or a caller ends it
 * @w:  Wish
 * @f:  Why it could not begin: -EBUSY when another one runs
 *
 * Ended by SIGINT or SIGTERM, it leaves its sandboxes alive for the next one.
 *
 * Return: 0 or -errno
 */
int daemon_run(const struct daemon_wish *w, struct fault *f);
