// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * names_test.c - what answers what: leases, special names, real upstreams
 *
 * One loop with a hand-turned clock; the way out is direct and leads to the
 * toy server of names_toy.h.
 */
#include "names_toy.h"

#include "names/names.h"

#include <stdio.h>

#define TURNS 400

/** struct bench - everything a test needs; @got counts answers, of which
 * @last is the last */
struct bench {
	struct loop loop;
	struct plan plan;
	struct way way;
	struct toy toy;
	struct toy second;
	struct names *names;
	unsigned int got;
	unsigned int id_sum;
	size_t last_len;
	uint8_t last[DNS_UDP_MAX];
	struct addr last_from;
	struct addr last_to;
};

static uint64_t now_ms;

static uint64_t hand_clock(void)
{
	return now_ms;
}

static void on_reply(void *ctx, const struct addr *from, const struct addr *to,
		     const void *msg, size_t len)
{
	struct bench *b = ctx;

	assert_true(len <= sizeof(b->last));
	memcpy(b->last, msg, len);
	b->last_len = len;
	b->last_from = *from;
	b->last_to = *to;
	b->got++;
	b->id_sum += (unsigned int)b->last[0] << 8 | b->last[1];
}

static struct bench *bench_new(enum names_mode mode, bool is_tcp)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	now_ms = 1000000;
	assert_int_equal(loop_init(&b->loop), 0);
	b->loop.clock_ms = hand_clock;
	b->loop.now_ms = now_ms;
	toy_start(&b->toy, &b->loop);
	toy_start(&b->second, &b->loop);
	b->plan.names = mode;
	b->plan.want_v4 = b->plan.want_v6 = true;
	b->plan.hop_count = 1;
	b->plan.hop[0].kind = mode == NAMES_FAKE ? HOP_SOCKS5 : HOP_DIRECT;
	b->plan.server[0] = (struct plan_server){ is_tcp, b->toy.addr };
	b->plan.server[1] = (struct plan_server){ is_tcp, b->second.addr };
	b->plan.server_count = 1;
	way_init_direct(&b->way, &b->loop);
	assert_int_equal(
		names_new(&b->loop, &b->way, &b->plan, on_reply, b, &b->names),
		0);
	return b;
}

/** bench_again() - Let a changed plan count */
static void bench_again(struct bench *b)
{
	names_free(b->names);
	assert_int_equal(
		names_new(&b->loop, &b->way, &b->plan, on_reply, b, &b->names),
		0);
}

static void bench_free(struct bench *b)
{
	names_free(b->names);
	toy_stop(&b->toy);
	toy_stop(&b->second);
	way_fini(&b->way);
	loop_fini(&b->loop);
	free(b);
}

static void ask_with(struct bench *b, const char *name,
		     const struct help_query *h)
{
	const struct addr from = addr_from_ip4("\306\22\0\1", 40000);
	const struct addr to = addr_from_ip4("\10\10\10\10", 53);
	uint8_t buf[512];
	const size_t len = help_query_put(buf, sizeof(buf), name, h);
	uint8_t *block = help_block(buf, len);

	names_datagram(b->names, &from, &to, block, len);
	free(block);
}

static void ask(struct bench *b, const char *name, uint16_t type)
{
	const struct help_query h = {
		.id = 5, .flags = DNS_RD, .type = type, .edns_size = 1232
	};

	ask_with(b, name, &h);
}

/** turn_until() - Turn the loop until there are @want answers */
static void turn_until(struct bench *b, unsigned int want)
{
	for (int i = 0; i < TURNS && b->got < want; i++)
		assert_int_equal(loop_turn(&b->loop, 5), 0);
	assert_int_equal(b->got, want);
}

static void turn_a_little(struct bench *b)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(&b->loop, 1), 0);
}

/** answer_to() - Ask, and wait for the answer */
static struct help_answer answer_to(struct bench *b, const char *name,
				    uint16_t type)
{
	const unsigned int before = b->got;

	ask(b, name, type);
	turn_until(b, before + 1);
	return help_answer_get(b->last, b->last_len);
}

