// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * connector_book_test.c - where a connector may lead
 */
#include "dial_toy.h"

#include "dial/connector_book.h"

static struct plan plan; /* large */

static struct addr at(const char *ip, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse_ip(ip, &a));
	a.port = port;
	return a;
}

/** plan_of() - A plan of one hop, which is at 10.0.0.1:1080 and fd00::1:1080 */
static struct hop *plan_of(enum hop_kind kind)
{
	struct hop *h = &plan.hop[0];

	plan = (struct plan){ .hop_count = 1 };
	h->kind = kind;
	if (kind == HOP_DIRECT || kind == HOP_BLOCK)
		return h;
	h->addr[0] = at("10.0.0.1", 1080);
	h->addr[1] = at("fd00::1", 1080);
	h->addr_count = 2;
	return h;
}

static bool has(enum outer_by by, enum outer_kind kind, const char *ip,
		uint16_t port)
{
	const struct connector_book b = connector_book_of(&plan);
	const struct outer_wish w = {
		.by = (uint16_t)by,
		.kind = (uint16_t)kind,
		.to = ip ? at(ip, port) : (struct addr){ 0 },
	};

	return connector_book_has(&b, &w);
}

/* row: U25 */
static void a_proxys_addresses_and_no_other(void **state)
{
	(void)state;
	plan_of(HOP_HTTP);
	assert_true(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.1", 1080));
	assert_true(has(OUTER_BY_PLAN, OUTER_TCP, "fd00::1", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.1", 1081));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.2", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "::ffff:10.0.0.2", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "127.0.0.1", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.1", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_UNIX, NULL, 0));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, NULL, 0));
}

/* row: U25 */
static void datagrams_go_to_the_proxys_own_host(void **state)
{
	struct hop *const h = plan_of(HOP_SOCKS5);

	(void)state;
	assert_true(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.1", 4000));
	assert_true(has(OUTER_BY_PLAN, OUTER_UDP, "fd00::1", 53));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.1", 0));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.2", 4000));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP_OPEN, "10.0.0.1", 4000));
	assert_false(has(OUTER_BY_PLAN, OUTER_PING, "10.0.0.1", 0));
	h->no_udp = true;
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.1", 4000));
}

static void of_a_chain_the_first_hop(void **state)
{
	(void)state;
	plan_of(HOP_SOCKS5);
	plan.hop[1] = plan.hop[0];
	plan.hop[1].addr[0] = at("10.0.0.9", 1080);
	plan.hop_count = 2;
	assert_true(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.1", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.9", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.1", 4000));
}

static void a_device_before_a_proxy_is_no_way_of_its_own(void **state)
{
	const struct outer_wish w = { .by = OUTER_BY_PLAN, .kind = OUTER_TCP };
	struct connector_book b;

	(void)state;
	plan_of(HOP_SOCKS5);
	plan.hop[1] = plan.hop[0];
	plan.hop[0] = (struct hop){ .kind = HOP_DIRECT, .dev = "tun7" };
	plan.hop_count = 2;
	assert_true(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.1", 1080));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "192.0.2.1", 80));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP_OPEN, "192.0.2.1", 80));
	b = connector_book_of(&plan);
	assert_string_equal(connector_book_dev(&b, &w), "tun7");
}

static void a_unix_proxy_and_its_relay_on_loopback(void **state)
{
	struct hop *const h = plan_of(HOP_SOCKS5);

	(void)state;
	h->addr_count = 0;
	memcpy(h->path, "socks", 6);
	assert_true(has(OUTER_BY_PLAN, OUTER_UNIX, NULL, 0));
	assert_true(has(OUTER_BY_PLAN, OUTER_UDP, "127.0.0.1", 4000));
	assert_true(has(OUTER_BY_PLAN, OUTER_UDP, "::1", 4000));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "10.0.0.1", 4000));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "127.0.0.1", 4000));
	/* Addresses that do not count are not the proxy's. */
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "10.0.0.1", 1080));
}

