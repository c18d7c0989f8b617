/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * host.h - the host of a destination as strangers write it
 *
 * One place for all codecs, so that no protocol has a laxer door than another.
 */
#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * host_get() - Make a destination of a host in text
 * @text:  Octets, not NUL-terminated: an IPv4 literal, an IPv6 literal with or
 *         without brackets, or a name that passes text_name_ok()
 * @len:   Octets
 * @port:  Host order
 * @ret:   Result; a literal becomes an address, a name is lower-cased and loses
 *         its last dot; untouched on failure
 *
 * Return: whether it was a host
 */
bool host_get(const void *text, size_t len, uint16_t port, struct dest *ret);

/** host_from_ip6() - Address of 16 octets; v4-mapped IPv6 becomes AF_INET, so
 * that rules about IPv4 addresses cannot be walked round */
struct addr host_from_ip6(const void *ip, uint16_t port);