static void assert_rcode(struct bench *b, const char *name, uint16_t type,
			 unsigned int rcode)
{
	const struct help_answer a = answer_to(b, name, type);

	if (help_rcode(&a) != rcode)
		print_error("%s type %u: code %u, not %u\n", name, type,
			    help_rcode(&a), rcode);
	assert_int_equal(help_rcode(&a), rcode);
	assert_int_equal(a.count[DNS_ANSWER], 0);
	if (rcode == DNS_NXDOMAIN || rcode == DNS_NOERROR) {
		assert_true(a.has_soa);
		assert_int_equal(a.soa_ttl, 60);
	}
}

/** lease_of() - The address that a name is answered with */
static struct addr lease_of(struct bench *b, const char *name, uint16_t type)
{
	const struct help_answer a = answer_to(b, name, type);
	struct addr addr;

	assert_int_equal(help_rcode(&a), DNS_NOERROR);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_int_equal(a.first.type, type);
	assert_int_equal(a.first.ttl, 60);
	addr = type == DNS_A ? addr_from_ip4(a.data, 0)
			     : addr_from_ip6(a.data, 0);
	assert_true(names_is_leasable(&addr));
	return addr;
}

static void assert_leased(struct bench *b, const char *name)
{
	const struct addr a4 = lease_of(b, name, DNS_A);
	const struct addr a6 = lease_of(b, name, DNS_AAAA);
	char text[NAME_MAX_LEN + 1];

	assert_true(names_of_lease(b->names, &a4, text));
	assert_string_equal(text, name);
	assert_true(names_of_lease(b->names, &a6, text));
	assert_string_equal(text, name);
}

/* ---- fake ---- */

static void answer_comes_from_the_asked_address(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	(void)answer_to(b, "example.org", DNS_A);
	assert_int_equal(b->last_from.port, 53);
	assert_memory_equal(b->last_from.ip, "\10\10\10\10", 4);
	assert_int_equal(b->last_to.port, 40000);
	bench_free(b);
}

static void ordinary_names_get_leases(void **state)
{
	static const char *const names[] = {
		"example.org",	     "a.example.org", "demo.test",
		"host.internal",     "x.home.arpa",   "abc.onion",
		"a.b.i2p",	     "_srv.x.org",    "1.2.3.4.example",
		"1.2.3.4a.org",	     "0x7f.1.com",    "notonion.org",
		"localhost.example",
	};
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_leased(b, names[i]);
	bench_free(b);
}

static void letter_case_is_one_name(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const struct addr a = lease_of(b, "eXamPle.ORG", DNS_A);
	const struct addr again = lease_of(b, "example.org", DNS_A);

	(void)state;
	assert_true(addr_equal(&a, &again));
	bench_free(b);
}

static void special_names_are_answered_here(void **state)
{
	static const char *const absent[] = {
		"invalid",	"a.invalid",	   "printer.local",
		"a.alt",	"x.exit",	   "wpad",
		"single",	"onion",	   "i2p",
		"1.2.3.4",	"127.1",	   "2130706433",
		"0x7f.1",	"0x7f000001",	   "1.2.3.0x4",
		"1.0x",		"0177.0.0.1",	   "use-application-dns.net",
		"a b.org",	"a/b.org",	   "a:b.onion",
		"\xc3\xbc.org", "10.in-addr.arpa",
	};
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		assert_rcode(b, absent[i], DNS_A, DNS_NXDOMAIN);
		assert_rcode(b, absent[i], DNS_AAAA, DNS_NXDOMAIN);
	}
	assert_rcode(b, "_dns.resolver.arpa", DNS_SVCB, DNS_NOERROR);
	assert_rcode(b, "ipv4only.arpa", DNS_AAAA, DNS_NOERROR);
	assert_rcode(b, "", DNS_A, DNS_NOERROR);
	assert_rcode(b, "", DNS_NS, DNS_NOERROR);
	bench_free(b);
}

