// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tls.c - TLS client layers over streams
 *
 * Enter through stream.h. OpenSSL reads and writes the stream below through a
 * BIO of our own, so that layers nest and no SIGPIPE is ever raised. All files
 * (configuration, trust anchors) are read by tls_context_new(); nothing is
 * looked up later.
 */
#include "net/tls.h"

#include "base/addr.h"
#include "base/log.h"
#include "base/text.h"
#include "net/openssl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

/* Behind macros of the library's headers */
#define BIO_clear_flags openssl.BIO_clear_flags
#define BIO_set_flags	openssl.BIO_set_flags
#define SSL_CTX_ctrl	openssl.SSL_CTX_ctrl
#define SSL_ctrl	openssl.SSL_ctrl

#define TLS_ANCHORS	"/etc/ssl/certs/ca-certificates.crt"

struct tls_context {
	SSL_CTX *ssl_ctx;
};

/**
 * struct tls - one layer
 * @under:        What it runs over, owned
 * @ssl:          The library's half
 * @io_err:       Last -errno of @under other than -EAGAIN, or 0
 * @under_ended:  @under gave its end
 * @is_broken:    A fatal error happened: the library must not be asked again
 * @blocked:      EPOLL* bit that the last I/O on @under waited for
 * @read_needs, @write_needs:  The same, kept for each direction
 */
struct tls {
	struct stream under;
	SSL *ssl;
	int io_err;
	bool under_ended;
	bool is_broken;
	uint32_t blocked;
	uint32_t read_needs;
	uint32_t write_needs;
};

/* Lives as long as the process: layers may outlive the context. */
static BIO_METHOD *tls_bio_method;

static int tls_bio_done(BIO *b, struct tls *t, ssize_t n, bool reading)
{
	BIO_clear_retry_flags(b);
	if (n == -EAGAIN) {
		t->blocked = stream_needs(&t->under, reading);
		if (reading)
			BIO_set_retry_read(b);
		else
			BIO_set_retry_write(b);
		return -1;
	}
	if (n < 0) {
		t->io_err = (int)n;
		return -1;
	}
	return (int)n;
}

static int tls_bio_read(BIO *b, char *buf, int len)
{
	struct tls *t = openssl.BIO_get_data(b);
	const ssize_t n = stream_read(&t->under, buf, (size_t)len);

	if (n == 0 && len > 0)
		t->under_ended = true;
	return tls_bio_done(b, t, n, true);
}

static int tls_bio_write(BIO *b, const char *buf, int len)
{
	struct tls *t = openssl.BIO_get_data(b);

	return tls_bio_done(b, t, stream_write(&t->under, buf, (size_t)len),
			    false);
}

static long tls_bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	const struct tls *t = openssl.BIO_get_data(b);

	(void)num;
	(void)ptr;
	if (cmd == BIO_CTRL_EOF)
		return t->under_ended;
	return cmd == BIO_CTRL_FLUSH; /* nothing is held back here */
}

