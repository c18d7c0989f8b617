// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_lookup_test.c - the last hop is asked for an address, or for a name
 */
#include "dial_scene.h"

#include "wire/socks5.h"

#define ASK_ADDRESS            \
	"\x05\xf0\x00\x03\x0b" \
	"example.org"          \
	"\x00\x00"
#define ASK_NAME_OF "\x05\xf1\x00\x01\xc0\x00\x02\x07\x00\x00"

static const struct dest name = { .name = "example.org" };
static struct dial_found found;

static void look_up(struct scene *c, enum dial_goal goal, const struct dest *to)
{
	scene_way(c);
	memset(&found, 0xff, sizeof(found));
	assert_int_equal(dial_look_up(&c->way, goal, to, &found, toy_told,
				      &c->end, &c->dial),
			 0);
	assert_false(found.is_heard);
}

static void greet(struct scene *c)
{
	c->peer = toy_accept(c->listener);
	TOY_EXPECT(c->peer, HELLO);
	TOY_SAY(c->peer, HELLO_OK);
}

/* A way of one hop, which is to be asked this, and has been greeted */
static void ask_one(struct scene *c, enum dial_goal goal, const struct dest *to)
{
	scene_begin(c);
	toy_hop(&c->plan, HOP_SOCKS5, &c->at);
	look_up(c, goal, to);
	greet(c);
}

static void a_name_has_an_address(void **state)
{
	struct scene c;

	(void)state;
	ask_one(&c, DIAL_RESOLVE, &name);
	TOY_EXPECT(c.peer, ASK_ADDRESS);
	TOY_DRIBBLE(c.peer, "\x05\x00\x00\x01\xc0\x00\x02\x07\x00\x00");
	assert_int_equal(toy_finish(&c.end), 0);
	assert_true(found.is_heard);
	assert_int_equal(found.code, SOCKS5_OK);
	assert_memory_equal(found.dest.addr.ip, "\xc0\x00\x02\x07", 4);
	scene_end(&c);
}

static void an_address_has_a_name(void **state)
{
	const struct dest to = toy_dest(NULL, "192.0.2.7", 0);
	struct scene c;

	(void)state;
	ask_one(&c, DIAL_REVERSE, &to);
	TOY_EXPECT(c.peer, ASK_NAME_OF);
	TOY_DRIBBLE(c.peer, "\x05\x00\x00\x03\x0btor.example\x00\x00");
	assert_int_equal(toy_finish(&c.end), 0);
	assert_string_equal(found.dest.name, "tor.example");
	scene_end(&c);
}

static void a_refusal_is_heard_with_its_code(void **state)
{
	struct scene c;

	(void)state;
	ask_one(&c, DIAL_RESOLVE, &name);
	TOY_EXPECT(c.peer, ASK_ADDRESS);
	/* As Tor says it: no address type. */
	TOY_DRIBBLE(c.peer, "\x05\x04\x00\x00\x00\x00\x00\x00\x00\x00");
	assert_int_equal(toy_finish(&c.end), -EHOSTUNREACH);
	assert_true(found.is_heard);
	assert_int_equal(found.code, SOCKS5_HOST_UNREACHABLE);
	scene_end(&c);
}

static void a_hop_before_it_is_asked_to_connect(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	toy_far_hop(&c.plan, HOP_SOCKS5, "192.0.2.7", 443);
	look_up(&c, DIAL_RESOLVE, &name);
	greet(&c);
	TOY_EXPECT(c.peer, ASK_IP);
	TOY_SAY(c.peer, REPLY_OK);
	assert_false(found.is_heard);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, ASK_ADDRESS);
	TOY_SAY(c.peer, "\x05\x00\x00\x01\xc0\x00\x02\x08\x00\x00");
	assert_int_equal(toy_finish(&c.end), 0);
	assert_memory_equal(found.dest.addr.ip, "\xc0\x00\x02\x08", 4);
	scene_end(&c);
}

static void what_a_hop_before_it_refuses_is_not_heard(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	toy_far_hop(&c.plan, HOP_SOCKS5, "192.0.2.7", 443);
	look_up(&c, DIAL_RESOLVE, &name);
	greet(&c);
	TOY_EXPECT(c.peer, ASK_IP);
	TOY_SAY(c.peer, "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00");
	assert_int_equal(toy_finish(&c.end), -EHOSTUNREACH);
	assert_false(found.is_heard);
	scene_end(&c);
}

static void silence_ends_with_the_dial(void **state)
{
	struct scene c;

	(void)state;
	ask_one(&c, DIAL_RESOLVE, &name);
	TOY_EXPECT(c.peer, ASK_ADDRESS);
	toy_pass(DIAL_MS - 1000);
	assert_int_equal(c.end.told, 0);
	toy_pass(1000);
	assert_int_equal(toy_finish(&c.end), -ETIMEDOUT);
	assert_false(found.is_heard);
	scene_end(&c);
}

static void no_other_protocol_can_be_asked(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_HTTP, &c.at);
	look_up(&c, DIAL_RESOLVE, &name);
	assert_int_equal(toy_finish(&c.end), -EOPNOTSUPP);
	assert_false(found.is_heard);
	scene_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_name_has_an_address),
		T(an_address_has_a_name),
		T(a_refusal_is_heard_with_its_code),
		T(a_hop_before_it_is_asked_to_connect),
		T(what_a_hop_before_it_refuses_is_not_heard),
		T(silence_ends_with_the_dial),
		T(no_other_protocol_can_be_asked),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
