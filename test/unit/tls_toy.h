/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * tls_toy.h - a toy TLS server with a certificate made on the spot
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the certificate is for: this name, and 127.0.0.1 */
#define TLS_TOY_NAME "proxy.example"

static SSL_CTX *tls_toy_ctx;
static char tls_toy_anchors[64];

static inline X509 *tls_toy_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *ext =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
				    "DNS:" TLS_TOY_NAME ",IP:127.0.0.1");

	assert_non_null(ext);
	(void)X509_set_version(cert, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)"toy", -1, -1,
					 0);
	(void)X509_set_issuer_name(cert, name);
	(void)X509_set_pubkey(cert, key);
	(void)X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

/** tls_toy_setup() - Make the server; let $SSL_CERT_FILE trust it */
static inline int tls_toy_setup(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = tls_toy_cert(key);
	FILE *f;

	(void)state;
	(void)snprintf(tls_toy_anchors, sizeof(tls_toy_anchors),
		       "/tmp/tls_toy.%d.pem", (int)getpid());
	f = fopen(tls_toy_anchors, "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	(void)fclose(f);
	assert_int_equal(setenv("SSL_CERT_FILE", tls_toy_anchors, 1), 0);
	tls_toy_ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(tls_toy_ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls_toy_ctx, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

static inline int tls_toy_teardown(void **state)
{
	(void)state;
	SSL_CTX_free(tls_toy_ctx);
	(void)unlink(tls_toy_anchors);
	return 0;
}

/** tls_toy_over_fd() - The server's half over a socket */
static inline SSL *tls_toy_over_fd(int fd)
{
	SSL *ssl = SSL_new(tls_toy_ctx);

	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	SSL_set_accept_state(ssl);
	return ssl;
}

/** tls_toy_over_tls() - The server's half inside another layer */
static inline SSL *tls_toy_over_tls(SSL *under)
{
	SSL *ssl = SSL_new(tls_toy_ctx);
	BIO *bio = BIO_new(BIO_f_ssl());

	(void)BIO_set_ssl(bio, under, BIO_NOCLOSE);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	return ssl;
}

/* Run the other side for a moment; given by the test */
static void tls_toy_wait(void);

static inline void tls_toy_retry(SSL *ssl, int rc)
{
	const int why = SSL_get_error(ssl, rc);

	assert_true(why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE);
	tls_toy_wait();
}

static inline void tls_toy_accept(SSL *ssl)
{
	int rc = 0;

	for (int i = 0; i < 2000 && rc != 1; i++) {
		rc = SSL_do_handshake(ssl);
		if (rc != 1)
			tls_toy_retry(ssl, rc);
	}
	assert_int_equal(rc, 1);
}

static inline void tls_toy_say(SSL *ssl, const void *data, int len)
{
	int rc = 0;

	for (int i = 0; i < 2000 && rc <= 0; i++) {
		rc = SSL_write(ssl, data, len);
		if (rc <= 0)
			tls_toy_retry(ssl, rc);
	}
	assert_int_equal(rc, len);
	tls_toy_wait();
}

/** tls_toy_hear() - Read until at least @len octets are there */
static inline int tls_toy_hear(SSL *ssl, char *buf, int room, int len)
{
	int have = 0;

	for (int i = 0; i < 2000 && have < len; i++) {
		const int rc = SSL_read(ssl, buf + have, room - have);

		if (rc > 0)
			have += rc;
		else
			tls_toy_retry(ssl, rc);
	}
	assert_true(have >= len);
	return have;
}
