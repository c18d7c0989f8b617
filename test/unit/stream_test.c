// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * stream_test.c - streams over socket pairs: plain, TLS, TLS inside TLS
 */
#include "tls_toy.h"

#include "base/fd.h"
#include "net/stream.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define NONBLOCK_PAIR (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/* The stream under test and its peers, one a layer */
struct scene {
	struct tls_context *ctx;
	struct stream s;
	int peer;
	SSL *layer[2];
};

static struct scene *running; /* whose handshake goes on in tls_toy_wait() */
static int running_rc;
static const char *running_why;

static void tls_toy_wait(void)
{
	if (running && running->s.tls && running_rc == -EAGAIN)
		running_rc = stream_tls_handshake(&running->s, &running_why);
}

static void scene_begin(struct scene *c)
{
	int fd[2];

	*c = (struct scene){ 0 };
	assert_int_equal(tls_context_new(true, &c->ctx), 0);
	assert_int_equal(socketpair(AF_UNIX, NONBLOCK_PAIR, 0, fd), 0);
	c->s = (struct stream){ .fd = fd[0] };
	c->peer = fd[1];
	running = NULL;
}

/* Put a layer on both sides and shake hands */
static void scene_layer(struct scene *c, int n, const char *host)
{
	c->layer[n] = n == 0 ? tls_toy_over_fd(c->peer)
			     : tls_toy_over_tls(c->layer[n - 1]);
	assert_int_equal(stream_tls_start(&c->s, c->ctx, host, false), 0);
	running = c;
	running_rc = -EAGAIN;
	tls_toy_wait(); /* the client begins */
	tls_toy_accept(c->layer[n]);
	tls_toy_wait();
	assert_int_equal(running_rc, 0);
	running = NULL;
}

static void scene_end(struct scene *c)
{
	stream_close(&c->s);
	for (int i = 1; i >= 0; i--)
		SSL_free(c->layer[i]);
	fd_close(&c->peer);
	tls_context_free(c->ctx);
}

static void plain_peeks_and_reads(void **state)
{
	struct scene c;
	char buf[16];

	(void)state;
	scene_begin(&c);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(stream_needs(&c.s, true), EPOLLIN);
	assert_int_equal(stream_needs(&c.s, false), EPOLLOUT);
	assert_int_equal(send(c.peer, "hello", 5, 0), 5);
	assert_int_equal(stream_peek(&c.s, buf, sizeof(buf)), 5);
	assert_int_equal(stream_read(&c.s, buf, 2), 2);
	assert_int_equal(stream_read(&c.s, buf + 2, sizeof(buf) - 2), 3);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(stream_write(&c.s, "hi", 2), 2);
	assert_int_equal(recv(c.peer, buf, sizeof(buf), 0), 2);
	scene_end(&c);
}

static void plain_ends_one_direction_at_a_time(void **state)
{
	struct scene c;
	char buf[16];

	(void)state;
	scene_begin(&c);
	assert_int_equal(stream_end(&c.s), 0);
	assert_int_equal(recv(c.peer, buf, sizeof(buf), 0), 0);
	assert_int_equal(send(c.peer, "late", 4, 0), 4);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), 4);
	fd_close(&c.peer);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), 0);
	assert_int_equal(stream_write(&c.s, "x", 1), -EPIPE); /* no signal */
	scene_end(&c);
}

static void streams_move(void **state)
{
	struct stream empty = STREAM_EMPTY;
	struct stream moved;
	struct scene c;

	(void)state;
	scene_begin(&c);
	moved = stream_take(&c.s);
	assert_int_equal(c.s.fd, -1);
	assert_true(moved.fd >= 0);
	stream_close(&moved);
	stream_close(&moved);
	stream_close(&empty);
	stream_abort(&empty);
	scene_end(&c);
}

