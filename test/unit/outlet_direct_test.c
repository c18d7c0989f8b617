// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outlet_direct_test.c - datagrams straight from the host
 */
#include "outlet_scene.h"

#include "bus/channel.h"
#include "dial/resolve.h"

static void direct_is_full_cone(void **state)
{
	struct scene *c = scene_begin(HOP_DIRECT);
	struct dest to = { 0 };
	struct addr other_at;
	int other = toy_bind(AF_INET, SOCK_DGRAM, &other_at);

	(void)state;
	c->relay = toy_bind(AF_INET, SOCK_DGRAM, &to.addr);
	assert_int_equal(send_text(c, &to, "ping"), 0);
	RELAY_EXPECT(c, "ping");
	RELAY_SAY(c, "pong");
	assert_int_equal(c->owner.datagrams, 1);
	assert_true(addr_equal(&c->owner.from.addr, &to.addr));
	assert_int_equal(c->owner.from.name[0], '\0');
	(void)sendto(other, "stranger", 8, 0, (void *)&c->client,
		     c->client_len);
	toy_settle();
	assert_int_equal(c->owner.datagrams, 2);
	assert_true(addr_equal(&c->owner.from.addr, &other_at));
	fd_close(&other);
	scene_end(c);
}

static void direct_carries_large_datagrams_over_both_families(void **state)
{
	static uint8_t big[65507];

	(void)state;
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 2; i++) {
		struct scene *c = scene_begin(HOP_DIRECT);
		struct dest to = { 0 };

		c->relay = toy_bind(i == 0 ? AF_INET : AF_INET6, SOCK_DGRAM,
				    &to.addr);
		assert_int_equal(
			outlet_send(c->owner.outlet, &to, big, sizeof(big)), 0);
		relay_expect(c, big, sizeof(big));
		relay_say(c, big, sizeof(big));
		assert_int_equal(c->owner.len, sizeof(big));
		scene_end(c);
	}
}

static void direct_refusal_names_the_destination(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene *c = scene_begin(HOP_DIRECT);
		const int family = i == 0 ? AF_INET : AF_INET6;
		struct dest dead = { 0 };
		struct dest live = { 0 };
		int gone = toy_bind(family, SOCK_DGRAM, &dead.addr);

		fd_close(&gone);
		c->relay = toy_bind(family, SOCK_DGRAM, &live.addr);
		assert_int_equal(send_text(c, &dead, "x"), 0);
		/* Another's error must not cost this one. */
		assert_int_equal(send_text(c, &live, "y"), 0);
		RELAY_EXPECT(c, "y");
		toy_settle();
		assert_int_equal(c->owner.refusals, 1);
		assert_true(c->owner.has_to);
		assert_true(addr_equal(&c->owner.to, &dead.addr));
		assert_int_equal(c->owner.refused_err, -ECONNREFUSED);
		assert_int_equal(c->owner.closings, 0);
		scene_end(c);
	}
}

static void direct_owner_may_close_in_a_refusal(void **state)
{
	struct scene *c = scene_begin(HOP_DIRECT);
	struct dest dead = { 0 };
	int gone = toy_bind(AF_INET, SOCK_DGRAM, &dead.addr);

	(void)state;
	fd_close(&gone);
	c->owner.closes = true;
	assert_int_equal(send_text(c, &dead, "x"), 0);
	assert_int_equal(send_text(c, &dead, "x"), 0);
	toy_settle();
	assert_int_equal(c->owner.refusals, 1);
	assert_null(c->owner.outlet);
	scene_end(c);
}

static void direct_without_resolver_takes_no_names(void **state)
{
	const struct dest name = toy_dest("example.org", NULL, 80);
	const struct dest nothing = { 0 };
	struct scene *c = scene_begin(HOP_DIRECT);

	(void)state;
	assert_int_equal(send_text(c, &name, "x"), -EOPNOTSUPP);
	assert_int_equal(send_text(c, &nothing, "x"), -EAFNOSUPPORT);
	scene_end(c);
}

/* Answer one question. @ip: NULL for no address */
static void resolver_play(int chan, const char *name, const char *ip)
{
	struct addr a = { 0 };

	if (ip)
		assert_true(addr_parse_ip(ip, &a));
	toy_resolve(chan, name, &a, ip ? 1 : 0);
	toy_settle();
}

static void direct_asks_once_for_each_name(void **state)
{
	struct scene *c = scene_begin(HOP_DIRECT);
	struct dest to = toy_dest("example.org", NULL, 0);
	struct dest bad = toy_dest("bad.example", NULL, 9);
	struct addr at;
	int chan[2];

	(void)state;
	assert_int_equal(channel_pair(chan), 0);
	c->way.resolver = resolver_new(&toy_loop, chan[0]);
	c->relay = toy_bind(AF_INET, SOCK_DGRAM, &at);
	to.addr.port = at.port;
	assert_int_equal(send_text(c, &to, "one"), 0);
	assert_int_equal(send_text(c, &bad, "lost"), 0);
	assert_int_equal(send_text(c, &to, "two"), 0);
	resolver_play(chan[1], "example.org", "127.0.0.1");
	RELAY_EXPECT(c, "one");
	RELAY_EXPECT(c, "two");
	resolver_play(chan[1], "bad.example", NULL);
	assert_int_equal(send_text(c, &bad, "lost"), -EHOSTUNREACH);
	assert_int_equal(send_text(c, &to, "three"), 0);
	RELAY_EXPECT(c, "three");
	assert_int_equal(recv(chan[1], &at, 1, MSG_DONTWAIT), -1);
	for (int i = 0; i < 100; i++) { /* more than are remembered */
		(void)snprintf(bad.name, sizeof(bad.name), "n%d.example", i);
		(void)send_text(c, &bad, "x");
	}
	outlet_close(c->owner.outlet);
	c->owner.outlet = NULL;
	resolver_free(c->way.resolver);
	fd_close(&chan[1]);
	scene_end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(direct_is_full_cone),
		T(direct_carries_large_datagrams_over_both_families),
		T(direct_refusal_names_the_destination),
		T(direct_owner_may_close_in_a_refusal),
		T(direct_without_resolver_takes_no_names),
		T(direct_asks_once_for_each_name),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
