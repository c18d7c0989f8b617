// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lease_test.c - no name ever gets what a flow of another name holds
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "names/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY	   200000u
#define HELD_EVERY 64u

static const char *name_of(unsigned int i, char *buf)
{
	(void)snprintf(buf, NAME_MAX_LEN + 1, "host-%u.example.org", i);
	return buf;
}

static struct addr take(struct leases *l, const char *name, int family)
{
	struct addr a;

	assert_int_equal(leases_take(l, name, family, &a), 0);
	return a;
}

static void same_name_keeps_its_addresses(void **state)
{
	struct leases l;
	struct addr a4;
	struct addr a6;
	struct addr again;

	(void)state;
	assert_int_equal(leases_init(&l, LEASE_POOL), 0);
	a4 = take(&l, "example.org", AF_INET);
	a6 = take(&l, "example.org", AF_INET6);
	again = take(&l, "example.org", AF_INET);
	assert_true(addr_equal(&a4, &again));
	assert_string_equal(leases_name(&l, &a4), "example.org");
	assert_string_equal(leases_name(&l, &a6), "example.org");
	assert_int_equal(l.count, 1);
	leases_fini(&l);
}

/* What must never be lent: the sandbox's own, and .0 and .255. */
static void check_address(const struct addr *a)
{
	static const uint8_t range6[6] = { 0x20, 1, 0, 2, 0, 0 };
	static const uint8_t zero[8];

	assert_true(lease_is_leasable(a));
	assert_int_equal(a->port, 0);
	if (a->family == AF_INET) {
		assert_int_equal(a->ip[0], 198);
		assert_true(a->ip[1] == 18 || a->ip[1] == 19);
		assert_false(a->ip[1] == 18 && a->ip[2] == 0);
		assert_true(a->ip[3] != 0 && a->ip[3] != 255);
		return;
	}
	assert_memory_equal(a->ip, range6, 6);
	assert_memory_not_equal(a->ip + 6, zero, 8);
}

static void whole_pool_is_lent_once(void **state)
{
	uint8_t *seen = calloc(1, 1 << 17);
	struct leases l;
	char name[NAME_MAX_LEN + 1];

	(void)state;
	assert_non_null(seen);
	assert_int_equal(leases_init(&l, LEASE_POOL), 0);
	for (unsigned int i = 0; i < LEASE_POOL; i++) {
		const struct addr a4 = take(&l, name_of(i, name), AF_INET);
		const struct addr a6 = take(&l, name, AF_INET6);
		const unsigned int host = (unsigned int)(a4.ip[1] & 1) << 16 |
					  (unsigned int)a4.ip[2] << 8 |
					  a4.ip[3];

		check_address(&a4);
		check_address(&a6);
		assert_false(seen[host]);
		seen[host] = 1;
		assert_string_equal(leases_name(&l, &a6), name);
	}
	assert_int_equal(l.count, LEASE_POOL);
	leases_fini(&l);
	free(seen);
}

static void order_differs_from_worker_to_worker(void **state)
{
	unsigned int same = 0;
	unsigned int neighbours = 0;
	struct leases a;
	struct leases b;
	struct addr last = { 0 };
	char name[NAME_MAX_LEN + 1];

	(void)state;
	assert_int_equal(leases_init(&a, LEASE_POOL), 0);
	assert_int_equal(leases_init(&b, LEASE_POOL), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		const struct addr in_a = take(&a, name_of(i, name), AF_INET);
		const struct addr in_b = take(&b, name, AF_INET);

		same += addr_equal(&in_a, &in_b);
		neighbours +=
			in_a.ip[1] == last.ip[1] && in_a.ip[2] == last.ip[2];
		last = in_a;
	}
	assert_true(same < 10);
	assert_true(neighbours < 30);
	leases_fini(&a);
	leases_fini(&b);
}

/*
 * 200 000 names through a pool of 129 794: every 64th is held while the others
 * come and go; what is held never changes hands, and all others tell the
 * truth while they have a lease.
 */
