// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_strip.c - take out of an upstream's answer what its client must not see
 *
 * What is taken out is a list of cuts. Names that were compressed against
 * names behind a cut get their pointers corrected before the gaps are closed;
 * no record is taken apart further than that.
 */
#include "wire/dns_upstream.h"

#include <errno.h>

#define SVCB_MANDATORY 0
#define SVCB_IPV4HINT  4
#define SVCB_IPV6HINT  6
#define CUTS_MAX       64

/** struct cut - octets to leave out */
struct cut {
	size_t at;
	size_t len;
};

/** struct cuts - in the order of the message */
struct cuts {
	unsigned int count;
	struct cut cut[CUTS_MAX];
};

/** data_names - types whose data may hold compressed names: RFC 1035, RFC
 * 3597 section 4, and those that old servers compress */
static const struct {
	uint16_t type;
	uint8_t skip; /* octets in front of the first name */
	uint8_t count;
} data_names[] = {
	{ DNS_NS, 0, 1 },  { 3, 0, 1 },	 { 4, 0, 1 },	{ 5, 0, 1 },
	{ DNS_SOA, 0, 2 }, { 7, 0, 1 },	 { 8, 0, 1 },	{ 9, 0, 1 },
	{ DNS_PTR, 0, 1 }, { 14, 0, 2 }, { 15, 2, 1 },	{ 17, 0, 2 },
	{ 18, 2, 1 },	   { 21, 2, 1 }, { 24, 18, 1 }, { 26, 2, 2 },
	{ 30, 0, 1 },	   { 33, 6, 1 }, { 36, 2, 1 },	{ 39, 0, 1 },
};

/** struct strip - a message and its copy; patches go to the copy, at the
 * offsets of the original */
struct strip {
	const uint8_t *msg;
	uint8_t *copy;
	size_t len;
	struct cuts cuts;
};

/** patch16() - Overwrite two octets of a message */
static void patch16(void *msg, size_t len, size_t at, uint16_t v)
{
	struct wr w = wr_of(msg, len);

	(void)wr_room(&w, at); /* sticky */
	wr_be16(&w, v);
}

static bool cut_add(struct cuts *c, size_t at, size_t len)
{
	if (c->count == CUTS_MAX)
		return false;
	c->cut[c->count++] = (struct cut){ at, len };
	return true;
}

static bool is_hint(uint16_t key)
{
	return key == SVCB_IPV4HINT || key == SVCB_IPV6HINT;
}

/** mandatory_strip() - Cut hints out of the list of mandatory keys
 * @at:  Of the value; its length is two octets in front
 * Return: octets cut, or -1 */
static int mandatory_strip(struct strip *s, struct rd value, size_t at)
{
	const size_t size = rd_left(&value);
	const unsigned int before = s->cuts.count;
	size_t gone = 0;

	if (size == 0 || size % 2)
		return -1;
	for (size_t i = 0; i < size; i += 2) {
		if (!is_hint(rd_be16(&value)))
			continue;
		if (!cut_add(&s->cuts, at + i, 2))
			return -1;
		gone += 2;
	}
	if (gone == size) { /* an empty list is malformed: none at all */
		s->cuts.count = before;
		return cut_add(&s->cuts, at - 4, size + 4) ? (int)size + 4 : -1;
	}
	patch16(s->copy, s->len, at - 2, (uint16_t)(size - gone));
	return (int)gone;
}

/** svcb_strip() - Cut the hints out of one record (RFC 9460, 2.2) */
static int svcb_strip(struct strip *s, const struct dns_rr *rr)
{
	struct rd r = rr->data;
	struct dns_name target;
	size_t gone = 0;

	rd_skip(&r, 2);
	/* The name's own start as the message: no pointer can lead there. */
	if (!dns_name_get(&r, &(struct rd){ r.at, r.end, r.ran_out }, &target))
		return -EPROTO;
	while (rd_left(&r) > 0) {
		const size_t at = rr->end - rd_left(&r);
		const uint16_t key = rd_be16(&r);
		const uint16_t size = rd_be16(&r);
		const uint8_t *value = rd_bytes(&r, size);
		int cut = 0;

		if (!value)
			return -EPROTO;
		if (is_hint(key))
			cut = cut_add(&s->cuts, at, size + 4u) ? size + 4 : -1;
		else if (key == SVCB_MANDATORY)
			cut = mandatory_strip(s, rd_of(value, size), at + 4);
		if (cut < 0)
			return -EPROTO;
		gone += (size_t)cut;
	}
	patch16(s->copy, s->len, rr->data_at - 2,
		(uint16_t)(rr->end - rr->data_at - gone));
	return 0;
}

