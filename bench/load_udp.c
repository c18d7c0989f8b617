// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load_udp.c - the client's UDP: datagrams to the echo and back
 *
 * WINDOW datagrams are under way; each that comes back is followed by another.
 * When none has come for a while, what was under way is counted as lost. With
 * -c the other side may be slow, and is waited for.
 */
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SOCKS_HEAD 10
#define LOST_MS	   200

struct wire {
	int fd;
	size_t head; /* octets of SOCKS5 before each datagram */
	uint8_t buf[65536];
};

static void wire_open(struct wire *w)
{
	const struct timeval patience = { load.count ? 10 : 0, LOST_MS * 1000 };
	struct sockaddr_in to = load.far_end;

	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		die("socket");
	if (load.proxy.sin_port) {
		const struct sockaddr_in any = { .sin_family = AF_INET };
		int control = tcp_socket();

		if (connect(control, (struct sockaddr *)&load.proxy,
			    sizeof(load.proxy)) ||
		    !socks_ask(control, 3, &any, &to))
			die("UDP ASSOCIATE");
		if (!to.sin_addr.s_addr)
			to.sin_addr = load.proxy.sin_addr;
		w->head = SOCKS_HEAD;
		w->buf[3] = 1;
		memcpy(w->buf + 4, &load.far_end.sin_addr, 4);
		memcpy(w->buf + 8, &load.far_end.sin_port, 2);
	}
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(w->fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
}

static void wire_send(struct wire *w)
{
	uint64_t now = now_ns();

	memcpy(w->buf + w->head, &now, sizeof(now));
	if (send(w->fd, w->buf, w->head + (size_t)load.size, 0) < 0)
		lost++;
}

void *udp_echo(void *nth)
{
	struct wire *w = calloc(1, sizeof(*w));
	int under_way = 0;

	(void)nth;
	if (!w || load.size < 8 || load.size > 65000)
		die("size of a datagram");
	wire_open(w);
	while (!is_done()) {
		uint64_t sent;

		for (; under_way < load.window; under_way++)
			wire_send(w);
		if (recv(w->fd, w->buf, sizeof(w->buf), 0) <
		    (ssize_t)(w->head + sizeof(sent))) {
			lost += under_way;
			under_way = 0;
			continue;
		}
		memcpy(&sent, w->buf + w->head, sizeof(sent));
		hist_add(now_ns() - sent);
		total++;
		under_way -= under_way > 0; /* a late one was counted lost */
	}
	return NULL;
}
