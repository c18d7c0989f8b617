/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * struct map_node - put one into each struct that lives in a map
 * @next:  Same bucket
 * @hash:  Of the whole key
 */
struct map_node {
	struct map_node *next;
	uint64_t hash;
};

/**
 * struct map - intrusive hash map; its buckets change only in map_grow()
 *
 * The map owns its buckets, never its nodes. Keys are hashed with a random
 * secret, so that strangers cannot aim at one bucket.
 */
struct map {
	struct map_node **bucket;
	size_t mask;
	size_t count;
	uint64_t key[2];
};

/**
 * map_init() - Allocate the buckets
 * @m:     Map
 * @room:  How many nodes are expected; rounded up to a power of two
 *
 * Return: 0, or -ENOMEM
 */
int map_init(struct map *m, size_t room);

/** map_fini() - Free the buckets; nodes are the caller's. Zeroed is fine */
void map_fini(struct map *m);

/** map_hash() - Hash of a key (SipHash-2-4 under the map's secret) */
uint64_t map_hash(const struct map *m, const void *key, size_t len);

/** map_put() - Add a node that is in no map */
void map_put(struct map *m, struct map_node *n, uint64_t hash);

/**
 * map_grow() - Double the buckets once they hold more than two nodes each
 *
 * For maps that start small and may become large: call it after map_put().
 * Without memory the map stays as it is, and works.
 */
void map_grow(struct map *m);

/** map_del() - Take out a node that is in this map */
void map_del(struct map *m, struct map_node *n);

/**
 * map_find() - First node with this hash; the caller compares the key
 * map_again() - The next one with the same hash
 *
 * Return: a node, or NULL
 */
struct map_node *map_find(const struct map *m, uint64_t hash);
struct map_node *map_again(const struct map_node *n);
