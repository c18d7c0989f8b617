// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_reach_test.c - first connections: addresses in turn, unix sockets,
 * direct
 */
#include "dial_scene.h"

#include "bus/channel.h"
#include "dial/resolve.h"

#include <sys/un.h>

/* The proxy is a unix socket; *@un says where, for who unlinks it at the end */
static void scene_begin_unix(struct scene *c, struct sockaddr_un *un,
			     int backlog)
{
	scene_begin(c);
	fd_close(&c->listener);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(un->sun_path, sizeof(un->sun_path), "/tmp/dial_test.%d",
		       (int)getpid());
	(void)unlink(un->sun_path);
	assert_int_equal(bind(c->listener, (void *)un, sizeof(*un)), 0);
	assert_int_equal(listen(c->listener, backlog), 0);
	memcpy(toy_hop(&c->plan, HOP_SOCKS5, NULL)->path, un->sun_path,
	       sizeof(un->sun_path));
}

static void unix_socket_is_a_proxy_too(void **state)
{
	struct sockaddr_un un;
	struct scene c;

	(void)state;
	scene_begin_unix(&c, &un, 4);
	scene_meet(&c, &example);
	TOY_EXPECT(c.peer, HELLO);
	TOY_SAY(c.peer, HELLO_OK);
	TOY_EXPECT(c.peer, ASK_NAME);
	TOY_SAY(c.peer, REPLY_OK);
	assert_int_equal(toy_finish(&c.end), 0);
	(void)unlink(un.sun_path);
	scene_end(&c);
}

static void unix_socket_with_full_backlog_is_given_time(void **state)
{
	struct sockaddr_un un;
	struct scene c;
	int full[8];
	int n = 0;

	(void)state;
	scene_begin_unix(&c, &un, 0);
	for (; n < 8; n++) {
		full[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(full[n], (void *)&un, sizeof(un)) < 0)
			break;
	}
	assert_in_range(n, 1, 7);
	scene_dial(&c, &example);
	toy_pass(200);
	assert_int_equal(c.end.told, 0);
	for (int i = 0; i < n; i++) {
		int got = toy_accept(c.listener);

		fd_close(&got);
	}
	toy_pass(60);
	c.peer = toy_accept(c.listener);
	TOY_EXPECT(c.peer, HELLO);
	dial_cancel(c.dial);
	for (int i = 0; i <= n; i++)
		fd_close(&full[i]);
	(void)unlink(un.sun_path);
	scene_end(&c);
}

static void missing_unix_socket_is_refused(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	strcpy(toy_hop(&c.plan, HOP_SOCKS5, NULL)->path, "/nonexistent/sock");
	scene_dial(&c, &example);
	assert_int_equal(toy_finish(&c.end), -ECONNREFUSED);
	scene_end(&c);
}

/* row: P01 */
static void dead_proxy_is_refused_at_once(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	fd_close(&c.listener);
	toy_hop(&c.plan, HOP_SOCKS5, &c.at);
	scene_dial(&c, &example);
	assert_int_equal(toy_finish(&c.end), -ECONNREFUSED);
	assert_int_not_equal(c.way.gate[WAY_UNREACHED].next_ms, 0);
	scene_end(&c);
}

static void next_address_is_tried_after_a_refusal(void **state)
{
	struct addr dead;
	int gone = toy_listen(&dead);
	struct scene c;
	struct hop *h;

	(void)state;
	fd_close(&gone);
	scene_begin(&c);
	h = toy_hop(&c.plan, HOP_SOCKS5, &dead);
	h->addr[1] = c.at;
	h->addr_count = 2;
	scene_meet(&c, &example);
	TOY_EXPECT(c.peer, HELLO);
	dial_cancel(c.dial);
	scene_end(&c);
}

/* A listener whose backlog is full: SYNs to it are not answered */
struct black_hole {
	int listener;
	int full[8];
	struct addr at;
};

static void hole_dig(struct black_hole *b)
{
	struct sockaddr_storage ss;
	socklen_t len;

	b->listener = toy_bind(AF_INET, SOCK_STREAM, &b->at);
	assert_int_equal(listen(b->listener, 0), 0);
	len = addr_to_sock(&b->at, &ss);
	for (int i = 0; i < 8; i++) {
		b->full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(b->full[i], (void *)&ss, len);
		(void)usleep(2000);
	}
}

static void hole_fill(struct black_hole *b)
{
	for (int i = 0; i < 8; i++)
		fd_close(&b->full[i]);
	fd_close(&b->listener);
}

