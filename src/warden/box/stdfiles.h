/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"

/**
 * stdfiles_check() - Refuse standard files that lead around the sandbox
 * @verb:  For the hint: "run"
 * @f:     Names the one
 *
 * A connected socket of the host's namespace can be connected to another
 * address; a TUN device takes packets; from a directory of the host's mount
 * namespace a path leads to what the sandbox has covered; a unix socket of the
 * host that is not connected yet reaches its abstract names. A standard file
 * that is closed stays so for the command: what is put in its place here is
 * closed on exec.
 *
 * Return: 0 or -errno
 */
int stdfiles_check(const char *verb, struct fault *f);
