// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * engine.c - another program has the TUN, and comes to our front
 *
 * Enter once udp, names and the gateway's proxy are there. What comes by an
 * engine goes where it would go without one.
 */
#include "worker_own.h"

#include "bus/plan.h"
#include "flow/front.h"
#include "flow/route.h"
#include "flow/server.h"
#include "names/names.h"

#include <errno.h>

static void engine_take_query(void *ctx, int fd)
{
	struct worker *w = ctx;

	names_accept(w->names, fd);
}

static void engine_take_client(void *ctx, int fd)
{
	struct worker *w = ctx;

	server_accept(w->server, fd);
}

/** engine_dest() - What comes by an engine goes where it would go
 * without one */
static int engine_dest(void *ctx, struct dest *d, struct server_lead *lead)
{
	struct worker *w = ctx;
	struct route r;

	if (d->name[0] != '\0')
		return worker_server_dest(ctx, d, lead);
	r = route_decide(&w->plan, &d->addr, true);
	switch (r.verdict) {
	case ROUTE_NAMES:
		lead->take = engine_take_query;
		return 0;
	case ROUTE_SERVER:
		lead->take = engine_take_client;
		return 0;
	case ROUTE_EXPOSE:
		lead->way = &w->direct;
		return 0;
	case ROUTE_WAY:
		return worker_server_dest(ctx, d, lead);
	case ROUTE_REFUSE:
		return r.err;
	case ROUTE_DROP:
	case ROUTE_VERDICTS:
		break;
	}
	return -EHOSTUNREACH;
}

int engine_start(struct worker *w, struct fault *f)
{
	int rc = front_new(&w->loop, &w->udp, &w->front);

	if (rc == 0)
		rc = tun_stand_in(&w->tun, front_packet, w->front);
	if (rc < 0)
		return fault(f, rc, "start the engine's front");
	w->engine = server_new(&w->loop, &w->way, w->pool, &w->plan.serve,
			       w->plan.flow_max, engine_dest, w);
	if (!w->engine)
		return fault(f, -ENOMEM, "start the engine's front");
	server_seat(w->engine, w->front);
	return 0;
}
