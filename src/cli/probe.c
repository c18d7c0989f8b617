// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * probe.c - ask a proxy what it can do, for `nsproxy check`
 *
 * The worker has the real client; this one only says hello, on a connection
 * of its own for each question, and is in no hurry.
 */
#include "probe.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "base/text.h"
#include "probe_conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOBODY "nsproxy-check.invalid" /* RFC 6761: no such name, ever */

/* SOCKS5: RFC 1928, 3 to 6, and RFC 1929. */
enum {
	SOCKS5_VERSION = 5,
	SOCKS5_NO_AUTH = 0,
	SOCKS5_PASSWORD = 2,
	SOCKS5_CONNECT = 1,
	SOCKS5_ASSOCIATE = 3,
	SOCKS5_IP4 = 1,
	SOCKS5_IP6 = 4,
	SOCKS5_BAD_ATYP = 8,
};

static int probe_silent(const struct hop *h, int rc, struct fault *f)
{
	(void)fault(f, rc, "talk to %s", h->label);
	return fault_hint(f, "something listens there, but it does not answer "
			     "as such a proxy; is it the right port and "
			     "scheme?");
}

static int probe_foreign(const struct hop *h, const char *protocol,
			 const void *got, size_t len, struct fault *f)
{
	char shown[48];

	(void)fault_plain(f, -EPROTO,
			  "%s does not speak %s (it answered "
			  "'%s')",
			  h->label, protocol,
			  text_quote(shown, sizeof(shown), got, len));
	return fault_hint(f, "is the scheme right? socks5:// and http:// "
			     "proxies often have different ports");
}

static int probe_denied(const struct hop *h, struct fault *f)
{
	if (h->has_auth)
		return fault_plain(f, -EACCES, "%s refuses these credentials",
				   h->label);
	(void)fault_plain(f, -EACCES, "%s demands credentials", h->label);
	return fault_hint(f, "write USER:PASS@ before the host; -x - and "
			     "--proxy-file keep them from other users' eyes");
}

/** probe_login() - User name and password (RFC 1929) */
static int probe_login(struct probe_conn *c, const struct hop *h,
		       struct fault *f)
{
	uint8_t msg[3 + 2 * 255];
	struct wr w = wr_of(msg, sizeof(msg));
	uint8_t got[2];
	int rc;

	wr_u8(&w, 1);
	wr_u8(&w, (uint8_t)strlen(h->user)); /* at most 255 by its type */
	wr_text(&w, h->user);
	wr_u8(&w, (uint8_t)strlen(h->pass));
	wr_text(&w, h->pass);
	rc = probe_conn_send(c, msg, wr_used(&w));
	if (rc == 0)
		rc = probe_conn_recv(c, got, sizeof(got));
	explicit_bzero(msg, sizeof(msg));
	if (rc < 0)
		return probe_silent(h, rc, f);
	return got[1] == 0 ? 0 : probe_denied(h, f);
}

/** probe_greet() - Open a connection and get through the greeting */
static int probe_greet(const struct hop *h, const char *dev,
		       struct probe_conn *ret, struct fault *f)
{
	const uint8_t open_hello[] = { SOCKS5_VERSION, 1, SOCKS5_NO_AUTH };
	const uint8_t auth_hello[] = { SOCKS5_VERSION, 2, SOCKS5_NO_AUTH,
				       SOCKS5_PASSWORD };
	struct probe_conn c;
	uint8_t got[2];
	int rc;

	rc = probe_conn_open(h, dev, PROBE_MS, &c, f);
	if (rc < 0)
		return rc;
	rc = h->has_auth ? probe_conn_send(&c, auth_hello, sizeof(auth_hello))
			 : probe_conn_send(&c, open_hello, sizeof(open_hello));
	if (rc == 0)
		rc = probe_conn_recv(&c, got, sizeof(got));
	if (rc < 0)
		rc = probe_silent(h, rc, f);
	else if (got[0] != SOCKS5_VERSION)
		rc = probe_foreign(h, "SOCKS5", got, sizeof(got), f);
	else if (got[1] == SOCKS5_PASSWORD && h->has_auth)
		rc = probe_login(&c, h, f);
	else if (got[1] != SOCKS5_NO_AUTH)
		rc = probe_denied(h, f);
	if (rc < 0)
		fd_close(&c.fd);
	else
		*ret = c;
	return rc;
}

/** probe_request() - Send a request; Return: the reply's code, or -errno */
static int probe_request(struct probe_conn *c, uint8_t command, uint8_t type,
			 const void *ip, size_t len)
{
	uint8_t msg[22];
	struct wr w = wr_of(msg, sizeof(msg));
	uint8_t got[4];
	int rc;

	wr_u8(&w, SOCKS5_VERSION);
	wr_u8(&w, command);
	wr_u8(&w, 0);
	wr_u8(&w, type);
	wr_bytes(&w, ip, len);
	wr_be16(&w, command == SOCKS5_CONNECT ? 443 : 0);
	rc = probe_conn_send(c, msg, wr_used(&w));
	if (rc == 0)
		rc = probe_conn_recv(c, got, sizeof(got));
	if (rc < 0)
		return rc;
	return got[0] == SOCKS5_VERSION ? got[1] : -EPROTO;
}

