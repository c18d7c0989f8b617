/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dial_scene.h - one dial and the toys around it
 */
#include "dial_toy.h"

#include "base/log.h"

#define HELLO	 "\x05\x01\x00"
#define HELLO_OK "\x05\x00"
#define LOGIN	 "\x05\x01\x02"
#define ASK_NAME               \
	"\x05\x01\x00\x03\x0b" \
	"example.org"          \
	"\x00\x50"
#define ASK_IP	 "\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"
#define REPLY_OK "\x05\x00\x00\x01\x0a\x00\x00\x01\x1f\x90"
#define HTTP_OK	 "HTTP/1.1 200 Connection established\r\n\r\n"

#define CONNECT_HEAD                          \
	"CONNECT example.org:80 HTTP/1.1\r\n" \
	"Host: example.org:80\r\n"

/* Where most dials go; what ASK_NAME says to a hop */
static const struct dest example = { .name = "example.org", .addr.port = 80 };

/* One dial and the toys around it */
struct scene {
	struct plan plan;
	struct way way;
	struct addr at;
	int listener;
	int peer;
	struct dial *dial;
	struct toy_end end;
};

static inline void scene_begin(struct scene *c)
{
	*c = (struct scene){ .peer = -1 };
	c->listener = toy_listen(&c->at);
}

static inline void scene_way(struct scene *c)
{
	assert_int_equal(way_init(&c->way, &toy_loop, &c->plan), 0);
}

static inline void scene_start(struct scene *c, const struct dest *to)
{
	c->end = (struct toy_end){ 0 };
	assert_int_equal(dial_start(&c->way, DIAL_CONNECT, to, toy_told,
				    &c->end, &c->dial),
			 0);
	assert_int_equal(c->end.told, 0);
}

static inline void scene_dial(struct scene *c, const struct dest *to)
{
	scene_way(c);
	scene_start(c, to);
}

/* Dial, and let the first hop accept */
static inline void scene_meet(struct scene *c, const struct dest *to)
{
	scene_dial(c, to);
	c->peer = toy_accept(c->listener);
}

/* A way of one hop of this kind, dialled to the example, and accepted */
static inline struct hop *scene_one(struct scene *c, enum hop_kind kind,
				    const char *user)
{
	struct hop *h;

	scene_begin(c);
	h = toy_hop(&c->plan, kind, &c->at);
	if (user)
		toy_login(h, user, "secret");
	scene_meet(c, &example);
	return h;
}

/* Nobody is told before this time has passed, and then they are told this */
static inline void scene_wait(struct scene *c, uint64_t ms, int err)
{
	toy_pass(ms - 1);
	assert_int_equal(c->end.told, 0);
	toy_pass(1);
	assert_int_equal(toy_finish(&c->end), err);
}

static inline void scene_end(struct scene *c)
{
	assert_int_equal(c->way.dials, 0);
	if (c->end.told && c->end.err == 0)
		stream_close(&c->end.s);
	else
		assert_int_equal(c->end.s.fd < 0 || !c->end.told, 1);
	way_fini(&c->way);
	fd_close(&c->listener);
	fd_close(&c->peer);
	toy_turn();
	assert_int_equal(toy_loop.heap_len, 0);
}

/* What is in the stream now, and no octet more */
static inline void stream_has(struct stream *s, const char *want)
{
	char got[64];
	size_t have = 0;

	for (int i = 0; i < 100 && have < strlen(want); i++) {
		const ssize_t n =
			stream_read(s, got + have, sizeof(got) - have);

		if (n > 0)
			have += (size_t)n;
		else
			toy_wait();
	}
	assert_int_equal(have, strlen(want));
	assert_memory_equal(got, want, have);
	assert_int_equal(stream_read(s, got, sizeof(got)), -EAGAIN);
}

/* The dial has succeeded, and this is all that the far end has said */
static inline void scene_end_open(struct scene *c, const char *said)
{
	assert_int_equal(toy_finish(&c->end), 0);
	stream_has(&c->end.s, said);
	scene_end(c);
}

/* Take a CONNECT head, whatever else is in it */
static inline void expect_connect(int fd, const char *start, const char *inside)
{
	char got[4096] = "";
	size_t have = 0;

	for (int i = 0; i < TOY_TURNS && !strstr(got, "\r\n\r\n"); i++) {
		const ssize_t n =
			recv(fd, got + have, sizeof(got) - 1 - have, 0);

		if (n > 0)
			have += (size_t)n;
		else
			toy_wait();
	}
	assert_non_null(strstr(got, "\r\n\r\n"));
	assert_memory_equal(got, start, strlen(start));
	if (inside)
		assert_non_null(strstr(got, inside));
}

#define T(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)
