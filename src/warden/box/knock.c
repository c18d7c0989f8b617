// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * knock.c - does the worker answer through a sandbox's engine?
 */
#include "box/knock.h"

#include "bus/plan.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

/* Calls in vain before it begins anew, the first time. */
#define KNOCK_PATIENCE 4

/* SOCKS5 (RFC 1928): "no password", and "so be it". */
static const uint8_t knock_hello[] = { 5, 1, 0 };
static const uint8_t knock_choice[] = { 5, 0 };

int knock_socket(void)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	const int fd = socket(AF_INET, type, 0);

	return fd < 0 ? -errno : fd;
}

/** knock_begin() - Return: whether it is connected, and has asked */
static bool knock_begin(int fd)
{
	struct sockaddr_storage ss;
	struct addr to;
	socklen_t len;

	if (!addr_parse_ip(GATEWAY_IP4, &to))
		return false;
	to.port = GATEWAY_PORT;
	len = addr_to_sock(&to, &ss);
	/* Whatever it is that failed: the next call begins anew. */
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EISCONN)
		return false;
	return send(fd, knock_hello, sizeof(knock_hello), MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(knock_hello);
}

/** knock_again() - Back to the beginning */
static void knock_again(int fd, struct knock *k)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)connect(fd, &nobody, sizeof(nobody));
	k->has_asked = false;
	k->waited = 0;
}

bool knock(int fd, struct knock *k)
{
	uint8_t got[sizeof(knock_choice)] = { 0 };
	ssize_t n;

	if (!k->has_asked)
		k->has_asked = knock_begin(fd);
	if (!k->has_asked) {
		if (k->patience == 0)
			k->patience = KNOCK_PATIENCE;
		/* What was sent before there was an engine may be lost, and the
		 * kernel repeats it after a second only. */
		if (++k->waited >= k->patience) {
			k->patience *= 2;
			knock_again(fd, k);
		}
		return false;
	}
	n = recv(fd, got, sizeof(got), 0);
	if (n == (ssize_t)sizeof(got) && got[0] == knock_choice[0] &&
	    got[1] == knock_choice[1])
		return true;
	/* It was hung up, or is somebody else. */
	if (n >= 0 || errno != EAGAIN)
		knock_again(fd, k);
	return false;
}
