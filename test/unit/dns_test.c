// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_test.c - the DNS codec: names, queries, answers of our own
 */
#include "dns_help.h"

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
	assert_int_equal(help_parse_query("wWw.Example.ORG", &h, &q),
			 DNS_NOERROR);
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

		assert_int_equal(help_parse_query("a.b", &h, &q), DNS_NOERROR);
		assert_int_equal(q.udp_room, cases[i].room);
	}
}

static void what_is_no_query_is_dropped(void **state)
{
	const struct help_query h = { .flags = DNS_QR, .type = DNS_A };
	struct dns_query q;

	(void)state;
	assert_int_equal(help_parse_query("a.b", &h, &q), -EPROTO);
	for (size_t len = 0; len < DNS_HEADER; len++)
		assert_int_equal(
			help_parse("\0\1\1\0\0\1\0\0\0\0\0\0", len, &q),
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

		assert_int_equal(help_parse(cases[i].msg, cases[i].len, &q),
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
	assert_int_equal(help_parse_query("a.b", &h, &q), DNS_NOTIMP);
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
	assert_int_equal(help_parse_query("a.b", &h, &q), DNS_BADVERS);
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
	/* "b" runs over the pointer that leads to it */
	assert_false(name_of(HELP_MSG("\1a\3b\xc0\2\0\0"), 4, &name));
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
	assert_int_equal(help_parse_query("MiXed.Case", &h, &q), 0);
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
	assert_int_equal(help_parse_query("some.name", &h, &q), 0);
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
	assert_int_equal(help_parse_query("a.b.invalid", &h, &q), 0);
	dns_answer_begin(&a, buf, sizeof(buf), &q);
	dns_answer_soa(&a);
	got = help_answer_get(buf, dns_answer_end(&a, DNS_NXDOMAIN));
	assert_true(got.has_soa);
	assert_int_equal(got.soa_ttl, 60);
	assert_int_equal(got.first.owner.len, 9);
	assert_memory_equal(got.first.owner.wire, "\7invalid", 9);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
