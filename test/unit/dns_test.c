// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_test.c - the DNS codec: queries, answers of our own, answers of others
 */
#include "dns_help.h"

static int parse(const void *msg, size_t len, struct dns_query *q)
{
	uint8_t *block = help_block(msg, len);
	const int rc = dns_query_get(block, len, q);

	free(block);
	return rc;
}

static int parse_query(const char *name, const struct help_query *h,
		       struct dns_query *q)
{
	uint8_t buf[512];

	return parse(buf, help_query_put(buf, sizeof(buf), name, h), q);
}

static void query_is_read(void **state)
{
	const struct help_query h = { .id = 0x1234,
				      .flags = DNS_RD | DNS_CD,
				      .type = DNS_AAAA,
				      .edns_size = 1232,
				      .wants_dnssec = true };
	struct dns_query q;
	char text[NAME_MAX_LEN + 1];

	(void)state;
	assert_int_equal(parse_query("wWw.Example.ORG", &h, &q), DNS_NOERROR);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.flags, DNS_RD | DNS_CD);
	assert_int_equal(q.type, DNS_AAAA);
	assert_int_equal(q.class, DNS_CLASS_IN);
	assert_true(q.has_question && q.has_opt && q.wants_dnssec);
	assert_int_equal(q.udp_room, 1232);
	assert_memory_equal(q.name.wire, "\3wWw\7Example\3ORG", q.name.len);
	assert_true(dns_name_text(&q.name, text));
	assert_string_equal(text, "www.example.org");
}

static void answer_size_is_kept_in_bounds(void **state)
{
	static const struct {
		uint16_t said;
		uint16_t room;
	} cases[] = { { 0, 512 },     { 1, 512 },     { 511, 512 },
		      { 512, 512 },   { 1232, 1232 }, { 4096, 4096 },
		      { 4097, 4096 }, { 65535, 4096 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct help_query h = { .type = DNS_A,
					      .edns_size = cases[i].said };
		struct dns_query q;

		assert_int_equal(parse_query("a.b", &h, &q), DNS_NOERROR);
		assert_int_equal(q.udp_room, cases[i].room);
	}
}

static void what_is_no_query_is_dropped(void **state)
{
	const struct help_query h = { .flags = DNS_QR, .type = DNS_A };
	struct dns_query q;

	(void)state;
	assert_int_equal(parse_query("a.b", &h, &q), -EPROTO);
	for (size_t len = 0; len < DNS_HEADER; len++)
		assert_int_equal(parse("\0\1\1\0\0\1\0\0\0\0\0\0", len, &q),
				 -EPROTO);
}

static void malformed_query_gets_formerr(void **state)
{
	static const struct {
		const char *msg;
		size_t len;
	} cases[] = {
#define HEAD(qd, an, ns, ar) "\0\7\1\0\0" qd "\0" an "\0" ns "\0" ar
		/* no question, two of them, one announced */
		{ HELP_MSG(HEAD("\0", "\0", "\0", "\0")) },
		{ HELP_MSG(HEAD("\2", "\0", "\0", "\0") "\1a\0\0\1\0\1"
							"\1b\0\0\1\0\1") },
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0")) },
		/* cut in name, type, class */
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\5ab") },
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\1a\0\0") },
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\1a\0\0\1\0") },
		/* pointers to itself, forwards, to the root in the header */
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1") },
		{ HELP_MSG(
			HEAD("\1", "\0", "\0", "\0") "\xc0\x12\0\1\0\1\1a\0") },
		/* label types 01 and 10 */
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\x41"
							"a\0\0\1\0\1") },
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\x81"
							"a\0\0\1\0\1") },
		/* octets behind it, a record announced */
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\0") "\1a\0\0\1\0\1x") },
		{ HELP_MSG(HEAD("\1", "\0", "\0", "\1") "\1a\0\0\1\0\1") },
		{ HELP_MSG(HEAD("\1", "\1", "\0", "\0") "\1a\0\0\1\0\1") },
		/* OPT: cut, twice, not of the root, in the answer section */
		{ HELP_MSG(HEAD("\1", "\0", "\0",
				"\1") "\1a\0\0\1\0\1\0\0\x29\4\0\0\0\0\0\0") },
		{ HELP_MSG(HEAD("\1", "\0", "\0",
				"\2") "\1a\0\0\1\0\1"
				      "\0\0\x29\4\0\0\0\0\0\0\0"
				      "\0\0\x29\4\0\0\0\0\0\0\0") },
		{ HELP_MSG(HEAD("\1", "\0", "\0",
				"\1") "\1a\0\0\1\0\1"
				      "\1a\0\0\x29\4\0\0\0\0\0\0\0") },
		{ HELP_MSG(HEAD("\1", "\1", "\0",
				"\0") "\1a\0\0\1\0\1"
				      "\0\0\x29\4\0\0\0\0\0\0\0") },
