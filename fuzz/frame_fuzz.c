// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * frame_fuzz.c - any octets on the control socket, a piece at a time
 *
 * However they are cut, the messages are what stands between the NULs; the
 * buffer stays within its cap, and a call that was read is answered or not by
 * what it says and no more.
 */
#include "base/fd.h"
#include "bus/frame.h"
#include "bus/varlink.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CAP 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** struct stream - what was sent, and how much of it has been read again */
struct stream {
	const uint8_t *at;
	size_t len;
	struct frame_in in;
};

static void expect_next(struct stream *s)
{
	struct varlink_call c;
	struct fault f;
	const char *text;
	size_t len;

	while ((text = frame_next(&s->in, &len))) {
		assert(len < CAP && len < s->len);
		assert(!memcmp(text, s->at, len + 1) && text[len] == '\0');
		if (varlink_call_get(text, len, &c, &f) == 0)
			varlink_call_fini(&c);
		s->at += len + 1;
		s->len -= len + 1;
		frame_pop(&s->in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct stream s = { 0 };
	size_t piece;
	int pair[2];
	int rc = 1;

	if (len < 2 || len > 16384 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair) < 0)
		return 0;
	piece = (size_t)data[0] * 8 + 1;
	s.at = data + 1;
	s.len = len - 1;
	frame_in_init(&s.in, CAP);
	for (size_t sent = 1; sent < len && rc > 0;) {
		const size_t left = len - sent;
		const size_t n = left < piece ? left : piece;

		assert(send(pair[1], data + sent, n, 0) == (ssize_t)n);
		sent += n;
		while ((rc = frame_read(&s.in, pair[0])) > 0)
			expect_next(&s);
		assert(s.in.room <= CAP && s.in.used <= s.in.room);
		if (rc == -EAGAIN)
			rc = 1;
		assert(rc == 1 || rc == -EMSGSIZE);
		if (rc == 1)
			assert(frame_is_partial(&s.in) == (s.in.used > 0));
	}
	if (rc == -EMSGSIZE)
		assert(s.len >= CAP && !memchr(s.at, '\0', CAP));
	else
		assert(s.len == s.in.used);
	frame_in_fini(&s.in);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}
