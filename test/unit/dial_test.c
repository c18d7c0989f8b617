// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_test.c - dials that succeed, against toy proxies on loopback
 */
#include "dial_scene.h"

static void socks5_asks_for_the_name(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_SOCKS5, NULL);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, ASK_NAME);
	assert_int_equal(c.end.told, 0);
	TOY_SAY(c.peer, REPLY_OK);
	assert_int_equal(toy_finish(&c.end), 0);
	assert_int_equal(c.end.bound.family, AF_INET);
	assert_int_equal(c.end.bound.port, 8080);
	TOY_SAY(c.peer, "hi");
	stream_has(&c.end.s, "hi");
	scene_end(&c);
}

static void socks5_logs_in_and_asks_for_an_address(void **state)
{
	const struct dest to = toy_dest(NULL, "192.0.2.7", 443);
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_login(toy_hop(&c.plan, HOP_SOCKS5, &c.at), "me", "secret");
	scene_meet(&c, &to);
	TOY_EXPECT(c.peer, LOGIN);
	TOY_SAY(c.peer, "\x05\x02");
	TOY_EXPECT(c.peer, "\x01\x02me\x06secret");
	TOY_SAY(c.peer, "\x01\x00");
	TOY_EXPECT(c.peer, ASK_IP);
	TOY_SAY(c.peer, REPLY_OK);
	assert_int_equal(toy_finish(&c.end), 0);
	scene_end(&c);
}

static void eager_request_goes_with_the_greeting(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at)->eager = true;
	scene_meet(&c, &example);
	TOY_EXPECT(c.peer, HELLO ASK_NAME);
	TOY_DRIBBLE(c.peer, HELLO_OK);
	assert_int_equal(c.end.told, 0);
	TOY_SAY(c.peer, REPLY_OK "early");
	scene_end_open(&c, "early");
}

static void eager_request_goes_with_the_password(void **state)
{
	const struct dest to = toy_dest(NULL, "192.0.2.7", 443);
	struct scene c;
	struct hop *h;

	(void)state;
	scene_begin(&c);
	h = toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	h->eager = true;
	toy_login(h, "me", "secret");
	toy_far_hop(&c.plan, HOP_SOCKS5, "second.example", 1080)->eager = true;
	scene_meet(&c, &to);
	TOY_EXPECT(c.peer, LOGIN);
	TOY_SAY(c.peer, "\x05\x02");
	TOY_EXPECT(c.peer, "\x01\x02me\x06secret"
			   "\x05\x01\x00\x03\x0esecond.example\x04\x38");
	TOY_SAY(c.peer, "\x01\x00" REPLY_OK);
	TOY_EXPECT(c.peer, HELLO ASK_IP);
	TOY_SAY(c.peer, HELLO_OK REPLY_OK "early");
	scene_end_open(&c, "early");
}

static void eager_refusals_are_what_they_were(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at)->eager = true;
	scene_meet(&c, &example);
	TOY_EXPECT(c.peer, HELLO ASK_NAME);
	TOY_SAY(c.peer, "\x05\xff");
	assert_int_equal(toy_finish(&c.end), -EACCES);
	scene_end(&c);
}

/* row: P05 */
static void socks5_in_pieces_leaves_early_data(void **state)
{
	static const char *const replies[] = {
		"\x05\x00\x00\x03\x04host\x12\x34",
		"\x05\x00\x00\x04"
		"0123456789abcdef\x12\x34",
	};
	static const size_t len[] = { 11, 22 };
	char both[64];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct scene c;

		scene_one(&c, HOP_SOCKS5, NULL);
		TOY_EXPECT(c.peer, HELLO);
		TOY_DRIBBLE(c.peer, HELLO_OK);
		TOY_EXPECT(c.peer, ASK_NAME);
		toy_dribble(c.peer, replies[i], len[i] - 1);
		assert_int_equal(c.end.told, 0);
		memcpy(both, replies[i] + len[i] - 1, 1);
		memcpy(both + 1, "SSH-2.0", 7);
		toy_say(c.peer, both, 8);
		scene_end_open(&c, "SSH-2.0");
	}
}

static void socks5_reply_glued_to_early_data(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_SOCKS5, NULL);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, ASK_NAME);
	TOY_SAY(c.peer, REPLY_OK "SSH-2.0");
	scene_end_open(&c, "SSH-2.0");
}

