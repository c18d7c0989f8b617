// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_udp_test.c - loop tests of our proxy server's UDP associations
 */
#include "server_help.h"

static int udp_socket(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	const int fd =
		socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static void udp_association_is_a_full_cone(void **state)
{
	struct sockaddr_in peer_at[2], own_at, relay_at, from;
	socklen_t len = sizeof(from);
	const int peer[2] = { udp_socket(&peer_at[0]),
			      udp_socket(&peer_at[1]) };
	const int own = udp_socket(&own_at);
	struct sockaddr_storage ss = { 0 };
	uint8_t buf[512];
	struct dest d = { 0 };
	struct wr w = wr_of(buf, sizeof(buf));
	struct rd r;
	int fd = client_open();
	ssize_t n;

	(void)state;
	relay_at = associate(fd);
	memcpy(&ss, &peer_at[0], sizeof(peer_at[0]));
	addr_from_sock(&d.addr, &ss);
	assert_true(socks5_udp_put(&w, &d));
	wr_text(&w, "ping");
	sendto(own, buf, wr_used(&w), 0, (struct sockaddr *)&relay_at,
	       sizeof(relay_at));
	for (int i = 0; i < 500; i++) {
		n = recvfrom(peer[0], buf, sizeof(buf), 0,
			     (struct sockaddr *)&from, &len);
		if (n >= 0)
			break;
		loop_turn(&loop, 1);
	}
	assert_int_equal(n, 4);
	/* Another one than was sent to answers. */
	sendto(peer[1], "pong", 4, 0, (struct sockaddr *)&from, sizeof(from));
	n = hear(own, buf, sizeof(buf));
	assert_int_equal(n, 14);
	r = rd_of(buf, (size_t)n);
	assert_int_equal(socks5_udp_get(&r, &d), 0);
	assert_int_equal(d.addr.port, ntohs(peer_at[1].sin_port));
	assert_memory_equal(r.at, "pong", 4);
	close(fd);
	expect_silence_and_no_clients();
	close(own);
	close(peer[0]);
	close(peer[1]);
}

static void udp_association_belongs_to_one_port(void **state)
{
	struct sockaddr_in peer_at, own_at, other_at, relay_at;
	const int peer = udp_socket(&peer_at);
	const int own = udp_socket(&own_at);
	const int other = udp_socket(&other_at);
	struct sockaddr_storage ss = { 0 };
	uint8_t buf[512], got[64];
	struct dest d = { 0 };
	struct wr w = wr_of(buf, sizeof(buf));
	int fd = client_open();

	(void)state;
	relay_at = associate(fd);
	memcpy(&ss, &peer_at, sizeof(peer_at));
	addr_from_sock(&d.addr, &ss);
	assert_true(socks5_udp_put(&w, &d));
	wr_text(&w, "1");
	sendto(own, buf, wr_used(&w), 0, (struct sockaddr *)&relay_at,
	       sizeof(relay_at));
	assert_int_equal(hear(peer, got, sizeof(got)), 1);
	sendto(other, buf, wr_used(&w), 0, (struct sockaddr *)&relay_at,
	       sizeof(relay_at));
	turn(10);
	assert_int_equal(recv(peer, got, sizeof(got), 0), -1);
	/* Idle outlets go, the association stays and opens a new one. */
	skipped_ms += SERVER_UDP_IDLE_MS + 1;
	turn(3);
	assert_int_equal(server->count, 1);
	sendto(own, buf, wr_used(&w), 0, (struct sockaddr *)&relay_at,
	       sizeof(relay_at));
	assert_int_equal(hear(peer, got, sizeof(got)), 1);
	fd_close(&fd);
	expect_silence_and_no_clients();
	close(own);
	close(other);
	close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(udp_association_is_a_full_cone),
		T(udp_association_belongs_to_one_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
