// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outlet_test.c - datagrams through outlets, against toys on loopback
 */
#include "dial_toy.h"

#include "base/log.h"
#include "bus/channel.h"
#include "dial/outlet.h"
#include "dial/resolve.h"

#include <stdlib.h>
#include <sys/un.h>

#define HELLO_OK "\x05\x00"
#define IN_HEAD	 "\x00\x00\x00\x01\xc0\x00\x02\x07\x00\x35" /* 192.0.2.7:53 */

/* An owner that keeps the last of everything */
struct owner {
	struct outlet_user user;
	struct outlet *outlet;
	bool closes; /* in each callback */
	int datagrams;
	struct dest from;
	size_t len;
	uint8_t data[65536];
	int refusals;
	bool has_to;
	struct addr to;
	int refused_err;
	int closings;
	int closed_err;
};

static void owner_shut(struct owner *o)
{
	outlet_close(o->outlet);
	o->outlet = NULL;
}

static void owner_datagram(struct outlet_user *u, const struct dest *from,
			   const void *data, size_t len)
{
	struct owner *o = container_of(u, struct owner, user);

	o->datagrams++;
	o->from = *from;
	o->len = len;
	assert_true(len <= sizeof(o->data));
	memcpy(o->data, data, len);
	if (o->closes)
		owner_shut(o);
}

static void owner_refused(struct outlet_user *u, const struct addr *to, int err,
			  size_t len)
{
	struct owner *o = container_of(u, struct owner, user);

	(void)len;
	o->refusals++;
	o->has_to = to != NULL;
	if (to)
		o->to = *to;
	o->refused_err = err;
	if (o->closes)
		owner_shut(o);
}

static void owner_closed(struct outlet_user *u, int err)
{
	struct owner *o = container_of(u, struct owner, user);

	o->closings++;
	o->closed_err = err;
	owner_shut(o);
}

/* An outlet, and for SOCKS5 a toy proxy with its relay */
struct scene {
	struct plan plan;
	struct way way;
	struct addr at;
	int listener;
	int peer;
	int relay;
	struct addr relay_at;
	struct sockaddr_storage client; /* whom the relay has heard */
	socklen_t client_len;
	struct owner owner;
};

static struct scene scene; /* large */

static struct scene *scene_begin(enum hop_kind kind)
{
	struct scene *c = &scene;

	*c = (struct scene){ .peer = -1, .relay = -1, .listener = -1 };
	c->owner.user = (struct outlet_user){
		.datagram = owner_datagram,
		.refused = owner_refused,
		.closed = owner_closed,
	};
	if (kind == HOP_SOCKS5)
		c->listener = toy_listen(&c->at);
	toy_hop(&c->plan, kind, kind == HOP_SOCKS5 ? &c->at : NULL);
	assert_int_equal(way_init(&c->way, &toy_loop, &c->plan), 0);
	assert_int_equal(outlet_open(&c->way, &c->owner.user, &c->owner.outlet),
			 0);
	return c;
}

static void scene_end(struct scene *c)
{
	outlet_close(c->owner.outlet);
	assert_int_equal(c->way.dials, 0);
	way_fini(&c->way);
	fd_close(&c->listener);
	fd_close(&c->peer);
	fd_close(&c->relay);
	toy_turn();
	assert_int_equal(toy_loop.heap_len, 0);
}

/* The proxy grants the association. @reply: up to and without the port */
static void scene_grant(struct scene *c, const char *reply, size_t len)
{
	uint8_t port[2];

	c->relay = toy_bind(AF_INET, SOCK_DGRAM, &c->relay_at);
	c->peer = toy_accept(c->listener);
	TOY_SAY(c->peer, HELLO_OK);
	port[0] = (uint8_t)(c->relay_at.port >> 8);
	port[1] = (uint8_t)c->relay_at.port;
	toy_say(c->peer, reply, len);
	toy_say(c->peer, port, 2);
}

#define BOUND_ANY  "\x05\x00\x00\x01\x00\x00\x00\x00", 8
#define BOUND_EVIL "\x05\x00\x00\x01\xc0\x00\x02\x63", 8
#define BOUND_NAME "\x05\x00\x00\x03\x04host", 9

static int send_text(struct scene *c, const struct dest *to, const char *text)
{
	return outlet_send(c->owner.outlet, to, text, strlen(text));
}

/* The relay gets exactly this */
static void relay_expect(struct scene *c, const void *want, size_t len)
{
	static uint8_t got[70000];
	ssize_t n = -1;

	for (int i = 0; i < TOY_TURNS && n < 0; i++) {
		c->client_len = sizeof(c->client);
		n = recvfrom(c->relay, got, sizeof(got), 0, (void *)&c->client,
			     &c->client_len);
		if (n < 0)
			toy_wait();
	}
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
}

static void relay_say(struct scene *c, const void *data, size_t len)
{
	assert_int_equal(sendto(c->relay, data, len, 0, (void *)&c->client,
				c->client_len),
			 len);
	toy_settle();
}

#define RELAY_EXPECT(c, text) relay_expect(c, text, sizeof(text) - 1)
#define RELAY_SAY(c, text)    relay_say(c, text, sizeof(text) - 1)

/* --------------------------------------------------------------- SOCKS5 -- */

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

/* --------------------------------------------------------------- direct -- */

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
	struct resolve_question q = { 0 };
	struct resolve_answer a = { 0 };
	ssize_t n = -1;

	for (int i = 0; i < TOY_TURNS && n < 0; i++) {
		n = recv(chan, &q, sizeof(q), MSG_DONTWAIT);
		if (n < 0)
			toy_wait();
	}
	assert_int_equal(n, sizeof(q));
	assert_string_equal(q.name, name);
	a.id = q.id;
	if (ip) {
		a.count = 1;
		assert_true(addr_parse_ip(ip, &a.addr[0]));
	}
	assert_int_equal(send(chan, &a, sizeof(a), 0), sizeof(a));
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

#define T(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

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
		T(direct_is_full_cone),
		T(direct_carries_large_datagrams_over_both_families),
		T(direct_refusal_names_the_destination),
		T(direct_owner_may_close_in_a_refusal),
		T(direct_without_resolver_takes_no_names),
		T(direct_asks_once_for_each_name),
		T(ways_without_udp_have_no_outlets),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
