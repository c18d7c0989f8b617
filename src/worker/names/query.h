/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * query.h - what answers a query: we ourselves, or an upstream
 */
#include "bus/plan.h"
#include "names/lease.h"
#include "wire/dns.h"

/** query_is_exposed() - Is it about a name that was exposed? */
bool query_is_exposed(const struct plan *p, const struct dns_query *q);

/**
 * query_answer() - Answer a query, if it can be answered here
 * @p:           Mode, families, exposed names
 * @l:           Leases; a name may get one
 * @q:           Query
 * @form:        What dns_query_get() said of it, not -EPROTO
 * @buf, @room:  Where the answer goes; @room is also what the client takes
 * @ret_len:     Octets of the answer; 0 if not even its head fits
 *
 * Return: 0; -ENOENT when an upstream has to be asked (only NAMES_FORWARD), or
 * the last proxy (only NAMES_RESOLVE: A, AAAA, and PTR of a whole address)
 */
int query_answer(const struct plan *p, struct leases *l,
		 const struct dns_query *q, int form, void *buf, size_t room,
		 size_t *ret_len);
