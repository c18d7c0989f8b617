// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pump.c - one direction of a relay
 *
 * Between two plain sockets few bytes at a time are passed on: read and
 * written, which is two system calls; what the writing side does not take waits
 * in a borrowed pipe. Many are spliced through that pipe. Under TLS, and when
 * there is no pipe, they are copied: peeked, written, and only then taken for
 * as much as was written. So no bytes ever wait in our memory, and the three
 * ways can alternate at any byte.
 */
#include "flow/pump.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

static_assert(PUMP_PASS_BYTES <= PIPE_LEAST_BYTES,
	      "an empty pipe holds all that a small read took");
static_assert(PUMP_PASS_BYTES <= PUMP_SCRATCH_BYTES, "so does the scratch");

static bool pump_is_plain(const struct stream *from, const struct stream *to)
{
	return !from->tls && !to->tls;
}

static void pump_put_pipe(struct pump *p, struct pump_kit *kit)
{
	if (!p->pipe || p->held_bytes > 0)
		return;
	pipes_put(&kit->pipes, p->pipe);
	p->pipe = NULL;
}

void pump_fini(struct pump *p, struct pump_kit *kit)
{
	if (p->pipe && p->held_bytes > 0)
		pipes_drop(&kit->pipes, p->pipe);
	else if (p->pipe)
		pipes_put(&kit->pipes, p->pipe);
	p->pipe = NULL;
	p->held_bytes = 0;
	p->state = PUMP_ENDED;
}

/* What a read or a peek of the reading side tells. Return: @n, as it came */
static ssize_t pump_hear(struct pump *p, ssize_t n)
{
	if (n == -EAGAIN) {
		p->can_read = false;
		p->has_urgent = false;
	}
	if (n == 0) { /* it has said its last word */
		p->can_read = false;
		p->state = p->state == PUMP_FLUSHES ? PUMP_ENDED : PUMP_DRAINS;
	}
	return n;
}

/* Take octets off the socket that were peeked and passed on. */
static int copy_take(struct stream *from, void *scratch, size_t len)
{
	while (len > 0) {
		ssize_t n;

		/* TCP drops them without a copy. */
		if (!from->tls)
			n = recv(from->fd, scratch, len, MSG_TRUNC);
		else
			n = stream_read(from, scratch, len);
		if (n < 0 && !from->tls)
			n = -errno;
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		len -= (size_t)n;
	}
	return 0;
}

/* Return: octets that @to took, -EAGAIN if none, or -errno */
static ssize_t copy_write(struct pump *p, struct stream *to, const uint8_t *buf,
			  size_t len)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n = stream_write(to, buf + done, len - done);

		if (n == -EAGAIN)
			p->can_write = false;
		if (n < 0 && (n != -EAGAIN || done == 0))
			return n;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Return: octets moved, 0 at the end of @from, -EAGAIN, or -errno */
static ssize_t pump_copy(struct pump *p, struct pump_kit *kit,
			 struct stream *from, struct stream *to)
{
	ssize_t n;
	int rc;

	if (!p->can_read || !p->can_write)
		return -EAGAIN;
	n = pump_hear(p, stream_peek(from, kit->scratch, PUMP_SCRATCH_BYTES));
	if (n <= 0)
		return n;
	n = copy_write(p, to, kit->scratch, (size_t)n);
	if (n <= 0)
		return n;
	rc = copy_take(from, kit->scratch, (size_t)n);
	return rc < 0 ? rc : n;
}

/* Put what @to did not take into the empty pipe, which surely holds it. */
static int pass_keep(struct pump *p, const uint8_t *buf, size_t len)
{
	const ssize_t n = write(p->pipe->wr, buf, len);

	if (n != (ssize_t)len)
		return n < 0 ? -errno : -ENOMEM;
	p->held_bytes = (uint32_t)len;
	return 0;
}

/* Return: octets read and sent or held, 0 at the end, -EAGAIN, or -errno */
static ssize_t pump_pass(struct pump *p, struct pump_kit *kit,
			 struct stream *from, struct stream *to)
{
	ssize_t sent;
	ssize_t n;
	int rc;

	if (!p->can_write)
		return -EAGAIN;
	n = pump_hear(p, stream_read(from, kit->scratch, PUMP_PASS_BYTES));
	if (n <= 0)
		return n;
	p->is_bulk = n == PUMP_PASS_BYTES;
	if (n < PUMP_PASS_BYTES && !p->asks_on && !p->has_urgent)
		p->can_read = false;
	sent = copy_write(p, to, kit->scratch, (size_t)n);
	if (sent == -EAGAIN)
		sent = 0;
	if (sent < 0 || sent == n)
		return sent;
	rc = pass_keep(p, kit->scratch + sent, (size_t)(n - sent));
	return rc < 0 ? rc : n;
}

