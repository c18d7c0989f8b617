// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_upstream.c - read, check and hand on the answers of upstreams
 *
 * What is taken out of them between check and relay: dns_strip.c.
 */
#include "wire/dns_upstream.h"

#include <errno.h>

bool dns_walk_begin(const void *msg, size_t len, struct dns_walk *w)
{
	struct dns_name name;
	unsigned int questions;

	*w = (struct dns_walk){ .all = rd_of(msg, len), .r = rd_of(msg, len) };
	rd_skip(&w->r, 4);
	questions = rd_be16(&w->r);
	for (int i = 0; i < DNS_SECTIONS; i++)
		w->left[i] = rd_be16(&w->r);
	if (w->r.ran_out)
		return false;
	for (; questions > 0; questions--) {
		if (!dns_name_get(&w->r, &w->all, &name))
			return false;
		rd_skip(&w->r, 4);
	}
	return !w->r.ran_out;
}

static size_t walk_at(const struct dns_walk *w)
{
	return (size_t)(w->r.at - w->all.at);
}

int dns_walk_next(struct dns_walk *w, struct dns_rr *ret)
{
	enum dns_section section = DNS_ANSWER;
	uint16_t size;

	while (section < DNS_SECTIONS && w->left[section] == 0)
		section++;
	if (section == DNS_SECTIONS)
		return 0;
	w->left[section]--;
	ret->section = section;
	ret->owner_at = walk_at(w);
	if (!dns_name_get(&w->r, &w->all, &ret->owner))
		return -EPROTO;
	ret->type = rd_be16(&w->r);
	ret->class = rd_be16(&w->r);
	ret->ttl_at = walk_at(w);
	ret->ttl = rd_be32(&w->r);
	size = rd_be16(&w->r);
	ret->data_at = walk_at(w);
	ret->data = rd_of(w->r.at, size <= rd_left(&w->r) ? size : 0);
	rd_skip(&w->r, size);
	ret->end = walk_at(w);
	return w->r.ran_out ? -EPROTO : 1;
}

/** soa_minimum() - How long the absence may be believed (RFC 2308, 5) */
static uint32_t soa_minimum(const struct dns_walk *w, const struct dns_rr *rr)
{
	struct rd r = rr->data;
	struct dns_name name;
	uint32_t minimum;

	if (!dns_name_get(&r, &w->all, &name) ||
	    !dns_name_get(&r, &w->all, &name))
		return 0;
	rd_skip(&r, 16);
	minimum = rd_be32(&r);
	return minimum < DNS_NEGATIVE_MAX_S ? minimum : DNS_NEGATIVE_MAX_S;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/** records_check() - Walk all records for what they say together */
static int records_check(struct dns_walk *w, struct dns_verdict *v)
{
	const bool is_positive =
		w->left[DNS_ANSWER] > 0 && v->rcode == DNS_NOERROR;
	bool has_soa = false;
	struct dns_rr rr;
	int rc;

	v->ttl_s = DNS_TTL_MAX_S;
	while ((rc = dns_walk_next(w, &rr)) == 1) {
		if (rr.type == DNS_OPT) {
			v->rcode |= (rr.ttl >> 24) << 4;
			continue;
		}
		/* The topmost bit counts as zero (RFC 2181, 8). */
		v->ttl_s = least(v->ttl_s, rr.ttl >> 31 ? 0 : rr.ttl);
		if (rr.type != DNS_SOA || rr.section != DNS_AUTHORITY)
			continue;
		has_soa = true;
		v->ttl_s = least(v->ttl_s, soa_minimum(w, &rr));
	}
	if (!is_positive && !has_soa)
		v->ttl_s = 0;
	return rc < 0 || rd_left(&w->r) > 0 ? -EPROTO : 0;
}

int dns_upstream_check(const void *msg, size_t len, const struct dns_query *q,
		       struct dns_verdict *ret)
{
	struct dns_verdict v = { 0 };
	struct dns_query head = { 0 };
	struct rd r = rd_of(msg, len);
	struct dns_walk w;
	uint16_t questions;

	v.id = rd_be16(&r);
	head.flags = rd_be16(&r);
	questions = rd_be16(&r);
	rd_skip(&r, 6);
	if (r.ran_out || !(head.flags & DNS_QR) || (head.flags & DNS_OPCODE))
		return -EPROTO;
	v.rcode = head.flags & DNS_RCODE;
	v.is_cut = head.flags & DNS_TC;
	if (questions == 0 &&
	    (v.rcode == DNS_FORMERR || v.rcode == DNS_NOTIMP)) {
		*ret = v;
		return 0;
	}
	/* The name's own start as the message: no pointer can lead there. */
	if (questions != 1 ||
	    !dns_name_get(&r, &(struct rd){ r.at, r.end, false }, &head.name))
		return -EPROTO;
	head.type = rd_be16(&r);
	head.class = rd_be16(&r);
	if (r.ran_out || head.type != q->type || head.class != q->class ||
	    !dns_name_equal(&head.name, &q->name))
		return -EPROTO;
	/* A cut answer may end anywhere; nothing of it is used. */
	if (!v.is_cut &&
	    (!dns_walk_begin(msg, len, &w) || records_check(&w, &v) < 0))
		return -EPROTO;
	*ret = v;
	return 0;
}

/** ttls_lower() - Age the records of a message */
static int ttls_lower(void *msg, size_t len, uint32_t age_s)
{
	struct dns_walk w;
	struct dns_rr rr;
	struct wr ttl_w;
	int rc;

	if (!dns_walk_begin(msg, len, &w))
		return -EPROTO;
	while ((rc = dns_walk_next(&w, &rr)) == 1) {
		uint32_t ttl = rr.ttl >> 31 ? 0 : rr.ttl;

		if (rr.type == DNS_OPT)
			continue;
		ttl = least(ttl > age_s ? ttl - age_s : 0, DNS_TTL_MAX_S);
		ttl_w = wr_of(msg, len);
		(void)wr_room(&ttl_w, rr.ttl_at); /* it was read there */
		wr_be32(&ttl_w, ttl);
	}
	return rc;
}

size_t dns_upstream_relay(void *buf, size_t room, const struct dns_query *q,
			  const void *msg, size_t len, uint32_t age_s)
{
	struct rd r = rd_of(msg, len);
	struct wr w = wr_of(buf, room);
	uint16_t flags;

	rd_skip(&r, 2);
	flags = rd_be16(&r) & (DNS_RCODE | DNS_AD);
	if (!q->wants_dnssec && !(q->flags & DNS_AD))
		flags &= DNS_RCODE;
	wr_be16(&w, q->id);
	wr_be16(&w, (uint16_t)(DNS_QR | DNS_RA | flags |
			       (q->flags & (DNS_RD | DNS_CD))));
	wr_be16(&w, rd_be16(&r));
	wr_be16(&w, rd_be16(&r));
	wr_be16(&w, rd_be16(&r));
	wr_be16(&w, (uint16_t)(rd_be16(&r) + q->has_opt));
	/* The same question, in the letter case of this client. */
	rd_skip(&r, q->name.len + 4u);
	dns_question_put(&w, q);
	if (r.ran_out)
		return dns_error(buf, room, q, DNS_SERVFAIL);
	wr_bytes(&w, r.at, rd_left(&r));
	if (q->has_opt)
		dns_opt_put(&w, q->wants_dnssec, DNS_NOERROR);
	if (w.ran_out)
		return dns_cut(buf, room, q, flags & DNS_RCODE);
	if (ttls_lower(buf, wr_used(&w), age_s) < 0)
		return dns_error(buf, room, q, DNS_SERVFAIL);
	return wr_used(&w);
}
