// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks5.c - messages of SOCKS5 and its password method
 *
 * The dial comes in with the client's half, the server with the other one,
 * udp with the datagram header. Each _get works on a copy of the reader and
 * moves the caller's only when the whole message is there and good. What reply
 * codes mean is in socks5_code.c.
 */
#include "wire/socks5.h"

#include "wire/host.h"

#include <errno.h>
#include <string.h>

#define SOCKS5_LOGIN_VERSION 1 /* RFC 1929, 2 */

enum socks5_atyp {
	ATYP_NONE = 0, /* in no RFC; see socks5_reply_get() */
	ATYP_IP4 = 1,
	ATYP_NAME = 3,
	ATYP_IP6 = 4,
};

/* ------------------------------------------------- greeting and log-in -- */

/** pair_get() - Two octets, of which the first must be @first unless -1 */
static int pair_get(struct rd *r, int first, uint8_t *ret)
{
	struct rd in = *r;
	const uint8_t version = rd_u8(&in);
	uint8_t got;

	if (!in.ran_out && first >= 0 && version != first)
		return -EPROTO;
	got = rd_u8(&in);
	if (in.ran_out)
		return -EAGAIN;
	*r = in;
	*ret = got;
	return 0;
}

bool socks5_hello_put(struct wr *w, bool has_auth)
{
	wr_u8(w, SOCKS5_VERSION);
	wr_u8(w, 1);
	wr_u8(w, has_auth ? SOCKS5_AUTH_PASSWORD : SOCKS5_AUTH_NONE);
	return !w->ran_out;
}

int socks5_hello_get(struct rd *r, uint8_t *methods)
{
	struct rd in = *r;
	const uint8_t version = rd_u8(&in);
	const size_t count = rd_u8(&in);
	const uint8_t *method;
	uint8_t got = 0;

	if (rd_left(r) > 0 && version != SOCKS5_VERSION)
		return -EPROTO;
	method = rd_bytes(&in, count);
	if (!method)
		return -EAGAIN;
	for (size_t i = 0; i < count; i++) {
		if (method[i] == SOCKS5_AUTH_NONE)
			got |= 1 << 0;
		if (method[i] == SOCKS5_AUTH_PASSWORD)
			got |= 1 << 1;
	}
	*r = in;
	*methods = got;
	return 0;
}

bool socks5_choice_put(struct wr *w, uint8_t method)
{
	wr_u8(w, SOCKS5_VERSION);
	wr_u8(w, method);
	return !w->ran_out;
}

int socks5_choice_get(struct rd *r, uint8_t *method)
{
	return pair_get(r, SOCKS5_VERSION, method);
}

bool socks5_login_put(struct wr *w, const char *user, const char *pass)
{
	const size_t user_len = strlen(user);
	const size_t pass_len = strlen(pass);

	if (user_len < 1 || user_len > 255 || pass_len > 255)
		return false;
	wr_u8(w, SOCKS5_LOGIN_VERSION);
	wr_u8(w, (uint8_t)user_len);
	wr_bytes(w, user, user_len);
	wr_u8(w, (uint8_t)pass_len);
	wr_bytes(w, pass, pass_len);
	return !w->ran_out;
}

int socks5_login_get(struct rd *r, char *user, char *pass)
{
	struct rd in = *r;
	const uint8_t version = rd_u8(&in);
	size_t user_len;
	size_t pass_len;
	const uint8_t *u;
	const uint8_t *p;

	if (!in.ran_out && version != SOCKS5_LOGIN_VERSION)
		return -EPROTO;
	user_len = rd_u8(&in);
	u = rd_bytes(&in, user_len);
	if (u && memchr(u, '\0', user_len))
		return -EPROTO;
	pass_len = rd_u8(&in);
	p = rd_bytes(&in, pass_len);
	if (!u || !p)
		return -EAGAIN;
	if (memchr(p, '\0', pass_len))
		return -EPROTO;
	memcpy(user, u, user_len);
	user[user_len] = '\0';
	memcpy(pass, p, pass_len);
	pass[pass_len] = '\0';
	*r = in;
	return 0;
}

bool socks5_verdict_put(struct wr *w, uint8_t status)
{
	wr_u8(w, SOCKS5_LOGIN_VERSION);
	wr_u8(w, status);
	return !w->ran_out;
}

int socks5_verdict_get(struct rd *r, uint8_t *status)
{
	return pair_get(r, -1, status);
}

/* ----------------------------------------------------------- addresses -- */

/** addr_put() - ATYP, bare address, port; "none" is 0.0.0.0 */
static void addr_put(struct wr *w, const struct addr *a)
{
	wr_u8(w, a->family == AF_INET6 ? ATYP_IP6 : ATYP_IP4);
	if (a->family == AF_UNSPEC)
		wr_be32(w, 0);
	else
		wr_bytes(w, a->ip, addr_size(a));
	wr_be16(w, a->port);
}

bool socks5_dest_put(struct wr *w, const struct dest *d)
{
	const size_t len = strlen(d->name);

	if (len == 0) {
		addr_put(w, &d->addr);
		return !w->ran_out;
	}
	wr_u8(w, ATYP_NAME);
	wr_u8(w, (uint8_t)len); /* NAME_MAX_LEN fits an octet */
	wr_bytes(w, d->name, len);
	wr_be16(w, d->addr.port);
	return !w->ran_out;
}

