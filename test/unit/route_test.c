// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * route_test.c - verdicts, one table a question
 */
#include "flow/route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct want {
	const char *ip;
	uint16_t port;
	bool is_tcp;
	enum route_verdict verdict;
	int err;
};

static struct plan plain_plan(void)
{
	struct plan p = {
		.names = NAMES_FAKE,
		.want_v4 = true,
		.want_v6 = true,
		.hop_count = 1,
	};

	return p;
}

static void check(const struct plan *p, const struct want *want, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr a;
		struct route r;

		assert_true(addr_parse_ip(want[i].ip, &a));
		a.port = want[i].port;
		r = route_decide(p, &a, want[i].is_tcp);
		if (r.verdict != want[i].verdict)
			fail_msg("%s port %u: verdict %d, want %d", want[i].ip,
				 want[i].port, (int)r.verdict,
				 (int)want[i].verdict);
		if (want[i].verdict == ROUTE_REFUSE)
			assert_int_equal(r.err, want[i].err);
	}
}

static void ordinary_destinations_take_the_way_out(void **state)
{
	static const struct want want[] = {
		{ "203.0.113.9", 443, true, ROUTE_WAY, 0 },
		{ "203.0.113.9", 443, false, ROUTE_WAY, 0 },
		{ "10.1.2.3", 22, true, ROUTE_WAY, 0 },
		{ "2001:db8::9", 443, true, ROUTE_WAY, 0 },
		{ "198.18.7.7", 80, true, ROUTE_WAY, 0 },
	};
	const struct plan p = plain_plan();

	(void)state;
	check(&p, want, sizeof(want) / sizeof(*want));
}

static void port_53_of_any_server_is_ours(void **state)
{
	static const struct want want[] = {
		{ "8.8.8.8", 53, false, ROUTE_NAMES, 0 },
		{ "8.8.8.8", 53, true, ROUTE_NAMES, 0 },
		{ "2001:4860:4860::8888", 53, false, ROUTE_NAMES, 0 },
		{ GATEWAY_IP4, 53, false, ROUTE_NAMES, 0 },
	};
	static const struct want off[] = {
		{ "8.8.8.8", 53, false, ROUTE_WAY, 0 },
		{ "8.8.8.8", 53, true, ROUTE_WAY, 0 },
	};
	struct plan p = plain_plan();

	(void)state;
	check(&p, want, sizeof(want) / sizeof(*want));
	p.names = NAMES_OFF;
	check(&p, off, sizeof(off) / sizeof(*off));
}

/* row: A20 */
static void addresses_that_mean_the_host_are_refused(void **state)
{
	static const struct want want[] = {
		{ "0.0.0.0", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "0.1.2.3", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "127.0.0.1", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "::", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "::1", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "::ffff:127.0.0.1", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "::127.0.0.1", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "fe80::1", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "240.0.0.1", 80, false, ROUTE_REFUSE, -ENETUNREACH },
		{ "203.0.113.9", 0, false, ROUTE_REFUSE, -ECONNREFUSED },
	};
	const struct plan p = plain_plan();

	(void)state;
	check(&p, want, sizeof(want) / sizeof(*want));
}

/* row: A17 */
static void multicast_goes_nowhere(void **state)
{
	static const struct want want[] = {
		{ "224.0.0.251", 5353, false, ROUTE_DROP, 0 },
		{ "255.255.255.255", 67, false, ROUTE_DROP, 0 },
		{ "ff02::fb", 5353, false, ROUTE_DROP, 0 },
		{ "224.0.0.251", 80, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "224.0.0.1", 53, false, ROUTE_DROP, 0 },
	};
	const struct plan p = plain_plan();

	(void)state;
	check(&p, want, sizeof(want) / sizeof(*want));
}

static void only_what_is_exposed_reaches_the_host(void **state)
{
	static const struct want want[] = {
		{ "127.0.0.1", 4444, true, ROUTE_EXPOSE, 0 },
		{ "127.0.0.1", 4444, false, ROUTE_EXPOSE, 0 },
		{ "127.0.0.1", 4445, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "127.0.0.2", 4444, true, ROUTE_REFUSE, -ENETUNREACH },
	};
	struct plan p = plain_plan();

	(void)state;
	assert_true(addr_parse_ip("127.0.0.1", &p.expose[0].addr));
	p.expose[0].addr.port = 4444;
	p.expose_count = 1;
	check(&p, want, sizeof(want) / sizeof(*want));
}

