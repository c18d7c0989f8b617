// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_spare_test.c - connections that wait for the next dial
 */
#include "dial_scene.h"

#define SPARE_MS      2000
#define SPARE_SHUN_MS 60000

static void dial_begin(struct scene *c)
{
	const struct dest to = toy_dest("example.org", NULL, 80);

	c->end = (struct toy_end){ 0 };
	assert_int_equal(dial_start(&c->way, DIAL_CONNECT, &to, toy_told,
				    &c->end, &c->dial),
			 0);
}

static void dial_drop(struct scene *c)
{
	stream_close(&c->end.s);
	fd_close(&c->peer);
	c->end = (struct toy_end){ 0 };
}

/* The proxy's part of a dial over a connection of its own */
static void dial_met(struct scene *c)
{
	c->peer = toy_accept(c->listener);
	TOY_EXPECT(c->peer, HELLO);
	TOY_SAY(c->peer, HELLO_OK);
	TOY_EXPECT(c->peer, ASK_NAME);
	TOY_SAY(c->peer, REPLY_OK);
	assert_int_equal(toy_finish(&c->end), 0);
}

/* Such a dial, and over again */
static void dial_whole(struct scene *c)
{
	dial_begin(c);
	dial_met(c);
	dial_drop(c);
}

static void nobody_connects(struct scene *c)
{
	toy_settle();
	assert_true(accept(c->listener, NULL, NULL) < 0);
}

static struct hop *spare_scene(struct scene *c, enum hop_kind kind)
{
	struct hop *h;

	scene_begin(c);
	h = toy_hop(&c->plan, kind, &c->at);
	scene_way(c);
	return h;
}

/* Two dials, and the proxy's end of what they leave behind */
static int spare_wait(struct scene *c)
{
	dial_whole(c);
	nobody_connects(c);
	dial_whole(c);
	return toy_accept(c->listener);
}

static int spare_greeted(struct scene *c)
{
	const int fd = spare_wait(c);

	TOY_EXPECT(fd, HELLO);
	TOY_SAY(fd, HELLO_OK);
	return fd;
}

static void after_two_dials_the_third_needs_a_request_alone(void **state)
{
	struct scene c;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	c.peer = spare_greeted(&c);
	assert_int_equal(c.way.dials, 0);
	dial_begin(&c);
	assert_int_equal(c.way.dials, 1);
	TOY_EXPECT(c.peer, ASK_NAME);
	assert_int_equal(c.end.told, 0);
	TOY_SAY(c.peer, REPLY_OK "early");
	assert_int_equal(toy_finish(&c.end), 0);
	stream_has(&c.end.s, "early");
	scene_end(&c);
}

static void dials_far_apart_leave_none(void **state)
{
	struct scene c;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	dial_whole(&c);
	toy_pass(SPARE_MS);
	dial_whole(&c);
	nobody_connects(&c);
	scene_end(&c);
}

static void a_fresh_hop_gets_none(void **state)
{
	struct scene c;

	(void)state;
	spare_scene(&c, HOP_SOCKS5)->fresh = true;
	for (int i = 0; i < 3; i++)
		dial_whole(&c);
	nobody_connects(&c);
	scene_end(&c);
}

static void one_that_nobody_wants_is_closed(void **state)
{
	struct scene c;
	char octet;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	c.peer = spare_greeted(&c);
	toy_pass(SPARE_MS - 1);
	assert_int_equal(recv(c.peer, &octet, 1, 0), -1);
	toy_pass(1);
	assert_int_equal(recv(c.peer, &octet, 1, 0), 0);
	scene_end(&c);
}

static void a_proxy_that_closes_it_gets_no_more_for_a_minute(void **state)
{
	struct scene c;
	int spare;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	spare = spare_greeted(&c);
	fd_close(&spare);
	toy_settle();
	dial_whole(&c);
	dial_whole(&c);
	nobody_connects(&c);
	for (int k = 0; k < WAY_FAULTS; k++)
		assert_int_equal(c.way.gate[k].next_ms, 0);
	toy_pass(SPARE_SHUN_MS);
	c.peer = spare_wait(&c);
	scene_end(&c);
}

static void one_that_is_dead_costs_a_dial_nothing(void **state)
{
	struct scene c;
	int spare;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	spare = spare_greeted(&c);
	fd_close(&spare); /* not seen yet when it is taken */
	dial_begin(&c);
	dial_met(&c);
	scene_end(&c);
}