#undef HEAD
	};
	struct dns_query q;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t buf[64];
		size_t len;
		struct help_answer a;

		assert_int_equal(parse(cases[i].msg, cases[i].len, &q),
				 DNS_FORMERR);
		len = dns_error(buf, sizeof(buf), &q, DNS_FORMERR);
		a = help_answer_get(buf, len);
		assert_int_equal(a.id, 7);
		assert_int_equal(help_rcode(&a), DNS_FORMERR);
	}
}

static void other_opcodes_get_notimp(void **state)
{
	const struct help_query h = { .flags = 5 << 11, .type = DNS_A };
	struct dns_query q;
	uint8_t buf[64];
	struct help_answer a;

	(void)state;
	assert_int_equal(parse_query("a.b", &h, &q), DNS_NOTIMP);
	a = help_answer_get(buf, dns_error(buf, sizeof(buf), &q, DNS_NOTIMP));
	assert_int_equal(a.flags, DNS_QR | 5 << 11 | DNS_RA | DNS_NOTIMP);
}

static void later_edns_gets_badvers(void **state)
{
	const struct help_query h = { .type = DNS_A,
				      .edns_size = 1232,
				      .edns_version = 1 };
	struct dns_query q;
	uint8_t buf[64];
	struct help_answer a;

	(void)state;
	assert_int_equal(parse_query("a.b", &h, &q), DNS_BADVERS);
	a = help_answer_get(buf, dns_error(buf, sizeof(buf), &q, DNS_BADVERS));
	assert_true(a.has_opt);
	assert_int_equal(help_rcode(&a), DNS_BADVERS);
}

static bool name_of(const void *msg, size_t len, size_t at,
		    struct dns_name *ret)
{
	uint8_t *block = help_block(msg, len);
	const struct rd all = rd_of(block, len);
	struct rd r = all;
	bool ok;

	rd_skip(&r, at);
	ok = dns_name_get(&r, &all, ret);
	free(block);
	return ok;
}

static void compressed_names_are_followed_backwards_only(void **state)
{
	static const char msg[] = "\1c\3org\0\1b\xc0\0\1a\xc0\7\xc0\x0f"
				  "\xc0\x10";
	struct dns_name name;
	char text[NAME_MAX_LEN + 1];

	(void)state;
	assert_true(name_of(HELP_MSG(msg), 11, &name));
	assert_true(dns_name_text(&name, text));
	assert_string_equal(text, "a.b.c.org");
	assert_false(name_of(HELP_MSG(msg), 15, &name)); /* to itself */
	assert_true(name_of(HELP_MSG("\0\xc0\0\xc0\1\xc0\3"), 5, &name));
	assert_int_equal(name.len, 1);
}

static void pointer_chains_have_an_end(void **state)
{
	uint8_t msg[1 + 2 * 200] = { 0 };
	struct wr w = wr_of(msg, sizeof(msg));
	struct dns_name name;

	(void)state;
	wr_u8(&w, 0);
	wr_be16(&w, 0xc000);
	for (uint16_t i = 1; i < 200; i++)
		wr_be16(&w, (uint16_t)(0xc000 + 1 + 2 * (i - 1)));
	assert_true(name_of(msg, sizeof(msg), 1 + 2 * 125, &name));
	assert_false(name_of(msg, sizeof(msg), 1 + 2 * 126, &name));
}

