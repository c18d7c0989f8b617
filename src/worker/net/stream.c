// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * stream.c - bytes both ways over a socket, or over TLS over a stream
 *
 * The lowest layer is here: plain sockets. Whatever has a TLS layer on top is
 * handed to tls.c, which comes back here for the stream below it. The layer
 * owns the stream below; the fd in a layered stream is a copy to wait on.
 */
#include "net/stream.h"

#include "base/fd.h"
#include "net/tls.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void stream_drop(struct stream *s, bool abort)
{
	if (s->tls)
		tls_free(s->tls, abort);
	else
		fd_close(&s->fd);
	*s = STREAM_EMPTY;
}

/** stream_linger() - Shall closing discard what is unsent, and send a RST? */
static void stream_linger(struct stream *s, bool must_close)
{
	const struct linger now = { .l_onoff = must_close, .l_linger = 0 };

	/* Cannot fail for a socket. */
	if (s->fd >= 0 && s->must_close != must_close)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now,
				 sizeof(now));
	s->must_close = must_close;
}

void stream_must_close(struct stream *s)
{
	stream_linger(s, true);
}

void stream_close(struct stream *s)
{
	stream_linger(s, false);
	stream_drop(s, false);
}

void stream_abort(struct stream *s)
{
	stream_linger(s, true);
	stream_drop(s, true);
}

struct stream stream_take(struct stream *s)
{
	const struct stream got = *s;

	*s = STREAM_EMPTY;
	return got;
}

static ssize_t stream_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t n;

	do
		n = recv(fd, buf, len, flags | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t stream_read(struct stream *s, void *buf, size_t len)
{
	if (s->tls)
		return tls_read(s->tls, buf, len, false);
	return stream_recv(s->fd, buf, len, 0);
}

ssize_t stream_peek(struct stream *s, void *buf, size_t len)
{
	if (s->tls)
		return tls_read(s->tls, buf, len, true);
	return stream_recv(s->fd, buf, len, MSG_PEEK);
}

ssize_t stream_write(struct stream *s, const void *buf, size_t len)
{
	ssize_t n;

	if (s->tls)
		return tls_write(s->tls, buf, len);
	do
		n = send(s->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int stream_end(struct stream *s)
{
	if (s->tls)
		return tls_end(s->tls);
	return shutdown(s->fd, SHUT_WR) < 0 ? -errno : 0;
}

uint32_t stream_needs(const struct stream *s, bool reading)
{
	if (s->tls)
		return tls_needs(s->tls, reading);
	return reading ? EPOLLIN : EPOLLOUT;
}

int stream_tls_start(struct stream *s, struct tls_context *ctx,
		     const char *host, bool insecure)
{
	struct tls *t;

	if (!ctx || s->fd < 0 || host[0] == '\0')
		return -EINVAL;
	t = tls_new(ctx, *s, host, insecure);
	if (!t)
		return -ENOMEM;
	s->tls = t;
	return 0;
}

int stream_tls_handshake(struct stream *s, const char **why)
{
	return tls_handshake(s->tls, why);
}
