// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * relay_tls_test.c - loop tests of a relay whose outer side is TLS
 *
 * The far server is a TLS server of the test's own, with a certificate made on
 * the spot.
 */
#include "flow/relay.h"

#include "base/fd.h"
#include "net/tls.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TOTAL 8388608u

static struct loop loop;
static struct relay_pool *pool;
static struct tls_context *context;
static SSL_CTX *server_context;

struct ends {
	int app;
	int far_fd;
	SSL *far;
	struct relay *relay;
	unsigned int calls;
	int err;
};

static SSL_CTX *make_server_context(void)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	assert_true(c && key && cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(c, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(c, key), 1);
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	X509_free(cert);
	EVP_PKEY_free(key);
	return c;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	pool = relay_pool_new(&loop);
	assert_int_equal(tls_context_new(false, &context), 0);
	server_context = make_server_context();
	assert_true(pool && context);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	relay_pool_free(pool);
	tls_context_free(context);
	SSL_CTX_free(server_context);
	loop_fini(&loop);
	return 0;
}

static void ended(void *ctx, int err)
{
	struct ends *e = ctx;

	e->calls++;
	e->err = err;
	e->relay = NULL;
}

static void pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fd),
			 0);
}

static void ends_open(struct ends *e)
{
	int in[2], out[2];
	struct stream s;
	const char *why;
	int rc;

	*e = (struct ends){ 0 };
	pair(in);
	pair(out);
	e->app = in[0];
	e->far_fd = out[0];
	e->far = SSL_new(server_context);
	SSL_set_fd(e->far, e->far_fd);
	s = (struct stream){ .fd = out[1] };
	assert_int_equal(stream_tls_start(&s, context, "far.test", true), 0);
	do {
		rc = stream_tls_handshake(&s, &why);
		(void)SSL_accept(e->far);
	} while (rc == -EAGAIN);
	assert_int_equal(rc, 0);
	/* What the far end says at once lies in the library's buffers. */
	assert_int_equal(SSL_write(e->far, "hi", 2), 2);
	{
		char buf[2];

		assert_int_equal(stream_peek(&s, buf, 2), 2);
	}
	assert_int_equal(relay_start(pool, in[1], s, ended, e, &e->relay), 0);
}

static void ends_close(struct ends *e)
{
	SSL_free(e->far);
	fd_close(&e->far_fd);
	fd_close(&e->app);
	for (int i = 0; i < 100 && e->relay; i++)
		loop_turn(&loop, 1);
	assert_int_equal(e->calls, 1);
}

static void wait_end(struct ends *e)
{
	for (int i = 0; i < 500 && e->relay; i++)
		loop_turn(&loop, 1);
	assert_int_equal(e->calls, 1);
}

static ssize_t app_hear(struct ends *e, void *buf, size_t len)
{
	for (int i = 0; i < 500; i++) {
		const ssize_t n = recv(e->app, buf, len, 0);

		if (n >= 0 || errno != EAGAIN)
			return n < 0 ? -errno : n;
		loop_turn(&loop, 1);
	}
	return -ETIMEDOUT;
}

static uint8_t octet_at(size_t i)
{
	return (uint8_t)((i * 2654435761u) >> 11);
}

static size_t fill(uint8_t *buf, size_t room, size_t from)
{
	size_t len = TOTAL - from < room ? TOTAL - from : room;

	for (size_t i = 0; i < len; i++)
		buf[i] = octet_at(from + i);
	return len;
}

static void check(const uint8_t *buf, ssize_t n, size_t from)
{
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != octet_at(from + (size_t)i))
			fail_msg("octet %zu is wrong", from + (size_t)i);
}

/* TOTAL octets each way at once; then the ends, the app's first. */
static void tls_relay_is_byte_exact_and_half_closes(void **state)
{
	static uint8_t buf[65536];
	size_t app_sent = 0, app_got = 0, far_sent = 0, far_got = 0;
	struct ends e;
	ssize_t n;

	(void)state;
	ends_open(&e);
	assert_int_equal(app_hear(&e, buf, 2), 2);
	assert_memory_equal(buf, "hi", 2);
	while (app_got < TOTAL || far_got < TOTAL) {
		n = send(e.app, buf, fill(buf, sizeof(buf), app_sent),
			 MSG_NOSIGNAL);
		app_sent += n > 0 ? (size_t)n : 0;
		n = (ssize_t)fill(buf, 40000, far_sent);
		n = n > 0 ? SSL_write(e.far, buf, (int)n) : 0;
		far_sent += n > 0 ? (size_t)n : 0;
		loop_turn(&loop, 0);
		n = recv(e.app, buf, sizeof(buf), 0);
		check(buf, n, app_got);
		app_got += n > 0 ? (size_t)n : 0;
		n = SSL_read(e.far, buf, sizeof(buf));
		check(buf, n, far_got);
		far_got += n > 0 ? (size_t)n : 0;
	}
	shutdown(e.app, SHUT_WR);
	do {
		loop_turn(&loop, 1);
		n = SSL_read(e.far, buf, sizeof(buf));
	} while (n < 0 && SSL_get_error(e.far, (int)n) == SSL_ERROR_WANT_READ);
	assert_int_equal(SSL_get_error(e.far, (int)n), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(SSL_write(e.far, "bye", 3), 3);
	assert_int_equal(app_hear(&e, buf, 3), 3);
	assert_non_null(e.relay);
	SSL_shutdown(e.far);
	shutdown(e.far_fd, SHUT_WR);
	assert_int_equal(app_hear(&e, buf, 3), 0);
	wait_end(&e);
	assert_int_equal(e.err, 0);
	ends_close(&e);
}

static void tls_relay_breaks_on_garbage(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	assert_int_equal(app_hear(&e, buf, 2), 2);
	assert_int_equal(send(e.far_fd, "this is no TLS record", 21, 0), 21);
	wait_end(&e);
	assert_true(e.err < 0);
	ends_close(&e);
}

static void tls_relay_can_be_cancelled(void **state)
{
	struct ends e;
	char buf[16];

	(void)state;
	ends_open(&e);
	loop_turn(&loop, 1);
	relay_cancel(e.relay);
	e.relay = NULL;
	assert_int_equal(app_hear(&e, buf, 2), 2);
	assert_true(app_hear(&e, buf, 2) <= 0);
	assert_int_equal(e.calls, 0);
	e.calls = 1;
	ends_close(&e);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tls_relay_is_byte_exact_and_half_closes),
		T(tls_relay_breaks_on_garbage),
		T(tls_relay_can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
