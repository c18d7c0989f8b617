// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dial_tls_test.c - dials through proxies that are spoken to inside TLS
 */
#include "dial_scene.h"

#include "tls_toy.h"

static void tls_toy_wait(void)
{
	toy_wait();
}

/* A way of one HOP_HTTPS, and the handshake done by the proxy */
static SSL *https_one(struct scene *c, const char *host)
{
	struct hop *h;
	SSL *ssl;

	scene_begin(c);
	h = toy_hop(&c->plan, HOP_HTTPS, &c->at);
	(void)snprintf(h->host, sizeof(h->host), "%s", host);
	scene_meet(c, &example);
	ssl = tls_toy_over_fd(c->peer);
	tls_toy_accept(ssl);
	return ssl;
}

static void https_connects_and_leaves_early_data(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\nSSH-2.0";
	struct scene c;
	char buf[4096];
	SSL *ssl;
	int n;

	(void)state;
	ssl = https_one(&c, TLS_TOY_NAME);
	n = tls_toy_hear(ssl, buf, sizeof(buf), 50);
	assert_memory_equal(buf, CONNECT_HEAD, strlen(CONNECT_HEAD));
	assert_memory_equal(buf + n - 4, "\r\n\r\n", 4);
	tls_toy_say(ssl, head, sizeof(head) - 1);
	assert_int_equal(toy_finish(&c.end), 0);
	assert_non_null(c.end.s.tls);
	stream_has(&c.end.s, "SSH-2.0");
	SSL_free(ssl);
	scene_end(&c);
}

static void https_head_in_many_records(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nVia: toy\r\n\r\nearly";
	struct scene c;
	SSL *ssl;

	(void)state;
	ssl = https_one(&c, "127.0.0.1");
	for (size_t i = 0; i < sizeof(head) - 1; i++)
		tls_toy_say(ssl, head + i, 1);
	assert_int_equal(toy_finish(&c.end), 0);
	stream_has(&c.end.s, "early");
	SSL_free(ssl);
	scene_end(&c);
}

static void https_inside_https(void **state)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
	struct scene c;
	SSL *outer;
	SSL *inner;
	char buf[4096];

	(void)state;
	scene_begin(&c);
	toy_hop(&c.plan, HOP_HTTPS, &c.at);
	toy_far_hop(&c.plan, HOP_HTTPS, TLS_TOY_NAME, 443);
	toy_far_hop(&c.plan, HOP_SOCKS5, "third.example", 1080);
	scene_meet(&c, &example);
	outer = tls_toy_over_fd(c.peer);
	tls_toy_accept(outer);
	(void)tls_toy_hear(outer, buf, sizeof(buf), 30);
	assert_memory_equal(buf, "CONNECT " TLS_TOY_NAME ":443 HTTP/1.1\r\n",
			    30);
	tls_toy_say(outer, ok, sizeof(ok) - 1);
	inner = tls_toy_over_tls(outer);
	tls_toy_accept(inner);
	(void)tls_toy_hear(inner, buf, sizeof(buf), 30);
	assert_memory_equal(buf, "CONNECT third.example:1080", 26);
	tls_toy_say(inner, ok, sizeof(ok) - 1);
	assert_int_equal(tls_toy_hear(inner, buf, sizeof(buf), 3), 3);
	tls_toy_say(inner, HELLO_OK, 2);
	(void)tls_toy_hear(inner, buf, sizeof(buf), 18);
	tls_toy_say(inner, REPLY_OK "early", 15);
	assert_int_equal(toy_finish(&c.end), 0);
	stream_has(&c.end.s, "early");
	stream_close(&c.end.s);
	c.end.s = STREAM_EMPTY;
	SSL_free(inner);
	SSL_free(outer);
	scene_end(&c);
}

static void wrong_host_is_refused_with_a_warning(void **state)
{
	(void)state;
	for (int insecure = 0; insecure < 2; insecure++) {
		struct scene c;
		struct hop *h;
		SSL *ssl;

		scene_begin(&c);
		h = toy_hop(&c.plan, HOP_HTTPS, &c.at);
		strcpy(h->host, "other.example");
		h->insecure = insecure;
		scene_meet(&c, &example);
		ssl = tls_toy_over_fd(c.peer);
		for (int i = 0; i < 50 && !c.end.told; i++) {
			(void)SSL_do_handshake(ssl);
			ERR_clear_error();
			toy_wait();
		}
		assert_int_equal(c.end.told, !insecure);
		assert_int_equal(c.way.gate[WAY_TLS].next_ms != 0, !insecure);
		if (insecure)
			dial_cancel(c.dial);
		else
			assert_int_equal(c.end.err, -EIO);
		SSL_free(ssl);
		scene_end(&c);
	}
}

static void plain_server_is_eio(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_HTTPS, NULL);
	TOY_SAY(c.peer, "HTTP/1.1 400 Bad Request\r\n\r\n");
	assert_int_equal(toy_finish(&c.end), -EIO);
	scene_end(&c);
}

static void silent_handshake_is_unreachable(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_HTTPS, NULL);
	scene_wait(&c, DIAL_GREET_MS, -EHOSTUNREACH);
	scene_end(&c);
}

static void cancel_in_the_handshake_leaks_nothing(void **state)
{
	struct scene c;

	(void)state;
	scene_one(&c, HOP_HTTPS, NULL);
	toy_settle();
	dial_cancel(c.dial);
	scene_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(https_connects_and_leaves_early_data),
		T(https_head_in_many_records),
		T(https_inside_https),
		T(wrong_host_is_refused_with_a_warning),
		T(plain_server_is_eio),
		T(silent_handshake_is_unreachable),
		T(cancel_in_the_handshake_leaks_nothing),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, tls_toy_setup, tls_toy_teardown);
}
