/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dial_toy.h - what the tests of dials and outlets share: a loop with a
 * hand-turned clock, and toy peers that are played line by line
 *
 * All in one thread: toy_expect() and toy_say() turn the loop themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/loop.h"
#include "bus/resolve_msg.h"
#include "dial/dial.h"
#include "dial/way.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOY_TURNS 2000 /* of 1 ms; a test that needs more has failed */

static struct loop toy_loop;
static uint64_t toy_now;

static inline uint64_t toy_clock(void)
{
	return toy_now;
}

static inline void toy_turn(void)
{
	assert_int_equal(loop_turn(&toy_loop, 0), 0);
}

static inline void toy_wait(void)
{
	toy_turn();
	(void)usleep(500);
}

/** toy_settle() - Let everything that is on its way arrive */
static inline void toy_settle(void)
{
	for (int i = 0; i < 10; i++)
		toy_wait();
}

/** toy_pass() - Let time pass */
static inline void toy_pass(uint64_t ms)
{
	toy_settle();
	toy_now += ms;
	toy_turn();
	toy_settle();
}

static inline int toy_setup(void **state)
{
	(void)state;
	toy_now = 1000;
	if (loop_init(&toy_loop) < 0)
		return -1;
	toy_loop.clock_ms = toy_clock;
	toy_loop.now_ms = toy_now;
	return 0;
}

static inline int toy_teardown(void **state)
{
	(void)state;
	loop_fini(&toy_loop);
	return 0;
}

static inline struct addr toy_name(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct addr a;

	assert_int_equal(getsockname(fd, (void *)&ss, &len), 0);
	addr_from_sock(&a, &ss);
	return a;
}

/** toy_bind() - A socket on 127.0.0.1, or on ::1 */
static inline int toy_bind(int family, int type, struct addr *ret)
{
	const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len;

	assert_true(fd >= 0);
	assert_true(
		addr_parse_ip(family == AF_INET ? "127.0.0.1" : "::1", ret));
	len = addr_to_sock(ret, &ss);
	assert_int_equal(bind(fd, (void *)&ss, len), 0);
	*ret = toy_name(fd);
	return fd;
}

static inline int toy_listen(struct addr *ret)
{
	const int fd = toy_bind(AF_INET, SOCK_STREAM, ret);

	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static inline int toy_accept(int listener)
{
	const int on = 1;

	for (int i = 0; i < TOY_TURNS; i++) {
		const int fd = accept4(listener, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) { /* fails for unix sockets, which need it not */
			(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
					 sizeof(on));
			return fd;
		}
		toy_wait();
	}
	fail_msg("nobody connected");
	return -1;
}

/** toy_expect() - Exactly these octets come, and none more for now */
static inline void toy_expect(int fd, const void *want, size_t len)
{
	uint8_t got[4096];
	size_t have = 0;

	for (int i = 0; i < TOY_TURNS && have < len; i++) {
		const ssize_t n = recv(fd, got + have, sizeof(got) - have, 0);

		if (n > 0)
			have += (size_t)n;
		else
			toy_wait();
	}
	assert_int_equal(have, len);
	assert_memory_equal(got, want, len);
}

static inline void toy_say(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
	toy_settle();
}

/** toy_dribble() - One octet at a time, each of them seen by the loop */
static inline void toy_dribble(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(send(fd, at + i, 1, MSG_NOSIGNAL), 1);
		toy_wait();
		toy_turn();
	}
}

#define TOY_EXPECT(fd, text)  toy_expect(fd, text, sizeof(text) - 1)
#define TOY_SAY(fd, text)     toy_say(fd, text, sizeof(text) - 1)
#define TOY_DRIBBLE(fd, text) toy_dribble(fd, text, sizeof(text) - 1)

/** toy_resolve() - Be asked for this name on a resolver's channel; answer */
static inline void toy_resolve(int chan, const char *name,
			       const struct addr *addr, unsigned int count)
{
	struct resolve_question q = { 0 };
	struct resolve_answer a = { .count = count };
	ssize_t n = -1;

	for (int i = 0; i < TOY_TURNS && n < 0; i++) {
		n = recv(chan, &q, sizeof(q), MSG_DONTWAIT);
		if (n < 0)
			toy_wait();
	}
	assert_int_equal(n, sizeof(q));
	assert_string_equal(q.name, name);
	a.id = q.id;
	for (unsigned int i = 0; i < count; i++)
		a.addr[i] = addr[i];
	assert_int_equal(send(chan, &a, sizeof(a), 0), sizeof(a));
}

/** struct toy_end - what a dial's owner was told */
struct toy_end {
	int told;
	int err;
	struct stream s;
	struct addr bound;
};

static inline void toy_told(void *ctx, int err, struct stream s,
			    const struct addr *bound)
{
	struct toy_end *e = ctx;

	e->told++;
	e->err = err;
	e->s = s;
	e->bound = *bound;
}

/** toy_finish() - Turn until the dial has ended */
static inline int toy_finish(struct toy_end *e)
{
	for (int i = 0; i < TOY_TURNS && !e->told; i++)
		toy_wait();
	assert_int_equal(e->told, 1);
	return e->err;
}

static inline struct dest toy_dest(const char *name, const char *ip,
				   uint16_t port)
{
	struct dest d = { 0 };

	if (ip)
		assert_true(addr_parse_ip(ip, &d.addr));
	if (name)
		(void)snprintf(d.name, sizeof(d.name), "%s", name);
	d.addr.port = port;
	return d;
}

/** toy_hop() - Add a hop to a plan. @a: where it listens */
static inline struct hop *toy_hop(struct plan *p, enum hop_kind kind,
				  const struct addr *a)
{
	struct hop *h = &p->hop[p->hop_count++];
	char text[ADDR_TEXT];

	*h = (struct hop){ .kind = kind };
	if (a) {
		h->addr[0] = *a;
		h->addr_count = 1;
		h->port = a->port;
		(void)snprintf(h->host, sizeof(h->host), "%s",
			       addr_ip_text(a, text));
	}
	(void)snprintf(h->label, sizeof(h->label), "toy %u", p->hop_count);
	return h;
}

/** toy_far_hop() - Add a hop that only the one before it can reach */
static inline struct hop *toy_far_hop(struct plan *p, enum hop_kind kind,
				      const char *host, uint16_t port)
{
	struct hop *h = &p->hop[p->hop_count++];

	*h = (struct hop){ .kind = kind, .port = port };
	(void)snprintf(h->host, sizeof(h->host), "%s", host);
	(void)snprintf(h->label, sizeof(h->label), "toy %.200s:%u", host, port);
	return h;
}

static inline void toy_login(struct hop *h, const char *user, const char *pass)
{
	h->has_auth = true;
	(void)snprintf(h->user, sizeof(h->user), "%s", user);
	(void)snprintf(h->pass, sizeof(h->pass), "%s", pass);
}
