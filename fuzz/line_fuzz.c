// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * line_fuzz.c - any octets as what a sandbox's process or a helper says
 *
 * What people and the journal see of it is one line of printable characters,
 * and says which sandbox it came from.
 */
#include "block.h"

#include "base/text.h"
#include "box/board.h"
#include "daemon/line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void expect_line(struct line *l, const char *from)
{
	char shown[LINE_MAX + 128];
	size_t len;

	if (!l)
		return;
	assert(l->len == strlen(l->text) && l->len < LINE_MAX);
	expect_plain(l->text, l->len);
	if (from)
		assert(!strcmp(l->from, from));
	else
		assert(!l->from[0] || store_name_ok(l->from));
	len = line_show(l, true, shown, sizeof(shown));
	assert(len > 4 && len == strlen(shown) && shown[len - 1] == '\n');
	assert(shown[0] == '<' && shown[2] == '>');
	expect_plain(shown, len - 1);
	line_put(l);
}

static void try_card(const uint8_t *data, size_t len, size_t cut)
{
	struct job_card c = { 0 };
	char words[BOARD_WORDS + 1];

	card_add(&c, (const char *)data, cut);
	card_add(&c, (const char *)data + cut, len - cut);
	assert(c.words_len <= BOARD_WORDS);
	card_words(&c, words);
	assert(strlen(words) <= BOARD_WORDS);
	for (const char *at = words; *at; at++)
		assert(*at >= 0x20 && *at < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = text_of(data, len);
	char small[32];

	expect_line(line_hear(text, len, "work"), "work");
	expect_line(line_own(LOG_LEVEL_INFO, text), NULL);
	try_card(data, len, len ? data[0] % len : 0);
	text_quote(small, sizeof(small), text, len);
	expect_plain(small, strlen(small));
	free(text);
	return 0;
}
