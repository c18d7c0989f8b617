/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "daemon/access.h"
#include "daemon/callers.h"
#include "daemon/fleet.h"

/** struct requests - what requests act on
 * @access:       Who may what
 * @reload:       What a reload has come to; NULL while there is none
 * @reloading:    Sandboxes that it waits for
 * @is_stopping:  Somebody waits for all to be down
 */
struct requests {
	struct loop *loop;
	struct fleet *fleet;
	struct callers *callers;
	struct journal *journal;
	struct access access;
	json_t *reload;
	unsigned int reloading;
	bool is_stopping;
};

/** requests_serve() - One call: answer it, or note what its caller waits for.
 * @ctx is a struct requests */
void requests_serve(void *ctx, struct caller *c,
		    const struct varlink_call *call);

/**
 * requests_told() - A sandbox has changed: answer those who wait for it
 * @ctx:  A struct requests
 * @s:    Sandbox
 * @f:    Why what has changed could not be written down; or NULL
 */
void requests_told(void *ctx, struct sandbox *s, const struct fault *f);

/** requests_fed() - A caller that follows lines can take more. @ctx is a struct
 * requests */
void requests_fed(void *ctx, struct caller *c);

/** requests_news() - Lines have come: send them to those who follow. @ctx is a
 * struct requests */
void requests_news(void *ctx);