static void localhost_is_the_loopback(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	struct help_answer a = answer_to(b, "localhost", DNS_A);

	(void)state;
	assert_int_equal(a.data_len, 4);
	assert_memory_equal(a.data, "\177\0\0\1", 4);
	a = answer_to(b, "a.LocalHost", DNS_AAAA);
	assert_int_equal(a.data_len, 16);
	assert_memory_equal(a.data, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_rcode(b, "localhost", DNS_TXT, DNS_NOERROR);
	bench_free(b);
}

static void other_types_are_empty_or_refused(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const struct help_query chaos = { .type = DNS_TXT, .class = 3 };
	struct help_answer a;

	(void)state;
	assert_rcode(b, "example.org", DNS_HTTPS, DNS_NOERROR);
	assert_rcode(b, "example.org", DNS_SVCB, DNS_NOERROR);
	assert_rcode(b, "example.org", DNS_TXT, DNS_NOERROR);
	assert_rcode(b, "example.org", 252, DNS_NOTIMP);
	assert_rcode(b, "example.org", DNS_OPT, DNS_FORMERR);
	a = answer_to(b, "example.org", DNS_ANY);
	assert_int_equal(a.first.type, DNS_HINFO);
	ask_with(b, "version.bind", &chaos);
	a = help_answer_get(b->last, b->last_len);
	assert_int_equal(help_rcode(&a), DNS_REFUSED);
	bench_free(b);
}

static void unwanted_family_is_empty(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);

	(void)state;
	b->plan.want_v6 = false;
	assert_rcode(b, "example.org", DNS_AAAA, DNS_NOERROR);
	(void)lease_of(b, "example.org", DNS_A);
	b->plan.want_v6 = true;
	b->plan.want_v4 = false;
	assert_rcode(b, "example.org", DNS_A, DNS_NOERROR);
	(void)lease_of(b, "example.org", DNS_AAAA);
	bench_free(b);
}

static void reverse_put(const struct addr *a, char *ret, size_t room)
{
	size_t used = 0;

	for (int i = (int)addr_size(a) - 1; i >= 0; i--)
		used += (size_t)snprintf(
			ret + used, room - used,
			a->family == AF_INET ? "%u." : "%x.%x.",
			a->family == AF_INET ? a->ip[i] : a->ip[i] & 15,
			a->ip[i] >> 4);
	(void)snprintf(ret + used, room - used, "%s",
		       a->family == AF_INET ? "in-addr.arpa" : "ip6.arpa");
}

static void lease_has_its_name_in_reverse(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const uint16_t types[] = { DNS_A, DNS_AAAA };
	char reverse[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct addr addr =
			lease_of(b, "www.example.org", types[i]);
		struct help_answer a;

		reverse_put(&addr, reverse, sizeof(reverse));
		a = answer_to(b, reverse, DNS_PTR);
		assert_int_equal(a.count[DNS_ANSWER], 1);
		assert_int_equal(a.data_len, 17);
		assert_memory_equal(a.data, "\3www\7example\3org", 17);
		assert_rcode(b, reverse, DNS_TXT, DNS_NOERROR);
	}
	assert_rcode(b, "0.0.18.198.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "255.255.19.198.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "1.0.0.10.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "8.8.8.8.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	bench_free(b);
}

static void exposed_names_have_their_addresses(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	struct help_answer a;

	(void)state;
	b->plan.expose_count = 3;
	for (int i = 0; i < 3; i++) {
		assert_true(addr_parse_ip(i < 2 ? "10.1.2.3" : "10.1.2.4",
					  &b->plan.expose[i].addr));
		b->plan.expose[i].addr.port = (uint16_t)(80 + i);
		strcpy(b->plan.expose[i].name, "Db");
	}
	a = answer_to(b, "dB", DNS_A);
	assert_int_equal(a.count[DNS_ANSWER], 2);
	assert_memory_equal(a.data, "\12\1\2\3", 4);
	assert_rcode(b, "db", DNS_AAAA, DNS_NOERROR);
	assert_rcode(b, "x.db", DNS_TXT, DNS_NOERROR);
	bench_free(b);
}

static void hidden_names_need_a_proxy(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);

	(void)state;
	assert_rcode(b, "abc.onion", DNS_A, DNS_NXDOMAIN);
	b->plan.hop[0].kind = HOP_SOCKS5;
	assert_leased(b, "abc.onion");
	assert_rcode(b, "abc.onion", DNS_TXT, DNS_NOERROR);
	assert_int_equal(b->toy.udp + b->toy.tcp, 0);
	bench_free(b);
}

