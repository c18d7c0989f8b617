/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/** CHANNEL_FDS - the most fds in one message (SCM_MAX_FD is 253) */
#define CHANNEL_FDS 128

/**
 * channel_pair() - Two ends of a message channel between our processes
 * @ret:  Both ends, CLOEXEC, blocking, SOCK_SEQPACKET; owned by the caller
 *
 * Return: 0 or -errno
 */
int channel_pair(int ret[2]);

/**
 * channel_send() - Send one message with fds
 * @chan:   End of a channel
 * @msg:    Bytes, at least one
 * @len:    How many
 * @fds:    Fds to duplicate to the other side; stay the caller's
 * @count:  0 to CHANNEL_FDS
 *
 * Return: 0 or -errno (-EPIPE when the other end is gone; no SIGPIPE)
 */
int channel_send(int chan, const void *msg, size_t len, const int *fds,
		 unsigned int count);

/**
 * channel_recv() - Take one message with its fds
 * @chan:       End of a channel
 * @msg:        Room
 * @len:        Of @msg
 * @fds:        Room; received ones are CLOEXEC and the caller's
 * @room:       Of @fds; more fds than that make the message -EPROTO
 * @ret_count:  How many fds came; may be NULL when @room is 0
 *
 * Return: bytes (0 at the end of the channel), -EPROTO if something was cut,
 * -EMFILE if we may not have that many fds (@msg is there; nothing is left open
 * in both cases), or -errno
 */
ssize_t channel_recv(int chan, void *msg, size_t len, int *fds,
		     unsigned int room, unsigned int *ret_count);