static void held_leases_are_never_stolen(void **state)
{
	struct leases l;
	struct addr *held = calloc(MANY / HELD_EVERY + 1, sizeof(*held));
	unsigned int count = 0;
	char name[NAME_MAX_LEN + 1];

	(void)state;
	assert_non_null(held);
	assert_int_equal(leases_init(&l, LEASE_POOL), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		const struct addr a4 = take(&l, name_of(i, name), AF_INET);
		const struct addr a6 = take(&l, name, AF_INET6);

		assert_string_equal(leases_name(&l, &a4), name);
		assert_string_equal(leases_name(&l, &a6), name);
		if (i % HELD_EVERY == 0) {
			held[count++] = a4;
			leases_hold(&l, i % 128 ? &a4 : &a6);
		}
		if (i % 1000 != 0)
			continue;
		for (unsigned int k = 0; k < count; k++)
			assert_string_equal(leases_name(&l, &held[k]),
					    name_of(k * HELD_EVERY, name));
	}
	for (unsigned int k = 0; k < count; k++) {
		assert_string_equal(leases_name(&l, &held[k]),
				    name_of(k * HELD_EVERY, name));
		leases_drop(&l, &held[k]);
	}
	assert_int_equal(l.count, LEASE_POOL);
	leases_fini(&l);
	free(held);
}

static void longest_idle_goes_first(void **state)
{
	struct leases l;
	struct addr a;
	struct addr b;

	(void)state;
	assert_int_equal(leases_init(&l, 2), 0);
	a = take(&l, "a.org", AF_INET);
	b = take(&l, "b.org", AF_INET);
	assert_string_equal(leases_name(&l, &a), "a.org"); /* a use */
	(void)take(&l, "c.org", AF_INET);
	assert_string_equal(leases_name(&l, &a), "a.org");
	assert_string_equal(leases_name(&l, &b), "c.org");
	leases_fini(&l);
}

static void pool_that_is_all_held_gives_nothing(void **state)
{
	struct leases l;
	struct addr a;
	struct addr b;

	(void)state;
	assert_int_equal(leases_init(&l, 2), 0);
	a = take(&l, "a.org", AF_INET);
	b = take(&l, "b.org", AF_INET6);
	leases_hold(&l, &a);
	leases_hold(&l, &a);
	leases_hold(&l, &b);
	assert_int_equal(leases_take(&l, "c.org", AF_INET, &a), -ENOSPC);
	a = take(&l, "a.org", AF_INET); /* has one */
	leases_drop(&l, &a);
	assert_int_equal(leases_take(&l, "c.org", AF_INET, &b), -ENOSPC);
	leases_drop(&l, &a);
	(void)take(&l, "c.org", AF_INET);
	assert_string_equal(leases_name(&l, &a), "c.org");
	leases_fini(&l);
}

static void addresses_without_lease_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		bool is_leasable;
	} cases[] = {
		{ "198.18.0.0", true },	       { "198.18.0.1", true },
		{ "198.18.0.255", true },      { "198.18.1.0", true },
		{ "198.18.1.255", true },      { "198.18.7.7", true },
		{ "198.19.255.255", true },    { "198.17.255.255", false },
		{ "198.20.0.0", false },       { "10.0.0.1", false },
		{ "2001:2::1", true },	       { "2001:2::1:0", true },
		{ "2001:2::ffff:ffff", true }, { "2001:2:0:1::1:0", true },
		{ "2001:2:1::", false },       { "2001:db8::1", false },
	};
	struct leases l;

	(void)state;
	assert_int_equal(leases_init(&l, LEASE_POOL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct addr a;

		assert_true(addr_parse_ip(cases[i].text, &a));
		assert_int_equal(lease_is_leasable(&a), cases[i].is_leasable);
		assert_null(leases_name(&l, &a));
		leases_hold(&l, &a);
		leases_drop(&l, &a);
	}
	leases_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_name_keeps_its_addresses),
		cmocka_unit_test(whole_pool_is_lent_once),
		cmocka_unit_test(order_differs_from_worker_to_worker),
		cmocka_unit_test(held_leases_are_never_stolen),
		cmocka_unit_test(longest_idle_goes_first),
		cmocka_unit_test(pool_that_is_all_held_gives_nothing),
		cmocka_unit_test(addresses_without_lease_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
