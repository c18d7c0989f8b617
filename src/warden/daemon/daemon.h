/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

/**
 * struct daemon_wish - how to be a daemon
 * @level:      Log level
 * @autostart:  Sandboxes to bring up, NULL-terminated; may be NULL
 */
struct daemon_wish {
	int level;
	const char *const *autostart;
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
