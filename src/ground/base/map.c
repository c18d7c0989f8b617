// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * map.c - hash map that strangers cannot degrade
 *
 * SipHash-2-4: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int map_init(struct map *m, size_t room)
{
	size_t size = 16;

	while (size < room)
		size *= 2;
	*m = (struct map){ .mask = size - 1 };
	if (getrandom(m->key, sizeof(m->key), 0) != (ssize_t)sizeof(m->key))
		return -ENOMEM;
	m->bucket = calloc(size, sizeof(*m->bucket));
	return m->bucket ? 0 : -ENOMEM;
}

void map_fini(struct map *m)
{
	free(m->bucket);
	*m = (struct map){ 0 };
}

static uint64_t rol(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rol(v[1], 13) ^ v[0];
	v[0] = rol(v[0], 32);
	v[2] += v[3];
	v[3] = rol(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rol(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rol(v[1], 17) ^ v[2];
	v[2] = rol(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

uint64_t map_hash(const struct map *m, const void *key, size_t len)
{
	uint64_t v[4] = {
		m->key[0] ^ 0x736f6d6570736575ull,
		m->key[1] ^ 0x646f72616e646f6dull,
		m->key[0] ^ 0x6c7967656e657261ull,
		m->key[1] ^ 0x7465646279746573ull,
	};
	const unsigned char *at = key;
	const unsigned char *end = at + (len & ~(size_t)7);
	uint64_t word;

	for (; at < end; at += 8) {
		memcpy(&word, at, 8);
		sip_word(v, word);
	}
	word = 0;
	memcpy(&word, at, len & 7);
	sip_word(v, word | (uint64_t)len << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_put(struct map *m, struct map_node *n, uint64_t hash)
{
	struct map_node **at = &m->bucket[hash & m->mask];

	n->hash = hash;
	n->next = *at;
	*at = n;
	m->count++;
}

void map_grow(struct map *m)
{
	const size_t size = (m->mask + 1) * 2;
	struct map_node **bucket;

	if (m->count <= size)
		return;
	bucket = calloc(size, sizeof(*bucket));
	if (!bucket)
		return;
	for (size_t i = 0; i <= m->mask; i++) {
		struct map_node *n = m->bucket[i];

		while (n) {
			struct map_node *next = n->next;
			struct map_node **to = &bucket[n->hash & (size - 1)];

			n->next = *to;
			*to = n;
			n = next;
		}
	}
	free(m->bucket);
	m->bucket = bucket;
	m->mask = size - 1;
}

void map_del(struct map *m, struct map_node *n)
{
	struct map_node **at = &m->bucket[n->hash & m->mask];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->next = NULL;
	m->count--;
}

struct map_node *map_find(const struct map *m, uint64_t hash)
{
	struct map_node *n = m->bucket[hash & m->mask];

	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct map_node *map_again(const struct map_node *n)
{
	const uint64_t hash = n->hash;
	struct map_node *next = n->next;

	while (next && next->hash != hash)
		next = next->next;
	return next;
}
