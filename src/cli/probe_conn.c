// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * probe_conn.c - a connection where everything must be done by a deadline
 *
 * A peer that sends one byte a second does not stretch it.
 */
#include "probe_conn.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static uint64_t probe_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/** probe_wait() - Return: 0 when ready, -ETIMEDOUT, or -errno */
static int probe_wait(const struct probe_conn *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };

	for (;;) {
		const uint64_t now = probe_now_ms();
		int n;

		if (now >= c->due_ms)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)(c->due_ms - now));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int probe_connect(struct probe_conn *c, const struct sockaddr *sa,
			 socklen_t len, const char *dev)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	socklen_t size = sizeof(int);
	int err = 0;
	int rc;

	c->fd = socket(sa->sa_family, type, 0);
	if (c->fd < 0)
		return -errno;
	if (dev[0] != '\0' && setsockopt(c->fd, SOL_SOCKET, SO_BINDTODEVICE,
					 dev, (socklen_t)strlen(dev)) < 0)
		return -errno;
	if (connect(c->fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	rc = probe_wait(c, POLLOUT);
	if (rc == 0 && getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		err = errno;
	return rc < 0 ? rc : -err;
}

static int probe_connect_path(struct probe_conn *c, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	_Static_assert(sizeof(un.sun_path) == sizeof(((struct hop *)0)->path),
		       "a hop's path is a socket's path");
	memcpy(un.sun_path, path, sizeof(un.sun_path));
	return probe_connect(c, (struct sockaddr *)&un, sizeof(un), "");
}

int probe_conn_open(const struct hop *h, const char *dev, unsigned int for_ms,
		    struct probe_conn *ret, struct fault *f)
{
	struct probe_conn c = { .fd = -1, .due_ms = probe_now_ms() + for_ms };
	int rc = -EHOSTUNREACH;

	if (h->path[0] != '\0')
		rc = probe_connect_path(&c, h->path);
	for (unsigned int i = 0; rc < 0 && i < h->addr_count; i++) {
		struct sockaddr_storage ss;
		const socklen_t len = addr_to_sock(&h->addr[i], &ss);

		fd_close(&c.fd);
		rc = probe_connect(&c, (struct sockaddr *)&ss, len, dev);
	}
	if (rc < 0) {
		fd_close(&c.fd);
		(void)fault(f, rc, "connect to %s", h->label);
		if (rc == -ECONNREFUSED)
			return fault_hint(f, "is the proxy running, and is "
					     "this its port?");
		return rc;
	}
	*ret = c;
	return 0;
}

int probe_conn_send(struct probe_conn *c, const void *buf, size_t len)
{
	const char *at = buf;

	while (len > 0) {
		const ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);
		int rc;

		if (n >= 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		rc = probe_wait(c, POLLOUT);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int probe_conn_recv(struct probe_conn *c, void *buf, size_t len)
{
	char *at = buf;

	while (len > 0) {
		const ssize_t n = recv(c->fd, at, len, 0);
		int rc;

		if (n == 0)
			return -ECONNRESET;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		rc = probe_wait(c, POLLIN);
		if (rc < 0)
			return rc;
	}
	return 0;
}
