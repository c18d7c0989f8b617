// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * base64_test.c - base64 both ways, strictly
 */
#include "wire_help.h"

#include "wire/http.h"

static void base64_has_the_vectors_of_rfc4648(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const size_t len = strlen(pairs[i][0]);
		const size_t coded = strlen(pairs[i][1]);
		uint8_t *text = help_block(pairs[i][1], coded);
		uint8_t *room = malloc(coded + 1);
		struct wr w = wr_of(room, coded);

		assert_true(base64_put(&w, pairs[i][0], len));
		assert_int_equal(wr_used(&w), coded);
		assert_memory_equal(room, pairs[i][1], coded);
		assert_int_equal(base64_get((char *)text, coded, room, len),
				 len);
		assert_memory_equal(room, pairs[i][0], len);
		if (len > 0) {
			w = wr_of(room, coded - 1);
			assert_false(base64_put(&w, pairs[i][0], len));
			assert_int_equal(
				base64_get((char *)text, coded, room, len - 1),
				-EMSGSIZE);
		}
		free(room);
		free(text);
	}
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = {
		"Z",	"Zg",	    "Zg=",  "Zm9v\n",	"Zm9vZ", "Z===",
		"====", "Zg==Zg==", "Zh==", "Zm9=",	"Zm-v",	 "Zm_v",
		"Zm v", "=m9v",	    "Zg=A", "Zm9v====",
	};
	char room[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			base64_get(bad[i], strlen(bad[i]), room, sizeof(room)),
			-EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_has_the_vectors_of_rfc4648),
		cmocka_unit_test(base64_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
