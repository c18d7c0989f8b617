/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * http_forward.h - a request for a server becomes one for a proxy
 *
 * A program that knows of no proxy says "GET /path"; a proxy wants "GET
 * http://name/path" (RFC 9112, 3.2.2). The name is the one that the program
 * connected to, whatever its Host says. One request a connection: both sides
 * are told "Connection: close".
 */
#include "base/addr.h"
#include "base/bytes.h"
#include "wire/http.h"
#include "wire/http_body.h"

/* More than a head can grow: two names, credentials, fields of ours */
#define HTTP_FORWARD_GROWS 2048
#define HTTP_FORWARD_ROOM  (HTTP_HEAD_MAX + HTTP_FORWARD_GROWS)

/**
 * struct http_forward - for whom a head is made
 * @to:          Destination with a name that passes text_name_ok()
 * @has_auth:    Give the proxy @user and @pass
 */
struct http_forward {
	const struct dest *to;
	bool has_auth;
	const char *user;
	const char *pass;
};

/**
 * http_forward_request() - Turn a request's head into one for a proxy
 * @r:     From the head's first octet; stands behind it on success
 * @fwd:   For whom
 * @w:     HTTP_FORWARD_ROOM octets of room; written on success only
 * @body:  On success: what follows the head
 * @why:   On failure: one static sentence for the program
 *
 * Strict where two readers might differ: lines end with CRLF; no continued
 * lines; one Content-Length or Transfer-Encoding: chunked, not both; an
 * absolute target must name @fwd->to. What belongs to one connection
 * (RFC 9110, 7.6.1) and all of Proxy-* is dropped; Host and framing are made
 * anew.
 *
 * Return: 0, -EAGAIN, -EMSGSIZE when the head is over HTTP_HEAD_MAX, -EPROTO
 * when it is no such request, -EBADMSG when it is not even text
 */
int http_forward_request(struct rd *r, const struct http_forward *fwd,
			 struct wr *w, struct http_body *body,
			 const char **why);

/**
 * http_forward_answer() - Pass an answer's head on
 * @r:         From the head's first octet; stands behind it on success
 * @w:         HTTP_FORWARD_ROOM octets of room; written on success only
 * @is_final:  On success: the body follows; else it was a 1xx, passed on as
 *             it is, and another head follows
 *
 * Return: 0, -EAGAIN, or -EPROTO when it is no head that we can read
 */
int http_forward_answer(struct rd *r, struct wr *w, bool *is_final);
