// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks4.c - SOCKS4 and 4A, the client's side
 *
 * A request is version, command, port, address, user id and NUL; 4A puts the
 * impossible address 0.0.0.x and adds a name and another NUL.
 */
#include "wire/socks4.h"

#include <errno.h>

#define SOCKS4_VERSION 4
#define SOCKS4_CONNECT 1

bool socks4_request_put(struct wr *w, const struct dest *d, const char *user)
{
	static const uint8_t named[4] = { 0, 0, 0, 1 };
	const bool has_name = d->name[0] != '\0';

	if (!has_name && d->addr.family != AF_INET)
		return false;
	/* 0.0.0.x would be read as 4A without its name. */
	if (!has_name && !d->addr.ip[0] && !d->addr.ip[1] && !d->addr.ip[2])
		return false;
	wr_u8(w, SOCKS4_VERSION);
	wr_u8(w, SOCKS4_CONNECT);
	wr_be16(w, d->addr.port);
	wr_bytes(w, has_name ? named : d->addr.ip, 4);
	wr_text(w, user);
	wr_u8(w, 0);
	if (has_name) {
		wr_text(w, d->name);
		wr_u8(w, 0);
	}
	return !w->ran_out;
}

int socks4_reply_get(struct rd *r, uint8_t *code)
{
	struct rd in = *r;
	uint8_t got;

	if (rd_u8(&in) != 0) /* the reply's own version; zero if ran out */
		return -EPROTO;
	got = rd_u8(&in);
	rd_skip(&in, 6); /* port and address: meaningless for CONNECT */
	if (in.ran_out)
		return -EAGAIN;
	*r = in;
	*code = got;
	return 0;
}

int socks4_errno(uint8_t code)
{
	switch (code) {
	case SOCKS4_GRANTED:
		return 0;
	case 91:
		return -ECONNREFUSED;
	case 92:
	case 93:
		return -EACCES;
	default:
		return -EHOSTUNREACH;
	}
}
