// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_socks.c - what our proxy server says in SOCKS5
 *
 * RFC 1928 and RFC 1929. A client comes here with octets that were peeked; a
 * message is taken off its socket only when it is whole.
 */
#include "dial/way.h"
#include "flow/client.h"
#include "flow/front.h"
#include "flow/server_udp.h"
#include "wire/socks5.h"

#include <errno.h>

#define METHOD_NONE	0x01 /* bits of socks5_hello_get() */
#define METHOD_PASSWORD 0x02

/*
 * With credentials only the password will do. Without, any password will:
 * some programs send one to keep their streams apart (Tor's isolation).
 */
static uint8_t socks_pick(const struct plan_serve *serve, uint8_t methods)
{
	if (!serve->has_auth && (methods & METHOD_NONE))
		return SOCKS5_AUTH_NONE;
	if (methods & METHOD_PASSWORD)
		return SOCKS5_AUTH_PASSWORD;
	return SOCKS5_AUTH_REFUSED;
}

static int socks_hear_hello(struct client *c, struct rd *r)
{
	const uint8_t *start = r->at;
	uint8_t methods, pick, buf[2];
	struct wr w = wr_of(buf, sizeof(buf));
	int rc;

	rc = socks5_hello_get(r, &methods);
	if (rc == 0)
		rc = client_eat(c, (size_t)(r->at - start));
	if (rc < 0)
		return rc;
	c->tongue = CLIENT_SOCKS5;
	pick = socks_pick(c->server->serve, methods);
	(void)socks5_choice_put(&w, pick); /* two octets fit */
	rc = client_send(c, buf, wr_used(&w));
	if (rc < 0)
		return rc;
	if (pick == SOCKS5_AUTH_REFUSED)
		return client_leave(c);
	client_enter(c,
		     pick == SOCKS5_AUTH_NONE ? CLIENT_ASKS : CLIENT_LOGS_IN);
	return 0;
}

static int socks_hear_login(struct client *c, struct rd *r)
{
	const struct plan_serve *serve = c->server->serve;
	const uint8_t *start = r->at;
	char user[256], pass[256];
	uint8_t buf[2];
	struct wr w = wr_of(buf, sizeof(buf));
	bool is_known = true;
	int rc;

	rc = socks5_login_get(r, user, pass);
	if (rc == 0)
		rc = client_eat(c, (size_t)(r->at - start));
	if (rc < 0)
		return rc;
	if (serve->has_auth) {
		is_known = server_same_secret(serve->user, user);
		is_known &= server_same_secret(serve->pass, pass);
	}
	(void)socks5_verdict_put(&w, is_known ? 0 : 1); /* two octets fit */
	rc = client_send(c, buf, wr_used(&w));
	if (rc < 0)
		return rc;
	if (!is_known)
		return client_leave(c);
	client_enter(c, CLIENT_ASKS);
	return 0;
}

static int socks_reply(struct client *c, uint8_t code, const struct addr *bound)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	struct wr w = wr_of(buf, sizeof(buf));

	if (!socks5_reply_put(&w, code, bound))
		return -EIO;
	return client_send(c, buf, wr_used(&w));
}

static int socks_refuse_code(struct client *c, uint8_t code)
{
	const struct addr none = { .family = AF_UNSPEC };
	const int rc = socks_reply(c, code, &none);

	return rc < 0 ? rc : client_leave(c);
}

int server_socks_refuse(struct client *c, int err)
{
	return socks_refuse_code(c, (uint8_t)socks5_code_of(err));
}

int server_socks_welcome(struct client *c, const struct addr *bound)
{
	return socks_reply(c, SOCKS5_OK, bound);
}

/*
 * Behind a sandbox's gateway there is no association: its programs have real
 * UDP. It is told apart by its names. An engine, which brings those programs'
 * UDP, has a seat at the front.
 */
static int socks_associate(struct client *c, const struct dest *hint)
{
	struct server *s = c->server;
	struct addr bound;
	int rc;

	if (!s->front && (s->names || !way_has_udp(s->way)))
		return socks_refuse_code(c, SOCKS5_BAD_COMMAND);
	rc = s->front ? front_sit(s->front, &c->seat, &bound)
		      : server_udp_open(s, c->fd, hint, &c->udp, &bound);
	if (rc < 0)
		return server_socks_refuse(c, rc);
	rc = server_socks_welcome(c, &bound);
	if (rc < 0)
		return rc;
	client_enter(c, CLIENT_ASSOCIATES);
	return 0;
}

static int socks_hear_request(struct client *c, struct rd *r)
{
	const uint8_t *start = r->at;
	struct dest to;
	uint8_t cmd;
	int rc;

	rc = socks5_request_get(r, &cmd, &to);
	if (rc == -EAFNOSUPPORT)
		return socks_refuse_code(c, SOCKS5_BAD_ADDRESS);
	if (rc == -EPROTO) /* such as a name that is none */
		return socks_refuse_code(c, SOCKS5_FAILED);
	if (rc == 0)
		rc = client_eat(c, (size_t)(r->at - start));
	if (rc < 0)
		return rc;
	switch (cmd) {
	case SOCKS5_CONNECT:
		return client_dial(c, &to);
	case SOCKS5_UDP_ASSOCIATE:
		return socks_associate(c, &to);
	default:
		return socks_refuse_code(c, SOCKS5_BAD_COMMAND);
	}
}

int server_socks_hear(struct client *c, struct rd *r)
{
	if (c->state == CLIENT_GREETS)
		return socks_hear_hello(c, r);
	if (c->state == CLIENT_LOGS_IN)
		return socks_hear_login(c, r);
	return socks_hear_request(c, r);
}
