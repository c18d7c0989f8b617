/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * relay_http.h - one request of a program, by way of a proxy that forwards
 */
#include "dial/way.h"
#include "flow/relay.h"

#define RELAY_HTTP_HEAD_MS  60000  /* a program has this long for its head */
#define RELAY_HTTP_LEFT_MS  120000 /* an answer, when the program has ended */
#define RELAY_HTTP_LEAVE_MS 5000   /* to read our refusal, or an early answer */

struct relay_http;

/**
 * relay_http_start() - Begin; from then on only the loop calls in
 * @p:      Pool
 * @w:      Way for which way_forwards() was true; outlives it
 * @to:     Destination with a name; copied
 * @inner:  Non-blocking TCP socket; taken, also on failure
 * @outer:  Stream to the last proxy, which was told nothing; taken, also on
 *          failure
 * @fn:     Told the end; as with relay_start()
 * @ctx:    For @fn
 * @ret:    Handle for relay_http_cancel(); valid until @fn is called
 *
 * The program's one request goes on as one for a proxy; what comes behind it
 * goes nowhere, and its answer says "Connection: close". What is no request is
 * answered with 400 when it is text, else reset; told at warn once a minute.
 *
 * Return: 0 or -errno (both sides were reset; @fn is not called)
 */
int relay_http_start(struct relay_pool *p, struct way *w, const struct dest *to,
		     int inner, struct stream outer, relay_fn *fn, void *ctx,
		     struct relay_http **ret);

/** relay_http_cancel() - Reset both sides; @fn is not called any more */
void relay_http_cancel(struct relay_http *r);