/** cuts_find() - List what to leave out; lengths and counts are put right */
static int cuts_find(struct strip *s)
{
	struct dns_walk w;
	struct dns_rr rr;
	unsigned int additional;
	int rc;

	if (!dns_walk_begin(s->msg, s->len, &w))
		return -EPROTO;
	additional = w.left[DNS_ADDITIONAL];
	while ((rc = dns_walk_next(&w, &rr)) == 1) {
		if (rr.type == DNS_OPT) {
			if (rr.section != DNS_ADDITIONAL ||
			    !cut_add(&s->cuts, rr.owner_at,
				     rr.end - rr.owner_at))
				return -EPROTO;
			additional--;
		} else if (rr.type == DNS_SVCB || rr.type == DNS_HTTPS) {
			rc = svcb_strip(s, &rr);
			if (rc < 0)
				return rc;
		}
	}
	patch16(s->copy, s->len, DNS_HEADER - 2, (uint16_t)additional);
	return rc;
}

/** pointer_lead() - If the name at @r ends with a pointer, correct it */
static int pointer_lead(struct strip *s, struct rd *r)
{
	const struct rd all = rd_of(s->msg, s->len);
	struct rd in = *r;
	struct dns_name name;
	size_t to;
	size_t gone = 0;
	uint8_t label;

	if (!dns_name_get(r, &all, &name))
		return -EPROTO;
	while ((label = rd_u8(&in)) != 0 && label < 0xc0)
		rd_skip(&in, label);
	if (label == 0)
		return 0;
	to = (size_t)(label & 0x3f) << 8 | rd_u8(&in);
	for (unsigned int i = 0; i < s->cuts.count; i++) {
		const struct cut *c = &s->cuts.cut[i];

		if (c->at > to)
			break;
		if (to < c->at + c->len)
			return -EPROTO;
		gone += c->len;
	}
	patch16(s->copy, s->len, (size_t)(in.at - all.at) - 2,
		(uint16_t)(0xc000 | (to - gone)));
	return 0;
}

/** record_lead() - Correct the pointers of a record's names */
static int record_lead(struct strip *s, const struct dns_rr *rr)
{
	struct rd r = rd_of(s->msg, s->len);
	int rc;

	rd_skip(&r, rr->owner_at);
	rc = pointer_lead(s, &r);
	for (size_t i = 0; i < sizeof(data_names) / sizeof(*data_names); i++) {
		if (data_names[i].type != rr->type)
			continue;
		r = rd_of(s->msg, rr->end);
		rd_skip(&r, rr->data_at + data_names[i].skip);
		for (int k = 0; k < data_names[i].count && rc == 0; k++)
			rc = pointer_lead(s, &r);
	}
	return rc;
}

/** cuts_apply() - Close the gaps. Return: octets left */
static size_t cuts_apply(struct strip *s)
{
	const struct cuts *c = &s->cuts;
	size_t to = c->count > 0 ? c->cut[0].at : s->len;

	for (unsigned int i = 0; i < c->count; i++) {
		const size_t from = c->cut[i].at + c->cut[i].len;
		const size_t until =
			i + 1 < c->count ? c->cut[i + 1].at : s->len;

		memmove(s->copy + to, s->copy + from, until - from);
		to += until - from;
	}
	return to;
}

int dns_upstream_strip(const void *msg, size_t len, void *buf, size_t *ret_len)
{
	struct strip s = { .msg = msg, .copy = buf, .len = len };
	struct dns_walk w;
	struct dns_rr rr;
	int rc;

	memcpy(buf, msg, len);
	rc = cuts_find(&s);
	if (rc < 0 || !dns_walk_begin(msg, len, &w))
		return -EPROTO;
	/* Pointers lead to the front: records before the first cut stay. */
	while (s.cuts.count > 0 && (rc = dns_walk_next(&w, &rr)) == 1) {
		if (rr.end <= s.cuts.cut[0].at || rr.type == DNS_OPT)
			continue;
		rc = record_lead(&s, &rr);
		if (rc < 0)
			return rc;
	}
	*ret_len = cuts_apply(&s);
	return 0;
}