static void off_refuses(void **state)
{
	struct bench *b = bench_new(NAMES_OFF, false);
	const struct help_answer a = answer_to(b, "example.org", DNS_A);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_REFUSED);
	bench_free(b);
}

static void held_lease_survives(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const struct addr a = lease_of(b, "held.org", DNS_A);
	char text[NAME_MAX_LEN + 1];

	(void)state;
	names_hold(b->names, &a);
	assert_true(names_of_lease(b->names, &a, text));
	names_drop(b->names, &a);
	assert_string_equal(text, "held.org");
	bench_free(b);
}

/* ---- forward ---- */

static void assert_real(const struct help_answer *a)
{
	assert_int_equal(help_rcode(a), DNS_NOERROR);
	assert_int_equal(a->count[DNS_ANSWER], 1);
	assert_memory_equal(a->data, "\300\0\2\1", 4);
}

static void upstream_is_asked_by_udp(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);
	const struct help_answer a = answer_to(b, "www.test", DNS_A);

	(void)state;
	assert_real(&a);
	assert_true(a.has_opt);
	assert_int_equal(a.id, 5);
	assert_int_equal(b->toy.udp, 1);
	assert_int_equal(b->toy.tcp, 0);
	bench_free(b);
}

static void answers_are_kept_and_age(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);
	struct help_answer a = answer_to(b, "www.test", DNS_A);

	(void)state;
	assert_int_equal(a.first.ttl, 300);
	now_ms += 100500;
	turn_a_little(b);
	a = answer_to(b, "WWW.test", DNS_A);
	assert_int_equal(a.first.ttl, 200);
	assert_int_equal(b->toy.udp, 1);
	now_ms += 200000;
	turn_a_little(b);
	a = answer_to(b, "www.test", DNS_A);
	assert_int_equal(a.first.ttl, 300);
	assert_int_equal(b->toy.udp, 2);
	bench_free(b);
}

static void absence_is_kept_as_the_soa_says(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);
	struct help_answer a = answer_to(b, "nx.test", DNS_A);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_NXDOMAIN);
	now_ms += 29000;
	turn_a_little(b);
	a = answer_to(b, "nx.test", DNS_A);
	assert_int_equal(b->toy.udp, 1);
	now_ms += 2000;
	turn_a_little(b);
	a = answer_to(b, "nx.test", DNS_A);
	assert_int_equal(help_rcode(&a), DNS_NXDOMAIN);
	assert_int_equal(b->toy.udp, 2);
	bench_free(b);
}

static void same_question_is_asked_once(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);

	(void)state;
	for (uint16_t i = 1; i <= 10; i++) {
		const struct help_query h = { .id = i, .type = DNS_A };

		ask_with(b, i % 2 ? "www.test" : "wWw.TEst", &h);
	}
	turn_until(b, 10);
	assert_int_equal(b->id_sum, 55);
	assert_int_equal(b->toy.udp, 1);
	bench_free(b);
}

static void cut_answer_is_fetched_by_tcp(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);
	const struct help_query small = { .id = 5, .type = DNS_TXT };
	const struct help_query large = { .id = 5,
					  .type = DNS_TXT,
					  .edns_size = 4096 };
	struct help_answer a;

	(void)state;
	ask_with(b, "big.test", &small);
	turn_until(b, 1);
	a = help_answer_get(b->last, b->last_len);
	assert_true(a.flags & DNS_TC); /* 6 kB: the client must use TCP too */
	assert_int_equal(b->toy.udp, 1);
	assert_int_equal(b->toy.tcp, 1);
	ask_with(b, "big.test", &large);
	a = help_answer_get(b->last, b->last_len);
	assert_true(a.flags & DNS_TC);
	assert_int_equal(b->toy.tcp, 1);
	bench_free(b);
}

static void wrong_answer_is_waited_past(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);

	(void)state;
	ask(b, "wrong.test", DNS_A);
	turn_a_little(b);
	assert_int_equal(b->got, 0);
	assert_int_equal(b->toy.udp, 1);
	bench_free(b);
}

