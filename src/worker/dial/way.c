// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * way.c - a way out: the chain of hops that traffic leaves by
 *
 * Made once from a plan; dials and outlets borrow it.
 */
#include "dial/way.h"

#include "dial/dial.h"
#include "net/tls.h"

#include <errno.h>

#define FORWARD_PORT 80 /* of plain HTTP */

static const struct hop way_direct_hop = {
	.kind = HOP_DIRECT,
	.label = "direct",
};

static const struct hop way_here_hop = {
	.kind = HOP_DIRECT,
	.dev = "lo",
	.label = "direct by lo",
};

unsigned int way_first(const struct way *w)
{
	return w->count > 1 && w->hop[0].kind == HOP_DIRECT ? 1 : 0;
}

/* Is this hop one that can stand at this place? */
static bool way_hop_ok(const struct way *w, unsigned int i)
{
	const struct hop *h = &w->hop[i];

	if (w->count == 1 && (h->kind == HOP_DIRECT || h->kind == HOP_BLOCK))
		return true;
	if (i < way_first(w))
		return true;
	if (h->kind == HOP_DIRECT || h->kind == HOP_BLOCK)
		return false;
	if (i > way_first(w))
		return h->host[0] != '\0' && h->port != 0;
	return h->path[0] != '\0' || h->addr_count > 0;
}

static int way_read_anchors(struct way *w)
{
	bool need_tls = false;
	bool need_anchors = false;

	for (unsigned int i = 0; i < w->count; i++) {
		if (w->hop[i].kind != HOP_HTTPS)
			continue;
		need_tls = true;
		need_anchors |= !w->hop[i].insecure;
	}
	if (!need_tls)
		return 0;
	return tls_context_new(need_anchors, &w->tls);
}

int way_init(struct way *w, struct loop *loop, const struct plan *p)
{
	*w = (struct way){
		.loop = loop,
		.hop = p->hop,
		.count = p->hop_count,
		.dial_max = WAY_DIALS,
	};
	list_init(&w->spares);
	if (w->count == 0 || w->count > PLAN_HOPS)
		return -EINVAL;
	for (unsigned int i = 0; i < w->count; i++)
		if (!way_hop_ok(w, i))
			return -EINVAL;
	return way_read_anchors(w);
}

static void way_init_one(struct way *w, struct loop *loop, enum outer_by by,
			 const struct hop *h)
{
	*w = (struct way){
		.loop = loop,
		.by = by,
		.hop = h,
		.count = 1,
		.dial_max = WAY_DIALS,
	};
	list_init(&w->spares);
}

void way_init_direct(struct way *w, struct loop *loop)
{
	way_init_one(w, loop, OUTER_BY_HOST, &way_direct_hop);
}

void way_init_here(struct way *w, struct loop *loop)
{
	way_init_one(w, loop, OUTER_BY_LO, &way_here_hop);
}

void way_fini(struct way *w)
{
	if (w->loop)
		dial_spares_drop(w);
	tls_context_free(w->tls);
	*w = (struct way){ 0 };
}

bool way_forwards(const struct way *w, const struct dest *to)
{
	return w->hop[w->count - 1].forward && to->name[0] != '\0' &&
	       to->addr.port == FORWARD_PORT;
}

bool way_has_udp(const struct way *w)
{
	const struct hop *h = &w->hop[way_first(w)];

	if (w->count != way_first(w) + 1)
		return false;
	return (h->kind == HOP_SOCKS5 && !h->no_udp) || h->kind == HOP_DIRECT;
}

const char *way_device(const struct way *w)
{
	return w->hop[0].kind == HOP_DIRECT ? w->hop[0].dev : "";
}

int way_socket(const struct way *w, const struct outer_wish *wish)
{
	return w->connector ? connector_wait(w->connector, wish)
			    : outer_make(wish, way_device(w),
					 w->hop[way_first(w)].path);
}
