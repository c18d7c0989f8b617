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
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
/* row: D11 */
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

/* row: D11 */
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

/* Head and a page of notes. */
#define BOOK (16 * 1024 + 32 + 4096)

static int book_memory(size_t size)
{
	const int fd = memfd_create("book", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return fd;
}

static void book_of(struct leases *l, int fd, unsigned int pool)
{
	assert_int_equal(leases_init(l, pool), 0);
	assert_int_equal(leases_remember(l, fd), 0);
}

static void next_worker_lends_the_same(void **state)
{
	const int fd = book_memory(65536);
	struct addr at[50];
	char buf[NAME_MAX_LEN + 1];
	struct leases l;

	(void)state;
	book_of(&l, fd, LEASE_POOL);
	for (unsigned int i = 0; i < 50; i++)
		at[i] = take(&l, name_of(i, buf), i % 2 ? AF_INET : AF_INET6);
	leases_fini(&l);
	book_of(&l, fd, LEASE_POOL);
	for (unsigned int i = 0; i < 50; i++)
		assert_string_equal(leases_name(&l, &at[i]), name_of(i, buf));
	/* And goes on where the last one stopped. */
	at[0] = take(&l, "new.example", AF_INET);
	leases_fini(&l);
	book_of(&l, fd, LEASE_POOL);
	assert_string_equal(leases_name(&l, &at[0]), "new.example");
	leases_fini(&l);
	(void)close(fd);
}

static void places_that_were_lent_anew_are_remembered_so(void **state)
{
	const int fd = book_memory(65536);
	char buf[NAME_MAX_LEN + 1];
	struct leases l;
	struct addr at[9];

	(void)state;
	book_of(&l, fd, 3);
	for (unsigned int i = 0; i < 9; i++)
		at[i] = take(&l, name_of(i % 5, buf), AF_INET);
	leases_fini(&l);
	book_of(&l, fd, 3);
	for (unsigned int i = 6; i < 9; i++)
		assert_string_equal(leases_name(&l, &at[i]),
				    name_of(i % 5, buf));
	leases_fini(&l);
	(void)close(fd);
}

/** No address that was lent may ever lead to another name, noted or not. */
/* row: D12 */
static void full_book_never_gives_a_name_for_another(void **state)
{
	const unsigned int many = 3000;
	const int fd = book_memory(24 * 1024);
	struct addr *at = calloc(many, sizeof(*at));
	unsigned int kept = 0;
	unsigned int lost = 0;
	char buf[NAME_MAX_LEN + 1];
	struct leases l;

	(void)state;
	assert_non_null(at);
	book_of(&l, fd, LEASE_POOL);
	for (unsigned int i = 0; i < many; i++)
		at[i] = take(&l, name_of(i, buf), AF_INET);
	leases_fini(&l);
	for (unsigned int worker = 0; worker < 3; worker++) {
		book_of(&l, fd, LEASE_POOL);
		for (unsigned int i = 0; i < many; i++)
			(void)take(&l, name_of(many * (1 + worker) + i, buf),
				   AF_INET);
		for (unsigned int i = 0; i < many; i++) {
			const char *name = leases_name(&l, &at[i]);

			assert_true(!name || !strcmp(name, name_of(i, buf)));
			kept += name != NULL;
			lost += name == NULL;
		}
		leases_fini(&l);
	}
	assert_true(kept > 0 && lost > 0);
	free(at);
	(void)close(fd);
}

/** The same when places go round. */
static void full_book_of_a_used_up_pool(void **state)
{
	const int fd = book_memory(17 * 1024);
	char buf[NAME_MAX_LEN + 1];
	struct addr at[60];
	struct leases l;

	(void)state;
	book_of(&l, fd, 7);
	for (unsigned int i = 0; i < 60; i++)
		at[i] = take(&l, name_of(i % 13, buf), AF_INET);
	leases_fini(&l);
	book_of(&l, fd, 7);
	for (unsigned int i = 53; i < 60; i++) {
		const char *name = leases_name(&l, &at[i]);

		assert_true(!name || !strcmp(name, name_of(i % 13, buf)));
	}
	leases_fini(&l);
	(void)close(fd);
}

static void book_that_makes_no_sense_is_not_believed(void **state)
{
	const int fd = book_memory(BOOK);
	const int open_ended = memfd_create("x", MFD_ALLOW_SEALING);
	uint8_t good[BOOK];
	unsigned int believed = 0;

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		char buf[NAME_MAX_LEN + 1];
		struct addr at = { 0 };
		const char *name;
		struct leases l;

		assert_int_equal(leases_init(&l, LEASE_POOL), 0);
		assert_int_equal(leases_remember(&l, fd), 0);
		if (l.count == 0)
			for (unsigned int n = 0; n < 9; n++)
				at = take(&l, name_of(n, buf), AF_INET);
		leases_fini(&l);
		assert_int_equal(pread(fd, good, sizeof(good), 0), BOOK);
		/* One byte of its beginning and of the notes at a time. */
		good[i < 32 ? i : BOOK - 4096 + i] ^= (uint8_t)(1 + i);
		assert_int_equal(pwrite(fd, good, sizeof(good), 0), BOOK);
		assert_int_equal(leases_init(&l, LEASE_POOL), 0);
		assert_int_equal(leases_remember(&l, fd), 0);
		believed += l.count > 0;
		name = leases_name(&l, &at);
		assert_true(!name || strlen(name) < 256);
		leases_fini(&l);
	}
	assert_true(believed < 200);
	{
		struct leases l;

		assert_int_equal(leases_init(&l, LEASE_POOL), 0);
		assert_int_equal(leases_remember(&l, open_ended), -EPROTO);
		(void)take(&l, "works.example", AF_INET);
		leases_fini(&l);
	}
	(void)close(open_ended);
	(void)close(fd);
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
		cmocka_unit_test(next_worker_lends_the_same),
		cmocka_unit_test(places_that_were_lent_anew_are_remembered_so),
		cmocka_unit_test(full_book_never_gives_a_name_for_another),
		cmocka_unit_test(full_book_of_a_used_up_pool),
		cmocka_unit_test(book_that_makes_no_sense_is_not_believed),
		cmocka_unit_test(addresses_without_lease_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
