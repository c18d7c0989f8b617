/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "bus/wireguard.h"
#include "conf/problem.h"

#include <stddef.h>
#include <sys/types.h>

/**
 * wireguard_link() - The interface that a file is about, as wg-quick(8) has it
 * @path:  ".../NAME.conf"
 * @ret:   IFNAMSIZ bytes; untouched on failure
 *
 * Return: NULL, or why no interface can be called so
 */
const char *wireguard_link(const char *path, char *ret);

/**
 * wireguard_parse() - Read the text of such a file
 * @text:  NUL-terminated; written to
 * @path:  For faults
 * @ret:   Zeroed; half-filled on failure. The caller wipes it
 * @f:     "PATH:LINE: why"; never tells a key
 *
 * What wg-quick(8) would run is refused, and so are names of endpoints.
 *
 * Return: 0 or -EINVAL
 */
int wireguard_parse(char *text, const char *path, struct wireguard *ret,
		    struct fault *f);

/**
 * wireguard_read() - Read such a file
 * @path:   Begins with '/'
 * @layer:  Whose it may be; private like a password's, see secret_read()
 * @uid:    The user
 * @ret:    Result; the caller wipes it
 * @f:      Why not
 *
 * Return: 0, -EPERM (owner or mode), -EINVAL (content), or -errno
 */
int wireguard_read(const char *path, enum conf_layer layer, uid_t uid,
		   struct wireguard *ret, struct fault *f);
