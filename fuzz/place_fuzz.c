// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * place_fuzz.c - any octets as the small words of a command line
 *
 * Servers of names and their stamps, ports, names that may leave. Each is
 * taken, and within bounds then, or refused in one sentence.
 */
#include "block.h"

#include "base/text.h"
#include "bus/only.h"
#include "conf/dns.h"
#include "conf/dns_stamp.h"
#include "conf/only.h"
#include "conf/place.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect_said(int rc, const struct fault *f)
{
	assert(rc <= 0);
	if (rc < 0)
		assert(f->code == rc && f->text[0] && !strchr(f->text, '\n'));
}

static void try_ports(const char *text)
{
	struct plan_publish publish = { 0 };
	struct addr ready = { 0 };
	char host[NAME_MAX_LEN + 1] = "";
	bool is_udp = false;
	struct fault f = { 0 };
	uint16_t port = 0;
	int rc = host_port_parse(text, host, &port, &f);

	expect_said(rc, &f);
	if (rc == 0)
		assert(host[0] && port > 0);
	port = 0;
	rc = proto_port_parse(text, &is_udp, &port, &f);
	expect_said(rc, &f);
	assert((rc == 0) == (port > 0));
	rc = publish_parse(text, &publish, &f);
	expect_said(rc, &f);
	assert((rc == 0) == (publish.inner_port > 0));
	assert((rc == 0) == (publish.host.port > 0));
	rc = ready_parse(text, &ready, &f);
	expect_said(rc, &f);
	assert((rc == 0) == (ready.port > 0));
}

static void try_servers(const char *text)
{
	static struct dns_wish w;
	struct dns_stamp stamp;
	struct fault f = { 0 };
	int rc;

	memset(&w, 0, sizeof(w));
	rc = dns_parse(text, &w, &f);
	expect_said(rc, &f);
	assert(w.is_set == (rc == 0) && w.server_count <= PLAN_SERVERS);
	(void)dns_check(text, &f);
	if (rc == 0)
		(void)dns_why_not_plain(&w);
	if (dns_stamp_read(text, &stamp))
		assert(memchr(stamp.addr, '\0', sizeof(stamp.addr)) &&
		       memchr(stamp.host, '\0', sizeof(stamp.host)));
}

/** try_program() - Whatever dnsproxy is told, none of it is an option */
static void try_program(const char *text)
{
	static struct dnsproxy_command command;
	static struct dnsproxy_wish w;
	static struct plan p;
	struct fault f = { 0 };

	memset(&w, 0, sizeof(w));
	memset(&p, 0, sizeof(p));
	p.hop[0].kind = HOP_SOCKS5;
	p.hop_count = 1;
	assert(!dnsproxy_begin(DNSPROXY_NAME, &w));
	if (dnsproxy_add(text, &w) || dnsproxy_check(&w, &f) < 0 ||
	    dnsproxy_command(&w, &p, &command, &f) < 0)
		return;
	assert(p.alias_count <= PLAN_ALIASES);
	for (unsigned int i = 0; i < w.server.count; i++)
		assert(w.server.word[i][0] != '-');
	assert(command.argv[command.argc] == NULL);
}

static void try_only(const char *text)
{
	static struct plan p;
	struct fault f = { 0 };

	memset(&p, 0, sizeof(p));
	if (only_add(&p, text, &f) < 0)
		return;
	assert(p.only_count == 1 && text_name_ok(p.only[0].name));
	assert(only_allows(&p, p.only[0].name) == !p.only[0].below);
	assert(!only_allows(&p, "") && !only_allows(&p, "."));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = text_of(data, len);

	try_ports(text);
	try_servers(text);
	try_program(text);
	try_only(text);
	free(text);
	return 0;
}
