/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * lease.h - fake addresses lent to names
 *
 * A name has one lease: an IPv4 and an IPv6 address that belong together. A
 * lease has no end in time; when the pool is used up, the one that has been
 * idle for longest goes to a new name, never one that a flow holds.
 *
 * IPv4: 198.18.0.0/15 (RFC 2544) without its first 256 addresses and without
 * .0 and .255. IPv6: 2001:2::/48 (RFC 5180) without its first 65536.
 */
#include "base/addr.h"
#include "base/list.h"
#include "base/map.h"
#include "names/lease_book.h"

/** LEASE_POOL - 511 blocks of 254 addresses */
#define LEASE_POOL (511u * 254u)

struct lease;

/**
 * struct leases - all leases of a sandbox
 * @pool:     How many there may be; LEASE_POOL, less in tests
 * @by_name:  Leases by their name; its secret also orders the addresses
 * @at:       Leases by the order in which they were first lent
 * @count, @room:  Of @at, which grows on demand
 * @book:     Where they are noted for the next worker; empty for nowhere
 * @idle:     Leases that nothing holds, the longest idle first
 */
struct leases {
	unsigned int pool;
	struct map by_name;
	struct lease **at;
	unsigned int count;
	unsigned int room;
	struct lease_book book;
	struct list idle;
};

/** leases_init() - Return: 0 or -ENOMEM */
int leases_init(struct leases *l, unsigned int pool);
/**
 * leases_remember() - Lend again what the worker before has lent
 * @l:   Nothing has been lent yet
 * @fd:  Its book; notes are added from here on
 *
 * A book that makes no sense anywhere is not believed at all and begun anew:
 * addresses are in another order then, so that what programs still remember
 * leads, but for an odd chance, nowhere.
 *
 * Return: 0; or -errno, and then they are lent as without a book
 */
int leases_remember(struct leases *l, int fd);

/** leases_fini() - Free all; zeroed is fine */
void leases_fini(struct leases *l);

/**
 * leases_take() - The addresses of a name
 * @l:       Leases; the name gets a lease if it has none
 * @name:    Host name in lower case without the last dot
 * @family:  AF_INET or AF_INET6
 * @ret:     Its address of that family, port 0
 *
 * Return: 0; -ENOSPC when every lease is held; -ENOMEM
 */
int leases_take(struct leases *l, const char *name, int family,
		struct addr *ret);

/**
 * leases_name() - The name behind an address
 *
 * Counts as a use of the lease.
 *
 * Return: the name, valid until the next leases_take(); NULL if nobody has
 * that address
 */
const char *leases_name(struct leases *l, const struct addr *a);

/** leases_hold() - A flow to @a begins: the lease stays. No lease: no-op */
void leases_hold(struct leases *l, const struct addr *a);
/** leases_drop() - It ended. To be paired with leases_hold() */
void leases_drop(struct leases *l, const struct addr *a);

/** lease_is_leasable() - Does @a lie in the ranges (the whole ranges: also the
 * addresses that are never lent)? */
bool lease_is_leasable(const struct addr *a);