static void abort_resets(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	auto_fd listener = socket(AF_INET, SOCK_STREAM, 0);
	struct stream s = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	auto_fd peer = -1;
	char c;

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (void *)&in, sizeof(in)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&in, &len), 0);
	assert_int_equal(connect(s.fd, (void *)&in, sizeof(in)), 0);
	peer = accept(listener, NULL, NULL);
	stream_abort(&s);
	assert_int_equal(recv(peer, &c, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void tls_carries_both_ways(void **state)
{
	struct scene c;
	char buf[64];

	(void)state;
	scene_begin(&c);
	scene_layer(&c, 0, TLS_TOY_NAME);
	assert_int_equal(stream_write(&c.s, "hello", 5), 5);
	assert_int_equal(tls_toy_hear(c.layer[0], buf, sizeof(buf), 5), 5);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(stream_needs(&c.s, true), EPOLLIN);
	tls_toy_say(c.layer[0], "world", 5);
	assert_int_equal(stream_peek(&c.s, buf, sizeof(buf)), 5);
	assert_int_equal(stream_read(&c.s, buf, 1), 1);
	assert_int_equal(stream_read(&c.s, buf + 1, sizeof(buf) - 1), 4);
	assert_memory_equal(buf, "world", 5);
	scene_end(&c);
}

static void tls_checks_names_and_addresses(void **state)
{
	static const struct {
		const char *host;
		bool insecure;
		int rc;
	} table[] = {
		{ TLS_TOY_NAME, false, 0 },
		{ "127.0.0.1", false, 0 },
		{ "other.example", false, -EKEYREJECTED },
		{ "127.0.0.2", false, -EKEYREJECTED },
		{ "::1", false, -EKEYREJECTED },
		{ "other.example", true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct scene c;

		scene_begin(&c);
		c.layer[0] = tls_toy_over_fd(c.peer);
		assert_int_equal(stream_tls_start(&c.s, c.ctx, table[i].host,
						  table[i].insecure),
				 0);
		running = &c;
		running_rc = -EAGAIN;
		running_why = NULL;
		for (int k = 0; k < 100 && running_rc == -EAGAIN; k++) {
			(void)SSL_do_handshake(c.layer[0]);
			ERR_clear_error();
			tls_toy_wait();
		}
		assert_int_equal(running_rc, table[i].rc);
		assert_int_equal(running_why != NULL, running_rc != 0);
		running = NULL;
		scene_end(&c);
	}
}

static void tls_refuses_unknown_issuers(void **state)
{
	struct scene c;

	(void)state;
	scene_begin(&c);
	tls_context_free(c.ctx);
	/* No anchors: nobody is known. */
	assert_int_equal(tls_context_new(false, &c.ctx), 0);
	c.layer[0] = tls_toy_over_fd(c.peer);
	assert_int_equal(stream_tls_start(&c.s, c.ctx, TLS_TOY_NAME, false), 0);
	running = &c;
	running_rc = -EAGAIN;
	for (int k = 0; k < 100 && running_rc == -EAGAIN; k++) {
		(void)SSL_do_handshake(c.layer[0]);
		ERR_clear_error();
		tls_toy_wait();
	}
	assert_int_equal(running_rc, -EKEYREJECTED);
	running = NULL;
	scene_end(&c);
}

static void tls_handshake_with_garbage_fails(void **state)
{
	static const char *const said[] = { "HTTP/1.1 400 Bad Request\r\n\r\n",
					    "", "\x16\x03\x01" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *why = NULL;
		struct scene c;

		scene_begin(&c);
		assert_int_equal(
			stream_tls_start(&c.s, c.ctx, TLS_TOY_NAME, false), 0);
		assert_int_equal(stream_tls_handshake(&c.s, &why), -EAGAIN);
		if (said[i][0] != '\0')
			(void)send(c.peer, said[i], strlen(said[i]), 0);
		(void)shutdown(c.peer, SHUT_WR);
		assert_int_equal(stream_tls_handshake(&c.s, &why), -EPROTO);
		assert_non_null(why);
		assert_int_equal(stream_tls_handshake(&c.s, &why), -EPROTO);
		scene_end(&c);
	}
}

static void tls_ends_one_direction_at_a_time(void **state)
{
	struct scene c;
	char buf[64];

	(void)state;
	scene_begin(&c);
	scene_layer(&c, 0, TLS_TOY_NAME);
	assert_int_equal(stream_end(&c.s), 0);
	assert_int_equal(SSL_read(c.layer[0], buf, sizeof(buf)), 0);
	assert_int_equal(SSL_get_shutdown(c.layer[0]), SSL_RECEIVED_SHUTDOWN);
	tls_toy_say(c.layer[0], "late", 4);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), 4);
	assert_int_equal(SSL_shutdown(c.layer[0]), 1);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), 0);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), 0);
	scene_end(&c);
}

static void tls_peer_may_leave_without_a_word(void **state)
{
	struct scene c;
	char buf[64];

	(void)state;
	scene_begin(&c);
	scene_layer(&c, 0, TLS_TOY_NAME);
	(void)shutdown(c.peer, SHUT_WR);
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), 0);
	/* Its end says nothing about ours. */
	assert_int_equal(stream_write(&c.s, "more", 4), 4);
	assert_int_equal(tls_toy_hear(c.layer[0], buf, sizeof(buf), 4), 4);
	fd_close(&c.peer);
	assert_int_equal(stream_write(&c.s, "x", 1), -EPIPE);
	scene_end(&c);
}

