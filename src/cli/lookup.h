/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/addr.h"
#include "base/fault.h"

/**
 * lookup_host() - Find the addresses of a name, on the host, once
 * @host:       Name or bare IP literal
 * @port:       Put into each result
 * @ret:        Result; untouched on failure
 * @room:       Of @ret; further addresses are left out
 * @ret_count:  At least 1
 * @f:          Why not
 *
 * May block as long as the host's resolver does.
 *
 * Return: 0 or -EHOSTUNREACH
 */
int lookup_host(const char *host, uint16_t port, struct addr *ret,
		unsigned int room, unsigned int *ret_count, struct fault *f);
