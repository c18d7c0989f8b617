/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "box/enter.h"

#include <stdbool.h>

/**
 * admit() - Is what the daemon gave a sandbox, and may we go there?
 * @e:  What it gave
 * @f:  Why not
 *
 * Namespaces must be what they were said to be, and not the host's network.
 * Root's must belong to our own user namespace. With power_is_aside(), our
 * mounts must be those that the sandbox's were made from.
 *
 * Return: 0 or -errno
 */
int admit(const struct enter *e, struct fault *f);

/**
 * admit_net() - Never mistake the host's network for a sandbox
 * @net:        The sandbox's
 * @is_inside:  Whether we must be in it by now, or must not
 * @f:          Which of the two is not so
 *
 * Return: 0 or -errno
 */
int admit_net(int net, bool is_inside, struct fault *f);

/** admit_net_at() - The same, @proc being this process in a /proc: it may not
 * be known to the one that it sees now */
int admit_net_at(int proc, int net, bool is_inside, struct fault *f);