static void gateway_offers_one_port(void **state)
{
	static const struct want want[] = {
		{ GATEWAY_IP4, GATEWAY_PORT, true, ROUTE_SERVER, 0 },
		{ GATEWAY_IP6, GATEWAY_PORT, true, ROUTE_SERVER, 0 },
		{ GATEWAY_IP4, GATEWAY_PORT, false, ROUTE_REFUSE,
		  -ECONNREFUSED },
		{ GATEWAY_IP4, 80, true, ROUTE_REFUSE, -ECONNREFUSED },
	};
	const struct plan p = plain_plan();

	(void)state;
	check(&p, want, sizeof(want) / sizeof(*want));
}

static void unwanted_family_is_unreachable_at_once(void **state)
{
	static const struct want want[] = {
		{ "2001:db8::9", 443, true, ROUTE_REFUSE, -ENETUNREACH },
		{ "203.0.113.9", 443, true, ROUTE_WAY, 0 },
	};
	struct plan p = plain_plan();

	(void)state;
	p.want_v6 = false;
	check(&p, want, sizeof(want) / sizeof(*want));
}

/* row: D10 */
static void names_that_look_like_addresses_are_no_names(void **state)
{
	static const char *const bad[] = {
		"localhost", "x.localhost", "127.1", "2130706433",
		"0x7f.1",    "a.0x7f",	    "0x",    "10.0.0.1",
		"",	     "a b",	    "a..b",  "-.1",
	};
	static const char *const good[] = {
		"example.org",	"x.onion", "1.example",
		"0x7f.example", "a",	   "xn--bcher-kva.example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (route_name_ok(bad[i]))
			fail_msg("'%s' was taken for a name", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!route_name_ok(good[i]))
			fail_msg("'%s' was refused", good[i]);
}

static void aliases_lead_to_what_they_stand_for(void **state)
{
	static const struct want want[] = {
		{ GATEWAY_IP4, ALIAS_PORT, true, ROUTE_WAY, 0 },
		{ GATEWAY_IP4, ALIAS_PORT, false, ROUTE_WAY, 0 },
		{ GATEWAY_IP4, ALIAS_PORT + 1, true, ROUTE_REFUSE,
		  -ENETUNREACH },
		{ GATEWAY_IP4, ALIAS_PORT + 2, true, ROUTE_REFUSE,
		  -ECONNREFUSED },
		{ GATEWAY_IP4, ALIAS_PORT - 1, false, ROUTE_REFUSE,
		  -ECONNREFUSED },
		{ GATEWAY_IP6, ALIAS_PORT, true, ROUTE_REFUSE, -ECONNREFUSED },
		{ SANDBOX_IP4, ALIAS_PORT, true, ROUTE_REFUSE, -ECONNREFUSED },
		{ "9.9.9.9", 53, false, ROUTE_NAMES, 0 },
	};
	struct plan p = plain_plan();
	struct addr dst = { 0 };

	(void)state;
	p.names = NAMES_PROGRAM;
	p.want_v6 = false;
	assert_true(addr_parse_ip("9.9.9.9", &p.alias[0]));
	assert_true(addr_parse_ip("2620:fe::fe", &p.alias[1]));
	p.alias[0].port = p.alias[1].port = 53;
	p.alias_count = 2;
	check(&p, want, sizeof(want) / sizeof(want[0]));
	assert_true(addr_parse_ip(GATEWAY_IP4, &dst));
	dst.port = ALIAS_PORT;
	assert_ptr_equal(route_alias(&p, &dst), &p.alias[0]);
	p.alias_count = 0;
	assert_null(route_alias(&p, &dst));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_destinations_take_the_way_out),
		cmocka_unit_test(port_53_of_any_server_is_ours),
		cmocka_unit_test(addresses_that_mean_the_host_are_refused),
		cmocka_unit_test(multicast_goes_nowhere),
		cmocka_unit_test(only_what_is_exposed_reaches_the_host),
		cmocka_unit_test(gateway_offers_one_port),
		cmocka_unit_test(unwanted_family_is_unreachable_at_once),
		cmocka_unit_test(names_that_look_like_addresses_are_no_names),
		cmocka_unit_test(aliases_lead_to_what_they_stand_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
