/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * frame.h - messages that end with a NUL, out of and into a stream
 */
#include <stdbool.h>
#include <stddef.h>

#define FRAME_FDS 8 /* fds that may come with a message */

/**
 * struct frame_in - what has come; zeroed is empty, frame_in_fini() frees
 * @fds:  Received, owned
 */
struct frame_in {
	char *buf;
	size_t used;
	size_t room;
	size_t max;
	int fds[FRAME_FDS];
	unsigned int fd_count;
};

/**
 * frame_in_init() - Begin with nothing
 * @max:  Longest message, its NUL included
 */
void frame_in_init(struct frame_in *in, size_t max);
void frame_in_fini(struct frame_in *in);

/**
 * frame_read() - Take what a socket has
 * @in:  Buffer
 * @fd:  AF_UNIX stream socket
 *
 * Return: bytes; 0 at the end; -EAGAIN when a non-blocking one has none;
 * -EMSGSIZE for a message without an end, -EPROTO for too many fds, or -errno
 */
int frame_read(struct frame_in *in, int fd);

/**
 * frame_next() - The first whole message
 * @in:       Buffer
 * @ret_len:  Length without its NUL
 *
 * Return: the text, borrowed until frame_pop(); NULL when there is none yet
 */
const char *frame_next(const struct frame_in *in, size_t *ret_len);

/** frame_pop() - Forget the first whole message */
void frame_pop(struct frame_in *in);

/** frame_is_partial() - Has a message begun that is not whole yet? */
bool frame_is_partial(const struct frame_in *in);

/**
 * struct frame_out - what is still to be sent; zeroed is nothing
 * @fds:  Owned; they go with the first byte
 */
struct frame_out {
	char *text;
	size_t len;
	size_t sent;
	int fds[FRAME_FDS];
	unsigned int fd_count;
};

/**
 * frame_out_set() - Put a message in; nothing may be in there
 * @out:    Buffer
 * @text:   NUL-terminated, taken over
 * @fds:    Taken over
 * @count:  At most FRAME_FDS
 */
void frame_out_set(struct frame_out *out, char *text, const int *fds,
		   unsigned int count);
void frame_out_fini(struct frame_out *out);

/**
 * frame_write() - Send as much as the socket takes
 *
 * Return: 0 when all is sent, -EAGAIN when there is more, or -errno
 */
int frame_write(struct frame_out *out, int fd);
