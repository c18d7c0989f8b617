// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * opts_test.c - the words before the command
 */
#include "conf/opts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct got {
	char proxies[64];
	int verbose;
	bool json;
};

static int take_proxy(void *ctx, const char *value, struct fault *f)
{
	struct got *g = ctx;

	if (!strcmp(value, "bad"))
		return fault_plain(f, -EDOM, "bad one");
	(void)strcat(strcat(g->proxies, value), ";");
	return 0;
}

static int take_verbose(void *ctx, const char *value, struct fault *f)
{
	struct got *g = ctx;

	(void)f;
	assert_null(value);
	g->verbose++;
	return 0;
}

static int take_json(void *ctx, const char *value, struct fault *f)
{
	struct got *g = ctx;

	(void)f;
	assert_null(value);
	g->json = true;
	return 0;
}

static const struct opt opts[] = {
	{ 'x', "proxy", "URL", true, "way out", take_proxy },
	{ 'v', "verbose", NULL, true, "say more", take_verbose },
	{ 0, "json", NULL, false, "as JSON", take_json },
	{ 0, "hidden", NULL, false, NULL, take_json },
};

#define COUNT	   (sizeof(opts) / sizeof(opts[0]))
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int walk(const char *const *words, struct got *g, int *used,
		struct fault *f)
{
	*g = (struct got){ 0 };
	*f = (struct fault){ 0 };
	*used = -1;
	return opts_parse(opts, COUNT, (char *const *)(uintptr_t)words, g, used,
			  f);
}

static void all_forms_are_read(void **state)
{
	struct got g;
	struct fault f;
	int used;

	(void)state;
	assert_int_equal(
		walk(WORDS("-x", "a", "-xb", "--proxy", "c", "--proxy=d",
			   "--proxy=", "-vv", "--verbose", "--json", "cmd"),
		     &g, &used, &f),
		0);
	assert_string_equal(g.proxies, "a;b;c;d;;");
	assert_int_equal(g.verbose, 3);
	assert_true(g.json);
	assert_int_equal(used, 10);
	assert_int_equal(walk(WORDS("-vxe", "-"), &g, &used, &f), 0);
	assert_string_equal(g.proxies, "e;");
	assert_int_equal(used, 1); /* "-" is no option */
}

static void the_command_is_opaque(void **state)
{
	struct got g;
	struct fault f;
	int used;

	(void)state;
	assert_int_equal(
		walk(WORDS("-v", "cmd", "-v", "--nope"), &g, &used, &f), 0);
	assert_int_equal(used, 1);
	assert_int_equal(walk(WORDS("-v", "--", "-v", "--help"), &g, &used, &f),
			 0);
	assert_int_equal(used, 2);
	assert_int_equal(g.verbose, 1);
	assert_int_equal(walk(WORDS("-x", "--", "cmd"), &g, &used, &f), 0);
	assert_string_equal(g.proxies, "--;"); /* it was the argument */
	assert_int_equal(walk(WORDS("--"), &g, &used, &f), 0);
	assert_int_equal(used, 1);
	assert_int_equal(walk(WORDS("", "-v"), &g, &used, &f), 0);
	assert_int_equal(used, 0);
}

static void misuse_is_told(void **state)
{
	struct got g;
	struct fault f;
	int used;

	(void)state;
	assert_int_equal(walk(WORDS("-z"), &g, &used, &f), -EINVAL);
	assert_string_equal(f.text, "unknown option '-z'");
	assert_int_equal(walk(WORDS("--verbos"), &g, &used, &f), -EINVAL);
	assert_non_null(strstr(f.hint, "'--verbose'"));
	assert_int_equal(walk(WORDS("--hiddn"), &g, &used, &f), -EINVAL);
	assert_null(strstr(f.hint, "hidden"));
	assert_int_equal(walk(WORDS("-x"), &g, &used, &f), -EINVAL);
	assert_int_equal(walk(WORDS("--proxy"), &g, &used, &f), -EINVAL);
	assert_string_equal(f.text, "'--proxy' needs its URL");
	assert_int_equal(walk(WORDS("--json=1"), &g, &used, &f), -EINVAL);
	assert_int_equal(walk(WORDS("--json", "--json"), &g, &used, &f),
			 -EINVAL);
	assert_int_equal(walk(WORDS("-x", "bad", "-v"), &g, &used, &f), -EDOM);
	assert_int_equal(g.verbose, 0);
	assert_int_equal(walk(WORDS("---"), &g, &used, &f), -EINVAL);
	assert_int_equal(walk(WORDS("--=x"), &g, &used, &f), -EINVAL);
	assert_int_equal(used, -1); /* untouched */
	/* A secret behind "=" is not repeated. */
	assert_int_equal(
		walk(WORDS("--prox=socks5://u:secret@h"), &g, &used, &f),
		-EINVAL);
	assert_null(strstr(f.text, "secret"));
}

static void help_is_asked_for(void **state)
{
	struct got g;
	struct fault f;
	int used;

	(void)state;
	assert_int_equal(walk(WORDS("--help"), &g, &used, &f), 1);
	assert_int_equal(walk(WORDS("-vh"), &g, &used, &f), 1);
	assert_int_equal(walk(WORDS("cmd", "--help"), &g, &used, &f), 0);
}

static void help_is_aligned_and_hides(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_non_null(to);
	opts_help(opts, COUNT, to);
	(void)fclose(to);
	assert_string_equal(text, "  -x, --proxy URL  way out\n"
				  "  -v, --verbose    say more\n"
				  "      --json       as JSON\n"
				  "  -h, --help       show this\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_are_read),
		cmocka_unit_test(the_command_is_opaque),
		cmocka_unit_test(misuse_is_told),
		cmocka_unit_test(help_is_asked_for),
		cmocka_unit_test(help_is_aligned_and_hides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
