// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_fuzz.c - any octets as a configuration
 *
 * It is taken or refused, in bounded time and memory; what was taken becomes
 * plans, and nothing in it comes from the environment.
 */
#include "conf/profile.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PLANTED "planted-in-the-environment"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return setenv("A", PLANTED, 1);
}

static void expect_own_words(const struct conf *c)
{
	for (const struct section *s = c->first; s; s = s->next) {
		assert(!strstr(s->name, PLANTED));
		for (unsigned int k = 0; k < forms[s->kind].count; k++)
			for (unsigned int i = 0; i < s->set[k].count; i++)
				assert(!strstr(s->set[k].value[i].text,
					       PLANTED));
	}
}

static void expect_plans(struct conf *c)
{
	for (const struct section *s = c->first; s; s = s->next) {
		struct plan plan = { 0 };
		struct dns_wish dns = { 0 };
		struct profile p;

		if (s->kind != SECTION_PROFILE)
			continue;
		assert(profile_get(c, s->name, &p, NULL) == 0);
		if (profile_to_plan(c, &p, &plan, &dns, NULL) == 0)
			assert(plan.hop_count > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct conf c;

	/* It would be opened, and this machine's files are no test's; and what
	 * stands in the text itself need not come from the environment. */
	if (memmem(data, len, "password-file", 13) ||
	    memmem(data, len, PLANTED, strlen(PLANTED)))
		return 0;
	conf_init(&c, 0);
	conf_add_text(&c, conf_new_file(&c, "file", LAYER_SYSTEM),
		      (const char *)data, len);
	if (conf_finish(&c) == 0)
		expect_plans(&c);
	else
		assert(c.problems.first);
	expect_own_words(&c);
	conf_fini(&c);
	return 0;
}
