// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * veth_test.c - addresses for a link that clash with nothing
 */
#include "kern/dump.h"
#include "kern/veth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NET(a, b, c, d) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static struct taken_net nets[] = {
	{ NET(10, 0, 0, 0), 0xff800000 },   /* /9 */
	{ NET(10, 200, 0, 9), 0xffffffff }, /* /32 */
	{ NET(192, 168, 0, 0), 0xffff0000 },
};

static const struct taken some = { nets, 3, 3 };

static void veth_slot_tells_name_and_addresses(void **state)
{
	static const uint8_t host[] = { 10, 0x12, 0x34, 0x51 };
	static const uint8_t inside[] = { 10, 0x12, 0x34, 0x52 };
	struct veth v = { 0 };

	(void)state;
	veth_set_slot(&v, 0x123450 >> 2);
	assert_string_equal(v.link, "nspv048d14");
	assert_memory_equal(v.host, host, 4);
	assert_memory_equal(v.inside, inside, 4);
	assert_true(strlen(v.link) < IF_NAMESIZE);
}

static void veth_last_slot_fits_its_name(void **state)
{
	static const uint8_t inside[] = { 10, 255, 255, 254 };
	struct veth v = { 0 };

	(void)state;
	veth_set_slot(&v, (1u << 22) - 1);
	assert_string_equal(v.link, "nspv3fffff");
	assert_memory_equal(v.inside, inside, 4);
}

static void dump_finds_larger_and_smaller_networks(void **state)
{
	(void)state;
	assert_true(dump_clashes(&some, NET(10, 1, 2, 4), 30));
	assert_true(dump_clashes(&some, NET(10, 127, 255, 252), 30));
	assert_false(dump_clashes(&some, NET(10, 128, 0, 0), 30));
	assert_true(dump_clashes(&some, NET(10, 200, 0, 8), 30));
	assert_false(dump_clashes(&some, NET(10, 200, 0, 4), 30));
	assert_false(dump_clashes(&some, NET(10, 200, 0, 12), 30));
}

static void dump_steps_behind_what_is_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(dump_behind(&some, NET(10, 1, 2, 4), 30),
			 NET(10, 128, 0, 0));
	assert_int_equal(dump_behind(&some, NET(10, 200, 0, 8), 30),
			 NET(10, 200, 0, 12));
	assert_int_equal(dump_behind(&some, NET(10, 220, 0, 0), 30),
			 NET(10, 220, 0, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(veth_slot_tells_name_and_addresses),
		cmocka_unit_test(veth_last_slot_fits_its_name),
		cmocka_unit_test(dump_finds_larger_and_smaller_networks),
		cmocka_unit_test(dump_steps_behind_what_is_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
