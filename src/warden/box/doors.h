/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

struct setup;

/**
 * doors_open() - Make the sockets on which the sandbox is listened to
 * @s:  lo and nsp0 are up; the sockets and gate_port are put here
 * @f:  Names the socket that failed
 *
 * The gate's two listeners share one port. Port 53 is served on every local
 * address, unless names are off. None of them can be shared or taken over:
 * SO_REUSEADDR and SO_REUSEPORT stay off.
 *
 * Return: 0 or -errno
 */
int doors_open(struct setup *s, struct fault *f);
