// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns.c - DNS names, queries and answers of our own
 *
 * Enter with dns_query_get(); answer with dns_answer_begin() ... _end(), or
 * dns_error(). Upstreams' answers: dns_upstream.c.
 */
#include "wire/dns.h"

#include <errno.h>

#include "base/text.h"

#define DNS_POINTER    0xc0
#define DNS_LABEL_MAX  63
#define DNS_OWNER_HERE 0xc00c /* pointer to the question's name */
#define DNS_DO	       0x8000

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/** name_add() - Append a label's length and octets; root is length 0 */
static bool name_add(struct dns_name *n, const uint8_t *label, uint8_t len)
{
	/* Behind any label but the root's, the root's must fit. */
	const size_t need = n->len + 1u + len + (len > 0);

	if (need > DNS_NAME_ROOM)
		return false;
	n->wire[n->len++] = len;
	memcpy(n->wire + n->len, label, len);
	n->len = (uint8_t)(n->len + len);
	return true;
}

bool dns_name_get(struct rd *r, const struct rd *msg, struct dns_name *ret)
{
	struct rd in = *r;
	struct rd behind = *r;
	struct dns_name got = { .len = 0 };
	size_t below = (size_t)(r->at - msg->at);
	unsigned int jumps = 0;

	for (;;) {
		const uint8_t len = rd_u8(&in);
		const uint8_t *label;

		if ((len & DNS_POINTER) == DNS_POINTER) {
			const size_t to =
				(size_t)(len & ~DNS_POINTER) << 8 | rd_u8(&in);

			if (in.ran_out || to >= below ||
			    ++jumps > DNS_POINTERS_MAX)
				return false;
			if (jumps == 1)
				behind = in;
			in = rd_of(msg->at, below);
			rd_skip(&in, to);
			below = to;
			continue;
		}
		label = rd_bytes(&in, len);
		if (!label || len > DNS_LABEL_MAX ||
		    !name_add(&got, label, len))
			return false;
		if (len == 0)
			break;
	}
	*r = jumps > 0 ? behind : in;
	*ret = got;
	return true;
}

bool dns_name_text(const struct dns_name *n, char *ret)
{
	struct rd in = rd_of(n->wire, n->len);
	struct wr out = wr_of(ret, NAME_MAX_LEN + 1);
	uint8_t len;

	while ((len = rd_u8(&in)) != 0) {
		const uint8_t *label = rd_bytes(&in, len);

		if (wr_used(&out) > 0)
			wr_u8(&out, '.');
		for (uint8_t i = 0; label && i < len; i++) {
			/* A dot in a label would make two of one. */
			if (label[i] == '.' || label[i] == '\0')
				out.ran_out = true;
			wr_u8(&out, lower(label[i]));
		}
	}
	wr_u8(&out, '\0');
	if (!out.ran_out && !in.ran_out && text_name_ok(ret))
		return true;
	ret[0] = '\0';
	return false;
}

bool dns_name_of_text(const char *text, struct dns_name *ret)
{
	struct dns_name got = { .len = 0 };
	bool fits = text_name_ok(text);

	while (fits && *text != '\0') {
		const size_t len = strcspn(text, ".");

		fits = name_add(&got, (const void *)text, (uint8_t)len);
		text += len + (text[len] == '.');
	}
	if (!fits || !name_add(&got, (const void *)"", 0))
		return false;
	*ret = got;
	return true;
}

void dns_name_lower(struct dns_name *n)
{
	/* Lengths are below 'A'. */
	for (uint8_t i = 0; i < n->len; i++)
		n->wire[i] = lower(n->wire[i]);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->len != b->len)
		return false;
	for (uint8_t i = 0; i < a->len; i++)
		if (lower(a->wire[i]) != lower(b->wire[i]))
			return false;
	return true;
}

bool dns_name_under(const struct dns_name *n, const void *zone, size_t len)
{
	const uint8_t *want = zone;
	struct rd in = rd_of(n->wire, n->len);

	while (rd_left(&in) > len)
		rd_skip(&in, rd_u8(&in));
	if (in.ran_out || rd_left(&in) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower(rd_u8(&in)) != want[i])
			return false;
	return true;
}

unsigned int dns_name_labels(const struct dns_name *n)
{
	struct rd in = rd_of(n->wire, n->len);
	unsigned int count = 0;
	uint8_t len;

	while ((len = rd_u8(&in)) != 0) {
		rd_skip(&in, len);
		count++;
	}
	return count;
}

