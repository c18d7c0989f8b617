// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_http.c - what our proxy server says in HTTP
 *
 * CONNECT (RFC 9110, 9.3.6), and requests with an absolute http:// target,
 * whose head is rewritten once and whose body, like the answer, is relayed
 * unread: one request a connection.
 */
#include "flow/client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HTTP_REPLY_MAX	  1024
#define HTTP_REWRITE_ROOM 64

static int http_refuse_status(struct client *c, unsigned int status,
			      const char *why)
{
	uint8_t buf[HTTP_REPLY_MAX];
	struct wr w = wr_of(buf, sizeof(buf));
	int rc;

	if (!http_reply_put(&w, status, why))
		return -EIO;
	rc = client_send(c, buf, wr_used(&w));
	return rc < 0 ? rc : client_leave(c);
}

int server_http_refuse(struct client *c, int err)
{
	return http_refuse_status(c, http_status_of(err), strerror(-err));
}

int server_http_welcome(struct client *c)
{
	uint8_t buf[HTTP_REPLY_MAX];
	struct wr w = wr_of(buf, sizeof(buf));

	if (!http_reply_put(&w, 200, NULL))
		return -EIO;
	return client_send(c, buf, wr_used(&w));
}

static bool http_may(const struct plan_serve *serve,
		     const struct http_request *req)
{
	bool is_known;

	if (!serve->has_auth)
		return true;
	is_known = server_same_secret(serve->user, req->user);
	is_known &= server_same_secret(serve->pass, req->pass);
	return is_known && req->has_auth;
}

int server_http_hear(struct client *c, struct rd *r)
{
	const uint8_t *start = r->at;
	struct http_request req;
	int rc;

	rc = http_request_get(r, &req);
	if (rc == -EAGAIN)
		return rc;
	c->tongue = CLIENT_HTTP_CONNECT;
	if (rc == -EMSGSIZE)
		return http_refuse_status(c, 431, "The head is too long.");
	if (rc == -EOPNOTSUPP)
		return http_refuse_status(c, 400,
					  "The target must be host:port with "
					  "CONNECT, else http://host/...");
	if (rc < 0)
		return http_refuse_status(c, 400, "This is not HTTP.");
	if (!http_may(c->server->serve, &req))
		return http_refuse_status(c, 407,
					  "User and password are needed.");
	if (!req.is_connect) {
		c->tongue = CLIENT_HTTP_PLAIN;
		return client_dial(c, &req.to);
	}
	rc = client_eat(c, (size_t)(r->at - start));
	return rc < 0 ? rc : client_dial(c, &req.to);
}

int server_http_prepare(struct client *c)
{
	uint8_t *buf = c->server->scratch;
	const ssize_t n = recv(c->fd, buf, CLIENT_PEEK_BYTES, MSG_PEEK);
	struct http_request req;
	struct rd r;
	struct wr w;
	size_t len;

	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	r = rd_of(buf, (size_t)n);
	if (http_request_get(&r, &req) < 0)
		return -EIO; /* it was whole before */
	len = (size_t)(r.at - buf);
	c->head = malloc(len + HTTP_REWRITE_ROOM);
	if (!c->head)
		return -ENOMEM;
	w = wr_of(c->head, len + HTTP_REWRITE_ROOM);
	if (!http_request_rewrite(&w, buf, len, &req))
		return -EIO;
	c->head_len = wr_used(&w);
	c->head_sent = 0;
	return client_eat(c, len);
}
