// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * front_test.c - the doors that queries come in by
 */
#include "names_bench.h"

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
