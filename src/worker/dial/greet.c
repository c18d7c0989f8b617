// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * greet.c - what is said to a hop, and what its answers mean; no I/O
 *
 * The one place that knows which protocol says what, so that dial.c walks a
 * chain without asking what its hops are.
 */
#include "dial/greet.h"

#include "wire/http.h"
#include "wire/socks4.h"
#include "wire/socks5.h"

#include <errno.h>
#include <stdio.h>

_Static_assert(GREET_HEAR_MAX >= HTTP_HEAD_MAX, "the longest answer fits");
_Static_assert(GREET_HEAR_MAX >= SOCKS5_REPLY_MAX, "any reply fits");

enum greet_step greet_first(const struct hop *h)
{
	return h->kind == HOP_SOCKS5 ? GREET_HELLO : GREET_REQUEST;
}

enum greet_step greet_next(const struct hop *h, enum greet_step step)
{
	if (step == GREET_HELLO && h->has_auth)
		return GREET_LOGIN;
	return step < GREET_REQUEST ? GREET_REQUEST : GREET_OVER;
}

static int greet_put_socks5(const struct hop *h, enum greet_step step,
			    enum dial_goal goal, const struct dest *to,
			    struct wr *w)
{
	static const enum socks5_command command[] = {
		[DIAL_CONNECT] = SOCKS5_CONNECT,
		[DIAL_ASSOCIATE] = SOCKS5_UDP_ASSOCIATE,
		[DIAL_RESOLVE] = SOCKS5_RESOLVE,
		[DIAL_REVERSE] = SOCKS5_RESOLVE_PTR,
	};
	static const struct dest nobody;
	bool ok = false;

	switch (step) {
	case GREET_HELLO:
		ok = socks5_hello_put(w, h->has_auth);
		break;
	case GREET_LOGIN:
		ok = socks5_login_put(w, h->user, h->pass);
		break;
	case GREET_REQUEST:
		/* RFC 1928, 7: who does not know its own port says zeros. */
		ok = socks5_request_put(w, command[goal],
					goal == DIAL_ASSOCIATE ? &nobody : to);
		break;
	case GREET_OVER:
		break;
	}
	return ok ? 0 : -EMSGSIZE;
}

int greet_put(const struct hop *h, enum greet_step step, enum dial_goal goal,
	      const struct dest *to, struct wr *w)
{
	switch (h->kind) {
	case HOP_SOCKS5:
		return greet_put_socks5(h, step, goal, to, w);
	case HOP_SOCKS4A:
		return socks4_request_put(w, to, h->has_auth ? h->user : "")
			       ? 0
			       : -EAFNOSUPPORT;
	case HOP_HTTP:
	case HOP_HTTPS:
		return http_connect_put(w, to, h->has_auth, h->user, h->pass)
			       ? 0
			       : -EMSGSIZE;
	case HOP_DIRECT:
	case HOP_BLOCK:
	case HOP_KINDS:
		break;
	}
	return -EAFNOSUPPORT;
}

/* RFC 1928, 6: VER REP RSV ATYP, an address of which the fifth octet tells the
 * length when it is a name, and two octets of port. */
static size_t greet_certain_reply(const uint8_t *buf, size_t have)
{
	size_t whole = 5;

	if (have >= 5 && buf[3] == 1)
		whole = 10;
	else if (have >= 5 && buf[3] == 3)
		whole = 7 + (size_t)buf[4];
	else if (have >= 5 && buf[3] == 4)
		whole = 22;
	return have < whole ? whole - have : 0;
}

size_t greet_certain(const struct hop *h, enum greet_step step,
		     const uint8_t *buf, size_t have)
{
	if (h->kind == HOP_SOCKS4A)
		return have < SOCKS4_REPLY_SIZE ? SOCKS4_REPLY_SIZE - have : 0;
	if (h->kind != HOP_SOCKS5)
		return 0;
	if (step == GREET_REQUEST)
		return greet_certain_reply(buf, have);
	return have < 2 ? 2 - have : 0; /* RFC 1928, 3 and RFC 1929, 2 */
}

static int greet_get_choice(const struct hop *h, struct rd *r,
			    struct greet_answer *ret)
{
	const uint8_t offered =
		h->has_auth ? SOCKS5_AUTH_PASSWORD : SOCKS5_AUTH_NONE;
	uint8_t method;
	const int rc = socks5_choice_get(r, &method);

	if (rc < 0)
		return rc;
	ret->code = method;
	if (method == offered)
		return 0;
	/* Some answer with the method they want instead of 0xff. */
	if (method != SOCKS5_AUTH_REFUSED && method != SOCKS5_AUTH_PASSWORD)
		return -EPROTO;
	ret->err = -EACCES;
	ret->is_login = true;
	ret->phrase = h->has_auth ? "does not take a user name and password"
				  : "wants a user name and password";
	return 0;
}

static int greet_get_verdict(struct rd *r, struct greet_answer *ret)
{
	uint8_t status;
	const int rc = socks5_verdict_get(r, &status);

	if (rc < 0)
		return rc;
	ret->code = status;
	if (status == 0)
		return 0;
	ret->err = -EACCES;
	ret->is_login = true;
	ret->phrase = "refused our user name or password";
	return 0;
}

static int greet_get_reply(struct rd *r, struct greet_answer *ret)
{
	uint8_t code;
	const int rc = socks5_found_get(r, &code, &ret->bound);

	if (rc < 0)
		return rc;
	ret->code = code;
	ret->err = socks5_errno(code);
	ret->phrase = socks5_code_text(code);
	return 0;
}

static int greet_get_socks4(struct rd *r, struct greet_answer *ret)
{
	uint8_t code;
	const int rc = socks4_reply_get(r, &code);

	if (rc < 0)
		return rc;
	ret->code = code;
	ret->err = socks4_errno(code);
	ret->is_login = ret->err == -EACCES;
	ret->phrase =
		ret->is_login ? "refused our user id" : "rejected or failed";
	return 0;
}

static int greet_get_http(const struct hop *h, struct rd *r,
			  struct greet_answer *ret)
{
	static char phrase[sizeof("status 4294967295")];
	const int rc = http_answer_get(r, &ret->code);

	if (rc < 0)
		return rc;
	ret->err = http_errno(ret->code);
	(void)snprintf(phrase, sizeof(phrase), "status %u", ret->code);
	ret->phrase = phrase;
	if (ret->code != 407) /* RFC 9110, 15.5.8 */
		return 0;
	ret->is_login = true;
	ret->phrase = h->has_auth ? "refused our user name or password"
				  : "wants a user name and password";
	return 0;
}

int greet_get(const struct hop *h, enum greet_step step, struct rd *r,
	      struct greet_answer *ret)
{
	*ret = (struct greet_answer){ .phrase = "" };
	if (h->kind == HOP_SOCKS4A)
		return greet_get_socks4(r, ret);
	if (h->kind != HOP_SOCKS5)
		return greet_get_http(h, r, ret);
	switch (step) {
	case GREET_HELLO:
		return greet_get_choice(h, r, ret);
	case GREET_LOGIN:
		return greet_get_verdict(r, ret);
	case GREET_REQUEST:
		return greet_get_reply(r, ret);
	case GREET_OVER:
		break;
	}
	return -EPROTO;
}
