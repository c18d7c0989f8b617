/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * outlet_scene.h - an outlet, its owner, and for SOCKS5 a toy proxy with its
 * relay
 */
#include "dial_toy.h"

#include "base/log.h"
#include "dial/outlet.h"

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

static inline void owner_shut(struct owner *o)
{
	outlet_close(o->outlet);
	o->outlet = NULL;
}

static inline void owner_datagram(struct outlet_user *u,
				  const struct dest *from, const void *data,
				  size_t len)
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

static inline void owner_refused(struct outlet_user *u, const struct addr *to,
				 int err, size_t len)
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

static inline void owner_closed(struct outlet_user *u, int err)
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

static inline struct scene *scene_begin(enum hop_kind kind)
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

static inline void scene_end(struct scene *c)
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
static inline void scene_grant(struct scene *c, const char *reply, size_t len)
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

static inline int send_text(struct scene *c, const struct dest *to,
			    const char *text)
{
	return outlet_send(c->owner.outlet, to, text, strlen(text));
}

/* The relay gets exactly this */
static inline void relay_expect(struct scene *c, const void *want, size_t len)
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

static inline void relay_say(struct scene *c, const void *data, size_t len)
{
	assert_int_equal(sendto(c->relay, data, len, 0, (void *)&c->client,
				c->client_len),
			 len);
	toy_settle();
}

#define RELAY_EXPECT(c, text) relay_expect(c, text, sizeof(text) - 1)
#define RELAY_SAY(c, text)    relay_say(c, text, sizeof(text) - 1)

#define T(f)		      cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)
