// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * connector_book.c - which places a plan knows
 *
 * Pure. Where everything is the way out (a lone `direct`) everything is
 * allowed; a proxy's worker has its proxy, and what the user named besides.
 */
#include "dial/connector_book.h"

#include "base/broken.h"
#include "dial/way.h"

#include <string.h>

struct connector_book connector_book_of(const struct plan *p)
{
	const struct way w = { .hop = p->hop, .count = p->hop_count };
	const struct hop *first = &p->hop[way_first(&w)];
	struct connector_book b = {
		.kind = first->kind,
		.has_udp = way_has_udp(&w),
		.hop_count = first->addr_count,
		.exposed_count = p->expose_count,
	};

	memcpy(b.dev, way_device(&w), strlen(way_device(&w)) + 1);
	memcpy(b.path, first->path, sizeof(b.path));
	memcpy(b.hop, first->addr, sizeof(b.hop));
	for (unsigned int i = 0; i < p->expose_count; i++)
		b.exposed[i] = p->expose[i].addr;
	for (unsigned int i = 0; i < p->server_count; i++)
		if (p->server[i].is_here)
			b.server[b.server_count++] = p->server[i].addr;
	return b;
}

static bool book_lists(const struct addr *list, unsigned int count,
		       const struct addr *to)
{
	for (unsigned int i = 0; i < count; i++)
		if (addr_equal(&list[i], to))
			return true;
	return false;
}

/** book_is_relay() - Is it on the proxy's own host? The port is the proxy's to
 * say (RFC 1928, 7) */
static bool book_is_relay(const struct connector_book *b, const struct addr *to)
{
	if (!b->has_udp || to->port == 0)
		return false;
	if (b->path[0] != '\0')
		return addr_is_loopback(to);
	for (unsigned int i = 0; i < b->hop_count; i++)
		if (addr_same_host(&b->hop[i], to))
			return true;
	return false;
}

static bool book_has_hop(const struct connector_book *b,
			 const struct outer_wish *w)
{
	if (b->kind == HOP_DIRECT)
		return w->kind != OUTER_UNIX;
	if (b->kind == HOP_BLOCK)
		return false;
	if (w->kind == OUTER_UNIX)
		return b->path[0] != '\0';
	if (w->kind == OUTER_TCP)
		return book_lists(b->hop, b->hop_count, &w->to);
	return w->kind == OUTER_UDP && book_is_relay(b, &w->to);
}

bool connector_book_has(const struct connector_book *b,
			const struct outer_wish *w)
{
	if (w->kind >= OUTER_KINDS ||
	    (w->kind != OUTER_UNIX && addr_size(&w->to) == 0))
		return false;
	/* Those faults are the worker's, and must show. */
	if (broken(BROKEN_DIRECT) || broken(BROKEN_RELAY))
		return true;
	if (w->by == OUTER_BY_PLAN)
		return book_has_hop(b, w);
	if (w->kind != OUTER_TCP && w->kind != OUTER_UDP)
		return false;
	if (w->by == OUTER_BY_HOST)
		return book_lists(b->exposed, b->exposed_count, &w->to);
	return w->by == OUTER_BY_LO &&
	       book_lists(b->server, b->server_count, &w->to);
}

const char *connector_book_dev(const struct connector_book *b,
			       const struct outer_wish *w)
{
	if (w->by == OUTER_BY_LO)
		return "lo";
	return w->by == OUTER_BY_PLAN ? b->dev : "";
}