/* Return: octets now in the pipe, 0 at the end, -EAGAIN, or -errno */
static ssize_t pump_fill(struct pump *p, struct pump_kit *kit,
			 struct stream *from, struct stream *to)
{
	ssize_t n;

	if (!p->can_read)
		return -EAGAIN;
	if (!p->pipe)
		p->pipe = pipes_take(&kit->pipes);
	if (!p->pipe)
		return pump_copy(p, kit, from, to);
	/*
	 * splice() does not step over urgent data: it returns -EAGAIN before
	 * it, or 0 when the end has come behind it. recv() does, the sockets
	 * have SO_OOBINLINE.
	 */
	if (p->has_urgent || !p->is_bulk)
		return pump_pass(p, kit, from, to);
	n = splice(from->fd, NULL, p->pipe->wr, NULL, p->pipe->room_bytes,
		   SPLICE_FLAGS);
	if (n >= 0 && n < PUMP_PASS_BYTES)
		p->is_bulk = false;
	if (n > 0) {
		p->held_bytes = (uint32_t)n;
		return n;
	}
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (n == 0)
		return pump_pass(p, kit, from, to);
	p->can_read = false;
	return -EAGAIN;
}

/* Return: octets that left the pipe, -EAGAIN, or -errno */
static ssize_t pump_drain(struct pump *p, struct stream *to)
{
	ssize_t n;

	if (!p->can_write)
		return -EAGAIN;
	n = splice(p->pipe->rd, NULL, to->fd, NULL, p->held_bytes,
		   SPLICE_FLAGS);
	if (n < 0) {
		if (errno == EAGAIN)
			p->can_write = false;
		return -errno;
	}
	assert(n > 0 && (size_t)n <= p->held_bytes);
	p->held_bytes -= (uint32_t)n;
	return n;
}

/* Return: 0 done, -EAGAIN, or -errno */
static int pump_tell_end(struct pump *p, struct stream *to)
{
	int rc;

	rc = stream_end(to);
	if (rc == -EAGAIN)
		p->can_write = false;
	if (rc == 0)
		p->state = PUMP_ENDED;
	return rc;
}

/* Return: octets thrown away, 0 at the end, -EAGAIN, or -errno */
static ssize_t pump_ignore(struct pump *p, struct pump_kit *kit,
			   struct stream *from)
{
	ssize_t n;

	if (!p->can_read)
		return -EAGAIN;
	n = stream_read(from, kit->scratch, PUMP_SCRATCH_BYTES);
	if (n == -EAGAIN)
		p->can_read = false;
	if (n == 0)
		p->state = PUMP_ENDED;
	return n;
}

/* Return: octets read, 0 for another kind of progress, -EAGAIN, or -errno */
static ssize_t pump_step(struct pump *p, struct pump_kit *kit,
			 struct stream *from, struct stream *to)
{
	ssize_t n;

	if (p->held_bytes > 0) {
		n = pump_drain(p, to);
		return n > 0 ? 0 : n;
	}
	if (p->state == PUMP_ENDED)
		return -EAGAIN;
	if (p->state == PUMP_IGNORES)
		return pump_ignore(p, kit, from);
	if (p->state == PUMP_DRAINS)
		return p->can_write || !to->tls ? pump_tell_end(p, to)
						: -EAGAIN;
	if (!pump_is_plain(from, to))
		return pump_copy(p, kit, from, to);
	return pump_fill(p, kit, from, to);
}

int pump_run(struct pump *p, struct pump_kit *kit, struct stream *from,
	     struct stream *to, uint32_t budget_bytes)
{
	uint32_t moved = 0;
	ssize_t n;

	do {
		n = pump_step(p, kit, from, to);
		if (n == -EINTR)
			n = 0;
		if (n > 0)
			moved += (uint32_t)n;
		/* One more step could only splice more in: stop while empty. */
	} while (n >= 0 && (moved < budget_bytes || p->held_bytes > 0));
	p->turn_bytes = moved;
	pump_put_pipe(p, kit);
	if (n == -EAGAIN)
		return 0;
	return n < 0 ? (int)n : 1;
}

void pump_flush(struct pump *p, struct pump_kit *kit, struct stream *from,
		struct stream *to)
{
	if (p->state != PUMP_FLOWS)
		return;
	p->state = PUMP_FLUSHES;
	p->can_read = p->asks_on = true;
	/* Both sides are reset next. */
	(void)pump_run(p, kit, from, to, PUMP_BUDGET_BYTES);
}
