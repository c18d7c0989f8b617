/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * way.h - a way out: the chain of hops that traffic leaves by
 */
#include "base/log.h"
#include "base/loop.h"
#include "bus/plan.h"
#include "dial/connector.h"
#include "net/stream.h"

struct resolver;
struct tls_context;

/* Deadlines. All are absolute: a peer that dribbles does not stretch them. */
#define DIAL_CONNECT_MS 10000 /* TCP connect to the first hop */
#define DIAL_GREET_MS	10000 /* a hop's answers that need no far end */
#define DIAL_MS		30000 /* the whole dial; matches tcp_syn_retries inside */

/* Dials under way at once, unless the owner says otherwise */
#define WAY_DIALS	4096
/* Least distance of two warnings of one kind */
#define WAY_WARN_MS	5000

/* What may be wrong with a hop; each kind is told at its own pace. */
enum way_fault {
	WAY_UNREACHED, /* the first hop cannot be connected */
	WAY_SILENT,    /* no answer in time */
	WAY_GARBAGE,   /* not the protocol, or hung up */
	WAY_LOGIN,     /* our credentials, or the lack of them */
	WAY_TLS,       /* handshake or certificate */
	WAY_NEXT,      /* it could not reach the next hop */
	WAY_FAULTS
};

/**
 * struct way - one way out of one worker; outlives all its dials and outlets
 * @loop:   Borrowed
 * @hop:    Borrowed from the plan
 * @count:  1 to PLAN_HOPS. [HOP_DIRECT] and [HOP_BLOCK] stand alone, but
 *          HOP_DIRECT may come first before proxies (its @dev then binds the
 *          first hop's socket)
 * @tls:    Owned; NULL unless a hop is HOP_HTTPS
 * @by:     What its outer sockets are for
 * @connector: Borrowed; who makes them; NULL: we do
 * @resolver: Borrowed; NULL where names cannot be looked up (all sandboxes)
 * @dials, @dial_max:  Dials under way and their cap; spares are not among them
 * @gate:   Paces the warnings, one for each kind
 * @refused_gate:  Paces what relay_http says of programs
 * @spares, @spare_count:  Dials for nobody (dial_spare.c); begun by
 *          @spare_task, not before @spare_from_ms
 * @dialled_ms:  When the last dial was a success; 0: none was
 */
struct way {
	struct loop *loop;
	const struct hop *hop;
	unsigned int count;
	struct tls_context *tls;
	enum outer_by by;
	struct connector *connector;
	struct resolver *resolver;
	unsigned int dials;
	unsigned int dial_max;
	struct log_gate gate[WAY_FAULTS];
	struct log_gate refused_gate;
	struct list spares;
	unsigned int spare_count;
	struct task spare_task;
	uint64_t spare_from_ms;
	uint64_t dialled_ms;
};

/**
 * way_init() - Make a way from a plan; reads trust anchors if it needs them
 * @w:     Result
 * @loop:  Borrowed
 * @p:     Plan; borrowed
 *
 * Return: 0, -ENOENT if TLS is needed and no trust anchors could be read,
 * -EINVAL if this is no chain that can be walked
 */
int way_init(struct way *w, struct loop *loop, const struct plan *p);
/** way_init_direct() - A way of one HOP_DIRECT without device (for `expose`) */
void way_init_direct(struct way *w, struct loop *loop);
/** way_init_here() - A way that does not leave the machine: bound to lo */
void way_init_here(struct way *w, struct loop *loop);
void way_fini(struct way *w);

/** way_first() - Index of the hop that is connected to: 1 behind a HOP_DIRECT
 * that only names a device, else 0 */
unsigned int way_first(const struct way *w);

/**
 * way_forwards() - Are requests to this destination sent to the last proxy?
 * @w:   Way
 * @to:  Destination
 *
 * A dial to such a one ends at the last proxy, which has been told nothing:
 * whoever gets the stream must speak HTTP to it as to a proxy (relay_http).
 */
bool way_forwards(const struct way *w, const struct dest *to);

/** way_has_udp() - May outlets be tried? (one SOCKS5 hop, or direct) */
bool way_has_udp(const struct way *w);

/** way_device() - What its outer sockets are bound to; or "" */
const char *way_device(const struct way *w);

/**
 * way_socket() - Make an outer socket, and wait where another must make it
 * @w:     Way
 * @wish:  Of @w->by
 *
 * Return: as outer_make()
 */
int way_socket(const struct way *w, const struct outer_wish *wish);