static void one_is_begun_anew_once(void **state)
{
	struct scene c;
	int spare;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	spare = spare_greeted(&c);
	dial_begin(&c);
	TOY_EXPECT(spare, ASK_NAME);
	fd_close(&spare); /* this proxy says no by hanging up */
	c.peer = toy_accept(c.listener);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, ASK_NAME);
	fd_close(&c.peer);
	assert_int_equal(toy_finish(&c.end), -EIO);
	nobody_connects(&c);
	scene_end(&c);
}

static void one_that_speaks_unasked_is_not_used(void **state)
{
	struct scene c;
	int spare;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	spare = spare_greeted(&c);
	TOY_SAY(spare, REPLY_OK);
	dial_whole(&c);
	fd_close(&spare);
	scene_end(&c);
}

static void a_spare_is_never_eager(void **state)
{
	struct scene c;

	(void)state;
	spare_scene(&c, HOP_SOCKS5)->eager = true;
	for (int i = 0; i < 2; i++) {
		dial_begin(&c);
		c.peer = toy_accept(c.listener);
		TOY_EXPECT(c.peer, HELLO ASK_NAME);
		TOY_SAY(c.peer, HELLO_OK REPLY_OK);
		assert_int_equal(toy_finish(&c.end), 0);
		dial_drop(&c);
	}
	c.peer = toy_accept(c.listener);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	dial_begin(&c);
	TOY_EXPECT(c.peer, ASK_NAME);
	TOY_SAY(c.peer, REPLY_OK);
	assert_int_equal(toy_finish(&c.end), 0);
	scene_end(&c);
}

static void http_is_told_nothing_before(void **state)
{
	struct scene c;
	char octet;

	(void)state;
	(void)spare_scene(&c, HOP_HTTP);
	for (int i = 0; i < 2; i++) {
		dial_begin(&c);
		c.peer = toy_accept(c.listener);
		expect_connect(c.peer, CONNECT_HEAD, NULL);
		TOY_SAY(c.peer, HTTP_OK);
		assert_int_equal(toy_finish(&c.end), 0);
		dial_drop(&c);
	}
	c.peer = toy_accept(c.listener);
	toy_settle();
	assert_int_equal(recv(c.peer, &octet, 1, 0), -1);
	dial_begin(&c);
	expect_connect(c.peer, CONNECT_HEAD, NULL);
	TOY_SAY(c.peer, HTTP_OK);
	assert_int_equal(toy_finish(&c.end), 0);
	scene_end(&c);
}

static void a_chain_is_walked_to_its_last_hop(void **state)
{
	struct scene c;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	way_fini(&c.way);
	(void)toy_far_hop(&c.plan, HOP_HTTP, "second.example", 8080);
	scene_way(&c);
	for (int i = 0; i < 2; i++) {
		dial_begin(&c);
		c.peer = toy_accept(c.listener);
		TOY_SAY(c.peer, HELLO_OK REPLY_OK HTTP_OK);
		assert_int_equal(toy_finish(&c.end), 0);
		dial_drop(&c);
	}
	c.peer = toy_accept(c.listener);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, "\x05\x01\x00\x03\x0esecond.example\x1f\x90");
	TOY_SAY(c.peer, REPLY_OK);
	dial_begin(&c);
	expect_connect(c.peer, CONNECT_HEAD, NULL);
	TOY_SAY(c.peer, HTTP_OK);
	assert_int_equal(toy_finish(&c.end), 0);
	scene_end(&c);
}

static void a_way_ends_with_its_spares(void **state)
{
	struct scene c;
	char octet;

	(void)state;
	(void)spare_scene(&c, HOP_SOCKS5);
	c.peer = spare_greeted(&c);
	way_fini(&c.way);
	assert_int_equal(recv(c.peer, &octet, 1, 0), 0);
	scene_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(after_two_dials_the_third_needs_a_request_alone),
		T(dials_far_apart_leave_none),
		T(a_fresh_hop_gets_none),
		T(one_that_nobody_wants_is_closed),
		T(a_proxy_that_closes_it_gets_no_more_for_a_minute),
		T(one_that_is_dead_costs_a_dial_nothing),
		T(one_is_begun_anew_once),
		T(one_that_speaks_unasked_is_not_used),
		T(a_spare_is_never_eager),
		T(http_is_told_nothing_before),
		T(a_chain_is_walked_to_its_last_hop),
		T(a_way_ends_with_its_spares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
