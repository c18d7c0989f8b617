// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * cache.c - keep answers, forget the longest unused
 */
#include "names/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_START 64 /* answers, before the map grows */

/**
 * struct answer - one answer
 * @born_ms, @dead_ms:  When it came, when it no longer holds
 * @key_len, @len:      Octets of the key and of the message behind it
 */
struct answer {
	struct map_node node;
	struct list use;
	uint64_t born_ms;
	uint64_t dead_ms;
	size_t key_len;
	size_t len;
	uint8_t data[];
};

int cache_init(struct cache *c)
{
	*c = (struct cache){ .bytes = 0 };
	list_init(&c->by_use);
	return map_init(&c->by_key, CACHE_START);
}

static size_t answer_size(const struct answer *a)
{
	return sizeof(*a) + a->key_len + a->len;
}

static void answer_free(struct cache *c, struct answer *a)
{
	map_del(&c->by_key, &a->node);
	list_del(&a->use);
	c->bytes -= answer_size(a);
	free(a);
}

void cache_fini(struct cache *c)
{
	while (c->by_use.next && !list_empty(&c->by_use))
		answer_free(c,
			    container_of(c->by_use.next, struct answer, use));
	map_fini(&c->by_key);
}

struct cache_key cache_key_of(const struct dns_query *q)
{
	struct dns_name name = q->name;
	struct cache_key key;
	struct wr w = wr_of(key.bytes, sizeof(key.bytes));

	dns_name_lower(&name);
	wr_be16(&w, q->type);
	wr_be16(&w, q->class);
	wr_u8(&w, q->wants_dnssec);
	wr_u8(&w, (q->flags & DNS_CD) != 0);
	wr_bytes(&w, name.wire, name.len);
	key.len = wr_used(&w);
	return key;
}

static struct answer *answer_find(const struct cache *c,
				  const struct cache_key *key)
{
	const uint64_t hash = map_hash(&c->by_key, key->bytes, key->len);
	struct map_node *n = map_find(&c->by_key, hash);

	for (; n; n = map_again(n)) {
		struct answer *a = container_of(n, struct answer, node);

		if (a->key_len == key->len &&
		    !memcmp(a->data, key->bytes, key->len))
			return a;
	}
	return NULL;
}

bool cache_get(struct cache *c, const struct cache_key *key, uint64_t now_ms,
	       const void **ret_msg, size_t *ret_len, uint32_t *ret_age_s)
{
	struct answer *a = answer_find(c, key);

	if (!a)
		return false;
	if (now_ms >= a->dead_ms) {
		answer_free(c, a);
		return false;
	}
	list_del(&a->use);
	list_add_tail(&c->by_use, &a->use);
	*ret_msg = a->data + a->key_len;
	*ret_len = a->len;
	*ret_age_s = (uint32_t)((now_ms - a->born_ms) / 1000);
	return true;
}

void cache_put(struct cache *c, const struct cache_key *key, const void *msg,
	       size_t len, uint32_t ttl_s, uint64_t now_ms)
{
	struct answer *a = answer_find(c, key);

	if (a)
		answer_free(c, a);
	if (ttl_s == 0)
		return;
	a = malloc(sizeof(*a) + key->len + len);
	if (!a)
		return;
	a->born_ms = now_ms;
	a->dead_ms = now_ms + (uint64_t)ttl_s * 1000;
	a->key_len = key->len;
	a->len = len;
	memcpy(a->data, key->bytes, key->len);
	memcpy(a->data + key->len, msg, len);
	map_put(&c->by_key, &a->node,
		map_hash(&c->by_key, key->bytes, key->len));
	map_grow(&c->by_key);
	list_add_tail(&c->by_use, &a->use);
	c->bytes += answer_size(a);
	while (c->bytes > CACHE_BYTES)
		answer_free(c,
			    container_of(c->by_use.next, struct answer, use));
}
