// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lease.c - lend fake addresses to names
 *
 * The n-th lease gets the n-th address of a random order, so that addresses
 * tell nothing about how many names were asked for before. The order is a
 * keyed permutation, which can be walked backwards: an address leads to its
 * lease without a table of its own.
 */
#include "names/lease.h"

#include "base/broken.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(LEASE_POOL <= LEASE_BOOK_PLACES, "a book tells of all");

#define LEASES_START 256
#define BLOCK	     254u /* addresses of a /24 that are lent */
#define HALF_BITS    9	  /* two halves: 2^18 > LEASE_POOL */
#define HALF_MASK    ((1u << HALF_BITS) - 1)
#define ROUNDS	     4
#define RANGE4	     0xc6120000u /* 198.18.0.0/15 */
#define RANGE4_MASK  0xfffe0000u
#define V6_FIRST     0x10000u

static const uint8_t range6[6] = { 0x20, 0x01, 0x00, 0x02, 0x00, 0x00 };

/**
 * struct lease - a name and its place
 * @idle:   In leases.idle while @holds is 0
 * @place:  Index in leases.at
 * @holds:  Flows that go on
 */
struct lease {
	struct map_node node;
	struct list idle;
	unsigned int place;
	unsigned int holds;
	char name[];
};

int leases_init(struct leases *l, unsigned int pool)
{
	*l = (struct leases){ .pool = pool };
	list_init(&l->idle);
	return map_init(&l->by_name, LEASES_START);
}

static void leases_clear(struct leases *l)
{
	for (unsigned int i = 0; i < l->count; i++)
		free(l->at[i]);
	free(l->at);
	map_fini(&l->by_name);
	l->at = NULL;
	l->count = l->room = 0;
	list_init(&l->idle);
}

void leases_fini(struct leases *l)
{
	leases_clear(l);
	lease_book_close(&l->book);
	*l = (struct leases){ 0 };
}

static uint32_t half_mix(const struct leases *l, uint32_t round, uint32_t half)
{
	const uint32_t key[2] = { round, half };

	return (uint32_t)map_hash(&l->by_name, key, sizeof(key)) & HALF_MASK;
}

/** shuffle() - Feistel network over 18 bits, walked until it is in the pool */
static uint32_t shuffle(const struct leases *l, uint32_t v)
{
	do {
		uint32_t left = v >> HALF_BITS;
		uint32_t right = v & HALF_MASK;

		for (uint32_t i = 0; i < ROUNDS; i++) {
			const uint32_t next = left ^ half_mix(l, i, right);

			left = right;
			right = next;
		}
		v = left << HALF_BITS | right;
	} while (v >= LEASE_POOL);
	return v;
}

