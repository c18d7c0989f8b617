// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outer.c - the one place where outer sockets are born
 */
#include "dial/outer.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Idle connections to a proxy stay known to NATs, and a vanished proxy is
 * noticed after 60 + 5 * 20 s. */
#define OUTER_IDLE_S	 60
#define OUTER_INTERVAL_S 20
#define OUTER_PROBES	 5

/* Of what a proxy on this machine sends no more piles up (the kernel doubles
 * it, socket(7)): what lies in a queue of megabytes has left the processor's
 * cache before its reader comes. Half and twice as much were slower
 * (bench/IDEAS.md); it is net.core.rmem_max of kernels before that was raised.
 */
#define OUTER_NEAR_BYTES 212992

static int outer_open(const struct outer_wish *w)
{
	const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	const int family = w->to.family;

	switch ((enum outer_kind)w->kind) {
	case OUTER_TCP:
		return socket(family, SOCK_STREAM | flags, 0);
	case OUTER_UNIX:
		return socket(AF_UNIX, SOCK_STREAM | flags, 0);
	case OUTER_UDP:
	case OUTER_UDP_OPEN:
		return socket(family, SOCK_DGRAM | flags, 0);
	case OUTER_PING:
		return socket(family, SOCK_DGRAM | flags,
			      family == AF_INET ? IPPROTO_ICMP
						: IPPROTO_ICMPV6);
	case OUTER_KINDS:
		break;
	}
	errno = EINVAL;
	return -1;
}

static int outer_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/**
 * outer_ask_near() - Is it an address of this machine?
 *
 * The kernel gives a socket that is connected to one the same address. Nothing
 * is sent.
 */
static bool outer_ask_near(const struct addr *to)
{
	auto_fd fd = socket(to->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sock(to, &ss);
	struct addr own;

	if (fd < 0 || connect(fd, (const void *)&ss, len) < 0 ||
	    getsockname(fd, (void *)&ss, &len) < 0)
		return false;
	addr_from_sock(&own, &ss);
	return addr_same_host(&own, to);
}

/** outer_is_near() - Nearly all ask for the one proxy that was asked for last
 */
static bool outer_is_near(const struct addr *to)
{
	static struct addr last;
	static bool is_near;

	if (addr_is_loopback(to))
		return true;
	if (!addr_same_host(&last, to)) {
		is_near = outer_ask_near(to);
		last = *to;
	}
	return is_near;
}

/* Comfort only: a socket without them carries bytes as well. */
static void outer_comfort(int fd, bool is_near)
{
	if (is_near) {
		fd_be_near(fd);
		(void)outer_set(fd, SOL_SOCKET, SO_RCVBUF, OUTER_NEAR_BYTES);
	}
	(void)outer_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	(void)outer_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	(void)outer_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, OUTER_IDLE_S);
	(void)outer_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, OUTER_INTERVAL_S);
	(void)outer_set(fd, IPPROTO_TCP, TCP_KEEPCNT, OUTER_PROBES);
}

static int outer_connect(int fd, const struct outer_wish *w, const char *path)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNIX };
	struct sockaddr_un *un = (void *)&ss;
	socklen_t len = sizeof(*un);

	if (w->kind == OUTER_UNIX)
		memcpy(un->sun_path, path,
		       strnlen(path, sizeof(un->sun_path) - 1));
	else
		len = addr_to_sock(&w->to, &ss);
	return connect(fd, (const void *)&ss, len) < 0 && errno != EINPROGRESS
		       ? -errno
		       : 0;
}

int outer_make(const struct outer_wish *w, const char *dev, const char *path)
{
	auto_fd fd = outer_open(w);
	int rc = 0;

	if (fd < 0)
		return -errno;
	/* Not having it would be a leak past the device: never ignored. */
	if (w->kind != OUTER_UNIX && dev[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev,
		       (socklen_t)strlen(dev) + 1) < 0)
		return -errno;
	if (w->kind == OUTER_TCP)
		outer_comfort(fd, dev[0] == '\0' && outer_is_near(&w->to));
	if (w->kind != OUTER_UDP_OPEN)
		rc = outer_connect(fd, w, path);
	return rc < 0 ? rc : fd_take(&fd);
}
