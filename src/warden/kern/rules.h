/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/addr.h"
#include "base/fault.h"

#include <stdint.h>

/** RULES_EXPOSE - most loopback doors */
#define RULES_EXPOSE 32

/**
 * struct rules - the packet rules of a sandbox
 * @tun:           Name of its device
 * @mark:          Mark that sends a packet into it
 * @gate_port:     TCP port of the gate's listeners, both families
 * @own4:          The sandbox's own IPv4 address
 * @own6:          Its IPv6 address; AF_UNSPEC when the kernel has no IPv6
 * @expose:        IPv4 loopback addresses and ports that lead to the host
 * @expose_count:  Of @expose
 */
struct rules {
	const char *tun;
	uint32_t mark;
	uint16_t gate_port;
	struct addr own4;
	struct addr own6;
	struct addr expose[RULES_EXPOSE];
	unsigned int expose_count;
};

/**
 * rules_load() - Load them into the current network namespace
 * @r:  Rules
 * @f:  Names the rule that the kernel refused
 *
 * One transaction: all of them are there, or none.
 *
 * Return: 0 or -errno
 */
int rules_load(const struct rules *r, struct fault *f);

/**
 * rules_add_link() - Let a link to the host pass by the gate
 * @name:    Of the link, in the current network namespace
 * @host:    IPv4 address of the host's end
 * @inside:  Of the end in here
 * @f:       Names the rule that the kernel refused
 *
 * After rules_load().
 *
 * Return: 0 or -errno
 */
int rules_add_link(const char *name, const uint8_t host[static 4],
		   const uint8_t inside[static 4], struct fault *f);
/** rules_sweep() - Take them back, if they are there */
void rules_sweep(void);
