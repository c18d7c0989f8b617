// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * forward_test.c - real answers: which server, when, how often
 */
#include "names_bench.h"

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

/* row: N04 */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
