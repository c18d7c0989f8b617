/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * ask.h - one question to one upstream
 */
#include "base/list.h"
#include "base/loop.h"
#include "wire/dns_upstream.h"

#define ASK_BUCKETS 256

struct ask;

/**
 * ask_fn - Called once, unless the ask is forgotten before
 * @a:         May be used for the next upstream
 * @err:       0 or why there is no answer
 * @msg, @len: The answer, checked; borrowed until the return
 * @v:         What it says; not @is_cut
 */
typedef void ask_fn(struct ask *a, int err, const void *msg, size_t len,
		    const struct dns_verdict *v);

/**
 * struct ask - a question under way
 * @q:      Borrowed until the end
 * @fn:     Told the end
 *
 * The rest belongs to the upstream:
 * @node:   Among its kin
 * @next, @id:  In struct ask_ids
 * @by:     Who has it (struct udp_ask or struct tcp_ask_conn), NULL for nobody
 * @timer:  UDP: next transmission; @sends counts them
 * @since_ms, @is_again:  TCP: when it was queued; it had been on a connection
 *          that was lost
 */
struct ask {
	const struct dns_query *q;
	ask_fn *fn;
	struct list node;
	struct ask *next;
	uint16_t id;
	void *by;
	struct timer timer;
	unsigned int sends;
	uint64_t since_ms;
	bool is_again;
};

/** struct ask_ids - which ask has which id on a socket; zeroed is empty */
struct ask_ids {
	unsigned int count;
	struct ask *bucket[ASK_BUCKETS];
};

/** ask_ids_add() - Give @a a random id that no other has. Return: 0, or
 * -ENOSPC when a few random ones were all in use */
int ask_ids_add(struct ask_ids *ids, struct ask *a);
/** ask_ids_del() - Take back its id */
void ask_ids_del(struct ask_ids *ids, struct ask *a);
/** ask_ids_find() - Who has it, or NULL */
struct ask *ask_ids_find(const struct ask_ids *ids, uint16_t id);
