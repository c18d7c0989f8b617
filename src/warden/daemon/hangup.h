/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * hangup.h - what SIGHUP asks for: 'nsproxy reload', by a child
 *
 * The configuration is read by a process that may die of it, and who has only
 * a signal gets the same as who has the verb.
 */
#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * hangup_begin() - Start a child that asks us to reload
 * @is_system:  We are root's daemon
 * @ret:        The child; what it says goes where our log goes
 * @f:          Why not
 *
 * Return: 0 or -errno
 */
int hangup_begin(bool is_system, pid_t *ret, struct fault *f);
