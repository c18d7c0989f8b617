/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

#include <stdbool.h>

/**
 * shed_is_privileged() - Were we given rights that our caller does not have?
 *
 * Setuid, setgid, file capabilities: then the internal roles do not exist.
 */
bool shed_is_privileged(void);

/** shed_is_lent() - Did an ordinary user start us with root's set-user-id bit?
 * Then power_put_aside() may be called instead of shed_for_good() */
bool shed_is_lent(void);

/**
 * shed_for_good() - Become the caller, with no way back
 * @f:  Why not
 *
 * All ids become the real ones, unless the caller is root all capabilities go
 * too; both are read back from the kernel. No new privileges from here on: a
 * re-exec of ourselves is an ordinary one.
 *
 * Return: 0 or -errno; on failure the caller must exit
 */
int shed_for_good(struct fault *f);
