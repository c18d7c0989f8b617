// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outlet_test.c - datagrams through a SOCKS5 proxy, played on loopback
 */
#include "outlet_scene.h"

#include <sys/un.h>

static void socks_carries_both_ways(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	const struct dest name = toy_dest("example.org", NULL, 80);
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	assert_int_equal(send_text(c, &ip, "queued"), 0);
	scene_grant(c, BOUND_ANY);
	RELAY_EXPECT(c, IN_HEAD "queued");
	assert_int_equal(send_text(c, &name, "by name"), 0);
	RELAY_EXPECT(c, "\0\0\0\x03\x0b"
			"example.org\0\x50"
			"by name");
	/* Full cone: a peer that was never written to. */
	RELAY_SAY(c, "\0\0\0\x01\xc6\x33\x64\x09\x12\x34"
		     "hello");
	assert_int_equal(c->owner.datagrams, 1);
	assert_int_equal(c->owner.from.addr.port, 0x1234);
	assert_memory_equal(c->owner.data, "hello", 5);
	RELAY_SAY(c, "\0\0\0\x03\x04host\x00\x07"
		     "!");
	assert_string_equal(c->owner.from.name, "host");
	assert_int_equal(c->owner.len, 1);
	scene_end(c);
}

/* row: P06 */
static void socks_ignores_where_the_reply_points(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene *c = scene_begin(HOP_SOCKS5);

		assert_int_equal(send_text(c, &ip, "x"), 0);
		if (i == 0)
			scene_grant(c, BOUND_EVIL);
		else
			scene_grant(c, BOUND_NAME);
		RELAY_EXPECT(c, IN_HEAD "x");
		scene_end(c);
	}
}

static void socks_drops_what_it_does_not_understand(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);
	struct sockaddr_storage ss;
	struct addr other_at;
	int other = toy_bind(AF_INET, SOCK_DGRAM, &other_at);

	(void)state;
	assert_int_equal(send_text(c, &ip, "x"), 0);
	scene_grant(c, BOUND_ANY);
	RELAY_EXPECT(c, IN_HEAD "x");
	RELAY_SAY(c, "\0\0");
	RELAY_SAY(c, "\0\0\x01\x01\xc0\x00\x02\x07\x00\x35"
		     "fragment");
	RELAY_SAY(c, "\0\0\0\x09\xc0\x00\x02\x07\x00\x35"
		     "atyp");
	assert_int_equal(
		sendto(c->relay, "", 0, 0, (void *)&c->client, c->client_len),
		0);
	/* Nobody but the relay is heard. */
	ss = c->client;
	(void)sendto(other, IN_HEAD "x", 11, 0, (void *)&ss, c->client_len);
	toy_settle();
	assert_int_equal(c->owner.datagrams, 0);
	RELAY_SAY(c, IN_HEAD);
	assert_int_equal(c->owner.datagrams, 1);
	assert_int_equal(c->owner.len, 0);
	fd_close(&other);
	scene_end(c);
}

static void socks_carries_large_datagrams(void **state)
{
	static uint8_t big[65507];
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	scene_grant(c, BOUND_ANY);
	toy_settle();
	/* The header takes 10 of what an IPv4 datagram can hold. */
	assert_int_equal(outlet_send(c->owner.outlet, &ip, big, 65498),
			 -EMSGSIZE);
	assert_int_equal(outlet_send(c->owner.outlet, &ip, big, 65497), 0);
	memcpy(big, IN_HEAD, 10);
	relay_expect(c, big, 65507);
	relay_say(c, big, 65507);
	assert_int_equal(c->owner.datagrams, 1);
	assert_int_equal(c->owner.len, 65497);
	scene_end(c);
}

static void socks_carries_many_datagrams_in_order(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);
	uint8_t msg[11];

	(void)state;
	assert_int_equal(send_text(c, &ip, "x"), 0);
	scene_grant(c, BOUND_ANY);
	RELAY_EXPECT(c, IN_HEAD "x");
	memcpy(msg, IN_HEAD, 10);
	for (int i = 0; i < 100; i++) {
		msg[10] = (uint8_t)i;
		(void)sendto(c->relay, msg, 11, 0, (void *)&c->client,
			     c->client_len);
	}
	toy_settle();
	assert_int_equal(c->owner.datagrams, 100);
	assert_int_equal(c->owner.data[0], 99);
	scene_end(c);
}

static void socks_queue_is_bounded(void **state)
{
	static uint8_t big[60000];
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	for (int i = 0; i < OUTLET_QUEUE; i++)
		assert_int_equal(send_text(c, &ip, "x"), 0);
	assert_int_equal(send_text(c, &ip, "x"), -ENOBUFS);
	scene_grant(c, BOUND_ANY);
	for (int i = 0; i < OUTLET_QUEUE; i++)
		RELAY_EXPECT(c, IN_HEAD "x");
	scene_end(c);
	c = scene_begin(HOP_SOCKS5);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			outlet_send(c->owner.outlet, &ip, big, sizeof(big)), 0);
	assert_int_equal(outlet_send(c->owner.outlet, &ip, big, sizeof(big)),
			 -ENOBUFS);
	scene_end(c);
}

static void socks_dies_with_its_tcp(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	scene_grant(c, BOUND_ANY);
	TOY_SAY(c->peer, "chatter");
	assert_int_equal(send_text(c, &ip, "x"), 0);
	RELAY_EXPECT(c, IN_HEAD "x");
	assert_int_equal(c->owner.closings, 0);
	fd_close(&c->peer);
	toy_settle();
	assert_int_equal(c->owner.closings, 1);
	assert_int_equal(c->owner.closed_err, -ECONNRESET);
	assert_int_equal(c->owner.refusals, 0);
	scene_end(c);
}

