/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * resolve.h - ask helper processes on the host for a name's addresses
 *
 * A worker has no files and no resolver. `nsproxy serve` starts a few resolver
 * processes that share one SOCK_SEQPACKET channel: each takes a question,
 * calls getaddrinfo(3), and sends the answer back. A sandbox has no such
 * channel: its names go to the proxy.
 */
#include "base/addr.h"
#include "base/loop.h"
#include "bus/resolve_msg.h"

#include <stdint.h>

#define RESOLVE_MS	10000
#define RESOLVE_PENDING 1024

struct resolver;
struct resolve;

/**
 * resolve_fn - Called once, from the loop
 * @err:  0, -EHOSTUNREACH (no address), -ETIMEDOUT
 */
typedef void resolve_fn(void *ctx, int err, const struct addr *addr,
			unsigned int count);

/** resolver_new() - Takes @chan (the worker's end); NULL: no memory */
struct resolver *resolver_new(struct loop *loop, int chan);
void resolver_free(struct resolver *r);

/**
 * resolve_start() - Ask
 * @name:  Valid host name; copied
 * @ret:   For resolve_cancel(), valid until @fn is called
 *
 * Return: 0; -EAGAIN with RESOLVE_PENDING under way; -ENOMEM
 */
int resolve_start(struct resolver *r, const char *name, resolve_fn *fn,
		  void *ctx, struct resolve **ret);
void resolve_cancel(struct resolve *q);