static int probe_socks5(const struct hop *h, const char *dev, struct probe *ret,
			struct fault *f)
{
	/* RFC 3849: an address for examples, which nobody has. */
	static const uint8_t far6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	static const uint8_t any4[4];
	struct probe_conn c;
	int rc;

	rc = probe_greet(h, dev, &c, f);
	if (rc < 0)
		return rc;
	rc = probe_request(&c, SOCKS5_ASSOCIATE, SOCKS5_IP4, any4, 4);
	fd_close(&c.fd);
	/* Some hang up instead of saying no. */
	if (rc != -ETIMEDOUT)
		ret->udp = rc == 0 ? PROBE_YES : PROBE_NO;
	if (probe_greet(h, dev, &c, NULL) < 0)
		return 0;
	rc = probe_request(&c, SOCKS5_CONNECT, SOCKS5_IP6, far6, 16);
	fd_close(&c.fd);
	if (rc >= 0)
		ret->ip6 = rc == SOCKS5_BAD_ATYP ? PROBE_NO : PROBE_YES;
	return 0;
}

static int probe_socks4(const struct hop *h, const char *dev, struct fault *f)
{
	uint8_t msg[512];
	struct wr w = wr_of(msg, sizeof(msg));
	struct probe_conn c;
	uint8_t got[8];
	int rc;

	wr_u8(&w, 4);
	wr_u8(&w, 1);
	wr_be16(&w, 443);
	wr_be32(&w, 1); /* 0.0.0.1: the name follows */
	wr_bytes(&w, h->user, strlen(h->user) + 1);
	wr_bytes(&w, NOBODY, sizeof(NOBODY));
	rc = probe_conn_open(h, dev, PROBE_MS, &c, f);
	if (rc < 0)
		return rc;
	rc = probe_conn_send(&c, msg, wr_used(&w));
	if (rc == 0)
		rc = probe_conn_recv(&c, got, sizeof(got));
	fd_close(&c.fd);
	if (rc == -ETIMEDOUT)
		return 0; /* it may be looking for the name */
	if (rc < 0)
		return probe_silent(h, rc, f);
	if (got[0] != 0 || got[1] < 90 || got[1] > 93)
		return probe_foreign(h, "SOCKS4a", got, sizeof(got), f);
	return got[1] > 91 ? probe_denied(h, f) : 0;
}

/** probe_base64() - RFC 4648, 4. @to has room for the result and its NUL */
static void probe_base64(char *to, const char *from, size_t len)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 |
			    (i + k < len ? (unsigned char)from[i + k] : 0);
		*to++ = digit[v >> 18 & 63];
		*to++ = digit[v >> 12 & 63];
		*to++ = i + 1 < len ? digit[v >> 6 & 63] : '=';
		*to++ = i + 2 < len ? digit[v & 63] : '=';
	}
	*to = '\0';
}

static int probe_http(const struct hop *h, const char *dev, struct fault *f)
{
	char pair[sizeof(h->user) + sizeof(h->pass)];
	char secret[2 * sizeof(pair)];
	char head[sizeof(secret) + 256];
	struct probe_conn c;
	char got[12];
	int rc;

	(void)snprintf(pair, sizeof(pair), "%s:%s", h->user, h->pass);
	probe_base64(secret, pair, strlen(pair));
	(void)snprintf(head, sizeof(head),
		       "CONNECT " NOBODY ":443 HTTP/1.1\r\n"
		       "Host: " NOBODY ":443\r\n%s%s%s\r\n",
		       h->has_auth ? "Proxy-Authorization: Basic " : "",
		       h->has_auth ? secret : "", h->has_auth ? "\r\n" : "");
	rc = probe_conn_open(h, dev, PROBE_MS, &c, f);
	if (rc < 0)
		return rc;
	rc = probe_conn_send(&c, head, strlen(head));
	if (rc == 0)
		rc = probe_conn_recv(&c, got, sizeof(got));
	fd_close(&c.fd);
	if (rc == -ETIMEDOUT)
		return 0; /* it may be looking for the name */
	if (rc < 0)
		return probe_silent(h, rc, f);
	if (memcmp(got, "HTTP/1.", 7) != 0)
		return probe_foreign(h, "HTTP", got, sizeof(got), f);
	if (!memcmp(got + 9, "405", 3) || !memcmp(got + 9, "501", 3))
		return fault_plain(f, -EPROTO,
				   "%s is a web server: it knows no CONNECT",
				   h->label);
	return !memcmp(got + 9, "407", 3) ? probe_denied(h, f) : 0;
}

int probe_hop(const struct hop *h, const char *dev, struct probe *ret,
	      struct fault *f)
{
	struct probe_conn c;
	int rc = 0;

	*ret = (struct probe){ 0 };
	switch (h->kind) {
	case HOP_SOCKS5:
		return probe_socks5(h, dev, ret, f);
	case HOP_SOCKS4A:
		ret->udp = ret->ip6 = PROBE_NO;
		return probe_socks4(h, dev, f);
	case HOP_HTTP:
		ret->udp = PROBE_NO;
		return probe_http(h, dev, f);
	case HOP_HTTPS:
		ret->udp = PROBE_NO;
		rc = probe_conn_open(h, dev, PROBE_MS, &c, f);
		if (rc == 0)
			fd_close(&c.fd);
		return rc;
	case HOP_DIRECT:
	case HOP_BLOCK:
	case HOP_KINDS:
		break;
	}
	return 0;
}