static void socks4a_asks_for_the_name(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_SOCKS4A, "me");
	TOY_EXPECT(c.peer, "\x04\x01\x00\x50\x00\x00\x00\x01"
			   "me\0example.org\0");
	TOY_DRIBBLE(c.peer, "\x00\x5a\0\0\0\0\0");
	TOY_SAY(c.peer, "\0early");
	scene_end_open(&c, "early");
}

/* row: P08 */
static void http_connects_and_leaves_early_data(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_HTTP, "me");
	expect_connect(c.peer, CONNECT_HEAD,
		       "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n");
	TOY_SAY(c.peer, HTTP_OK "SSH-2.0");
	scene_end_open(&c, "SSH-2.0");
}

/* row: P05 */
static void http_in_pieces_leaves_early_data(void **state)
{
	static const char head[] = "HTTP/1.1 100 Continue\r\n\r\n"
				   "HTTP/1.0 200 OK\r\nVia: toy\r\n\r";
	struct scene c;

	(void)state;
	scene_one(&c, HOP_HTTP, NULL);
	expect_connect(c.peer, CONNECT_HEAD, NULL);
	TOY_DRIBBLE(c.peer, head);
	assert_int_equal(c.end.told, 0);
	TOY_SAY(c.peer, "\nSSH-2.0");
	scene_end_open(&c, "SSH-2.0");
}

/* -------------------------------------------------------------- chains -- */

static void chain_of_three_walks_hop_by_hop(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_HTTP, &c.at);
	toy_far_hop(&c.plan, HOP_SOCKS5, "192.0.2.7", 443);
	toy_far_hop(&c.plan, HOP_SOCKS4A, "third.example", 1080);
	scene_meet(&c, &example);
	expect_connect(c.peer, "CONNECT 192.0.2.7:443 HTTP/1.1\r\n", NULL);
	TOY_SAY(c.peer, HTTP_OK);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, "\x05\x01\x00\x03\x0dthird.example\x04\x38");
	TOY_SAY(c.peer, REPLY_OK);
	TOY_EXPECT(c.peer, "\x04\x01\x00\x50\x00\x00\x00\x01\0example.org\0");
	TOY_SAY(c.peer, "\x00\x5a\0\0\0\0\0\0early");
	scene_end_open(&c, "early");
}

static void chain_of_two_with_everything_at_once(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	toy_far_hop(&c.plan, HOP_HTTP, "second.example", 3128);
	scene_meet(&c, &example);
	/* A peer that answers before it is asked is not worse than others. */
	TOY_SAY(c.peer, HELLO_OK REPLY_OK HTTP_OK "early");
	scene_end_open(&c, "early");
}

static void next_hop_out_of_reach_is_a_hop_failure(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	toy_far_hop(&c.plan, HOP_HTTP, "second.example", 3128);
	scene_meet(&c, &example);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_SAY(c.peer, "\x05\x05\x00\x01\0\0\0\0\0\0");
	assert_int_equal(toy_finish(&c.end), -EHOSTUNREACH);
	assert_int_equal(c.way.gate[WAY_NEXT].next_ms, toy_now + WAY_WARN_MS);
	scene_end(&c);
}

static void block_refuses_from_the_loop(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_BLOCK, NULL);
	scene_dial(&c, &example);
	assert_int_equal(toy_finish(&c.end), -EACCES);
	scene_end(&c);
}

static void socks4a_cannot_say_ipv6(void **state)
{
	const struct dest to = toy_dest(NULL, "2001:db8::1", 80);
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS4A, &c.at);
	scene_dial(&c, &to);
	assert_int_equal(toy_finish(&c.end), -EAFNOSUPPORT);
	scene_end(&c);
}

static void associate_gives_the_bound_port(void **state)
{
	const struct dest nobody = { 0 };
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	scene_way(&c);
	assert_int_equal(dial_start(&c.way, DIAL_ASSOCIATE, &nobody, toy_told,
				    &c.end, &c.dial),
			 0);
	c.peer = toy_accept(c.listener);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, "\x05\x03\x00\x01\0\0\0\0\0\0");
	TOY_SAY(c.peer, "\x05\x00\x00\x01\0\0\0\0\x12\x34");
	assert_int_equal(toy_finish(&c.end), 0);
	assert_int_equal(c.end.bound.port, 0x1234);
	scene_end(&c);
}

static void dials_have_a_cap(void **state)
{
	struct dial *d[3];
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	scene_way(&c);
	c.way.dial_max = 2;
	for (int i = 0; i < 3; i++)
		assert_int_equal(dial_start(&c.way, DIAL_CONNECT, &example,
					    toy_told, &c.end, &d[i]),
				 i < 2 ? 0 : -EAGAIN);
	dial_cancel(d[0]);
	dial_cancel(d[1]);
	assert_int_equal(c.end.told, 0);
	scene_end(&c);
}

