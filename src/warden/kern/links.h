/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/addr.h"
#include "base/fault.h"

#include <stdbool.h>

/** LINKS_TUN - the one device of a sandbox besides lo */
#define LINKS_TUN  "nsp0"
/** LINKS_MARK - firewall mark of packets that must go into nsp0 */
#define LINKS_MARK 1

/**
 * links_open_tun() - Make nsp0 in the current network namespace
 * @stays:   It dies with the namespace, else with its last fd
 * @ret_fd:  Its packets: non-blocking, whole IP packets, no header of its own
 * @f:       Fault, with the remedy when /dev/net/tun is to blame
 *
 * One that stays is cheaper to close by 16 to 35 ms.
 *
 * Return: 0 or -errno
 */
int links_open_tun(bool stays, int *ret_fd, struct fault *f);

/**
 * links_lend_tun() - Let a user open nsp0 by its name
 * @fd:   From links_open_tun(); taken: nobody has it from here on
 * @uid:  Who
 * @f:    Fault
 *
 * Return: 0 or -errno
 */
int links_lend_tun(int fd, unsigned int uid, struct fault *f);

/** links_raise_lo() - Bring up lo, in a namespace that shall have no more;
 * Return: 0 or -errno */
int links_raise_lo(struct fault *f);

/**
 * links_sweep() - Take back the routes and rules of links_build()
 * @has_ip6:  The kernel has IPv6
 *
 * Those through nsp0 have gone with it. What is not there is no fault.
 */
void links_sweep(bool has_ip6);

/**
 * struct links - how the network of a sandbox shall look
 * @ip4:     Address of nsp0
 * @ip6:     Address of nsp0; AF_UNSPEC when the kernel has no IPv6
 * @mtu:     Of nsp0; 0: the greatest
 * @is_plain:  All that is not local goes into nsp0, TCP as well; no AnyIP
 */
struct links {
	struct addr ip4;
	struct addr ip6;
	unsigned int mtu;
	bool is_plain;
};

/**
 * links_build() - Bring up lo and nsp0, with addresses, routes and rules
 * @l:  Wish
 * @f:  Names what failed
 *
 * Afterwards: what carries LINKS_MARK goes into nsp0; local addresses are
 * local; all other TCP is delivered over lo, whatever its address (AnyIP);
 * everything else goes into nsp0.
 *
 * Return: 0 or -errno
 */
int links_build(const struct links *l, struct fault *f);

/** links_widen_lo() - Let TCP over lo, where each connection has its inner leg,
 * go in packets of more than 64 KiB (BIG TCP), if the kernel can */
void links_widen_lo(void);

/** links_build_bare() - Bring up lo alone; Return: 0 or -errno */
int links_build_bare(struct fault *f);
