/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dns_help.h - queries to send and answers to look at
 */
#include "wire_help.h"

#include "wire/dns_upstream.h"

#define HELP_NO_EDNS 0

/** struct help_query - what help_query_put() writes */
struct help_query {
	uint16_t id;
	uint16_t flags;
	uint16_t type;
	uint16_t class;	    /* 0 is IN */
	uint16_t edns_size; /* 0: no OPT */
	uint8_t edns_version;
	bool wants_dnssec;
};

/** help_name_put() - "a.b" as labels, whatever they hold */
static inline void help_name_put(struct wr *w, const char *text)
{
	while (*text != '\0') {
		const size_t len = strcspn(text, ".");

		wr_u8(w, (uint8_t)len);
		wr_bytes(w, text, len);
		text += len + (text[len] == '.');
	}
	wr_u8(w, 0);
}

/** help_query_put() - Return: octets in @buf */
static inline size_t help_query_put(uint8_t *buf, size_t room, const char *name,
				    const struct help_query *q)
{
	struct wr w = wr_of(buf, room);

	wr_be16(&w, q->id);
	wr_be16(&w, q->flags);
	wr_be16(&w, 1);
	wr_be16(&w, 0);
	wr_be16(&w, 0);
	wr_be16(&w, q->edns_size > 0);
	help_name_put(&w, name);
	wr_be16(&w, q->type);
	wr_be16(&w, q->class ? q->class : DNS_CLASS_IN);
	if (q->edns_size > 0) {
		wr_u8(&w, 0);
		wr_be16(&w, DNS_OPT);
		wr_be16(&w, q->edns_size);
		wr_u8(&w, 0);
		wr_u8(&w, q->edns_version);
		wr_be16(&w, q->wants_dnssec ? 0x8000 : 0);
		/* a client subnet option: 8, 4 octets */
		wr_be16(&w, 8);
		wr_be16(&w, 8);
		wr_be16(&w, 4);
		wr_be32(&w, 0x00010000);
	}
	assert_false(w.ran_out);
	return wr_used(&w);
}

/**
 * struct help_answer - what an answer says
 * @count:    Records of each section
 * @first:    First record; @data of it, @data_len octets
 * @has_soa:  In the authority section
 * @has_opt:  With @opt_rcode, the upper bits of the code
 */
struct help_answer {
	uint16_t id;
	uint16_t flags;
	unsigned int count[DNS_SECTIONS];
	struct dns_rr first;
	uint8_t data[512];
	size_t data_len;
	bool has_soa;
	uint32_t soa_ttl;
	bool has_opt;
	unsigned int opt_rcode;
};

/** help_answer_get() - Read an answer, which must be well-formed */
static inline struct help_answer help_answer_get(const void *msg, size_t len)
{
	uint8_t *block = help_block(msg, len);
	struct help_answer got = { 0 };
	struct rd r = rd_of(block, len);
	struct dns_walk w;
	struct dns_rr rr;
	bool is_first = true;
	int rc;

	got.id = rd_be16(&r);
	got.flags = rd_be16(&r);
	assert_true(dns_walk_begin(block, len, &w));
	memcpy(got.count, w.left, sizeof(got.count));
	while ((rc = dns_walk_next(&w, &rr)) == 1) {
		if (is_first && rr.type != DNS_OPT) {
			got.first = rr;
			got.data_len = rd_left(&rr.data);
			if (got.data_len <= sizeof(got.data))
				memcpy(got.data, rr.data.at, got.data_len);
			is_first = false;
		}
		if (rr.type == DNS_SOA && rr.section == DNS_AUTHORITY) {
			got.has_soa = true;
			got.soa_ttl = rr.ttl;
		}
		if (rr.type == DNS_OPT) {
			assert_false(got.has_opt);
			got.has_opt = true;
			got.opt_rcode = rr.ttl >> 24;
		}
	}
	assert_int_equal(rc, 0);
	assert_int_equal(rd_left(&w.r), 0);
	free(block);
	return got;
}

static inline unsigned int help_rcode(const struct help_answer *a)
{
	return (a->flags & DNS_RCODE) | a->opt_rcode << 4;
}

/** help_record_put() - A record with raw data; owner is the question's */
static inline void help_record_put(struct wr *w, uint16_t type, uint32_t ttl,
				   const void *data, size_t len)
{
	wr_be16(w, 0xc00c);
	wr_be16(w, type);
	wr_be16(w, DNS_CLASS_IN);
	wr_be32(w, ttl);
	wr_be16(w, (uint16_t)len);
	wr_bytes(w, data, len);
}

/** help_parse() - Read a query out of a block of its size */
static inline int help_parse(const void *msg, size_t len, struct dns_query *q)
{
	uint8_t *block = help_block(msg, len);
	const int rc = dns_query_get(block, len, q);

	free(block);
	return rc;
}

/** help_parse_query() - Write a query and read it */
static inline int help_parse_query(const char *name, const struct help_query *h,
				   struct dns_query *q)
{
	uint8_t buf[512];

	return help_parse(buf, help_query_put(buf, sizeof(buf), name, h), q);
}
