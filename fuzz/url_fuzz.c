// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * url_fuzz.c - any octets as a proxy's URL, or as a chain of them
 *
 * It becomes hops that are whole, or one printable sentence; and however
 * malformed it is, a password is in no sentence and no label.
 */
#include "block.h"

#include "conf/hop.h"
#include "conf/url.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "Pa55w0rd"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect_shown(const char *text)
{
	for (const char *at = text; *at; at++)
		assert(*at >= 0x20 && *at < 0x7f);
}

static void expect_hop(const struct hop *h)
{
	const bool is_net = h->kind <= HOP_HTTPS && !h->path[0];

	assert(h->kind < HOP_KINDS);
	assert(is_net == (h->host[0] != '\0'));
	assert(is_net == (h->port > 0));
	assert(h->has_auth || (!h->user[0] && !h->pass[0]));
	assert(h->addr_count == 0 && h->label[0]);
	expect_shown(h->label);
}

static void try_hop(const char *url)
{
	struct hop h = { 0 };
	struct fault f = { 0 };

	if (hop_parse(url, &h, &f) == 0) {
		expect_hop(&h);
	} else {
		assert(f.code == -EINVAL && f.text[0]);
		expect_shown(f.text);
	}
}

static void try_chain(const char *text)
{
	static struct plan p;
	struct fault f = { 0 };

	memset(&p, 0, sizeof(p));
	if (chain_parse(&p, text, &f) < 0) {
		assert(p.hop_count == 0 && f.text[0]);
		return;
	}
	assert(p.hop_count > 0 && p.hop_count <= PLAN_HOPS);
	for (unsigned int i = 0; i < p.hop_count; i++)
		expect_hop(&p.hop[i]);
	(void)chain_check(&p, &f);
	(void)chain_has_udp(&p);
}

/** try_secret() - The same with a password where one is meant */
static void try_secret(const char *rest)
{
	static const char head[] = "socks5://user:" SECRET;
	char *url = malloc(sizeof(head) + strlen(rest) + 2);
	char shown[URL_SHOWN];
	struct fault f = { 0 };
	struct hop h = { 0 };

	assert(url);
	(void)stpcpy(stpcpy(stpcpy(url, head), "@"), rest);
	if (!strstr(rest, SECRET)) {
		assert(!strstr(url_mask(shown, sizeof(shown), url), SECRET));
		expect_shown(shown);
		if (hop_parse(url, &h, &f) == 0)
			assert(!strstr(h.label, SECRET));
		else
			assert(!strstr(f.text, SECRET));
	}
	free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = text_of(data, len);

	try_hop(text);
	try_chain(text);
	try_secret(text);
	free(text);
	return 0;
}