/** opt_get() - Read what matters of an OPT record (RFC 6891, 6.1.2) */
static int opt_get(struct dns_query *q, uint16_t size, uint32_t ttl)
{
	if (q->has_opt)
		return DNS_FORMERR;
	q->has_opt = true;
	q->wants_dnssec = ttl & DNS_DO;
	q->udp_room = size < DNS_UDP_MIN   ? DNS_UDP_MIN
		      : size > DNS_UDP_MAX ? DNS_UDP_MAX
					   : size;
	return (ttl >> 16 & 0xff) > 0 ? DNS_BADVERS : DNS_NOERROR;
}

/** extras_get() - Read the records behind the question of a query */
static int extras_get(struct rd *r, const struct rd *msg, unsigned int others,
		      unsigned int additional, struct dns_query *q)
{
	int rcode = DNS_NOERROR;

	for (unsigned int i = 0; i < others + additional; i++) {
		struct dns_name owner;
		uint16_t type;
		uint16_t class;
		uint32_t ttl;

		if (!dns_name_get(r, msg, &owner))
			return DNS_FORMERR;
		type = rd_be16(r);
		class = rd_be16(r);
		ttl = rd_be32(r);
		rd_skip(r, rd_be16(r));
		if (r->ran_out)
			return DNS_FORMERR;
		if (type != DNS_OPT)
			continue;
		if (i < others || owner.len != 1)
			return DNS_FORMERR;
		rcode = opt_get(q, class, ttl);
		if (rcode == DNS_FORMERR)
			return rcode;
	}
	return rd_left(r) > 0 ? DNS_FORMERR : rcode;
}

int dns_query_get(const void *msg, size_t len, struct dns_query *ret)
{
	const struct rd all = rd_of(msg, len);
	struct rd r = all;
	unsigned int questions;
	unsigned int others;
	unsigned int additional;

	*ret = (struct dns_query){ .udp_room = DNS_UDP_MIN };
	ret->id = rd_be16(&r);
	ret->flags = rd_be16(&r);
	questions = rd_be16(&r);
	others = rd_be16(&r);
	others += rd_be16(&r);
	additional = rd_be16(&r);
	if (r.ran_out || (ret->flags & DNS_QR))
		return -EPROTO;
	if (ret->flags & DNS_OPCODE)
		return DNS_NOTIMP;
	if (questions != 1 || !dns_name_get(&r, &all, &ret->name))
		return DNS_FORMERR;
	ret->type = rd_be16(&r);
	ret->class = rd_be16(&r);
	if (r.ran_out)
		return DNS_FORMERR;
	ret->has_question = true;
	return extras_get(&r, &all, others, additional, ret);
}

void dns_opt_put(struct wr *w, bool wants_dnssec, enum dns_rcode rcode)
{
	wr_u8(w, 0);
	wr_be16(w, DNS_OPT);
	wr_be16(w, DNS_UDP_ASK);
	wr_u8(w, (uint8_t)(rcode >> 4));
	wr_u8(w, 0);
	wr_be16(w, wants_dnssec ? DNS_DO : 0);
	wr_be16(w, 0);
}

void dns_question_put(struct wr *w, const struct dns_query *q)
{
	wr_bytes(w, q->name.wire, q->name.len);
	wr_be16(w, q->type);
	wr_be16(w, q->class);
}

void dns_query_put(struct wr *w, uint16_t id, const struct dns_query *q)
{
	wr_be16(w, id);
	/* AD asks to be told what was validated (RFC 6840, 5.7). */
	wr_be16(w, (uint16_t)(DNS_RD | DNS_AD | (q->flags & DNS_CD)));
	wr_be16(w, 1);
	wr_be16(w, 0);
	wr_be16(w, 0);
	wr_be16(w, 1);
	dns_question_put(w, q);
	dns_opt_put(w, q->wants_dnssec, DNS_NOERROR);
}

void dns_answer_begin(struct dns_answer *a, void *buf, size_t room,
		      const struct dns_query *q)
{
	const size_t opt = q->has_opt ? DNS_OPT_SIZE : 0;

	*a = (struct dns_answer){
		.w = wr_of(buf, room > opt ? room - opt : 0),
		.room = room,
		.q_ref = q,
	};
	(void)wr_room(&a->w, DNS_HEADER); /* sticky */
	if (q->has_question)
		dns_question_put(&a->w, q);
}

