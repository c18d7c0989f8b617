/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

struct setup;

/**
 * stall_open() - Make the place of a sandbox's engine
 * @s:  Its plan has an engine, nsp0 is up; fds are added, the TUN's maybe taken
 * @f:  Says what failed
 *
 * For one that takes the TUN by fd: a network namespace in which there is
 * nothing but lo, and on that the worker's front. For one that takes it by
 * name: the front is in the sandbox, and the TUN is lent.
 *
 * Return: 0 or -errno
 */
int stall_open(struct setup *s, struct fault *f);