/**
 * name_get() - Length, octets and port behind ATYP_NAME
 * @name:  Set to the octets
 * @len:   Of them
 *
 * Return: 0, or -EAGAIN
 */
static int name_get(struct rd *in, const uint8_t **name, size_t *len,
		    uint16_t *port)
{
	*len = rd_u8(in);
	*name = rd_bytes(in, *len);
	*port = rd_be16(in);
	return in->ran_out ? -EAGAIN : 0;
}

/** ip_get() - Address and port behind ATYP_IP4 or ATYP_IP6, or -EAGAIN */
static int ip_get(struct rd *in, uint8_t atyp, struct addr *ret)
{
	const uint8_t *ip = rd_bytes(in, atyp == ATYP_IP4 ? 4 : 16);
	const uint16_t port = rd_be16(in);

	if (in->ran_out)
		return -EAGAIN;
	*ret = atyp == ATYP_IP4 ? addr_from_ip4(ip, port)
				: host_from_ip6(ip, port);
	return 0;
}

/** dest_get() - Like socks5_dest_get(), but -EAFNOSUPPORT for a bad ATYP */
static int dest_get(struct rd *r, struct dest *d)
{
	struct dest got = { 0 };
	struct rd in = *r;
	const uint8_t atyp = rd_u8(&in);
	const uint8_t *name;
	size_t len;
	uint16_t port;
	int err;

	if (in.ran_out)
		return -EAGAIN;
	switch (atyp) {
	case ATYP_IP4:
	case ATYP_IP6:
		err = ip_get(&in, atyp, &got.addr);
		break;
	case ATYP_NAME:
		err = name_get(&in, &name, &len, &port);
		if (!err && !host_get(name, len, port, &got))
			err = -EPROTO;
		break;
	default:
		return -EAFNOSUPPORT;
	}
	if (err < 0)
		return err;
	*r = in;
	*d = got;
	return 0;
}

int socks5_dest_get(struct rd *r, struct dest *d)
{
	const int err = dest_get(r, d);

	return err == -EAFNOSUPPORT ? -EPROTO : err;
}

/* --------------------------------------------------- request and reply -- */

bool socks5_request_put(struct wr *w, enum socks5_command cmd,
			const struct dest *d)
{
	wr_u8(w, SOCKS5_VERSION);
	wr_u8(w, (uint8_t)cmd);
	wr_u8(w, 0);
	return socks5_dest_put(w, d);
}

int socks5_request_get(struct rd *r, uint8_t *cmd, struct dest *d)
{
	struct rd in = *r;
	uint8_t got;
	int err;

	err = pair_get(&in, SOCKS5_VERSION, &got);
	if (err < 0)
		return err;
	rd_skip(&in, 1);
	if (in.ran_out)
		return -EAGAIN;
	err = dest_get(&in, d);
	if (err < 0)
		return err;
	*r = in;
	*cmd = got;
	return 0;
}

bool socks5_reply_put(struct wr *w, uint8_t code, const struct addr *bound)
{
	wr_u8(w, SOCKS5_VERSION);
	wr_u8(w, code);
	wr_u8(w, 0);
	addr_put(w, bound);
	return !w->ran_out;
}

int socks5_found_get(struct rd *r, uint8_t *code, struct dest *found)
{
	struct dest dest = { 0 };
	struct dest named;
	struct rd in = *r;
	const uint8_t *name;
	uint8_t atyp;
	uint8_t got;
	size_t len;
	int err;

	err = pair_get(&in, SOCKS5_VERSION, &got);
	if (err < 0)
		return err;
	rd_skip(&in, 1);
	atyp = rd_u8(&in);
	if (in.ran_out)
		return -EAGAIN;
	switch (atyp) {
	case ATYP_IP4:
	case ATYP_IP6:
		err = ip_get(&in, atyp, &dest.addr);
		break;
	case ATYP_NAME:
		err = name_get(&in, &name, &len, &dest.addr.port);
		/* One that is no host's is not a fault of the proxy's. */
		if (err == 0 && host_get(name, len, dest.addr.port, &named) &&
		    named.name[0] != '\0')
			dest = named;
		break;
	case ATYP_NONE:
		rd_skip(&in, 6); /* as long as an IPv4 address and a port */
		err = got == SOCKS5_OK ? -EPROTO : in.ran_out ? -EAGAIN : 0;
		break;
	default:
		return -EPROTO;
	}
	if (err < 0)
		return err;
	*r = in;
	*code = got;
	*found = dest;
	return 0;
}

int socks5_reply_get(struct rd *r, uint8_t *code, struct addr *bound)
{
	struct dest dest;
	const int err = socks5_found_get(r, code, &dest);

	if (err < 0)
		return err;
	*bound = dest.addr;
	return 0;
}

/* ----------------------------------------------------------- datagrams -- */

bool socks5_udp_put(struct wr *w, const struct dest *d)
{
	wr_be16(w, 0);
	wr_u8(w, 0);
	return socks5_dest_put(w, d);
}

int socks5_udp_get(struct rd *r, struct dest *d)
{
	struct rd in = *r;
	uint8_t fragment;

	rd_skip(&in, 2);
	fragment = rd_u8(&in);
	if (in.ran_out)
		return -EPROTO;
	if (fragment != 0)
		return -EOPNOTSUPP;
	if (dest_get(&in, d) < 0)
		return -EPROTO;
	*r = in;
	return 0;
}
