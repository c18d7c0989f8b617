// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * control_fuzz.c - what callers send to a daemon, and what it finds on disk
 *
 * The first byte chooses the decoder. What a call was read from is written and
 * read again: it must mean the same.
 */
#include "bus/varlink.h"
#include "daemon/state.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void fuzz_call(const char *text, size_t len)
{
	struct varlink_call c;
	struct varlink_call again;
	struct fault f;
	char *out;

	if (varlink_call_get(text, len, &c, &f) < 0)
		return;
	out = varlink_call_put(c.method, json_incref(c.parameters));
	if (out) {
		if (varlink_call_get(out, strlen(out), &again, &f) < 0 ||
		    strcmp(again.method, c.method) != 0 ||
		    !json_equal(again.parameters, c.parameters))
			abort();
		varlink_call_fini(&again);
	}
	(void)varlink_get_string(c.parameters, "name");
	free(out);
	varlink_call_fini(&c);
}

static void fuzz_reply(const char *text, size_t len)
{
	struct varlink_reply r;
	struct fault f;

	if (varlink_reply_get(text, len, &r, &f) == 0)
		varlink_reply_fini(&r);
}

static void fuzz_state(const char *text, size_t len)
{
	struct state s;
	struct fault f;

	if (state_parse(text, len, &s, &f) < 0)
		return;
	for (size_t i = 0; i < s.count; i++)
		if (!store_name_ok(s.box[i].name))
			abort();
	state_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		fuzz_call(text, size - 1);
		break;
	case 1:
		fuzz_reply(text, size - 1);
		break;
	default:
		fuzz_state(text, size - 1);
	}
	return 0;
}
