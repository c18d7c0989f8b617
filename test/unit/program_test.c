// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * program_test.c - queries that go to a program as they came
 */
#include "names_bench.h"

#include <sys/socket.h>

/** program_at() - A socket connected to the toy, which is the program */
static int program_at(const struct addr *to)
{
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sock(to, &ss);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void lead_nobody(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	fail();
}

static struct bench *bench_led(int *fd)
{
	struct bench *b = bench_new(NAMES_PROGRAM, false);

	*fd = program_at(&b->toy.addr);
	assert_int_equal(names_lead(b->names, lead_nobody, NULL, *fd), 0);
	return b;
}

static void its_answer_is_the_answer(void **state)
{
	int fd;
	struct bench *b = bench_led(&fd);
	struct help_answer a = answer_to(b, "www.test", DNS_A);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_NOERROR);
	assert_int_equal(a.id, 5);
	assert_memory_equal(a.data, "\300\0\2\1", 4);
	/* Whatever it is about: nothing is kept, and no name is special. */
	a = answer_to(b, "www.test", DNS_A);
	a = answer_to(b, "localhost", DNS_A);
	a = answer_to(b, "alias.onion", DNS_A);
	assert_int_equal(b->toy.udp, 4);
	assert_int_equal(b->toy.tcp, 0);
	bench_free(b);
	(void)close(fd);
}

static void an_exposed_name_is_answered_here(void **state)
{
	int fd;
	struct bench *b = bench_led(&fd);
	struct help_answer a;

	(void)state;
	b->plan.expose[0].addr = addr_from_ip4("\12\0\0\1", 80);
	strcpy(b->plan.expose[0].name, "host.test");
	b->plan.expose_count = 1;
	a = answer_to(b, "HOST.test", DNS_A);
	assert_memory_equal(a.data, "\12\0\0\1", 4);
	assert_int_equal(b->toy.udp, 0);
	bench_free(b);
	(void)close(fd);
}

static void nobody_there_is_servfail_at_once(void **state)
{
	int fd;
	struct bench *b = bench_led(&fd);
	struct help_answer a;

	(void)state;
	toy_stop(&b->toy);
	a = answer_to(b, "www.test", DNS_A); /* the clock stands still */
	assert_int_equal(help_rcode(&a), DNS_SERVFAIL);
	assert_int_equal(a.id, 5);
	a = answer_to(b, "www.test", DNS_A);
	assert_int_equal(help_rcode(&a), DNS_SERVFAIL);
	toy_start(&b->toy, &b->loop); /* for bench_free() */
	bench_free(b);
	(void)close(fd);
}

static void without_a_socket_it_is_servfail(void **state)
{
	struct bench *b = bench_new(NAMES_PROGRAM, false);
	const struct help_answer a = answer_to(b, "www.test", DNS_A);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_SERVFAIL);
	bench_free(b);
}

static void a_silent_one_is_asked_again_and_then_given_up(void **state)
{
	int fd;
	struct bench *b = bench_led(&fd);

	(void)state;
	ask(b, "mute.test", DNS_A);
	for (int i = 0; i < 11; i++) {
		turn_a_little(b);
		now_ms += 1001;
	}
	turn_a_little(b);
	assert_int_equal(b->got, 0);
	assert_true(b->toy.udp > 8);
	now_ms += 2002;
	turn_a_little(b);
	assert_int_equal(b->got, 1);
	assert_int_equal(b->last[3] & 15, DNS_SERVFAIL);
	bench_free(b);
	(void)close(fd);
}

static void a_long_answer_is_cut_for_a_small_client(void **state)
{
	int fd;
	struct bench *b = bench_led(&fd);

	(void)state;
	ask(b, "wide.test", DNS_TXT);
	turn_until(b, 1);
	assert_true(b->last_len <= 1232);
	assert_int_equal(b->last[2] & 2, 2); /* TC */
	bench_free(b);
	(void)close(fd);
}

static void the_end_tells_nobody(void **state)
{
	int fd;
	struct bench *b = bench_led(&fd);

	(void)state;
	ask(b, "silent.test", DNS_A);
	ask(b, "silent.test", DNS_A);
	turn_a_little(b);
	names_retire(b->names);
	turn_a_little(b);
	assert_int_equal(b->got, 0);
	bench_free(b);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_answer_is_the_answer),
		cmocka_unit_test(an_exposed_name_is_answered_here),
		cmocka_unit_test(nobody_there_is_servfail_at_once),
		cmocka_unit_test(without_a_socket_it_is_servfail),
		cmocka_unit_test(a_silent_one_is_asked_again_and_then_given_up),
		cmocka_unit_test(a_long_answer_is_cut_for_a_small_client),
		cmocka_unit_test(the_end_tells_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
