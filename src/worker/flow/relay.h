/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * relay.h - move bytes between the two sides of an open flow
 */
#include "base/list.h"
#include "base/loop.h"
#include "net/stream.h"

struct relay;
struct relay_pool;

/**
 * relay_fn - Called once, from the loop, when both sides have ended
 * @ctx:    As given
 * @err:    0: both ended in order; else the error that ended it
 *
 * The relay and its fds are gone when this is called.
 */
typedef void relay_fn(void *ctx, int err);

/** relay_pool_new() - What all relays of a loop share. Ignores SIGPIPE in this
 * process: splice(2) has no other way. Return: pool, or NULL (no memory) */
struct relay_pool *relay_pool_new(struct loop *loop);
/** relay_pool_widen() - The inner sides lead into a sandbox whose queues may be
 * short: let much wait in those of fast senders, where the kernel allows it.
 * Makes a socket */
void relay_pool_widen(struct relay_pool *p);
/** relay_pool_free() - Cancel all relays that are left, then free. NULL is
 * fine */
void relay_pool_free(struct relay_pool *p);

/**
 * relay_pool_drain() - Nobody reads the inner sides any more
 *
 * All programs are gone, but what they sent last must still arrive: from now
 * on a relay ends as soon as all that its inner side sent has been passed on.
 * May end relays at once (their relay_fn is called).
 */
void relay_pool_drain(struct relay_pool *p);

/** relay_pool_drains() - Has relay_pool_drain() been called? */
bool relay_pool_drains(const struct relay_pool *p);

/**
 * struct relay_guest - something that is going to be a relay
 * @drain:  Called by relay_pool_drain(); may drop the guest
 */
struct relay_guest {
	struct list node;
	void (*drain)(struct relay_guest *g);
};

/** relay_pool_hold() / relay_pool_drop() - A guest comes, goes: with one the
 * pool is not idle. It goes before the pool does */
void relay_pool_hold(struct relay_pool *p, struct relay_guest *g);
void relay_pool_drop(struct relay_guest *g);

/** relay_pool_is_idle() - Are there no relays, and is none held for? */
bool relay_pool_is_idle(const struct relay_pool *p);

/**
 * relay_start() - Begin; from then on only the loop calls in
 * @p:      Pool
 * @inner:  Non-blocking TCP socket; taken, also on failure
 * @outer:  Taken, also on failure. Plain streams are spliced, TLS is copied
 * @fn:     Told the end
 * @ctx:    For @fn
 * @ret:    Handle for relay_cancel(); valid until @fn is called; may be NULL
 *
 * Half-closes travel both ways, a reset in either direction becomes a reset,
 * urgent data is carried as plain data, a slow reader stops the writer.
 *
 * Return: 0 or -errno (both sides were reset; @fn is not called)
 */
int relay_start(struct relay_pool *p, int inner, struct stream outer,
		relay_fn *fn, void *ctx, struct relay **ret);

/**
 * relay_start_answer() - The same, but only the outer side is heard
 *
 * What the inner side still says is thrown away, and its end is not passed on:
 * for the rest of an answer to something that has been said whole.
 *
 * Return: like relay_start()
 */
int relay_start_answer(struct relay_pool *p, int inner, struct stream outer,
		       relay_fn *fn, void *ctx, struct relay **ret);

/** relay_cancel() - Reset both sides; @fn is not called any more */
void relay_cancel(struct relay *r);
