// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wireguard_fuzz.c - any octets as a provider's WireGuard file
 *
 * It is taken whole or refused in one sentence, which tells no key; what was
 * taken keeps within its bounds, and nothing of it is left to be run.
 */
#include "block.h"

#include "conf/wireguard.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEY "QEtleUtleUtleUtleUtleUtleUtleUtleUtleUtleUs="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect_net(const struct wireguard_net *n)
{
	const unsigned int bits = n->ip.family == AF_INET ? 32 : 128;

	assert(n->ip.family == AF_INET || n->ip.family == AF_INET6);
	assert(n->len <= bits);
}

static void expect_sound(const struct wireguard *w)
{
	assert(memchr(w->conf, '\0', sizeof(w->conf)));
	assert(w->address_count <= WIREGUARD_ADDRS);
	assert(w->allowed_count <= WIREGUARD_ALLOWED);
	assert(w->dns_count <= PLAN_SERVERS);
	for (unsigned int i = 0; i < w->address_count; i++)
		expect_net(&w->address[i]);
	for (unsigned int i = 0; i < w->allowed_count; i++)
		expect_net(&w->allowed[i]);
	for (const char *at = w->conf; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		at += strspn(at, " \t");
		assert(strncasecmp(at, "Post", 4) != 0);
		assert(strncasecmp(at, "PreU", 4) != 0);
		assert(strncasecmp(at, "PreDown", 7) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wireguard *w = calloc(1, sizeof(*w));
	char *text = text_of(data, len);
	struct fault f = { 0 };
	int rc;

	assert(w);
	rc = wireguard_parse(text, "/etc/wireguard/wg0.conf", w, &f);
	assert(rc == 0 || rc == -EINVAL);
	if (rc == 0) {
		expect_sound(w);
	} else {
		assert(f.code == rc && f.text[0] && !strchr(f.text, '\n'));
		assert(!strstr(f.text, KEY));
	}
	free(text);
	free(w);
	return 0;
}
