/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * stream.h - bytes both ways over a socket, or over TLS over a stream
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls;
struct tls_context;

/**
 * struct stream - an ordered pair of byte flows
 * @fd:   Non-blocking connected socket, owned; -1 is empty
 * @must_close: See stream_must_close()
 * @tls:  Topmost TLS layer, owned; NULL means that @fd carries the bytes, so
 *        that a relay may splice them. Layers nest: TLS inside TLS
 *
 * A struct stream may be moved (struct copy, then the old one emptied).
 */
struct stream {
	int fd;
	bool must_close;
	struct tls *tls;
};

#define STREAM_EMPTY ((struct stream){ .fd = -1 })

/**
 * stream_must_close() - All ends but stream_close() are a RST from now on
 *
 * So is that of a process that is killed: its kernel closes the sockets of the
 * dead, and a mere end would tell the peer that it has heard all (socket(7),
 * SO_LINGER). A unix socket has no RST.
 */
void stream_must_close(struct stream *s);
/** stream_close() - Free layers, close the fd, empty it; empty is fine */
void stream_close(struct stream *s);
/** stream_abort() - The same, but the peer gets a RST */
void stream_abort(struct stream *s);
/** stream_take() - Move a stream out of its variable */
struct stream stream_take(struct stream *s);

/**
 * stream_read() - Read what is there
 *
 * Return: octets, 0 at the peer's end (with TLS: close_notify, or the end of
 * the TCP connection, told apart in debug logs only), -EAGAIN, or -errno
 */
ssize_t stream_read(struct stream *s, void *buf, size_t len);

/** stream_peek() - stream_read() that leaves the octets where they are. With
 * TLS at most one record (16 KiB) is seen */
ssize_t stream_peek(struct stream *s, void *buf, size_t len);

/**
 * stream_write() - Write what fits
 *
 * After -EAGAIN under TLS the next call must begin with the same octets (more
 * may follow).
 *
 * Return: octets, -EAGAIN, or -errno (-EPIPE, -ECONNRESET ...; no SIGPIPE)
 */
ssize_t stream_write(struct stream *s, const void *buf, size_t len);

/** stream_end() - Tell the peer that we write no more (shutdown, or
 * close_notify and then shutdown). Return: 0, -EAGAIN (TLS: call again when
 * writable), or -errno */
int stream_end(struct stream *s);

/**
 * stream_needs() - What to wait for on @fd after -EAGAIN
 * @reading:  The last -EAGAIN came from a read (or peek, or handshake)
 *
 * Return: EPOLLIN or EPOLLOUT: TLS may have to write before it can read
 */
uint32_t stream_needs(const struct stream *s, bool reading);

/**
 * stream_tls_start() - Put a TLS client layer on top
 * @s:         Stream; takes the layer
 * @ctx:       From tls_context_new()
 * @host:      Name or IP literal that the certificate must be for; sent as
 *             server name (SNI) when it is a name
 * @insecure:  Take any certificate
 *
 * Return: 0, or -ENOMEM, -EINVAL; nothing was sent yet
 */
int stream_tls_start(struct stream *s, struct tls_context *ctx,
		     const char *host, bool insecure);

/**
 * stream_tls_handshake() - Go on with the handshake
 * @s:     Stream with a layer on top
 * @why:   On failure: one short phrase ("certificate has expired"), static or
 *         valid until the stream is closed
 *
 * Return: 0 done, -EAGAIN (wait for stream_needs(s, true)), -EPROTO,
 * -EKEYREJECTED when the certificate was refused, or -errno
 */
int stream_tls_handshake(struct stream *s, const char **why);