static void silence_by_udp_is_asked_again_then_by_tcp(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);
	struct help_answer a;

	(void)state;
	ask(b, "mute.test", DNS_A);
	for (unsigned int i = 1; i <= 3; i++) {
		turn_a_little(b);
		assert_int_equal(b->toy.udp, i);
		assert_int_equal(b->toy.tcp, 0);
		now_ms += 1001;
	}
	turn_until(b, 1);
	a = help_answer_get(b->last, b->last_len);
	assert_real(&a);
	assert_int_equal(b->toy.udp, 3);
	assert_int_equal(b->toy.tcp, 1);
	bench_free(b);
}

static void refused_udp_falls_to_tcp(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);
	struct help_answer a;

	(void)state;
	toy_deaf(&b->toy);
	a = answer_to(b, "www.test", DNS_A);
	assert_real(&a);
	assert_int_equal(b->toy.tcp, 1);
	bench_free(b);
}

static void next_server_is_asked_when_one_fails(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	struct help_answer a;

	(void)state;
	b->plan.server_count = 2;
	bench_again(b);
	loop_unwatch(&b->loop, &b->toy.tcp_watch);
	fd_close(&b->toy.tcp_fd);
	a = answer_to(b, "www.test", DNS_A);
	assert_real(&a);
	assert_int_equal(b->second.tcp, 1);
	bench_free(b);
}

static void next_server_is_asked_when_one_is_silent(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);

	(void)state;
	b->plan.server_count = 2;
	bench_again(b);
	ask(b, "silent.test", DNS_A);
	turn_a_little(b);
	assert_int_equal(b->toy.tcp, 1);
	assert_int_equal(b->second.tcp, 0);
	now_ms += 3001;
	turn_a_little(b);
	assert_int_equal(b->second.tcp, 1);
	assert_int_equal(b->got, 0);
	now_ms += 5000;
	turn_until(b, 1);
	assert_rcode(b, "silent.test", DNS_A, DNS_SERVFAIL); /* remembered */
	assert_int_equal(b->toy.tcp + b->second.tcp, 2);
	bench_free(b);
}

static void dead_upstreams_give_servfail_at_once(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);

	(void)state;
	toy_stop(&b->toy);
	assert_rcode(b, "www.test", DNS_A, DNS_SERVFAIL);
	bench_free(b);
}

static void refusal_of_the_upstream_is_told(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);

	(void)state;
	assert_rcode(b, "refuse.test", DNS_A, DNS_REFUSED);
	bench_free(b);
}

static void answers_that_alias_leases_are_refused(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);

	(void)state;
	assert_rcode(b, "alias.test", DNS_A, DNS_SERVFAIL);
	bench_free(b);
}

static void hints_do_not_reach_the_program(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	const struct help_answer a = answer_to(b, "www.test", DNS_HTTPS);

	(void)state;
	assert_int_equal(a.data_len, 3);
	bench_free(b);
}

static void special_names_are_never_forwarded(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, false);

	(void)state;
	assert_rcode(b, "a.onion", DNS_TXT, DNS_NXDOMAIN);
	assert_rcode(b, "a.local", DNS_A, DNS_NXDOMAIN);
	assert_rcode(b, "127.1", DNS_A, DNS_NXDOMAIN);
	assert_rcode(b, "wpad", DNS_A, DNS_NXDOMAIN);
	assert_rcode(b, "1.1.168.192.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_rcode(b, "b._dns-sd._udp.0.1.168.192.in-addr.arpa", DNS_PTR,
		     DNS_NXDOMAIN);
	assert_rcode(b, "d.f.ip6.arpa", DNS_PTR, DNS_NXDOMAIN);
	b->plan.want_v6 = false;
	assert_rcode(b, "www.test", DNS_AAAA, DNS_NOERROR);
	assert_int_equal(b->toy.udp + b->toy.tcp, 0);
	bench_free(b);
}

static void tcp_is_pipelined_over_few_connections(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	char name[64];

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		const struct help_query h = { .id = (uint16_t)i,
					      .type = DNS_A };

		(void)snprintf(name, sizeof(name), "n%u.test", i);
		ask_with(b, name, &h);
	}
	turn_until(b, 100);
	assert_int_equal(b->id_sum, 4950);
	assert_true(b->toy.conns <= 2);
	assert_int_equal(b->toy.tcp, 100);
	bench_free(b);
}

