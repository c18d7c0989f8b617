// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * names_test.c - what is answered here: leases and special names
 */
#include "names_bench.h"

static void answer_comes_from_the_asked_address(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	(void)answer_to(b, "example.org", DNS_A);
	assert_int_equal(b->last_from.port, 53);
	assert_memory_equal(b->last_from.ip, "\10\10\10\10", 4);
	assert_int_equal(b->last_to.port, 40000);
	bench_free(b);
}

static void ordinary_names_get_leases(void **state)
{
	static const char *const names[] = {
		"example.org",	     "a.example.org", "demo.test",
		"host.internal",     "x.home.arpa",   "abc.onion",
		"a.b.i2p",	     "_srv.x.org",    "1.2.3.4.example",
		"1.2.3.4a.org",	     "0x7f.1.com",    "notonion.org",
		"localhost.example",
	};
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_leased(b, names[i]);
	bench_free(b);
}

static void letter_case_is_one_name(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const struct addr a = lease_of(b, "eXamPle.ORG", DNS_A);
	const struct addr again = lease_of(b, "example.org", DNS_A);

	(void)state;
	assert_true(addr_equal(&a, &again));
	bench_free(b);
}

static void special_names_are_answered_here(void **state)
{
	static const char *const absent[] = {
		"invalid",	"a.invalid",	   "printer.local",
		"a.alt",	"x.exit",	   "wpad",
		"single",	"onion",	   "i2p",
		"1.2.3.4",	"127.1",	   "2130706433",
		"0x7f.1",	"0x7f000001",	   "1.2.3.0x4",
		"1.0x",		"0177.0.0.1",	   "use-application-dns.net",
		"a b.org",	"a/b.org",	   "a:b.onion",
		"\xc3\xbc.org", "10.in-addr.arpa",
	};
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		assert_rcode(b, absent[i], DNS_A, DNS_NXDOMAIN);
		assert_rcode(b, absent[i], DNS_AAAA, DNS_NXDOMAIN);
	}
	assert_rcode(b, "_dns.resolver.arpa", DNS_SVCB, DNS_NOERROR);
	assert_rcode(b, "ipv4only.arpa", DNS_AAAA, DNS_NOERROR);
	assert_rcode(b, "", DNS_A, DNS_NOERROR);
	assert_rcode(b, "", DNS_NS, DNS_NOERROR);
	bench_free(b);
}

