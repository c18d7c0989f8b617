// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks5_code_test.c - what reply codes mean
 */
#include "wire_help.h"

#include "wire/socks5.h"

#include <stdio.h>

static void codes_and_errnos_are_inverse(void **state)
{
	static const int errs[] = { 0,
				    -EACCES,
				    -ENETUNREACH,
				    -EHOSTUNREACH,
				    -ECONNREFUSED,
				    -ETIMEDOUT,
				    -EOPNOTSUPP };
	char want[16];

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		assert_int_equal(socks5_errno((uint8_t)socks5_code_of(errs[i])),
				 errs[i]);
	assert_int_equal(socks5_errno(SOCKS5_FAILED), -EHOSTUNREACH);
	assert_int_equal(socks5_errno(SOCKS5_BAD_ADDRESS), -ENETUNREACH);
	for (unsigned int code = 9; code < 256; code++)
		assert_int_equal(socks5_errno((uint8_t)code), -EHOSTUNREACH);
	assert_int_equal(socks5_code_of(-EAFNOSUPPORT), SOCKS5_BAD_ADDRESS);
	assert_int_equal(socks5_code_of(-EIO), SOCKS5_FAILED);
	assert_string_equal(socks5_code_text(5), "connection refused");
	assert_string_equal(socks5_code_text(0x42), "code 0x42");
	for (unsigned int code = 9; code < 0xf0; code++) {
		(void)snprintf(want, sizeof(want), "code 0x%02x", code);
		assert_string_equal(socks5_code_text((uint8_t)code), want);
	}
	assert_string_equal(socks5_code_text(0xff), "code 0xff");
	assert_string_equal(socks5_code_text(0xf7),
			    "onion service introduction timed out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_and_errnos_are_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