static void tcp_answers_may_come_in_any_order(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);

	(void)state;
	ask(b, "late.test", DNS_A);
	turn_a_little(b);
	assert_int_equal(b->got, 0);
	ask(b, "www.test", DNS_A);
	turn_until(b, 2);
	assert_int_equal(b->toy.conns, 1);
	bench_free(b);
}

static void server_that_closes_after_each_answer_is_coped_with(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	static const char *const names[] = { "once.a", "once.b", "once.c",
					     "once.d" };
	struct help_answer a;

	(void)state;
	for (int i = 0; i < 4; i++)
		ask(b, names[i], DNS_A);
	turn_until(b, 4);
	a = help_answer_get(b->last, b->last_len);
	assert_real(&a);
	assert_int_equal(b->toy.tcp, 4);
	bench_free(b);
}

static void idle_connection_is_closed(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);

	(void)state;
	(void)answer_to(b, "www.test", DNS_A);
	assert_true(b->toy.conn[0].fd >= 0);
	now_ms += 15001;
	turn_a_little(b);
	assert_int_equal(b->toy.conn[0].fd, -1);
	(void)answer_to(b, "x.test", DNS_A);
	assert_int_equal(b->toy.conns, 2);
	bench_free(b);
}

static void queries_in_flight_are_capped(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);

	(void)state;
	for (unsigned int i = 0; i < NAMES_INFLIGHT + 10; i++)
		ask(b, "silent.test", DNS_A);
	assert_int_equal(b->got, 10);
	assert_int_equal(b->last[3] & DNS_RCODE, DNS_SERVFAIL);
	bench_free(b);
}

/* ---- doors ---- */

static void tcp_put(int fd, const char *name, uint16_t id, uint16_t type)
{
	const struct help_query h = { .id = id, .type = type };
	uint8_t buf[512];
	const size_t len = help_query_put(buf + 2, sizeof(buf) - 2, name, &h);

	buf[0] = (uint8_t)(len >> 8);
	buf[1] = (uint8_t)len;
	assert_int_equal(send(fd, buf, len + 2, MSG_NOSIGNAL), len + 2);
}

/** tcp_get() - Read one answer. Return: its octets, 0 at the end */
static size_t tcp_get(struct bench *b, int fd, uint8_t *buf, size_t room)
{
	size_t have = 0;

	for (int i = 0; i < TURNS; i++) {
		const size_t want =
			have < 2 ? 2 : 2u + (size_t)(buf[0] << 8 | buf[1]);
		ssize_t n;

		assert_true(want <= room);
		if (have >= 2 && have == want) {
			memmove(buf, buf + 2, have - 2);
			return have - 2;
		}
		n = recv(fd, buf + have, want - have, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return 0;
		if (n > 0)
			have += (size_t)n;
		else
			assert_int_equal(loop_turn(&b->loop, 2), 0);
	}
	fail();
	return 0;
}

static int client_of(struct bench *b)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	names_accept(b->names, pair[1]);
	return pair[0];
}

static void tcp_client_may_pipeline(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	const int fd = client_of(b);
	uint8_t buf[8192];
	unsigned int sum = 0;

	(void)state;
	tcp_put(fd, "late.test", 1, DNS_A);
	tcp_put(fd, "localhost", 2, DNS_A);
	tcp_put(fd, "big.test", 3, DNS_TXT);
	for (int i = 0; i < 3; i++) {
		const size_t len = tcp_get(b, fd, buf, sizeof(buf));
		const struct help_answer a = help_answer_get(buf, len);

		if (i == 0)
			assert_int_equal(a.id, 2); /* as it was ready first */
		if (a.id == 3)
			assert_int_equal(a.count[DNS_ANSWER], 30);
		sum += a.id;
	}
	assert_int_equal(sum, 6);
	(void)close(fd);
	turn_a_little(b);
	bench_free(b);
}

static void tcp_client_that_ended_gets_its_answers(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	const int fd = client_of(b);
	uint8_t buf[8192];

	(void)state;
	tcp_put(fd, "www.test", 1, DNS_A);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(tcp_get(b, fd, buf, sizeof(buf)) > 0);
	assert_int_equal(tcp_get(b, fd, buf, sizeof(buf)), 0);
	(void)close(fd);
	bench_free(b);
}

