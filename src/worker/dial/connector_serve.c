// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * connector_serve.c - the connector's end
 *
 * It never waits for the network: a TCP socket is handed over while it
 * connects.
 */
#include "dial/connector_serve.h"

#include "base/datagram.h"
#include "base/fd.h"
#include "bus/channel.h"
#include "dial/connector_own.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

static int serve_one(const struct connector_book *b, const struct outer_wish *w)
{
	if (!connector_book_has(b, w))
		return -EACCES;
	return outer_make(w, connector_book_dev(b, w), b->path);
}

static bool serve_is_whole(const struct connector_wishes *m, size_t len)
{
	const size_t head = offsetof(struct connector_wishes, wish);

	return len >= head && m->count > 0 && m->count <= CONNECTOR_BATCH &&
	       len == head + m->count * sizeof(m->wish[0]);
}

/** serve_answer() - Send what was made. Return: 0 or -errno */
static int serve_answer(int chan, struct connector_answers *m, const int *fd,
			unsigned int count)
{
	const size_t len = offsetof(struct connector_answers, err) +
			   m->count * sizeof(m->err[0]);
	int rc = channel_send(chan, m, len, fd, count);

	if (rc != -ETOOMANYREFS && rc != -ENOMEM && rc != -ENOBUFS)
		return rc;
	/* More are on their way than the user may have, or there is no memory
	 * for them: none of these goes. */
	for (uint32_t i = 0; i < m->count; i++)
		if (m->err[i] == 0)
			m->err[i] = -EMFILE;
	return channel_send(chan, m, len, NULL, 0);
}

/** serve_wishes() - Make, and answer. Return: 0, or -errno at the end */
static int serve_wishes(const struct connector_book *b, int chan,
			const struct connector_wishes *m, size_t len)
{
	struct connector_answers answers = { 0 };
	int made[CONNECTOR_BATCH];
	unsigned int count = 0;
	int rc;

	if (!serve_is_whole(m, len))
		return -EPROTO;
	answers.count = m->count;
	for (uint32_t i = 0; i < m->count; i++) {
		const int fd = serve_one(b, &m->wish[i]);

		answers.err[i] = fd < 0 ? fd : 0;
		if (fd >= 0)
			made[count++] = fd;
	}
	rc = serve_answer(chan, &answers, made, count);
	while (count > 0)
		fd_close(&made[--count]);
	return rc;
}

/** serve_words() - Say something inside. Return: 0, or -errno at the end */
static int serve_words(const int *inner, unsigned int count,
		       const struct connector_words *m, size_t len)
{
	const size_t head = offsetof(struct connector_words, data);

	if (len < head)
		return -EPROTO;
	for (unsigned int i = 0; i < count; i++)
		if (inner[i] == m->fd && addr_size(&m->to) > 0)
			datagram_send(m->fd, &m->from, &m->to, m->data,
				      len - head);
	return 0;
}

void connector_serve(const struct connector_book *b,
		     const struct connector_line *line, const int *inner,
		     unsigned int count)
{
	static union {
		uint32_t kind;
		struct connector_wishes wishes;
		struct connector_words words;
	} m; /* too large for the stack */
	int rc = 0;

	while (rc == 0) {
		const ssize_t n = recv(line->ask, &m, sizeof(m), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(m.kind) || m.kind > CONNECTOR_SAY)
			return;
		if (m.kind == CONNECTOR_SAY)
			rc = serve_words(inner, count, &m.words, (size_t)n);
		else
			rc = serve_wishes(b,
					  m.kind == CONNECTOR_ASK ? line->ask
								  : line->wait,
					  &m.wishes, (size_t)n);
	}
}
