// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * engine_front_test.c - seats of an engine's associations
 */
#include "flow/front.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop loop;
static struct udp udp;
static struct front *front;
static int sock = -1;

static int setup(void **state)
{
	const struct addr any = { .family = AF_INET };
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sock(&any, &ss);
	const int on = 1;

	(void)state;
	memset(&udp, 0, sizeof(udp));
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(front_new(&loop, &udp, &front), 0);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(sock >= 0);
	assert_int_equal(
		setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&ss, len), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	front_free(front);
	loop_fini(&loop);
	(void)close(sock);
	return 0;
}

static void nobody_sits_without_a_socket(void **state)
{
	struct front_seat *seat;
	struct addr at;

	(void)state;
	assert_int_equal(front_sit(front, &seat, &at), -EOPNOTSUPP);
	assert_int_equal(front_listen(front, sock), 0);
	assert_int_equal(front_listen(front, sock), -EPROTO);
	front_retire(front);
	assert_int_equal(front_sit(front, &seat, &at), -EOPNOTSUPP);
}

static void each_has_an_address_of_its_own(void **state)
{
	static struct front_seat *seat[FRONT_SEATS];
	static struct addr at[FRONT_SEATS];
	struct front_seat *more;
	struct addr last;

	(void)state;
	assert_int_equal(front_listen(front, sock), 0);
	for (int i = 0; i < FRONT_SEATS; i++) {
		assert_int_equal(front_sit(front, &seat[i], &at[i]), 0);
		assert_true(addr_is_loopback(&at[i]));
		assert_true(at[i].port != 0);
		assert_true(i == 0 || !addr_same_host(&at[i], &at[i - 1]));
		assert_int_equal(at[i].ip[2] << 8 | at[i].ip[3], i);
	}
	assert_int_equal(front_sit(front, &more, &last), -EAGAIN);
	front_leave(seat[77]);
	assert_int_equal(front_sit(front, &more, &last), 0);
	assert_true(addr_equal(&last, &at[77]));
	front_leave(NULL);
}

static void who_left_last_is_followed_last(void **state)
{
	struct front_seat *one;
	struct front_seat *two;
	struct addr first;
	struct addr next;

	(void)state;
	assert_int_equal(front_listen(front, sock), 0);
	assert_int_equal(front_sit(front, &one, &first), 0);
	front_leave(one);
	assert_int_equal(front_sit(front, &two, &next), 0);
	assert_false(addr_same_host(&first, &next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_sits_without_a_socket,
						setup, teardown),
		cmocka_unit_test_setup_teardown(each_has_an_address_of_its_own,
						setup, teardown),
		cmocka_unit_test_setup_teardown(who_left_last_is_followed_last,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