static void tcp_client_may_go_while_it_waits(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	const int fd = client_of(b);

	(void)state;
	tcp_put(fd, "late.test", 1, DNS_A);
	turn_a_little(b);
	(void)close(fd);
	turn_a_little(b);
	(void)answer_to(b, "www.test", DNS_A);
	turn_a_little(b);
	bench_free(b);
}

static void more_than_100_waiting_queries_are_not_read(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	const int fd = client_of(b);
	char name[64];

	(void)state;
	for (unsigned int i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof(name), "silent.n%u", i);
		tcp_put(fd, name, 1, DNS_A);
	}
	turn_a_little(b);
	turn_a_little(b);
	assert_int_equal(b->toy.tcp, 100);
	(void)close(fd);
	bench_free(b);
}

/* A program that asks and never reads costs a bounded amount of memory. */
static void client_that_does_not_read_is_not_read(void **state)
{
	struct bench *b = bench_new(NAMES_FORWARD, true);
	const int fd = client_of(b);
	uint8_t buf[512];
	const struct help_query h = { .type = DNS_TXT };
	const size_t len = help_query_put(buf + 2, 510, "big.test", &h) + 2;
	size_t sent = 0;

	(void)state;
	buf[0] = 0;
	buf[1] = (uint8_t)(len - 2);
	for (int i = 0; i < 20000; i++) {
		if (send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		    (ssize_t)len)
			sent++;
		if (i % 50 == 0)
			assert_int_equal(loop_turn(&b->loop, 0), 0);
	}
	/* 6 kB for each of them would be 120 MB. */
	assert_true(sent < 20000);
	(void)close(fd);
	turn_a_little(b);
	bench_free(b);
}

static void silent_client_is_closed(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const int fd = client_of(b);
	uint8_t buf[16];

	(void)state;
	now_ms += 29000;
	turn_a_little(b);
	assert_true(recv(fd, buf, 1, MSG_DONTWAIT) < 0);
	now_ms += 2000;
	turn_a_little(b);
	assert_int_equal(recv(fd, buf, 1, MSG_DONTWAIT), 0);
	(void)close(fd);
	bench_free(b);
}

static void newest_client_displaces_the_longest_silent(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	int fd[NAMES_TCP_CLIENTS + 1];
	uint8_t buf[512];

	(void)state;
	for (int i = 0; i <= NAMES_TCP_CLIENTS; i++) {
		now_ms += 10;
		turn_a_little(b);
		fd[i] = client_of(b);
	}
	assert_int_equal(recv(fd[0], buf, 1, MSG_DONTWAIT), 0);
	for (int i = 1; i <= NAMES_TCP_CLIENTS; i++) {
		tcp_put(fd[i], "a.org", 1, DNS_A);
		assert_true(tcp_get(b, fd[i], buf, sizeof(buf)) > 0);
	}
	for (int i = 0; i <= NAMES_TCP_CLIENTS; i++)
		(void)close(fd[i]);
	bench_free(b);
}

static void too_long_query_ends_the_client(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const int fd = client_of(b);
	uint8_t buf[16];

	(void)state;
	assert_int_equal(send(fd, "\x10\1", 2, 0), 2);
	turn_a_little(b);
	assert_int_equal(recv(fd, buf, 1, MSG_DONTWAIT), 0);
	(void)close(fd);
	bench_free(b);
}

