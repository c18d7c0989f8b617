/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * forward.h - real answers: from the cache, or from upstreams
 *
 * The same question is under way only once, whoever asks it. A server that
 * fails or is slow is followed by the next one, and by nothing else: when all
 * have failed the answer is SERVFAIL.
 */
#include "dial/way.h"
#include "names/asker.h"
#include "wire/dns.h"

#define FORWARD_TRY_MS	 3000  /* patience with a server, if there is another */
#define FORWARD_MS	 8000  /* for all of them */
#define FORWARD_SOCKS_MS 20000 /* with the last proxy: Tor builds circuits */
#define FORWARD_FAIL_S	 2     /* SERVFAIL is remembered (RFC 9520) */

struct forward;

/** forward_fn - Send an answer */
typedef void forward_fn(void *ctx, const struct asker *who, const void *msg,
			size_t len);

/**
 * forward_new() - Make a forwarder
 * @way:       Way out; borrowed
 * @p:         Servers, or NAMES_RESOLVE; borrowed
 * @fn, @ctx:  Gets the answers
 * @ret:       Owned by the caller
 *
 * Return: 0 or -ENOMEM
 */
int forward_new(struct way *way, const struct plan *p, forward_fn *fn,
		void *ctx, struct forward **ret);
/** forward_free() - Who waits is told nothing; NULL is fine */
void forward_free(struct forward *f);

/**
 * forward_query() - Have a query answered
 * @q:     Well-formed; copied
 * @who:   Given to the forward_fn, perhaps before this returns; copied
 * @room:  What the client takes
 */
void forward_query(struct forward *f, const struct dns_query *q,
		   const struct asker *who, size_t room);
