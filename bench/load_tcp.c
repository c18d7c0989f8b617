// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load_tcp.c - the client's TCP: bulk, connections, round trips, idle flows
 */
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void at_once(int fd)
{
	const int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Reset at the end, however that comes: no port waits in TIME_WAIT on our side,
 * and nothing that is not sent yet. What 64 streams leave in a place whose
 * other end is gone fills the TCP memory of the whole machine for minutes. */
int tcp_socket(void)
{
	const struct linger reset = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		die("socket");
	at_once(fd);
	return fd;
}

bool read_full(int fd, void *to, size_t len)
{
	return recv(fd, to, len, MSG_WAITALL) == (ssize_t)len;
}

/* RFC 1928; no authentication, IPv4 alone */
bool socks_ask(int fd, uint8_t command, const struct sockaddr_in *what,
	       struct sockaddr_in *ret_bound)
{
	uint8_t wish[10] = { 5, command, 0, 1 };
	uint8_t answer[10];

	memcpy(wish + 4, &what->sin_addr, 4);
	memcpy(wish + 8, &what->sin_port, 2);
	if (send(fd, "\5\1\0", 3, 0) != 3 || !read_full(fd, answer, 2) ||
	    send(fd, wish, sizeof(wish), 0) != sizeof(wish) ||
	    !read_full(fd, answer, sizeof(answer)) || answer[1])
		return false;
	if (ret_bound) {
		*ret_bound = (struct sockaddr_in){ .sin_family = AF_INET };
		memcpy(&ret_bound->sin_addr, answer + 4, 4);
		memcpy(&ret_bound->sin_port, answer + 8, 2);
	}
	return true;
}

/* A connection to the far end that has been told what is wished of it. */
int reach(char wish, int nth)
{
	struct sockaddr_in far_end = load.far_end;
	const struct sockaddr_in *first = &far_end;
	int fd = tcp_socket();

	if (wish == 'i')
		far_end.sin_port = htons(
			(uint16_t)(ntohs(far_end.sin_port) + nth % IDLE_PORTS));
	if (load.proxy.sin_port)
		first = &load.proxy;
	if (connect(fd, (const struct sockaddr *)first, sizeof(*first)))
		die("connect");
	if (load.proxy.sin_port && !socks_ask(fd, 1, &far_end, NULL))
		die("connect by the proxy");
	at_once(fd); /* a preloaded library may have put another in its place */
	if (wish && send(fd, &wish, 1, 0) != 1)
		die("send");
	return fd;
}

void *tcp_stream(void *nth)
{
	char *buf = calloc(1, CHUNK);
	const char wish = load.mode[0];
	int fd = reach(wish, (int)(intptr_t)nth);

	while (buf && !is_done()) {
		ssize_t n = wish == 'u' ? send(fd, buf, (size_t)load.size,
					       MSG_NOSIGNAL)
					: recv(fd, buf, CHUNK, 0);
		if (n <= 0)
			die("transfer");
		total += n;
	}
	free(buf);
	return NULL;
}

static void ping(int fd)
{
	char octet = 'x';

	if (send(fd, &octet, 1, MSG_NOSIGNAL) != 1 ||
	    recv(fd, &octet, 1, 0) != 1)
		die("round trip");
}

void *tcp_ping(void *nth)
{
	int fd = reach('e', (int)(intptr_t)nth);

	while (!is_done()) {
		uint64_t began = now_ns();

		ping(fd);
		hist_add(now_ns() - began);
		total++;
	}
	return NULL;
}

void *tcp_conn(void *nth)
{
	while (!is_done()) {
		uint64_t began = now_ns();
		int fd = reach('c', (int)(intptr_t)nth);

		ping(fd);
		close(fd);
		hist_add(now_ns() - began);
		total++;
	}
	return NULL;
}

void tcp_idle(void)
{
	for (int i = 0; i < load.streams; i++)
		reach('i', i);
	puts("held");
}
