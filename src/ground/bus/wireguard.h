/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * wireguard.h - a WireGuard interface as its file wishes it
 *
 * A flat value with a private key in it: who has it wipes it.
 */
#include "base/addr.h"
#include "bus/plan.h"

#define WIREGUARD_CONF	  16384
#define WIREGUARD_ADDRS	  16
#define WIREGUARD_ALLOWED 256

/** struct wireguard_net - an address and how much of it counts */
struct wireguard_net {
	struct addr ip;
	uint8_t len;
};

/**
 * struct wireguard - an interface
 * @link:     Its name: that of the file
 * @conf:     What wg(8) knows of it, as setconf takes it
 * @address:  Its addresses, @address_count of them
 * @allowed:  Where routes lead by it, @allowed_count of them; no bits set
 *            behind their length
 * @dns:      Servers of its network, @dns_count of them
 * @mtu:      0: as it comes
 */
struct wireguard {
	char link[IFNAMSIZ];
	char conf[WIREGUARD_CONF];
	struct wireguard_net address[WIREGUARD_ADDRS];
	unsigned int address_count;
	struct wireguard_net allowed[WIREGUARD_ALLOWED];
	unsigned int allowed_count;
	struct addr dns[PLAN_SERVERS];
	unsigned int dns_count;
	uint32_t mtu;
};
