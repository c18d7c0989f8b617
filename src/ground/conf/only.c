// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * only.c - names that may leave, as people write them
 *
 * The key 'only' and run --only come in here; who obeys them is in
 * bus/only.c.
 */
#include "conf/only.h"

#include "base/addr.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define ONLY_SHOWN 80

static int only_fault(struct fault *f, const char *text, const char *why)
{
	char shown[ONLY_SHOWN];

	(void)fault_plain(f, -EINVAL, "'%s': %s",
			  text_quote(shown, sizeof(shown), text, strlen(text)),
			  why);
	(void)fault_hint(f, "write a domain, such as example.org, or "
			    "*.example.org for what is below it");
	return -EINVAL;
}

int only_parse(const char *text, struct plan_only *ret, struct fault *f)
{
	struct plan_only got = { .below = text_starts(text, "*.") };
	const char *from = text + (got.below ? 2 : 0);
	size_t len = strlen(from);
	struct addr a;

	if (len > 0 && from[len - 1] == '.')
		len--;
	if (!text_copy_n(got.name, sizeof(got.name), from, len) ||
	    !text_name_ok(got.name))
		return only_fault(f, text, "this is no domain");
	if (addr_parse_ip(got.name, &a))
		return only_fault(f, text, "this is an address, no domain");
	for (char *c = got.name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	*ret = got;
	return 0;
}

int only_add(struct plan *p, const char *text, struct fault *f)
{
	if (p->only_count == PLAN_ONLY)
		return fault_plain(f, -E2BIG,
				   "at most %d patterns of names can be given",
				   PLAN_ONLY);
	if (only_parse(text, &p->only[p->only_count], f) < 0)
		return -EINVAL;
	p->only_count++;
	return 0;
}