static void bound_socket_answers_from_the_asked_address(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	struct toy any = { .addr = addr_from_ip4("\0\0\0\0", 0) };
	const int door = toy_bind(&any, SOCK_DGRAM);
	struct toy mine = { .addr = addr_from_ip4("\177\0\0\1", 0) };
	const int fd = toy_bind(&mine, SOCK_DGRAM);
	const struct help_query h = { .id = 3, .type = DNS_A };
	struct sockaddr_storage ss;
	socklen_t ss_len;
	struct addr to;
	uint8_t buf[512];
	size_t len;
	ssize_t n;

	(void)state;
	assert_int_equal(setsockopt(door, IPPROTO_IP, IP_PKTINFO, &(int){ 1 },
				    sizeof(int)),
			 0);
	assert_int_equal(names_listen_udp(b->names, door), 0);
	to = addr_from_ip4("\177\0\0\65", any.addr.port);
	ss_len = addr_to_sock(&to, &ss);
	len = help_query_put(buf, sizeof(buf), "example.org", &h);
	assert_int_equal(sendto(fd, buf, len, 0, (void *)&ss, ss_len), len);
	turn_a_little(b);
	n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&ss, &ss_len);
	assert_true(n > DNS_HEADER);
	addr_from_sock(&any.addr, &ss);
	assert_true(addr_equal(&any.addr, &to));
	(void)close(fd);
	bench_free(b);
}

static void listener_serves_clients(void **state)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	struct toy any = { .addr = addr_from_ip4("\177\0\0\1", 0) };
	const int door = toy_bind(&any, SOCK_STREAM);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage ss;
	socklen_t ss_len = addr_to_sock(&any.addr, &ss);
	uint8_t buf[512];

	(void)state;
	assert_int_equal(listen(door, 4), 0);
	assert_int_equal(names_listen_tcp(b->names, door), 0);
	assert_int_equal(connect(fd, (void *)&ss, ss_len), 0);
	tcp_put(fd, "example.org", 1, DNS_A);
	assert_true(tcp_get(b, fd, buf, sizeof(buf)) > 0);
	(void)close(fd);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_comes_from_the_asked_address),
		cmocka_unit_test(ordinary_names_get_leases),
		cmocka_unit_test(letter_case_is_one_name),
		cmocka_unit_test(special_names_are_answered_here),
		cmocka_unit_test(localhost_is_the_loopback),
		cmocka_unit_test(other_types_are_empty_or_refused),
		cmocka_unit_test(unwanted_family_is_empty),
		cmocka_unit_test(lease_has_its_name_in_reverse),
		cmocka_unit_test(exposed_names_have_their_addresses),
		cmocka_unit_test(hidden_names_need_a_proxy),
		cmocka_unit_test(off_refuses),
		cmocka_unit_test(held_lease_survives),
		cmocka_unit_test(upstream_is_asked_by_udp),
		cmocka_unit_test(answers_are_kept_and_age),
		cmocka_unit_test(absence_is_kept_as_the_soa_says),
		cmocka_unit_test(same_question_is_asked_once),
		cmocka_unit_test(cut_answer_is_fetched_by_tcp),
		cmocka_unit_test(wrong_answer_is_waited_past),
		cmocka_unit_test(silence_by_udp_is_asked_again_then_by_tcp),
		cmocka_unit_test(refused_udp_falls_to_tcp),
		cmocka_unit_test(next_server_is_asked_when_one_fails),
		cmocka_unit_test(next_server_is_asked_when_one_is_silent),
		cmocka_unit_test(dead_upstreams_give_servfail_at_once),
		cmocka_unit_test(refusal_of_the_upstream_is_told),
		cmocka_unit_test(answers_that_alias_leases_are_refused),
		cmocka_unit_test(hints_do_not_reach_the_program),
		cmocka_unit_test(special_names_are_never_forwarded),
		cmocka_unit_test(tcp_is_pipelined_over_few_connections),
		cmocka_unit_test(tcp_answers_may_come_in_any_order),
		cmocka_unit_test(
			server_that_closes_after_each_answer_is_coped_with),
		cmocka_unit_test(idle_connection_is_closed),
		cmocka_unit_test(queries_in_flight_are_capped),
		cmocka_unit_test(tcp_client_may_pipeline),
		cmocka_unit_test(tcp_client_that_ended_gets_its_answers),
		cmocka_unit_test(tcp_client_may_go_while_it_waits),
		cmocka_unit_test(more_than_100_waiting_queries_are_not_read),
		cmocka_unit_test(client_that_does_not_read_is_not_read),
		cmocka_unit_test(silent_client_is_closed),
		cmocka_unit_test(newest_client_displaces_the_longest_silent),
		cmocka_unit_test(too_long_query_ends_the_client),
		cmocka_unit_test(bound_socket_answers_from_the_asked_address),
		cmocka_unit_test(listener_serves_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