static void warnings_are_paced(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	fd_close(&c.listener);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	scene_dial(&c, &example);
	(void)toy_finish(&c.end);
	for (int i = 0; i < 3; i++) {
		scene_start(&c, &example);
		(void)toy_finish(&c.end);
	}
	assert_int_equal(c.way.gate[WAY_UNREACHED].hushed, 3);
	scene_end(&c);
}

static void cancel_untold(struct scene *c)
{
	assert_int_equal(c->end.told, 0);
	dial_cancel(c->dial);
	toy_settle();
	assert_int_equal(c->end.told, 0);
	scene_end(c);
}

static void cancel_in_every_state_leaks_nothing(void **state)
{
	static const char *const said[] = { "", "\x05\x02", "\x01\x00",
					    "\x05\x00\x00\x01" };
	static const size_t len[] = { 0, 2, 2, 4 };

	(void)state;
	for (size_t last = 0; last < 4; last++) {
		struct scene c;

		scene_one(&c, HOP_SOCKS5, "me");
		for (size_t i = 0; i <= last; i++)
			if (len[i] > 0)
				toy_say(c.peer, said[i], len[i]);
		cancel_untold(&c);
	}
}

static void cancel_before_the_first_turn_and_after_the_end(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_BLOCK, NULL);
	scene_dial(&c, &example); /* has ended, nobody was told */
	cancel_untold(&c);
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	scene_dial(&c, &example);
	cancel_untold(&c);
}

static void way_refuses_chains_that_cannot_be_walked(void **state)
{
	const struct addr a = { .family = AF_INET, .port = 1 };
	struct plan p = { 0 };
	struct way w;

	(void)state;
	assert_int_equal(way_init(&w, &toy_loop, &p), -EINVAL);
	toy_hop(&p, HOP_SOCKS5, NULL);
	assert_int_equal(way_init(&w, &toy_loop, &p), -EINVAL);
	p.hop_count = 0;
	toy_hop(&p, HOP_SOCKS5, &a);
	toy_hop(&p, HOP_DIRECT, NULL);
	assert_int_equal(way_init(&w, &toy_loop, &p), -EINVAL);
	p.hop_count = 0;
	toy_hop(&p, HOP_DIRECT, NULL);
	toy_hop(&p, HOP_SOCKS5, &a);
	assert_int_equal(way_init(&w, &toy_loop, &p), 0);
	assert_int_equal(way_first(&w), 1);
	assert_true(way_has_udp(&w));
	toy_far_hop(&p, HOP_SOCKS5, "second.example", 1080);
	assert_int_equal(way_init(&w, &toy_loop, &p), 0);
	assert_false(way_has_udp(&w));
	way_init_direct(&w, &toy_loop);
	assert_true(way_has_udp(&w));
}

static void device_binds_the_first_hop(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	strcpy(toy_hop(&c.plan, HOP_DIRECT, NULL)->dev, "nosuchdev0");
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	scene_dial(&c, &example);
	assert_int_equal(toy_finish(&c.end), -EHOSTUNREACH);
	strcpy(c.plan.hop[0].dev, "lo");
	scene_meet(&c, &example);
	TOY_EXPECT(c.peer, HELLO);
	dial_cancel(c.dial);
	scene_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(socks5_asks_for_the_name),
		T(socks5_logs_in_and_asks_for_an_address),
		T(eager_request_goes_with_the_greeting),
		T(eager_request_goes_with_the_password),
		T(eager_refusals_are_what_they_were),
		T(socks5_in_pieces_leaves_early_data),
		T(socks5_reply_glued_to_early_data),
		T(socks4a_asks_for_the_name),
		T(http_connects_and_leaves_early_data),
		T(http_in_pieces_leaves_early_data),
		T(chain_of_three_walks_hop_by_hop),
		T(chain_of_two_with_everything_at_once),
		T(next_hop_out_of_reach_is_a_hop_failure),
		T(block_refuses_from_the_loop),
		T(socks4a_cannot_say_ipv6),
		T(associate_gives_the_bound_port),
		T(dials_have_a_cap),
		T(warnings_are_paced),
		T(cancel_in_every_state_leaks_nothing),
		T(cancel_before_the_first_turn_and_after_the_end),
		T(way_refuses_chains_that_cannot_be_walked),
		T(device_binds_the_first_hop),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