static void socks_dies_when_the_relay_is_gone(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	scene_grant(c, BOUND_ANY);
	toy_settle();
	fd_close(&c->relay);
	assert_int_equal(send_text(c, &ip, "x"), 0);
	/* The error may be met by a send as well: never a callback in it. */
	assert_int_equal(send_text(c, &ip, "x"), 0);
	assert_int_equal(c->owner.closings, 0);
	toy_settle();
	assert_int_equal(c->owner.closings, 1);
	assert_int_equal(c->owner.closed_err, -ECONNREFUSED);
	scene_end(c);
}

static void socks_refusal_loses_the_queue(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene *c = scene_begin(HOP_SOCKS5);

		c->owner.closes = i == 1;
		assert_int_equal(send_text(c, &ip, "x"), 0);
		c->peer = toy_accept(c->listener);
		TOY_SAY(c->peer, HELLO_OK);
		TOY_SAY(c->peer, "\x05\x07\x00\x01\0\0\0\0\0\0");
		toy_settle();
		assert_int_equal(c->owner.refusals, 1);
		assert_false(c->owner.has_to);
		assert_int_equal(c->owner.refused_err, -EOPNOTSUPP);
		assert_int_equal(c->owner.closings, i == 0);
		scene_end(c);
	}
}

static void socks_port_zero_is_no_relay(void **state)
{
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	c->peer = toy_accept(c->listener);
	TOY_SAY(c->peer, HELLO_OK);
	TOY_SAY(c->peer, "\x05\x00\x00\x01\0\0\0\0\0\0");
	assert_int_equal(c->owner.closings, 1);
	assert_int_equal(c->owner.closed_err, -EIO);
	scene_end(c);
}

static void socks_over_a_unix_socket_relays_on_loopback(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	owner_shut(&c->owner);
	fd_close(&c->listener);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "/tmp/outlet_test.%d",
		       (int)getpid());
	(void)unlink(un.sun_path);
	assert_int_equal(bind(c->listener, (void *)&un, sizeof(un)), 0);
	assert_int_equal(listen(c->listener, 4), 0);
	memcpy(c->plan.hop[0].path, un.sun_path, sizeof(un.sun_path));
	assert_int_equal(outlet_open(&c->way, &c->owner.user, &c->owner.outlet),
			 0);
	assert_int_equal(send_text(c, &ip, "x"), 0);
	scene_grant(c, BOUND_EVIL);
	RELAY_EXPECT(c, IN_HEAD "x");
	(void)unlink(un.sun_path);
	scene_end(c);
}

static void owner_may_close_in_a_callback(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);
	struct scene *c = scene_begin(HOP_SOCKS5);

	(void)state;
	c->owner.closes = true;
	assert_int_equal(send_text(c, &ip, "x"), 0);
	scene_grant(c, BOUND_ANY);
	RELAY_EXPECT(c, IN_HEAD "x");
	for (int i = 0; i < 3; i++)
		(void)sendto(c->relay, IN_HEAD "x", 11, 0, (void *)&c->client,
			     c->client_len);
	toy_settle();
	assert_int_equal(c->owner.datagrams, 1);
	assert_null(c->owner.outlet);
	scene_end(c);
}

static void close_in_every_state_leaks_nothing(void **state)
{
	const struct dest ip = toy_dest(NULL, "192.0.2.7", 53);

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct scene *c = scene_begin(HOP_SOCKS5);

		assert_int_equal(send_text(c, &ip, "x"), 0);
		if (i == 1)
			c->peer = toy_accept(c->listener);
		if (i >= 2)
			scene_grant(c, BOUND_ANY);
		if (i == 3) { /* dead, but nobody was told */
			fd_close(&c->relay);
			for (int k = 0; k < 3; k++)
				(void)send_text(c, &ip, "x");
		}
		scene_end(c);
	}
}

static void ways_without_udp_have_no_outlets(void **state)
{
	const struct addr a = { .family = AF_INET, .port = 1 };
	struct plan p = { 0 };
	struct outlet *o = NULL;
	struct way w;

	(void)state;
	toy_hop(&p, HOP_HTTP, &a);
	assert_int_equal(way_init(&w, &toy_loop, &p), 0);
	assert_int_equal(outlet_open(&w, NULL, &o), -EOPNOTSUPP);
	p.hop_count = 0;
	toy_hop(&p, HOP_BLOCK, NULL);
	assert_int_equal(way_init(&w, &toy_loop, &p), 0);
	assert_int_equal(outlet_open(&w, NULL, &o), -EOPNOTSUPP);
	assert_null(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(socks_carries_both_ways),
		T(socks_ignores_where_the_reply_points),
		T(socks_drops_what_it_does_not_understand),
		T(socks_carries_large_datagrams),
		T(socks_carries_many_datagrams_in_order),
		T(socks_queue_is_bounded),
		T(socks_dies_with_its_tcp),
		T(socks_dies_when_the_relay_is_gone),
		T(socks_refusal_loses_the_queue),
		T(socks_port_zero_is_no_relay),
		T(socks_over_a_unix_socket_relays_on_loopback),
		T(owner_may_close_in_a_callback),
		T(close_in_every_state_leaks_nothing),
		T(ways_without_udp_have_no_outlets),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
