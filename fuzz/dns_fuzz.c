// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_fuzz.c - queries and upstreams' answers that a stranger made
 *
 * The first octet says what the rest is: a query in one of the modes (codec,
 * policy, leases), or an answer to a fixed question (check, strip, relay).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "names/query.h"
#include "wire/dns_upstream.h"

#define OUT_ROOM 1500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** promise() - What must hold for any input */
static void promise(int holds)
{
	if (!holds)
		abort();
}

/** answer_check() - What we send is well-formed, whatever came */
static void answer_check(const uint8_t *msg, size_t len, size_t room)
{
	struct dns_walk w;
	struct dns_rr rr;
	int rc;

	promise(len <= room);
	if (len == 0)
		return;
	promise(dns_walk_begin(msg, len, &w));
	while ((rc = dns_walk_next(&w, &rr)) == 1)
		continue;
	promise(rc == 0 && rd_left(&w.r) == 0);
}

static void query_fuzz(uint8_t how, const uint8_t *msg, size_t len)
{
	static struct plan plan = { .hop_count = 1, .expose_count = 1 };
	static struct leases leases;
	uint8_t out[OUT_ROOM];
	struct dns_query q;
	size_t out_len = 0;
	size_t room;
	int form;

	if (!leases.pool)
		promise(leases_init(&leases, 64) == 0);
	plan.names = how & 1 ? NAMES_FORWARD : NAMES_FAKE;
	plan.hop[0].kind = how & 2 ? HOP_DIRECT : HOP_SOCKS5;
	plan.want_v4 = how & 4;
	plan.want_v6 = how & 8;
	plan.expose[0].addr = addr_from_ip4("\12\1\2\3", 80);
	memcpy(plan.expose[0].name, "db", 3);
	form = dns_query_get(msg, len, &q);
	if (form < 0)
		return;
	room = q.udp_room < OUT_ROOM ? q.udp_room : OUT_ROOM;
	if (query_answer(&plan, &leases, &q, form, out, room, &out_len) == 0)
		answer_check(out, out_len, room);
	else
		promise(plan.names == NAMES_FORWARD && form == DNS_NOERROR);
}

/** relay_fuzz() - Stripped, an answer has no OPT and no hints any more, and
 * stripping it again changes nothing */
static void relay_fuzz(const struct dns_query *q, const uint8_t *copy,
		       size_t len)
{
	static uint8_t out[DNS_MESSAGE_MAX];
	uint8_t *again = malloc(len);
	size_t again_len = 0;
	struct dns_walk w;
	struct dns_rr rr;
	int rc;

	promise(again != NULL);
	promise(dns_walk_begin(copy, len, &w));
	while ((rc = dns_walk_next(&w, &rr)) == 1)
		promise(rr.type != DNS_OPT);
	if (rc == 0 && dns_upstream_strip(copy, len, again, &again_len) == 0)
		promise(again_len == len && !memcmp(again, copy, len));
	free(again);
	answer_check(out,
		     dns_upstream_relay(out, sizeof(out), q, copy, len, 10),
		     sizeof(out));
	answer_check(out, dns_upstream_relay(out, 512, q, copy, len, 0), 512);
}

static void answer_fuzz(uint8_t how, const uint8_t *msg, size_t len)
{
	struct dns_query q = { .type = how & 4 ? DNS_HTTPS : DNS_A,
			       .class = DNS_CLASS_IN,
			       .has_question = true,
			       .has_opt = how & 8 };
	struct dns_verdict v;
	uint8_t *copy;
	size_t copy_len;

	promise(dns_name_of_text("a.test", &q.name));
	if (dns_upstream_check(msg, len, &q, &v) < 0 || v.is_cut ||
	    (v.rcode != DNS_NOERROR && v.rcode != DNS_NXDOMAIN))
		return;
	copy = malloc(len);
	promise(copy != NULL);
	if (dns_upstream_strip(msg, len, copy, &copy_len) == 0) {
		promise(copy_len <= len);
		relay_fuzz(&q, copy, copy_len);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 0x80)
		answer_fuzz(data[0], data + 1, size - 1);
	else
		query_fuzz(data[0], data + 1, size - 1);
	return 0;
}
