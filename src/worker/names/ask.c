// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ask.c - ids of questions under way
 *
 * An id is what a forger has to guess: random, and new for each question.
 */
#include "names/ask.h"

#include <errno.h>
#include <sys/random.h>

#define TRIES 16

static struct ask **ids_bucket(struct ask_ids *ids, uint16_t id)
{
	return &ids->bucket[id % ASK_BUCKETS];
}

struct ask *ask_ids_find(const struct ask_ids *ids, uint16_t id)
{
	struct ask *a = ids->bucket[id % ASK_BUCKETS];

	while (a && a->id != id)
		a = a->next;
	return a;
}

int ask_ids_add(struct ask_ids *ids, struct ask *a)
{
	for (int i = 0; i < TRIES; i++) {
		struct ask **at;
		uint16_t id;

		if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
			return -ENOSPC;
		if (ask_ids_find(ids, id))
			continue;
		at = ids_bucket(ids, id);
		a->id = id;
		a->next = *at;
		*at = a;
		ids->count++;
		return 0;
	}
	return -ENOSPC;
}

void ask_ids_del(struct ask_ids *ids, struct ask *a)
{
	struct ask **at = ids_bucket(ids, a->id);

	while (*at && *at != a)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = a->next;
	a->next = NULL;
	ids->count--;
}