static void localhost_is_the_loopback(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	struct help_answer a = answer_to(b, "localhost", DNS_A);

	(void)state;
	assert_int_equal(a.data_len, 4);
	assert_memory_equal(a.data, "\177\0\0\1", 4);
	a = answer_to(b, "a.LocalHost", DNS_AAAA);
	assert_int_equal(a.data_len, 16);
	assert_memory_equal(a.data, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_rcode(b, "localhost", DNS_TXT, DNS_NOERROR);
	bench_free(b);
}

static void other_types_are_empty_or_refused(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const struct help_query chaos = { .type = DNS_TXT, .class = 3 };
	struct help_answer a;

	(void)state;
	assert_rcode(b, "example.org", DNS_HTTPS, DNS_NOERROR);
	assert_rcode(b, "example.org", DNS_SVCB, DNS_NOERROR);
	assert_rcode(b, "example.org", DNS_TXT, DNS_NOERROR);
	assert_rcode(b, "example.org", 252, DNS_NOTIMP);
	assert_rcode(b, "example.org", DNS_OPT, DNS_FORMERR);
	a = answer_to(b, "example.org", DNS_ANY);
	assert_int_equal(a.first.type, DNS_HINFO);
	ask_with(b, "version.bind", &chaos);
	a = help_answer_get(b->last, b->last_len);
	assert_int_equal(help_rcode(&a), DNS_REFUSED);
	bench_free(b);
}

static void unwanted_family_is_empty(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	b->plan.want_v6 = false;
	assert_rcode(b, "example.org", DNS_AAAA, DNS_NOERROR);
	(void)lease_of(b, "example.org", DNS_A);
	b->plan.want_v6 = true;
	b->plan.want_v4 = false;
	assert_rcode(b, "example.org", DNS_A, DNS_NOERROR);
	(void)lease_of(b, "example.org", DNS_AAAA);
	bench_free(b);
}

static void reverse_put(const struct addr *a, char *ret, size_t room)
{
	size_t used = 0;

	for (int i = (int)addr_size(a) - 1; i >= 0; i--)
		used += (size_t)snprintf(
			ret + used, room - used,
			a->family == AF_INET ? "%u." : "%x.%x.",
			a->family == AF_INET ? a->ip[i] : a->ip[i] & 15,
			a->ip[i] >> 4);
	(void)snprintf(ret + used, room - used, "%s",
		       a->family == AF_INET ? "in-addr.arpa" : "ip6.arpa");
}

static void lease_has_its_name_in_reverse(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const uint16_t types[] = { DNS_A, DNS_AAAA };
	char reverse[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct addr addr =
			lease_of(b, "www.example.org", types[i]);
		struct help_answer a;

		reverse_put(&addr, reverse, sizeof(reverse));
		a = answer_to(b, reverse, DNS_PTR);
		assert_int_equal(a.count[DNS_ANSWER], 1);
		assert_int_equal(a.data_len, 17);
		assert_memory_equal(a.data, "\3www\7example\3org", 17);
		assert_rcode(b, reverse, DNS_TXT, DNS_NOERROR);
	}
	assert_rcode(b, "0.0.18.198.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "255.255.19.198.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "1.0.0.10.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "8.8.8.8.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	bench_free(b);
}

static void exposed_names_have_their_addresses(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	struct help_answer a;

	(void)state;
	b->plan.expose_count = 3;
	for (int i = 0; i < 3; i++) {
		assert_true(addr_parse_ip(i < 2 ? "10.1.2.3" : "10.1.2.4",
					  &b->plan.expose[i].addr));
		b->plan.expose[i].addr.port = (uint16_t)(80 + i);
		strcpy(b->plan.expose[i].name, "Db");
	}
	a = answer_to(b, "dB", DNS_A);
	assert_int_equal(a.count[DNS_ANSWER], 2);
	assert_memory_equal(a.data, "\12\1\2\3", 4);
	assert_rcode(b, "db", DNS_AAAA, DNS_NOERROR);
	assert_rcode(b, "x.db", DNS_TXT, DNS_NOERROR);
	bench_free(b);
}

static void hidden_names_need_a_proxy(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);

	(void)state;
	assert_rcode(b, "abc.onion", DNS_A, DNS_NXDOMAIN);
	b->plan.hop[0].kind = HOP_SOCKS5;
	assert_leased(b, "abc.onion");
	assert_rcode(b, "abc.onion", DNS_TXT, DNS_NOERROR);
	assert_int_equal(b->toy.udp + b->toy.tcp, 0);
	bench_free(b);
}

static void off_refuses(void **state)
{
	struct bench *b = bench_new(NAMES_OFF, false);
	const struct help_answer a = answer_to(b, "example.org", DNS_A);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_REFUSED);
	bench_free(b);
}

static void held_lease_survives(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const struct addr a = lease_of(b, "held.org", DNS_A);
	char text[NAME_MAX_LEN + 1];

	(void)state;
	names_hold(b->names, &a);
	assert_true(names_of_lease(b->names, &a, text));
	names_drop(b->names, &a);
	assert_string_equal(text, "held.org");
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_comes_from_the_asked_address),
		cmocka_unit_test(ordinary_names_get_leases),
		cmocka_unit_test(letter_case_is_one_name),
		cmocka_unit_test(special_names_are_answered_here),
		cmocka_unit_test(localhost_is_the_loopback),
		cmocka_unit_test(other_types_are_empty_or_refused),
		cmocka_unit_test(unwanted_family_is_empty),
		cmocka_unit_test(lease_has_its_name_in_reverse),
		cmocka_unit_test(exposed_names_have_their_addresses),
		cmocka_unit_test(hidden_names_need_a_proxy),
		cmocka_unit_test(off_refuses),
		cmocka_unit_test(held_lease_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