static uint32_t unshuffle(const struct leases *l, uint32_t v)
{
	do {
		uint32_t left = v >> HALF_BITS;
		uint32_t right = v & HALF_MASK;

		for (uint32_t i = ROUNDS; i-- > 0;) {
			const uint32_t last = right ^ half_mix(l, i, left);

			right = left;
			left = last;
		}
		v = left << HALF_BITS | right;
	} while (v >= LEASE_POOL);
	return v;
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

bool lease_is_leasable(const struct addr *a)
{
	if (a->family == AF_INET)
		return (load32(a->ip) & RANGE4_MASK) == RANGE4;
	return a->family == AF_INET6 && !memcmp(a->ip, range6, sizeof(range6));
}

/** addr_of_place() - The address of the @place-th lease */
static struct addr addr_of_place(const struct leases *l, unsigned int place,
				 int family)
{
	const uint32_t v = shuffle(l, place);
	uint8_t ip[16] = { 0 };

	if (family == AF_INET) {
		store32(ip, RANGE4 + 256 * (v / BLOCK + 1) + v % BLOCK + 1);
		return addr_from_ip4(ip, 0);
	}
	memcpy(ip, range6, sizeof(range6));
	store32(ip + 12, V6_FIRST + v);
	return addr_from_ip6(ip, 0);
}

/** value_of_addr() - What shuffle() gave for the lease of this address
 * Return: LEASE_POOL when the address is never lent */
static uint32_t value_of_addr(const struct addr *a)
{
	static const uint8_t zero[6];
	uint32_t host;

	if (!lease_is_leasable(a))
		return LEASE_POOL;
	if (a->family == AF_INET) {
		host = load32(a->ip) - RANGE4;
		if (host < 256 || host % 256 == 0 || host % 256 == 255)
			return LEASE_POOL;
		return (host / 256 - 1) * BLOCK + host % 256 - 1;
	}
	host = load32(a->ip + 12);
	if (memcmp(a->ip + 6, zero, sizeof(zero)) != 0 || host < V6_FIRST ||
	    host - V6_FIRST >= LEASE_POOL)
		return LEASE_POOL;
	return host - V6_FIRST;
}

static struct lease *lease_of_addr(const struct leases *l, const struct addr *a)
{
	const uint32_t v = value_of_addr(a);
	uint32_t place;

	if (v >= LEASE_POOL)
		return NULL;
	place = unshuffle(l, v);
	return place < l->count ? l->at[place] : NULL;
}

static struct lease *lease_of_name(const struct leases *l, const char *name,
				   uint64_t hash)
{
	struct map_node *n = map_find(&l->by_name, hash);

	for (; n; n = map_again(n)) {
		struct lease *le = container_of(n, struct lease, node);

		if (!strcmp(le->name, name))
			return le;
	}
	return NULL;
}

/** lease_use() - It becomes the last of those that may be lent anew */
static void lease_use(struct leases *l, struct lease *le)
{
	list_del(&le->idle);
	if (le->holds == 0)
		list_add_tail(&l->idle, &le->idle);
}

/** leases_grow() - Make room for one more */
static int leases_grow(struct leases *l)
{
	const unsigned int room = l->room ? l->room * 2 : LEASES_START;
	struct lease **at;

	if (l->count < l->room)
		return 0;
	at = reallocarray(l->at, room, sizeof(struct lease *));
	if (!at)
		return -ENOMEM;
	l->at = at;
	l->room = room;
	return 0;
}

/** place_free() - Find a place: a new one, or that of the longest idle */
static int place_free(struct leases *l, unsigned int *ret)
{
	struct lease *old;

	if (l->count < l->pool) {
		const int rc = leases_grow(l);

		if (rc < 0)
			return rc;
		l->at[l->count] = NULL;
		*ret = l->count++;
		return 0;
	}
	if (list_empty(&l->idle))
		return -ENOSPC;
	old = container_of(l->idle.next, struct lease, idle);
	*ret = old->place;
	l->at[old->place] = NULL;
	list_del(&old->idle);
	map_del(&l->by_name, &old->node);
	free(old);
	return 0;
}

/** lease_set() - A lease with room for its name takes its place */
static void lease_set(struct leases *l, struct lease *le, unsigned int place,
		      const char *name, uint64_t hash)
{
	le->place = place;
	memcpy(le->name, name, strlen(name) + 1);
	list_init(&le->idle);
	map_put(&l->by_name, &le->node, hash);
	map_grow(&l->by_name);
	l->at[place] = le;
}

static int lease_new(struct leases *l, const char *name, uint64_t hash,
		     struct lease **ret)
{
	unsigned int place;
	const size_t size = strlen(name) + 1;
	struct lease *le = calloc(1, sizeof(*le) + size);
	int rc;

	if (!le)
		return -ENOMEM;
	rc = place_free(l, &place);
	if (rc < 0) {
		free(le);
		return rc;
	}
	lease_set(l, le, place, name, hash);
	*ret = le;
	return 0;
}

/** lease_give_up() - Its place is nobody's; nor is it lent anew */
static void lease_give_up(struct leases *l, struct lease *le)
{
	l->at[le->place] = NULL;
	list_del(&le->idle);
	map_del(&l->by_name, &le->node);
	free(le);
}

/** leases_reach() - Places up to this one have been lent; to whom is open */
static int leases_reach(struct leases *l, unsigned int count)
{
	while (l->count < count) {
		const int rc = leases_grow(l);

		if (rc < 0)
			return rc;
		l->at[l->count++] = NULL;
	}
	return 0;
}

/** leases_put() - One note of the book; Return: 0 or -errno */
static int leases_put(struct leases *l, uint32_t place, const char *name)
{
	const uint64_t hash = map_hash(&l->by_name, name, strlen(name));
	struct lease *le = lease_of_name(l, name, hash);
	int rc;

	if (place >= l->pool || place >= lease_book_high(&l->book))
		return -EPROTO;
	rc = leases_reach(l, place + 1);
	if (rc < 0)
		return rc;
	/* The place it had went to a name that could not be noted. */
	if (le)
		lease_give_up(l, le);
	if (l->at[place])
		lease_give_up(l, l->at[place]);
	le = calloc(1, sizeof(*le) + strlen(name) + 1);
	if (!le)
		return -ENOMEM;
	lease_set(l, le, place, name, hash);
	lease_use(l, le);
	return 0;
}

/** leases_lose() - Places whose names were not noted are lent to nobody */
static int leases_lose(struct leases *l)
{
	const uint32_t high = lease_book_high(&l->book);
	const int rc = high <= l->pool ? leases_reach(l, high) : -EPROTO;

	for (unsigned int i = 0; rc == 0 && i < l->count; i++)
		if (l->at[i] && lease_book_is_lost(&l->book, i))
			lease_give_up(l, l->at[i]);
	return rc;
}

static int leases_replay(struct leases *l)
{
	char name[256];
	uint32_t place;
	size_t at = 0;
	int rc = 1;

	while (rc == 1) {
		rc = lease_book_next(&l->book, &at, &place, name);
		if (rc == 1 && (rc = leases_put(l, place, name)) == 0)
			rc = 1;
	}
	return rc < 0 ? rc : leases_lose(l);
}

int leases_remember(struct leases *l, int fd)
{
	int rc = lease_book_open(&l->book, fd);

	if (rc < 0)
		return rc;
	if (lease_book_key(&l->book, l->by_name.key) && leases_replay(l) == 0)
		return 0;
	leases_clear(l);
	rc = map_init(&l->by_name, LEASES_START);
	if (rc == 0)
		lease_book_begin(&l->book, l->by_name.key);
	return rc;
}

int leases_take(struct leases *l, const char *name, int family,
		struct addr *ret)
{
	const uint64_t hash = map_hash(&l->by_name, name, strlen(name));
	struct lease *le = lease_of_name(l, name, hash);

	if (!le) {
		const int rc = lease_new(l, name, hash, &le);

		if (rc < 0)
			return rc;
		if (!broken(BROKEN_BOOK))
			lease_book_add(&l->book, le->place, name);
	}
	lease_use(l, le);
	*ret = addr_of_place(l, le->place, family);
	return 0;
}

const char *leases_name(struct leases *l, const struct addr *a)
{
	struct lease *le = lease_of_addr(l, a);

	if (!le)
		return NULL;
	lease_use(l, le);
	return le->name;
}

void leases_hold(struct leases *l, const struct addr *a)
{
	struct lease *le = lease_of_addr(l, a);

	if (!le)
		return;
	le->holds++;
	list_del(&le->idle);
}

void leases_drop(struct leases *l, const struct addr *a)
{
	struct lease *le = lease_of_addr(l, a);

	if (!le)
		return;
	assert(le->holds > 0);
	le->holds--;
	lease_use(l, le);
}
