// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * import_dns.c - what the arguments of a netns-proxy file's dnsproxy mean to us
 */
#include "import_dns.h"

#include "base/text.h"
#include "conf/dns.h"

#include <stdio.h>
#include <string.h>

/** words_add() - Return: whether there was room for it */
static bool words_add(struct dns_words *to, const char *before,
		      const char *value)
{
	int n;

	if (to->count == IMPORT_WORDS)
		return false;
	n = snprintf(to->word[to->count], DNSPROXY_WORD, "%s%s", before, value);
	if (n < 0 || n >= DNSPROXY_WORD)
		return false;
	to->count++;
	return true;
}

bool import_dns_words(const json_t *args, struct dns_words *to)
{
	static const struct {
		const char *brief;
		const char *name;
		const char *before;
	} flags[] = {
		{ "-u", "--upstream", "" },
		{ "-b", "--bootstrap", "bootstrap=" },
	};
	bool has_more = false;

	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *word = json_string_value(json_array_get(args, i));
		const char *next =
			json_string_value(json_array_get(args, i + 1));
		bool is_known = false;

		for (size_t k = 0; word && k < 2; k++) {
			const size_t len = strlen(flags[k].name);
			const char *value = NULL;

			if (!strcmp(word, flags[k].brief) ||
			    !strcmp(word, flags[k].name))
				value = next;
			else if (text_starts(word, flags[k].name) &&
				 word[len] == '=')
				value = word + len + 1;
			if (!value)
				continue;
			i += value == next;
			is_known = words_add(to, flags[k].before, value);
			break;
		}
		has_more |= !is_known;
	}
	return has_more;
}

bool import_needs_program(const struct dns_words *all)
{
	struct dns_wish w = { 0 };
	bool needs = false;
	bool is_good = dns_parse(DNSPROXY_NAME, &w, NULL) == 0;

	for (unsigned int i = 0; is_good && i < all->count; i++) {
		struct dns_wish alone = { 0 };

		needs |= !text_starts(all->word[i], "bootstrap=") &&
			 dns_parse(all->word[i], &alone, NULL) < 0;
		is_good = dns_parse(all->word[i], &w, NULL) == 0;
	}
	return needs && is_good && dnsproxy_check(&w.program, NULL) == 0;
}
