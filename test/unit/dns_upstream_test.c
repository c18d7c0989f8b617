// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_upstream_test.c - the DNS codec: somebody else's answers
 */
#include "dns_help.h"

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

	assert_int_equal(help_parse_query(name, &h, &m->q), 0);
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

/* row: N04 */
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

/* row: D09 */
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
	assert_int_equal(help_parse_query("NAME.test", &h, &client), 0);

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
