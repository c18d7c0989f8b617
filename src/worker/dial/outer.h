/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * outer.h - the one place where outer sockets are born
 */
#include "base/addr.h"

#include <stdint.h>

/** enum outer_kind - what a socket is for */
enum outer_kind {
	OUTER_TCP,	/* connects to an address */
	OUTER_UNIX,	/* connected to the proxy's unix socket */
	OUTER_UDP,	/* connected to an address */
	OUTER_UDP_OPEN, /* of an address's family; sends and hears anywhere */
	OUTER_PING,	/* connected; sends echo requests and nothing else */
	OUTER_KINDS
};

/** enum outer_by - which way it is for; each has places of its own */
enum outer_by {
	OUTER_BY_PLAN, /* the way out */
	OUTER_BY_HOST, /* what is exposed, by the host's own routes */
	OUTER_BY_LO,   /* servers on the host's loopback */
};

/** struct outer_wish - a socket that is wanted */
struct outer_wish {
	uint16_t by;
	uint16_t kind;
	struct addr to;
};

/**
 * outer_make() - Make a socket, bind it to a device, connect it
 * @w:     What for
 * @dev:   To bind to; or empty
 * @path:  OUTER_UNIX: of the proxy's socket
 *
 * TCP gets NODELAY and keep-alive (idle 60 s, every 20 s, 5 times), and to an
 * address of this machine reno and a receive buffer of twice 208 KiB; it may
 * still be connecting.
 *
 * Return: non-blocking, CLOEXEC socket; -EACCES where net.ipv4.ping_group_range
 * does not let us ping; or -errno
 */
int outer_make(const struct outer_wish *w, const char *dev, const char *path);