static void next_address_is_tried_after_a_silence(void **state)
{
	struct black_hole hole;
	struct scene c;
	struct hop *h;

	(void)state;
	hole_dig(&hole);
	scene_begin(&c);
	h = toy_hop(&c.plan, HOP_SOCKS5, &hole.at);
	h->addr[1] = c.at;
	h->addr_count = 2;
	scene_dial(&c, &example);
	toy_pass(2400);
	assert_int_equal(accept(c.listener, NULL, NULL), -1);
	toy_pass(101);
	c.peer = toy_accept(c.listener);
	TOY_EXPECT(c.peer, HELLO);
	dial_cancel(c.dial);
	hole_fill(&hole);
	scene_end(&c);
}

/* row: P02 */
static void silent_proxy_is_unreachable_after_the_deadline(void **state)
{
	struct black_hole hole;
	struct scene c;

	(void)state;
	hole_dig(&hole);
	scene_begin(&c);
	toy_hop(&c.plan, HOP_SOCKS5, &hole.at);
	scene_dial(&c, &example);
	scene_wait(&c, DIAL_CONNECT_MS, -EHOSTUNREACH);
	hole_fill(&hole);
	scene_end(&c);
}

static void direct_connects(void **state)
{
	struct scene c;
	struct dest to = { 0 };

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_DIRECT, NULL);
	to.addr = c.at;
	scene_dial(&c, &to);
	assert_int_equal(toy_finish(&c.end), 0);
	assert_true(addr_equal(&c.end.bound, &c.at));
	c.peer = toy_accept(c.listener);
	TOY_SAY(c.peer, "hi");
	stream_has(&c.end.s, "hi");
	scene_end(&c);
}

static void direct_tells_the_plain_error(void **state)
{
	struct dest to = { 0 };
	struct scene c;

	(void)state;
	scene_begin(&c);
	fd_close(&c.listener);
	toy_hop(&c.plan, HOP_DIRECT, NULL);
	to.addr = c.at;
	scene_dial(&c, &to);
	assert_int_equal(toy_finish(&c.end), -ECONNREFUSED);
	scene_end(&c);
}

static void direct_without_resolver_takes_no_names(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_DIRECT, NULL);
	scene_dial(&c, &example);
	assert_int_equal(toy_finish(&c.end), -EAFNOSUPPORT);
	scene_end(&c);
}

/* A direct way with a resolver. Return: its channel, for who plays it */
static int scene_begin_resolver(struct scene *c)
{
	int chan[2];

	scene_begin(c);
	toy_hop(&c->plan, HOP_DIRECT, NULL);
	scene_way(c);
	assert_int_equal(channel_pair(chan), 0);
	c->way.resolver = resolver_new(&toy_loop, chan[0]);
	return chan[1];
}

static void scene_end_resolver(struct scene *c, int *chan)
{
	resolver_free(c->way.resolver);
	fd_close(chan);
	scene_end(c);
}

static void direct_tries_all_addresses_of_a_name(void **state)
{
	struct dest to = toy_dest("example.org", NULL, 0);
	struct addr found[2];
	struct scene c;
	int chan;

	(void)state;
	chan = scene_begin_resolver(&c);
	to.addr.port = c.at.port;
	scene_start(&c, &to);
	assert_true(addr_parse_ip("127.0.0.9", &found[0])); /* refuses */
	found[1] = c.at;
	found[1].port = 0;
	toy_resolve(chan, example.name, found, 2);
	assert_int_equal(toy_finish(&c.end), 0);
	assert_true(addr_equal(&c.end.bound, &c.at));
	scene_end_resolver(&c, &chan);
}

static void lookups_fail_in_their_own_ways(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct scene c;
		int chan = scene_begin_resolver(&c);

		scene_start(&c, &example);
		switch (i) {
		case 0: /* no such name */
			toy_resolve(chan, example.name, NULL, 0);
			assert_int_equal(toy_finish(&c.end), -EHOSTUNREACH);
			break;
		case 1: /* no answer */
			toy_pass(RESOLVE_MS);
			assert_int_equal(toy_finish(&c.end), -ETIMEDOUT);
			break;
		case 2: /* no helper any more */
			fd_close(&chan);
			toy_settle();
			assert_int_equal(toy_finish(&c.end), -EHOSTUNREACH);
			break;
		default:
			dial_cancel(c.dial);
		}
		scene_end_resolver(&c, &chan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(unix_socket_is_a_proxy_too),
		T(unix_socket_with_full_backlog_is_given_time),
		T(missing_unix_socket_is_refused),
		T(dead_proxy_is_refused_at_once),
		T(next_address_is_tried_after_a_refusal),
		T(next_address_is_tried_after_a_silence),
		T(silent_proxy_is_unreachable_after_the_deadline),
		T(direct_connects),
		T(direct_tells_the_plain_error),
		T(direct_without_resolver_takes_no_names),
		T(direct_tries_all_addresses_of_a_name),
		T(lookups_fail_in_their_own_ways),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
