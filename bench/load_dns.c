// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load_dns.c - queries for one name after another, by UDP and by TCP
 *
 * WINDOW queries are under way. An answer counts only if it is without error
 * and has an address. Names are nN.load.example.
 */
#include "load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct asker {
	int fd;
	bool is_tcp;
	int under_way;
	uint16_t id;
	uint64_t sent[65536]; /* by id; 0: not under way */
};

static atomic_uint next_name;

static size_t query_put(uint8_t *to, uint16_t id)
{
	static const uint8_t tail[] = "\4load\7example\0\0\1\0\1";
	unsigned int n = next_name++ % (unsigned int)load.names;
	uint8_t *at = to + 12;
	int len;

	memcpy(to, "\0\0\1\0\0\1\0\0\0\0\0\0", 12);
	to[0] = (uint8_t)(id >> 8);
	to[1] = (uint8_t)id;
	len = sprintf((char *)at + 1, "n%u", n);
	*at = (uint8_t)len;
	at += 1 + len;
	memcpy(at, tail, sizeof(tail) - 1);
	return (size_t)(at - to) + sizeof(tail) - 1;
}

static void ask(struct asker *a)
{
	uint8_t buf[64];
	uint16_t id = ++a->id;
	size_t len = query_put(buf + 2, id);
	size_t skip = a->is_tcp ? 0 : 2;

	buf[0] = 0;
	buf[1] = (uint8_t)len;
	a->sent[id] = now_ns();
	if (send(a->fd, buf + skip, len + 2 - skip, MSG_NOSIGNAL) < 0) {
		if (a->is_tcp)
			die("query");
		lost++;
	}
}

static void heard(struct asker *a, const uint8_t *msg, size_t len)
{
	uint16_t id;

	if (len < 12)
		return;
	id = (uint16_t)(msg[0] << 8 | msg[1]);
	if (!a->sent[id])
		return;
	if (msg[3] & 15 || !(msg[6] | msg[7])) {
		lost++;
	} else {
		hist_add(now_ns() - a->sent[id]);
		total++;
	}
	a->sent[id] = 0;
	a->under_way--;
}

/* Return: false when nothing came */
static bool hear(struct asker *a)
{
	uint8_t buf[4096];
	ssize_t len;

	if (a->is_tcp) {
		if (!read_full(a->fd, buf, 2))
			die("answer");
		len = buf[0] << 8 | buf[1];
		if ((size_t)len > sizeof(buf) ||
		    !read_full(a->fd, buf, (size_t)len))
			die("answer");
	} else {
		len = recv(a->fd, buf, sizeof(buf), 0);
	}
	if (len <= 0)
		return false;
	heard(a, buf, (size_t)len);
	return true;
}

static void *dns(bool is_tcp)
{
	const struct timeval patience = { load.count ? 10 : 1, 0 };
	struct asker *a = calloc(1, sizeof(*a));

	if (!a)
		die("calloc");
	a->is_tcp = is_tcp;
	a->fd = is_tcp ? reach(0, 0)
		       : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0 ||
	    (!is_tcp && connect(a->fd, (struct sockaddr *)&load.far_end,
				sizeof(load.far_end))))
		die("connect");
	setsockopt(a->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!is_done()) {
		for (; a->under_way < load.window; a->under_way++)
			ask(a);
		if (!hear(a)) {
			lost += a->under_way;
			a->under_way = 0;
			memset(a->sent, 0, sizeof(a->sent));
		}
	}
	return NULL;
}

void *dns_udp(void *nth)
{
	(void)nth;
	return dns(false);
}

void *dns_tcp(void *nth)
{
	(void)nth;
	return dns(true);
}
