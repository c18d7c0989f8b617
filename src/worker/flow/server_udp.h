/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * server_udp.h - a SOCKS5 UDP association, from the server's side
 */
#include "base/addr.h"

struct server;
struct server_udp;

/**
 * server_udp_open() - Make an association
 * @s:          Server whose way has UDP
 * @tcp:        The client's connection: it came from the one address that may
 *              send, to the one that we listen at. Not kept
 * @hint:       DST of the request; its port, unless 0, is the client's
 * @ret:        Owned by the caller
 * @ret_bound:  Where the client sends its datagrams
 *
 * Return: 0, -EOPNOTSUPP if the client did not come by IP, or -errno
 */
int server_udp_open(struct server *s, int tcp, const struct dest *hint,
		    struct server_udp **ret, struct addr *ret_bound);

/** server_udp_close() - End; NULL is fine */
void server_udp_close(struct server_udp *u);