static void everything_where_the_way_is_direct(void **state)
{
	(void)state;
	plan_of(HOP_DIRECT);
	assert_true(has(OUTER_BY_PLAN, OUTER_TCP, "192.0.2.1", 80));
	assert_true(has(OUTER_BY_PLAN, OUTER_UDP_OPEN, "192.0.2.1", 0));
	assert_true(has(OUTER_BY_PLAN, OUTER_PING, "2001:db8::1", 0));
	assert_false(has(OUTER_BY_PLAN, OUTER_UNIX, NULL, 0));
	assert_false(has(OUTER_BY_HOST, OUTER_TCP, "192.0.2.1", 80));
}

static void nothing_where_the_way_is_block(void **state)
{
	(void)state;
	plan_of(HOP_BLOCK);
	for (unsigned int kind = 0; kind < OUTER_KINDS; kind++)
		assert_false(has(OUTER_BY_PLAN, kind, "192.0.2.1", 80));
}

static void what_is_exposed_and_no_other(void **state)
{
	(void)state;
	plan_of(HOP_SOCKS5);
	plan.expose[0].addr = at("127.0.0.1", 631);
	plan.expose_count = 1;
	assert_true(has(OUTER_BY_HOST, OUTER_TCP, "127.0.0.1", 631));
	assert_true(has(OUTER_BY_HOST, OUTER_UDP, "127.0.0.1", 631));
	assert_false(has(OUTER_BY_HOST, OUTER_UDP_OPEN, "127.0.0.1", 631));
	assert_false(has(OUTER_BY_HOST, OUTER_PING, "127.0.0.1", 631));
	assert_false(has(OUTER_BY_HOST, OUTER_TCP, "127.0.0.1", 632));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, "127.0.0.1", 631));
	assert_false(has(OUTER_BY_LO, OUTER_TCP, "127.0.0.1", 631));
}

static void servers_on_the_hosts_loopback_alone(void **state)
{
	const struct outer_wish w = { .by = OUTER_BY_LO, .kind = OUTER_UDP };
	struct connector_book b;

	(void)state;
	plan_of(HOP_SOCKS5);
	plan.server[0].addr = at("9.9.9.9", 53);
	plan.server[1].addr = at("127.0.0.53", 53);
	plan.server[1].is_here = true;
	plan.server_count = 2;
	assert_true(has(OUTER_BY_LO, OUTER_UDP, "127.0.0.53", 53));
	assert_true(has(OUTER_BY_LO, OUTER_TCP, "127.0.0.53", 53));
	assert_false(has(OUTER_BY_LO, OUTER_UDP, "127.0.0.53", 54));
	assert_false(has(OUTER_BY_LO, OUTER_UDP, "9.9.9.9", 53));
	assert_false(has(OUTER_BY_PLAN, OUTER_UDP, "9.9.9.9", 53));
	b = connector_book_of(&plan);
	assert_string_equal(connector_book_dev(&b, &w), "lo");
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	plan_of(HOP_DIRECT);
	assert_false(has(OUTER_BY_PLAN, OUTER_KINDS, "192.0.2.1", 80));
	assert_false(has(OUTER_BY_PLAN, 0xffff, "192.0.2.1", 80));
	assert_false(has(0xffff, OUTER_TCP, "192.0.2.1", 80));
	assert_false(has(OUTER_BY_PLAN, OUTER_TCP, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxys_addresses_and_no_other),
		cmocka_unit_test(datagrams_go_to_the_proxys_own_host),
		cmocka_unit_test(of_a_chain_the_first_hop),
		cmocka_unit_test(a_device_before_a_proxy_is_no_way_of_its_own),
		cmocka_unit_test(a_unix_proxy_and_its_relay_on_loopback),
		cmocka_unit_test(everything_where_the_way_is_direct),
		cmocka_unit_test(nothing_where_the_way_is_block),
		cmocka_unit_test(what_is_exposed_and_no_other),
		cmocka_unit_test(servers_on_the_hosts_loopback_alone),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