static bool tls_bio_prepare(void)
{
	BIO_METHOD *m;

	if (tls_bio_method)
		return true;
	m = openssl.BIO_meth_new(
		openssl.BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
	if (!m)
		return false;
	openssl.BIO_meth_set_read(m, tls_bio_read);
	openssl.BIO_meth_set_write(m, tls_bio_write);
	openssl.BIO_meth_set_ctrl(m, tls_bio_ctrl);
	tls_bio_method = m;
	return true;
}

/* Each is read as a whole, now: no directory look-ups when a peer's
 * certificate comes, since there are no files then. */
static bool tls_read_anchors(X509_STORE *store)
{
	const char *asked =
		secure_getenv(openssl.X509_get_default_cert_file_env());

	if (asked && asked[0] != '\0')
		return openssl.X509_STORE_load_file(store, asked) == 1;
	return openssl.X509_STORE_load_file(
		       store, openssl.X509_get_default_cert_file()) == 1 ||
	       openssl.X509_STORE_load_file(store, TLS_ANCHORS) == 1;
}

static bool tls_setup(SSL_CTX *c)
{
	/* RFC 7301, 3.1: each name after its length. */
	static const unsigned char alpn[] = "\x08http/1.1";

	(void)openssl.SSL_CTX_set_options(
		c, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	/* One recv(2) a record instead of one for its header as well. */
	SSL_CTX_set_read_ahead(c, 1);
	return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
	       openssl.SSL_CTX_set_alpn_protos(c, alpn, sizeof(alpn) - 1) == 0;
}

static int tls_context_fill(struct tls_context *ctx, bool need_anchors)
{
	unsigned char warm_up;

	ctx->ssl_ctx = openssl.SSL_CTX_new(openssl.TLS_client_method());
	if (!ctx->ssl_ctx || !tls_bio_prepare() || !tls_setup(ctx->ssl_ctx) ||
	    openssl.RAND_bytes(&warm_up, 1) != 1)
		return -ENOMEM;
	if (need_anchors &&
	    !tls_read_anchors(openssl.SSL_CTX_get_cert_store(ctx->ssl_ctx)))
		return -ENOENT;
	return 0;
}

int tls_context_new(bool need_anchors, struct tls_context **ret)
{
	struct tls_context *ctx;
	int rc;

	if (!openssl_load())
		return -ELIBACC;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	/* glibc reads /etc/localtime at the first gmtime_r(3), which checks
	 * the dates of a certificate. */
	tzset();
	rc = tls_context_fill(ctx, need_anchors);
	openssl.ERR_clear_error();
	if (rc < 0)
		tls_context_free(ctx);
	else
		*ret = ctx;
	return rc;
}

void tls_context_free(struct tls_context *ctx)
{
	if (!ctx)
		return;
	openssl.SSL_CTX_free(ctx->ssl_ctx);
	free(ctx);
}

/* Name or address in the certificate (RFC 9110, 4.3.4), and SNI for names
 * (RFC 6066, 3: literals are not sent). */
static bool tls_expect(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = openssl.SSL_get0_param(ssl);
	struct addr ip;

	openssl.SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	openssl.SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (addr_parse_ip(host, &ip))
		return openssl.X509_VERIFY_PARAM_set1_ip(param, ip.ip,
							 addr_size(&ip)) == 1;
	return openssl.SSL_set1_host(ssl, host) == 1;
}

static bool tls_prepare(struct tls *t, const char *host, bool insecure)
{
	char name[NAME_MAX_LEN + 1]; /* the library's macro wants no const */
	BIO *bio = openssl.BIO_new(tls_bio_method);
	struct addr ip;

	if (!bio)
		return false;
	openssl.BIO_set_data(bio, t);
	openssl.BIO_set_init(bio, 1);
	openssl.SSL_set_bio(t->ssl, bio, bio); /* takes it */
	openssl.SSL_set_connect_state(t->ssl);
	if (!addr_parse_ip(host, &ip) &&
	    (!text_copy(name, sizeof(name), host) ||
	     SSL_set_tlsext_host_name(t->ssl, name) != 1))
		return false;
	if (!insecure)
		return tls_expect(t->ssl, host);
	openssl.SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
	return true;
}

struct tls *tls_new(struct tls_context *ctx, struct stream under,
		    const char *host, bool insecure)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->read_needs = EPOLLIN;
	t->write_needs = EPOLLOUT;
	t->ssl = openssl.SSL_new(ctx->ssl_ctx);
	if (!t->ssl || !tls_prepare(t, host, insecure)) {
		openssl.ERR_clear_error();
		openssl.SSL_free(t->ssl);
		free(t);
		return NULL;
	}
	t->under = under;
	return t;
}

void tls_free(struct tls *t, bool abort)
{
	if (!t)
		return;
	/* Once, and only for good manners: nobody waits for it. */
	if (!abort && !t->is_broken && openssl.SSL_is_init_finished(t->ssl)) {
		(void)openssl.SSL_shutdown(t->ssl);
		openssl.ERR_clear_error();
	}
	openssl.SSL_free(t->ssl);
	if (abort)
		stream_abort(&t->under);
	else
		stream_close(&t->under);
	free(t);
}

/* Before each call of the library */
static void tls_begin(struct tls *t, uint32_t needs)
{
	openssl.ERR_clear_error();
	t->io_err = 0;
	t->blocked = needs;
}

/* After one that failed: 0 is the peer's end */
static int tls_result(struct tls *t, int rc)
{
	switch (openssl.SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		if (t->under_ended)
			log_debug("tls: the peer ended without close_notify");
		return 0;
	default:
		t->is_broken = true;
		return t->io_err ? t->io_err : -EPROTO;
	}
}

static const char *tls_reason(const struct tls *t)
{
	const char *text = NULL;

	if (t->io_err)
		return strerror(-t->io_err);
	if (t->under_ended)
		return "it hung up";
	text = openssl.ERR_reason_error_string(openssl.ERR_peek_last_error());
	return text ? text : "protocol error";
}

int tls_handshake(struct tls *t, const char **why)
{
	int rc;

	if (t->is_broken)
		return -EPROTO;
	tls_begin(t, EPOLLIN);
	rc = openssl.SSL_do_handshake(t->ssl);
	if (rc == 1)
		return 0;
	rc = tls_result(t, rc);
	if (rc == -EAGAIN) {
		t->read_needs = t->blocked;
		return rc;
	}
	t->is_broken = true;
	if (openssl.SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE &&
	    openssl.SSL_get_verify_result(t->ssl) != X509_V_OK) {
		*why = openssl.X509_verify_cert_error_string(
			openssl.SSL_get_verify_result(t->ssl));
		return -EKEYREJECTED;
	}
	*why = tls_reason(t);
	return rc == 0 ? -EPROTO : rc;
}

ssize_t tls_read(struct tls *t, void *buf, size_t len, bool peek)
{
	const int room = len > INT_MAX ? INT_MAX : (int)len;
	int rc;

	if (t->is_broken)
		return t->io_err ? t->io_err : -EPROTO;
	tls_begin(t, EPOLLIN);
	rc = peek ? openssl.SSL_peek(t->ssl, buf, room)
		  : openssl.SSL_read(t->ssl, buf, room);
	if (rc > 0)
		return rc;
	rc = tls_result(t, rc);
	if (rc == -EAGAIN)
		t->read_needs = t->blocked;
	return rc;
}

ssize_t tls_write(struct tls *t, const void *buf, size_t len)
{
	const int room = len > INT_MAX ? INT_MAX : (int)len;
	int rc;

	if (t->is_broken)
		return t->io_err ? t->io_err : -EPIPE;
	if (len == 0)
		return 0;
	tls_begin(t, EPOLLOUT);
	rc = openssl.SSL_write(t->ssl, buf, room);
	if (rc > 0)
		return rc;
	rc = tls_result(t, rc);
	if (rc == -EAGAIN)
		t->write_needs = t->blocked;
	return rc == 0 ? -EPIPE : rc;
}

int tls_end(struct tls *t)
{
	int rc = 0;

	if (!t->is_broken &&
	    !(openssl.SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN)) {
		tls_begin(t, EPOLLOUT);
		rc = openssl.SSL_shutdown(t->ssl);
		rc = rc >= 0 ? 0 : tls_result(t, rc);
	}
	if (rc == -EAGAIN) {
		t->write_needs = t->blocked;
		return rc;
	}
	rc = stream_end(&t->under);
	return t->is_broken ? -EPIPE : rc;
}

uint32_t tls_needs(const struct tls *t, bool reading)
{
	return reading ? t->read_needs : t->write_needs;
}
