/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * tls.h - what stream.c asks of TLS; only tls.c and openssl.c know OpenSSL
 */
#include "net/stream.h"

/**
 * tls_context_new() - Load the library, read the system's trust anchors
 * @need_anchors:  Some layer will check certificates; else none are read
 * @ret:           Set on success
 *
 * Must be called before the worker gives up its files: everything is read
 * here, nothing later. Anchors come from $SSL_CERT_FILE, else from the
 * library's default file, else from where Debian keeps them. Minimum is TLS
 * 1.2.
 *
 * Return: 0, -ELIBACC without the library, -ENOENT when no anchors could be
 * read, or -ENOMEM
 */
int tls_context_new(bool need_anchors, struct tls_context **ret);
void tls_context_free(struct tls_context *ctx);

/** tls_new() - Layer over @under, which it owns from now on; NULL: no memory */
struct tls *tls_new(struct tls_context *ctx, struct stream under,
		    const char *host, bool insecure);
void tls_free(struct tls *t, bool abort);
int tls_handshake(struct tls *t, const char **why);
ssize_t tls_read(struct tls *t, void *buf, size_t len, bool peek);
ssize_t tls_write(struct tls *t, const void *buf, size_t len);
int tls_end(struct tls *t);
uint32_t tls_needs(const struct tls *t, bool reading);