static void record_begin(struct dns_answer *a, enum dns_type type, uint16_t len)
{
	wr_be16(&a->w, DNS_OWNER_HERE);
	wr_be16(&a->w, (uint16_t)type);
	wr_be16(&a->w, DNS_CLASS_IN);
	wr_be32(&a->w, DNS_TTL_OWN);
	wr_be16(&a->w, len);
	a->answers++;
}

void dns_answer_addr(struct dns_answer *a, const struct addr *addr)
{
	const uint16_t size = (uint16_t)addr_size(addr);

	record_begin(a, size == 4 ? DNS_A : DNS_AAAA, size);
	wr_bytes(&a->w, addr->ip, size);
}

void dns_answer_ptr(struct dns_answer *a, const struct dns_name *name)
{
	record_begin(a, DNS_PTR, name->len);
	wr_bytes(&a->w, name->wire, name->len);
}

void dns_answer_hinfo(struct dns_answer *a)
{
	static const char cpu[] = "\7RFC8482";

	record_begin(a, DNS_HINFO, sizeof(cpu));
	wr_bytes(&a->w, cpu, sizeof(cpu)); /* its NUL is the empty OS */
}

void dns_answer_soa(struct dns_answer *a)
{
	static const char mname[] = "\7nsproxy\7invalid";
	static const char rname[] = "\6nobody\7invalid";
	const struct dns_name *n = &a->q_ref->name;
	struct rd in = rd_of(n->wire, n->len);

	/* The zone is the last label; that of a single label, the root. */
	if (dns_name_labels(n) > 1) {
		for (unsigned int i = dns_name_labels(n); i > 1; i--)
			rd_skip(&in, rd_u8(&in));
		wr_be16(&a->w,
			(uint16_t)(DNS_OWNER_HERE + n->len - rd_left(&in)));
	} else {
		wr_u8(&a->w, 0);
	}
	wr_be16(&a->w, DNS_SOA);
	wr_be16(&a->w, DNS_CLASS_IN);
	wr_be32(&a->w, DNS_TTL_OWN);
	wr_be16(&a->w, sizeof(mname) + sizeof(rname) + 20);
	wr_bytes(&a->w, mname, sizeof(mname));
	wr_bytes(&a->w, rname, sizeof(rname));
	wr_be32(&a->w, 1);	/* serial */
	wr_be32(&a->w, 3600);	/* refresh */
	wr_be32(&a->w, 600);	/* retry */
	wr_be32(&a->w, 604800); /* expire */
	wr_be32(&a->w, DNS_TTL_OWN);
	a->authorities++;
}

size_t dns_answer_end(struct dns_answer *a, enum dns_rcode rcode)
{
	const struct dns_query *q = a->q_ref;
	const bool is_cut = a->w.ran_out;
	struct wr head;

	if (is_cut)
		dns_answer_begin(a, a->w.start, a->room, q);
	if (a->w.ran_out)
		return 0;
	head = wr_of(a->w.start, DNS_HEADER);
	wr_be16(&head, q->id);
	wr_be16(&head, (uint16_t)(DNS_QR | DNS_RA | (is_cut ? DNS_TC : 0) |
				  (rcode & DNS_RCODE) |
				  (q->flags & (DNS_OPCODE | DNS_RD | DNS_CD))));
	wr_be16(&head, q->has_question);
	wr_be16(&head, a->answers);
	wr_be16(&head, a->authorities);
	wr_be16(&head, q->has_opt);
	if (q->has_opt) {
		a->w.end += DNS_OPT_SIZE;
		dns_opt_put(&a->w, q->wants_dnssec, rcode);
	}
	return wr_used(&a->w);
}

size_t dns_error(void *buf, size_t room, const struct dns_query *q,
		 enum dns_rcode rcode)
{
	struct dns_answer a;

	dns_answer_begin(&a, buf, room, q);
	return dns_answer_end(&a, rcode);
}

size_t dns_cut(void *buf, size_t room, const struct dns_query *q,
	       enum dns_rcode rcode)
{
	struct dns_answer a;

	dns_answer_begin(&a, buf, room, q);
	a.w.ran_out = true; /* which is what TC says */
	return dns_answer_end(&a, rcode);
}
