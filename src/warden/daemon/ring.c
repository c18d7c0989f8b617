// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ring.c - the last lines of somebody
 */
#include "daemon/ring.h"

#include <stdlib.h>

/** ring_at() - The @n-th oldest */
static struct line *ring_at(const struct ring *r, unsigned int n)
{
	return r->slot[(r->first + n) % RING_LINES];
}

static size_t ring_size(const struct line *l)
{
	return sizeof(*l) + l->len + 1;
}

/** ring_push_out() - Forget the oldest */
static void ring_push_out(struct ring *r)
{
	struct line *old = ring_at(r, 0);

	r->gone = old->seq;
	r->bytes -= ring_size(old);
	r->first = (r->first + 1) % RING_LINES;
	r->count--;
	line_put(old);
}

void ring_add(struct ring *r, struct line *l)
{
	if (!r->slot)
		r->slot = calloc(RING_LINES, sizeof(struct line *));
	if (!r->slot)
		return;
	while (r->count == RING_LINES ||
	       (r->count > 0 && r->bytes + ring_size(l) > RING_BYTES))
		ring_push_out(r);
	r->slot[(r->first + r->count++) % RING_LINES] = line_get(l);
	r->bytes += ring_size(l);
}

/** ring_find() - How many have a .seq of at most @seq */
static unsigned int ring_find(const struct ring *r, uint64_t seq)
{
	unsigned int low = 0;
	unsigned int high = r->count;

	while (low < high) {
		const unsigned int mid = (low + high) / 2;

		if (ring_at(r, mid)->seq <= seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct line *ring_after(const struct ring *r, uint64_t seq)
{
	const unsigned int n = ring_find(r, seq);

	return n < r->count ? ring_at(r, n) : NULL;
}

struct line *ring_before(const struct ring *r, uint64_t seq)
{
	const unsigned int n = seq > 0 ? ring_find(r, seq - 1) : 0;

	return n > 0 ? ring_at(r, n - 1) : NULL;
}

void ring_fini(struct ring *r)
{
	while (r->count > 0)
		ring_push_out(r);
	free(r->slot);
	*r = (struct ring){ 0 };
}
