/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dump.h - what this network namespace has: links, addresses, routes
 */
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

/** dump_fn - a message of the kernel's; Return: MNL_CB_* */
typedef int dump_fn(const struct nlmsghdr *h, void *ctx);

/** dump_all() - Ask for all of a kind (RTM_GET*) and family; @each gets message
 * after message. Return: 0 or -errno */
int dump_all(uint16_t type, unsigned char family, dump_fn *each, void *ctx);

/** struct taken - IPv4 networks that are in use; host order */
struct taken {
	struct taken_net {
		uint32_t net;
		uint32_t mask;
	} * at;
	size_t count;
	size_t room;
};

/**
 * dump_taken() - Addresses, and routes of all tables but default ones
 * @ret:  Result, to be given to dump_fini(); nothing on failure
 * @f:    Why not
 *
 * Return: 0 or -errno
 */
int dump_taken(struct taken *ret, struct fault *f);

void dump_fini(struct taken *t);

/** dump_clashes() - Does @net/@len overlap one of them? */
bool dump_clashes(const struct taken *t, uint32_t net, unsigned int len);

/** dump_behind() - Return: the network behind @net/@len and all that overlaps
 * it */
uint32_t dump_behind(const struct taken *t, uint32_t net, unsigned int len);

/** dump_link_fn - a link, and what it is marked with */
typedef void dump_link_fn(void *ctx, const char *link, const char *alias);

/**
 * dump_links() - Go through all links
 * @each:  Called for each that has an alias, when all have been read
 * @ctx:   For @each
 *
 * Return: 0 or -errno
 */
int dump_links(dump_link_fn *each, void *ctx);
