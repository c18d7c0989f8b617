/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * http.h - heads of CONNECT requests and their answers
 *
 * RFC 9110 section 9.3.6 (CONNECT), 11.7 (proxy authentication), RFC 9112
 * (syntax), RFC 7617 (Basic). Heads only; a body is nobody's business here.
 * A head ends with an empty line; CRLF and bare LF are both taken as line end.
 * Same return rules as socks5.h.
 */
#include "base/addr.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX	     8192 /* octets of a head we read */
#define HTTP_LINES_MAX	     100
#define HTTP_CREDENTIALS_MAX 511 /* user of 255, colon, password of 255 */

/**
 * http_connect_put() - CONNECT host:port with Host, and Basic if @has_auth
 * @w:  Room; 2 KiB suffice
 * @d:  Name (must pass text_name_ok()) or address; IPv6 in brackets
 * @has_auth:  Send @user and @pass; else they are not looked at
 * @user, @pass:  At most 255 octets each, no colon in @user (RFC 7617, 2)
 *
 * Return: whether it could be said and fitted
 */
bool http_connect_put(struct wr *w, const struct dest *d, bool has_auth,
		      const char *user, const char *pass);

/** http_credentials_put() - The value of Proxy-Authorization (RFC 7617, 2);
 * limits as above. Return: whether it could be said and fitted */
bool http_credentials_put(struct wr *w, const char *user, const char *pass);

/**
 * http_absolute_get() - Take scheme and authority off an absolute target
 * @target:  http://host[:port]/path?query; becomes what follows the authority
 * @to:      Where it is; port 80 when none is written
 *
 * Return: whether it was one
 */
bool http_absolute_get(struct rd *target, struct dest *to);

/**
 * http_answer_get() - Read an answer's head
 * @r:       From its first octet; what follows the head stays in @r
 * @status:  100..599
 *
 * 1xx heads are skipped (RFC 9110, 15.2), but for 101, which ends HTTP. NUL,
 * other controls, over HTTP_LINES_MAX lines, or over HTTP_HEAD_MAX octets
 * without an end: -EPROTO.
 *
 * Return: 0, -EAGAIN, or -EPROTO
 */
int http_answer_get(struct rd *r, unsigned int *status);

/**
 * http_errno() - What a status means to connect(2)
 *
 * Return: 0 for 2xx; -EACCES for 401, 403, 407, 405; -ETIMEDOUT for 408, 504;
 * -ECONNREFUSED for 502; -EHOSTUNREACH for all others
 */
int http_errno(unsigned int status);
/** http_status_of() - The status for an -errno: 502, 504, 403, 503 ... */
unsigned int http_status_of(int err);

/**
 * struct http_request - a request's head, as a proxy sees it
 * @is_connect:  CONNECT; else a request with an absolute http:// target
 * @to:          Where to
 * @has_auth:    Proxy-Authorization: Basic was there
 * @user, @pass: Decoded, NUL-terminated; empty when there was none
 * @target:      Not CONNECT: path and query of the target, inside the head
 * @target_len:  Octets; 0 means "/"
 * @method_len:  Octets of the method at the start of the head
 */
struct http_request {
	bool is_connect;
	struct dest to;
	bool has_auth;
	char user[256];
	char pass[256];
	const uint8_t *target;
	size_t target_len;
	size_t method_len;
};

/**
 * http_request_get() - Read a request's head
 * @r:    From its first octet; what follows the head stays in @r
 * @ret:  Result
 *
 * Basic credentials that cannot be decoded count as none.
 *
 * Return: 0, -EAGAIN, -EPROTO; -EMSGSIZE when the head is over HTTP_HEAD_MAX;
 * -EOPNOTSUPP for a target that is neither host:port nor http://host[:port]/
 */
int http_request_get(struct rd *r, struct http_request *ret);

/**
 * http_request_rewrite() - Turn an absolute-form head into an origin-form one
 * @w:     Room for at least the old head plus 64 octets
 * @head:  The head that http_request_get() took, from method to empty line
 * @len:   Octets of it
 * @req:   What http_request_get() found
 *
 * Drops Proxy-Authorization, Proxy-Connection, Connection and Keep-Alive, and
 * adds "Connection: close": one request per connection keeps framing out of
 * here. Host is made anew of the target (RFC 9112, 3.2.2).
 *
 * Return: whether it fitted
 */
bool http_request_rewrite(struct wr *w, const uint8_t *head, size_t len,
			  const struct http_request *req);

/**
 * http_reply_put() - A short answer of our own, head and one-line body
 * @status:  200 has no body ("200 Connection established")
 * @reason:  One sentence for the body; may be NULL
 *
 * 407 carries Proxy-Authenticate: Basic; all but 200 say Connection: close.
 */
bool http_reply_put(struct wr *w, unsigned int status, const char *reason);

/** base64_put() - RFC 4648, 4, with padding. Return: whether it fitted */
bool base64_put(struct wr *w, const void *data, size_t len);
/** base64_get() - Strict: length a multiple of 4, no white space.
 * Return: octets written to @to, or -EPROTO, or -EMSGSIZE */
long base64_get(const char *text, size_t len, void *to, size_t room);
