/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * veth.h - a link between the host and a sandbox
 */
#include "base/fault.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/** VETH_INSIDE - name of the sandbox's end */
#define VETH_INSIDE "nsp1"
/** VETH_PREFIX - what names of the host's ends begin with; no other link's */
#define VETH_PREFIX "nspv"
/** VETH_PORTS - most ports of the host that one may reach */
#define VETH_PORTS  16

/** struct veth_port - a port of the host that may be reached; IPPROTO_* */
struct veth_port {
	uint8_t proto;
	uint16_t port;
};

/**
 * struct veth - a flat value
 * @is_wished:   Without it nothing else counts
 * @slot:        Which /30 of 10.0.0.0/8 it has, from 1; 0: none yet
 * @link:        Name of the host's end
 * @host:        Its address, network order
 * @inside:      Address of the sandbox's end
 * @port:        @port_count of them
 */
struct veth {
	bool is_wished;
	uint32_t slot;
	char link[IF_NAMESIZE];
	uint8_t host[4];
	uint8_t inside[4];
	struct veth_port port[VETH_PORTS];
	unsigned int port_count;
};

/** veth_set_slot() - Name and addresses that belong to a slot */
void veth_set_slot(struct veth *v, uint32_t slot);

/**
 * veth_choose() - Find addresses that clash with nothing of this host
 * @v:         Its slot is tried first, if it has one; else where to begin is
 *             told by @name
 * @name:      Of the sandbox
 * @ret_held:  Fd: while it is open, nobody else is given the same
 * @f:         Why not
 *
 * Looked at are the addresses and the routes of all tables, but for default
 * routes.
 *
 * Return: 0 or -errno
 */
int veth_choose(struct veth *v, const char *name, int *ret_held,
		struct fault *f);

/**
 * veth_make() - Make the pair; the host's end is still down
 * @v:      Chosen
 * @name:   Of the sandbox, which marks the link
 * @netns:  Its network namespace
 * @f:      Why not
 *
 * No ARP, no IPv6, no forwarding. This process visits the namespace and comes
 * back; -EIO says that it could not.
 *
 * Return: 0 or -errno
 */
int veth_make(const struct veth *v, const char *name, int netns,
	      struct fault *f);

/** veth_open() - Bring the host's end up; Return: 0 or -errno */
int veth_open(const struct veth *v, struct fault *f);

/** veth_keep_fn - shall the link called @link, sandbox @name's, stay? */
typedef bool veth_keep_fn(void *ctx, const char *link, const char *name);

/**
 * veth_sweep() - Remove the host's ends of links that are ours
 * @keep:  Which not
 * @ctx:   For @keep
 *
 * With each its peer is gone, too, whoever stands in the sandbox.
 *
 * Return: how many were removed, or -errno
 */
int veth_sweep(veth_keep_fn *keep, void *ctx);

/** veth_remove() - Remove all links that are marked as sandbox @name's; Return:
 * 0 or -errno */
int veth_remove(const char *name);
