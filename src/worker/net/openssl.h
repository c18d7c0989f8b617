/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * openssl.h - the TLS library, loaded by those who need it
 *
 * Linked, it would cost each process 500 KiB of relocated pages of its own, and
 * its start a millisecond, while most sandboxes know no https proxy.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

#define OPENSSL_FUNCTIONS(X)               \
	X(BIO_clear_flags);                \
	X(BIO_get_data);                   \
	X(BIO_get_new_index);              \
	X(BIO_meth_new);                   \
	X(BIO_meth_set_ctrl);              \
	X(BIO_meth_set_read);              \
	X(BIO_meth_set_write);             \
	X(BIO_new);                        \
	X(BIO_set_data);                   \
	X(BIO_set_flags);                  \
	X(BIO_set_init);                   \
	X(ERR_clear_error);                \
	X(ERR_peek_last_error);            \
	X(ERR_reason_error_string);        \
	X(RAND_bytes);                     \
	X(SSL_CTX_ctrl);                   \
	X(SSL_CTX_free);                   \
	X(SSL_CTX_get_cert_store);         \
	X(SSL_CTX_new);                    \
	X(SSL_CTX_set_alpn_protos);        \
	X(SSL_CTX_set_options);            \
	X(SSL_ctrl);                       \
	X(SSL_do_handshake);               \
	X(SSL_free);                       \
	X(SSL_get0_param);                 \
	X(SSL_get_error);                  \
	X(SSL_get_shutdown);               \
	X(SSL_get_verify_mode);            \
	X(SSL_get_verify_result);          \
	X(SSL_is_init_finished);           \
	X(SSL_new);                        \
	X(SSL_peek);                       \
	X(SSL_read);                       \
	X(SSL_set1_host);                  \
	X(SSL_set_bio);                    \
	X(SSL_set_connect_state);          \
	X(SSL_set_hostflags);              \
	X(SSL_set_verify);                 \
	X(SSL_shutdown);                   \
	X(SSL_write);                      \
	X(TLS_client_method);              \
	X(X509_STORE_load_file);           \
	X(X509_VERIFY_PARAM_set1_ip);      \
	X(X509_get_default_cert_file);     \
	X(X509_get_default_cert_file_env); \
	X(X509_verify_cert_error_string)

/** struct openssl - its functions, by their own names */
struct openssl {
#define OPENSSL_MEMBER(name) __typeof__(&(name)) name
	OPENSSL_FUNCTIONS(OPENSSL_MEMBER);
#undef OPENSSL_MEMBER
};

extern struct openssl openssl;

/** openssl_load() - Once for the process, before it gives up its files. Return:
 * whether the library is there */
bool openssl_load(void);
