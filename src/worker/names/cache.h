/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * cache.h - answers of upstreams, kept for as long as they hold
 */
#include "base/list.h"
#include "base/map.h"
#include "wire/dns.h"

#define CACHE_BYTES (1024 * 1024)

/** struct cache_key - a question: what tells answers apart. Unused octets are
 * no part of it */
struct cache_key {
	size_t len;
	uint8_t bytes[DNS_NAME_ROOM + 6];
};

/**
 * struct cache - answers by question
 * @by_key:  All
 * @by_use:  All, the longest unused first
 * @bytes:   What they take, CACHE_BYTES at most
 */
struct cache {
	struct map by_key;
	struct list by_use;
	size_t bytes;
};

/** cache_init() - Return: 0 or -ENOMEM; cache_fini() takes half-built ones */
int cache_init(struct cache *c);
void cache_fini(struct cache *c);

/** cache_key_of() - The name without letter case, type, class, DO and CD */
struct cache_key cache_key_of(const struct dns_query *q);

/**
 * cache_get() - Find a live answer
 * @c:          Cache
 * @key:        Question
 * @now_ms:     Monotonic time
 * @ret_msg:    The answer, valid until the next cache_put()
 * @ret_len:    Its octets
 * @ret_age_s:  How long it has been here
 *
 * Return: whether there is one
 */
bool cache_get(struct cache *c, const struct cache_key *key, uint64_t now_ms,
	       const void **ret_msg, size_t *ret_len, uint32_t *ret_age_s);

/**
 * cache_put() - Keep an answer instead of any older one
 * @msg, @len:  Copied
 * @ttl_s:      For how long; 0: not at all
 *
 * Without memory it is not kept.
 */
void cache_put(struct cache *c, const struct cache_key *key, const void *msg,
	       size_t len, uint32_t ttl_s, uint64_t now_ms);