/* Fill until nothing fits; the same octets must go on afterwards */
static void tls_write_waits_for_room(void **state)
{
	static char block[65536];
	static char got[65536];
	size_t sent = 0;
	size_t seen = 0;
	struct scene c;
	ssize_t n;

	(void)state;
	scene_begin(&c);
	scene_layer(&c, 0, TLS_TOY_NAME);
	while ((n = stream_write(&c.s, block, sizeof(block))) > 0)
		sent += (size_t)n;
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(stream_needs(&c.s, false), EPOLLOUT);
	while (seen < sent + sizeof(block)) {
		const int rc = SSL_read(c.layer[0], got, sizeof(got));

		if (rc > 0)
			seen += (size_t)rc;
		if (seen < sent || seen >= sent + sizeof(block))
			continue;
		n = stream_write(&c.s, block, sizeof(block));
		sent += n > 0 ? (size_t)n : 0;
		if (n > 0)
			break;
	}
	assert_true(n > 0);
	scene_end(&c);
}

static void tls_inside_tls(void **state)
{
	static char big[40000];
	static char got[40000];
	struct scene c;
	size_t have = 0;
	char buf[64];

	(void)state;
	scene_begin(&c);
	scene_layer(&c, 0, TLS_TOY_NAME);
	scene_layer(&c, 1, "127.0.0.1");
	assert_int_equal(stream_write(&c.s, "hello", 5), 5);
	assert_int_equal(tls_toy_hear(c.layer[1], buf, sizeof(buf), 5), 5);
	memset(big, 'x', sizeof(big));
	for (size_t at = 0; at < sizeof(big); at += 10000)
		tls_toy_say(c.layer[1], big + at, 10000);
	while (have < sizeof(big)) {
		const ssize_t n =
			stream_read(&c.s, got + have, sizeof(got) - have);

		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(got, big, sizeof(big));
	assert_int_equal(stream_read(&c.s, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(stream_needs(&c.s, true), EPOLLIN);
	assert_int_equal(stream_end(&c.s), 0);
	assert_int_equal(SSL_read(c.layer[1], buf, sizeof(buf)), 0);
	scene_end(&c);
}

static void abort_in_layers_leaks_nothing(void **state)
{
	const char *why;
	struct scene c;

	(void)state;
	scene_begin(&c);
	scene_layer(&c, 0, TLS_TOY_NAME);
	assert_int_equal(stream_tls_start(&c.s, c.ctx, "second.example", true),
			 0);
	assert_int_equal(stream_tls_handshake(&c.s, &why), -EAGAIN);
	stream_abort(&c.s);
	scene_end(&c);
}

static void contexts_tell_when_there_are_no_anchors(void **state)
{
	struct tls_context *ctx = NULL;

	(void)state;
	assert_int_equal(setenv("SSL_CERT_FILE", "/nonexistent", 1), 0);
	assert_int_equal(tls_context_new(true, &ctx), -ENOENT);
	assert_null(ctx);
	assert_int_equal(setenv("SSL_CERT_FILE", tls_toy_anchors, 1), 0);
}

static void start_takes_no_nonsense(void **state)
{
	struct stream none = STREAM_EMPTY;
	struct scene c;

	(void)state;
	scene_begin(&c);
	assert_int_equal(stream_tls_start(&none, c.ctx, "a.example", false),
			 -EINVAL);
	assert_int_equal(stream_tls_start(&c.s, NULL, "a.example", false),
			 -EINVAL);
	assert_int_equal(stream_tls_start(&c.s, c.ctx, "", false), -EINVAL);
	scene_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_peeks_and_reads),
		cmocka_unit_test(plain_ends_one_direction_at_a_time),
		cmocka_unit_test(streams_move),
		cmocka_unit_test(abort_resets),
		cmocka_unit_test(tls_carries_both_ways),
		cmocka_unit_test(tls_checks_names_and_addresses),
		cmocka_unit_test(tls_refuses_unknown_issuers),
		cmocka_unit_test(tls_handshake_with_garbage_fails),
		cmocka_unit_test(tls_ends_one_direction_at_a_time),
		cmocka_unit_test(tls_peer_may_leave_without_a_word),
		cmocka_unit_test(tls_write_waits_for_room),
		cmocka_unit_test(tls_inside_tls),
		cmocka_unit_test(abort_in_layers_leaks_nothing),
		cmocka_unit_test(contexts_tell_when_there_are_no_anchors),
		cmocka_unit_test(start_takes_no_nonsense),
	};

	return cmocka_run_group_tests(tests, tls_toy_setup, tls_toy_teardown);
}