static void longest_name_is_255_octets(void **state)
{
	char text[256];
	uint8_t wire[300];
	struct wr w = wr_of(wire, sizeof(wire));
	struct dns_name name;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	help_name_put(&w, text);
	assert_int_equal(wr_used(&w), 255);
	assert_true(name_of(wire, wr_used(&w), 0, &name));
	assert_true(dns_name_text(&name, text));
	assert_int_equal(strlen(text), 253);
	assert_true(dns_name_of_text(text, &name));
	assert_int_equal(name.len, 255);

	text[253] = 'a';
	text[254] = '\0';
	assert_false(dns_name_of_text(text, &name));
	w = wr_of(wire, sizeof(wire));
	help_name_put(&w, text);
	assert_false(name_of(wire, wr_used(&w), 0, &name));
}

static void odd_labels_are_no_host_name(void **state)
{
	static const struct {
		const char *wire;
		size_t len;
	} odd[] = {
		{ HELP_MSG("\0") },
		{ HELP_MSG("\3a.b\0") },
		{ HELP_MSG("\3a\0b\3org\0") },
		{ HELP_MSG("\3a b\3org\0") },
		{ HELP_MSG("\3a\nb\3org\0") },
		{ HELP_MSG("\3\xc3\xbc"
			   "b\3org\0") },
		{ HELP_MSG("\3a/b\3org\0") },
		{ HELP_MSG("\3a:b\3org\0") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct dns_name name;
		char text[NAME_MAX_LEN + 1] = "x";

		assert_true(name_of(odd[i].wire, odd[i].len, 0, &name));
		assert_false(dns_name_text(&name, text));
		assert_string_equal(text, "");
	}
}

static void names_are_compared_label_by_label(void **state)
{
	static const char zone[] = "\5onion";
	static const struct {
		const char *name;
		bool is_under;
	} cases[] = { { "onion", true },     { "a.b.OnIoN", true },
		      { "xonion", false },   { "onion.org", false },
		      { "a.onionx", false }, { "", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t wire[64];
		struct wr w = wr_of(wire, sizeof(wire));
		struct dns_name name;

		help_name_put(&w, cases[i].name);
		assert_true(name_of(wire, wr_used(&w), 0, &name));
		assert_int_equal(dns_name_under(&name, zone, sizeof(zone)),
				 cases[i].is_under);
	}
}

static void answer_echoes_the_question(void **state)
{
	const struct help_query h = {
		.id = 9, .flags = DNS_RD, .type = DNS_A, .edns_size = 800
	};
	const struct addr addr = addr_from_ip4("\306\22\1\2", 0);
	struct dns_query q;
	struct dns_answer a;
	struct help_answer got;
	uint8_t buf[512];

	(void)state;
	assert_int_equal(parse_query("MiXed.Case", &h, &q), 0);
	dns_answer_begin(&a, buf, sizeof(buf), &q);
	dns_answer_addr(&a, &addr);
	got = help_answer_get(buf, dns_answer_end(&a, DNS_NOERROR));
	assert_int_equal(got.flags, DNS_QR | DNS_RD | DNS_RA);
	assert_int_equal(got.count[DNS_ANSWER], 1);
	assert_true(got.has_opt);
	assert_memory_equal(buf + DNS_HEADER, "\5MiXed\4Case", 12);
	assert_memory_equal(got.first.owner.wire, "\5MiXed\4Case", 12);
	assert_int_equal(got.first.ttl, DNS_TTL_OWN);
	assert_int_equal(got.data_len, 4);
	assert_memory_equal(got.data, "\306\22\1\2", 4);
}

static void answer_too_long_is_cut_with_tc(void **state)
{
	const struct help_query h = { .type = DNS_AAAA, .edns_size = 512 };
	const uint8_t ip[16] = { 0x20 };
	const struct addr addr = addr_from_ip6(ip, 0);
	struct dns_query q;

	(void)state;
	assert_int_equal(parse_query("some.name", &h, &q), 0);
	for (size_t room = 0; room < 200; room++) {
		uint8_t *buf = malloc(room ? room : 1);
		struct dns_answer a;
		struct help_answer got;
		size_t len;

		assert_non_null(buf);
		dns_answer_begin(&a, buf, room, &q);
		for (int i = 0; i < 4; i++)
			dns_answer_addr(&a, &addr);
		len = dns_answer_end(&a, DNS_NOERROR);
		assert_true(len <= room);
		if (len > 0) {
			got = help_answer_get(buf, len);
			assert_true(got.has_opt);
			assert_int_equal(!!(got.flags & DNS_TC), len < 150);
			assert_int_equal(got.count[DNS_ANSWER],
					 len < 150 ? 0 : 4);
		} else {
			assert_true(room < DNS_HEADER + 15 + DNS_OPT_SIZE);
		}
		free(buf);
	}
}

static void negative_answer_has_the_zones_soa(void **state)
{
	const struct help_query h = { .type = DNS_TXT };
	struct dns_query q;
	struct dns_answer a;
	struct help_answer got;
	uint8_t buf[512];

	(void)state;
	assert_int_equal(parse_query("a.b.invalid", &h, &q), 0);
	dns_answer_begin(&a, buf, sizeof(buf), &q);
	dns_answer_soa(&a);
	got = help_answer_get(buf, dns_answer_end(&a, DNS_NXDOMAIN));
	assert_true(got.has_soa);
	assert_int_equal(got.soa_ttl, 60);
	assert_int_equal(got.first.owner.len, 9);
	assert_memory_equal(got.first.owner.wire, "\7invalid", 9);
}

/* ---- answers of others ---- */

struct upstream_message {
	struct dns_query q;
	uint8_t buf[1500];
	struct wr w;
	uint16_t count[DNS_SECTIONS];
};

static void message_begin(struct upstream_message *m, const char *name,
			  uint16_t type)
{
	const struct help_query h = { .id = 77, .type = type };

	assert_int_equal(parse_query(name, &h, &m->q), 0);
	memset(m->count, 0, sizeof(m->count));
	m->w = wr_of(m->buf, sizeof(m->buf));
	(void)wr_room(&m->w, DNS_HEADER);
	dns_question_put(&m->w, &m->q);
}

static size_t message_end(struct upstream_message *m, uint16_t flags)
{
	struct wr head = wr_of(m->buf, DNS_HEADER);

	wr_be16(&head, m->q.id);
	wr_be16(&head, (uint16_t)(DNS_QR | flags));
	wr_be16(&head, 1);
	for (int i = 0; i < DNS_SECTIONS; i++)
		wr_be16(&head, m->count[i]);
	assert_false(m->w.ran_out);
	return wr_used(&m->w);
}

static void opt_put(struct upstream_message *m, uint8_t upper_rcode)
{
	wr_u8(&m->w, 0);
	wr_be16(&m->w, DNS_OPT);
	wr_be16(&m->w, 4096);
	wr_be32(&m->w, (uint32_t)upper_rcode << 24);
	wr_be16(&m->w, 0);
	m->count[DNS_ADDITIONAL]++;
}

static void soa_put(struct upstream_message *m, uint32_t ttl, uint32_t minimum)
{
	uint8_t data[22] = { 0 };
	struct wr w = wr_of(data, sizeof(data));

	(void)wr_room(&w, 18);
	wr_be32(&w, minimum);
	help_record_put(&m->w, DNS_SOA, ttl, data, sizeof(data));
	m->count[DNS_AUTHORITY]++;
}

static int check(const struct upstream_message *m, size_t len,
		 const struct dns_query *q, struct dns_verdict *v)
{
	uint8_t *block = help_block(m->buf, len);
	const int rc = dns_upstream_check(block, len, q, v);

	free(block);
	return rc;
}

static void only_the_right_answer_is_taken(void **state)
{
	struct upstream_message m;
	struct dns_query other;
	struct dns_verdict v;
	size_t len;

	(void)state;
	message_begin(&m, "name.test", DNS_A);
	help_record_put(&m.w, DNS_A, 300, "\1\2\3\4", 4);
	m.count[DNS_ANSWER] = 1;
	len = message_end(&m, DNS_RA);
	assert_int_equal(check(&m, len, &m.q, &v), 0);
	assert_int_equal(v.id, 77);
	assert_int_equal(v.ttl_s, 300);

	other = m.q;
	other.type = DNS_AAAA;
	assert_int_equal(check(&m, len, &other, &v), -EPROTO);
	other = m.q;
	other.name.wire[1] = 'N'; /* 0x20 folds away */
	assert_int_equal(check(&m, len, &other, &v), 0);
	other.name.wire[1] = 'x';
	assert_int_equal(check(&m, len, &other, &v), -EPROTO);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(check(&m, cut, &m.q, &v), -EPROTO);
	m.buf[len] = 0; /* an octet behind it */
	assert_int_equal(check(&m, len + 1, &m.q, &v), -EPROTO);
}

static void lifetime_follows_the_shortest_record(void **state)
{
	static const struct {
		uint32_t answer_ttl; /* 0: none */
		uint32_t soa_ttl;    /* 0: none */
		uint32_t minimum;
		uint16_t rcode;
		uint32_t want;
	} cases[] = {
		{ 300, 0, 0, 0, 300 },	      { 999999, 0, 0, 0, 86400 },
		{ 0x80000001, 0, 0, 0, 0 },   { 0, 0, 0, 0, 0 },
		{ 0, 0, 0, DNS_NXDOMAIN, 0 }, { 0, 900, 60, 0, 60 },
		{ 0, 50, 60, 3, 50 },	      { 0, 90000, 90000, 3, 3600 },
		{ 20, 900, 60, 0, 20 },	      { 20, 0, 0, 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct upstream_message m;
		struct dns_verdict v;

		message_begin(&m, "name.test", DNS_A);
		if (cases[i].answer_ttl > 0) {
			help_record_put(&m.w, DNS_A, cases[i].answer_ttl,
					"\1\2\3\4", 4);
			m.count[DNS_ANSWER] = 1;
		}
		if (cases[i].soa_ttl > 0)
			soa_put(&m, cases[i].soa_ttl, cases[i].minimum);
		opt_put(&m, 0);
		assert_int_equal(
			check(&m, message_end(&m, cases[i].rcode), &m.q, &v),
			0);
		assert_int_equal(v.ttl_s, cases[i].want);
	}
}

static void upper_bits_of_the_code_count(void **state)
{
	struct upstream_message m;
	struct dns_verdict v;

	(void)state;
	message_begin(&m, "name.test", DNS_A);
	opt_put(&m, 1);
	assert_int_equal(check(&m, message_end(&m, 7), &m.q, &v), 0);
	assert_int_equal(v.rcode, 23);
}

static size_t strip(const struct upstream_message *m, size_t len, uint8_t *out)
{
	uint8_t *in = help_block(m->buf, len);
	uint8_t *copy = help_block(m->buf, len);
	size_t got = 0;

	if (dns_upstream_strip(in, len, copy, &got) == 0)
		memcpy(out, copy, got);
	free(copy);
	free(in);
	return got;
}

static void opt_is_taken_out_wherever_it_stands(void **state)
{
	struct upstream_message m;
	struct help_answer a;
	uint8_t out[1500];
	size_t len;

	(void)state;
	message_begin(&m, "name.test", DNS_A);
	help_record_put(&m.w, DNS_A, 300, "\1\2\3\4", 4);
	m.count[DNS_ANSWER] = 1;
	opt_put(&m, 0);
	help_record_put(&m.w, DNS_A, 300, "\5\6\7\10", 4);
	m.count[DNS_ADDITIONAL]++;
	len = strip(&m, message_end(&m, 0), out);
	a = help_answer_get(out, len);
	assert_false(a.has_opt);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_int_equal(a.count[DNS_ADDITIONAL], 1);
}

/* priority 1, target ".", mandatory=alpn,ipv4hint,ipv6hint, alpn=h2,
 * ipv4hint, port=443, ech, ipv6hint */
#define HTTPS_DATA                   \
	"\0\1\0"                     \
	"\0\0\0\6\0\1\0\4\0\6"       \
	"\0\1\0\3\2h2"               \
	"\0\3\0\2\1\273"             \
	"\0\4\0\10\1\2\3\4\5\6\7\10" \
	"\0\5\0\2hi"                 \
	"\0\6\0\20\40\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define HTTPS_LEFT       \
	"\0\1\0"         \
	"\0\0\0\2\0\1"   \
	"\0\1\0\3\2h2"   \
	"\0\3\0\2\1\273" \
	"\0\5\0\2hi"

static void hints_are_taken_out_and_pointers_led(void **state)
{
	struct upstream_message m;
	struct help_answer a;
	struct dns_walk w;
	struct dns_rr rr;
	uint8_t out[1500];
	uint8_t data[16];
	struct wr dw = wr_of(data, sizeof(data));
	uint16_t name_at;
	size_t len;
	char text[NAME_MAX_LEN + 1];

	(void)state;
	message_begin(&m, "name.test", DNS_HTTPS);
	help_record_put(&m.w, DNS_HTTPS, 300, HELP_MSG(HTTPS_DATA));
	m.count[DNS_ANSWER] = 1;
	/* NS whose data is "ns" + pointer to the question; then an address
	 * whose owner is compressed against that data, behind the cuts */
	name_at = (uint16_t)(wr_used(&m.w) + 12);
	wr_u8(&dw, 2);
	wr_text(&dw, "ns");
	wr_be16(&dw, 0xc00c);
	help_record_put(&m.w, DNS_NS, 300, data, wr_used(&dw));
	m.count[DNS_AUTHORITY] = 1;
	wr_be16(&m.w, (uint16_t)(0xc000 | name_at));
	wr_be16(&m.w, DNS_A);
	wr_be16(&m.w, DNS_CLASS_IN);
	wr_be32(&m.w, 300);
	wr_be16(&m.w, 4);
	wr_be32(&m.w, 0x01020304);
	m.count[DNS_ADDITIONAL] = 1;
	opt_put(&m, 0);

	len = strip(&m, message_end(&m, 0), out);
	a = help_answer_get(out, len);
	assert_int_equal(a.data_len, sizeof(HTTPS_LEFT) - 1);
	assert_memory_equal(a.data, HTTPS_LEFT, sizeof(HTTPS_LEFT) - 1);
	assert_false(a.has_opt);
	assert_true(dns_walk_begin(out, len, &w));
	for (int i = 0; i < 3; i++)
		assert_int_equal(dns_walk_next(&w, &rr), 1);
	assert_true(dns_name_text(&rr.owner, text));
	assert_string_equal(text, "ns.name.test");
}

static void mandatory_that_is_only_hints_goes(void **state)
{
	static const char data[] = "\0\1\0\0\0\0\4\0\4\0\6\0\4\0\4\1\2\3\4"
				   "\0\6\0\0";
	struct upstream_message m;
	struct help_answer a;
	uint8_t out[1500];

	(void)state;
	message_begin(&m, "name.test", DNS_SVCB);
	help_record_put(&m.w, DNS_SVCB, 300, HELP_MSG(data));
	m.count[DNS_ANSWER] = 1;
	a = help_answer_get(out, strip(&m, message_end(&m, 0), out));
	assert_int_equal(a.data_len, 3);
	assert_memory_equal(a.data, "\0\1\0", 3);
}

static void malformed_service_records_are_refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = {
		{ HELP_MSG("") },
		{ HELP_MSG("\0") },
		{ HELP_MSG("\0\1") },
		{ HELP_MSG("\0\1\3ab") },
		{ HELP_MSG("\0\1\xc0\x0c") },
		{ HELP_MSG("\0\1\0\0") },
		{ HELP_MSG("\0\1\0\0\1\0") },
		{ HELP_MSG("\0\1\0\0\1\0\1") },
		{ HELP_MSG("\0\1\0\0\0\0\0") }, /* empty mandatory */
		{ HELP_MSG("\0\1\0\0\0\0\3\0\1\0") },
		{ HELP_MSG("\0\1\0\0\4\0\5\1\2\3\4") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct upstream_message m;
		uint8_t out[1500];

		message_begin(&m, "name.test", DNS_HTTPS);
		help_record_put(&m.w, DNS_HTTPS, 300, cases[i].data,
				cases[i].len);
		m.count[DNS_ANSWER] = 1;
		assert_int_equal(strip(&m, message_end(&m, 0), out), 0);
	}
}

static void relayed_answer_is_the_clients_own(void **state)
{
	const struct help_query h = {
		.id = 4711, .flags = DNS_RD, .type = DNS_A, .edns_size = 1232
	};
	struct upstream_message m;
	struct dns_query client;
	struct help_answer a;
	uint8_t out[1500];
	size_t stored;

	(void)state;
	message_begin(&m, "name.test", DNS_A);
	help_record_put(&m.w, DNS_A, 300, "\1\2\3\4", 4);
	m.count[DNS_ANSWER] = 1;
	stored = message_end(&m, DNS_RD | DNS_RA | DNS_AD | 0x0400);
	assert_int_equal(parse_query("NAME.test", &h, &client), 0);

	a = help_answer_get(out, dns_upstream_relay(out, sizeof(out), &client,
						    m.buf, stored, 100));
	assert_int_equal(a.id, 4711);
	assert_int_equal(a.flags, DNS_QR | DNS_RD | DNS_RA); /* no AA, no AD */
	assert_memory_equal(a.first.owner.wire, "\4NAME\4test", 11);
	assert_int_equal(a.first.ttl, 200);
	assert_true(a.has_opt);

	client.flags |= DNS_AD;
	client.has_opt = false;
	a = help_answer_get(out, dns_upstream_relay(out, sizeof(out), &client,
						    m.buf, stored, 301));
	assert_true(a.flags & DNS_AD);
	assert_int_equal(a.first.ttl, 0);
	assert_false(a.has_opt);

	a = help_answer_get(out, dns_upstream_relay(out, stored - 1, &client,
						    m.buf, stored, 0));
	assert_true(a.flags & DNS_TC);
	assert_int_equal(a.count[DNS_ANSWER], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_is_read),
		cmocka_unit_test(answer_size_is_kept_in_bounds),
		cmocka_unit_test(what_is_no_query_is_dropped),
		cmocka_unit_test(malformed_query_gets_formerr),
		cmocka_unit_test(other_opcodes_get_notimp),
		cmocka_unit_test(later_edns_gets_badvers),
		cmocka_unit_test(compressed_names_are_followed_backwards_only),
		cmocka_unit_test(pointer_chains_have_an_end),
		cmocka_unit_test(longest_name_is_255_octets),
		cmocka_unit_test(odd_labels_are_no_host_name),
		cmocka_unit_test(names_are_compared_label_by_label),
		cmocka_unit_test(answer_echoes_the_question),
		cmocka_unit_test(answer_too_long_is_cut_with_tc),
		cmocka_unit_test(negative_answer_has_the_zones_soa),
		cmocka_unit_test(only_the_right_answer_is_taken),
		cmocka_unit_test(lifetime_follows_the_shortest_record),
		cmocka_unit_test(upper_bits_of_the_code_count),
		cmocka_unit_test(opt_is_taken_out_wherever_it_stands),
		cmocka_unit_test(hints_are_taken_out_and_pointers_led),
		cmocka_unit_test(mandatory_that_is_only_hints_goes),
		cmocka_unit_test(malformed_service_records_are_refused),
		cmocka_unit_test(relayed_answer_is_the_clients_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
