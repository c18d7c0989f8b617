// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * frame.c - messages that end with a NUL, out of and into a stream
 *
 * A stranger may send a byte at a time or without end: the buffer grows only
 * as far as its cap. Fds are bound to no message in particular.
 */
#include "bus/frame.h"

#include "base/fd.h"
#include "bus/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_FIRST 1024 /* most messages are shorter */

void frame_in_init(struct frame_in *in, size_t max)
{
	*in = (struct frame_in){ .max = max };
}

void frame_in_fini(struct frame_in *in)
{
	while (in->fd_count > 0)
		fd_close(&in->fds[--in->fd_count]);
	free(in->buf);
	*in = (struct frame_in){ 0 };
}

/** frame_grow() - Make room for at least one byte more */
static int frame_grow(struct frame_in *in)
{
	size_t room = in->room ? in->room * 4 : FRAME_FIRST;
	char *buf;

	if (in->used < in->room)
		return 0;
	if (in->room == in->max)
		return -EMSGSIZE;
	if (room > in->max)
		room = in->max;
	buf = realloc(in->buf, room);
	if (!buf)
		return -ENOMEM;
	in->buf = buf;
	in->room = room;
	return 0;
}

int frame_read(struct frame_in *in, int fd)
{
	unsigned int count = 0;
	ssize_t n = frame_grow(in);

	if (n < 0)
		return (int)n;
	n = channel_recv(fd, in->buf + in->used, in->room - in->used,
			 in->fds + in->fd_count, FRAME_FDS - in->fd_count,
			 &count);
	if (n < 0)
		return (int)n;
	in->fd_count += count;
	in->used += (size_t)n;
	return (int)n;
}

const char *frame_next(const struct frame_in *in, size_t *ret_len)
{
	const char *end = in->used ? memchr(in->buf, '\0', in->used) : NULL;

	if (!end)
		return NULL;
	*ret_len = (size_t)(end - in->buf);
	return in->buf;
}

void frame_pop(struct frame_in *in)
{
	size_t len;

	if (!frame_next(in, &len))
		return;
	in->used -= len + 1;
	memmove(in->buf, in->buf + len + 1, in->used);
}

bool frame_is_partial(const struct frame_in *in)
{
	size_t len;

	return in->used > 0 && !frame_next(in, &len);
}

void frame_out_set(struct frame_out *out, char *text, const int *fds,
		   unsigned int count)
{
	*out = (struct frame_out){
		.text = text,
		.len = strlen(text) + 1,
		.fd_count = count,
	};
	for (unsigned int i = 0; i < count; i++)
		out->fds[i] = fds[i];
}

void frame_out_fini(struct frame_out *out)
{
	while (out->fd_count > 0)
		fd_close(&out->fds[--out->fd_count]);
	free(out->text);
	*out = (struct frame_out){ 0 };
}

/** frame_write_first() - The first byte, which carries the fds */
static int frame_write_first(struct frame_out *out, int fd)
{
	const int rc = channel_send(fd, out->text, 1, out->fds, out->fd_count);

	if (rc < 0)
		return rc;
	out->sent = 1;
	while (out->fd_count > 0)
		fd_close(&out->fds[--out->fd_count]);
	return 0;
}

int frame_write(struct frame_out *out, int fd)
{
	while (out->sent < out->len) {
		ssize_t n;

		if (out->fd_count > 0) {
			const int rc = frame_write_first(out, fd);

			if (rc < 0)
				return rc;
			continue;
		}
		n = send(fd, out->text + out->sent, out->len - out->sent,
			 MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		out->sent += (size_t)n;
	}
	return 0;
}
