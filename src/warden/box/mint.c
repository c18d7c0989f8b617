// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mint.c - sockets born in the sandbox, for a worker that lives outside
 */
#include "box/mint.h"

#include "base/addr.h"
#include "base/fd.h"
#include "bus/channel.h"
#include "bus/mint_msg.h"

#include <errno.h>
#include <sys/socket.h>

/** mint_make() - A socket that connects. Return: it, or -errno */
static int mint_make(const struct mint_ask *ask, bool is_short)
{
	static const uint8_t here4[4] = { 127, 0, 0, 1 };
	const struct addr to =
		ask->family == AF_INET
			? addr_from_ip4(here4, ask->port)
			: addr_from_ip6(&in6addr_loopback, ask->port);
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sock(&to, &ss);
	auto_fd fd = socket(to.family,
			    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && is_short)
		fd_be_wide(fd);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&ss, len) < 0 &&
		       errno != EINPROGRESS))
		return -errno;
	return fd_take(&fd);
}

/* One request in a turn is enough. */
void mint_answer(int *mint, bool is_short)
{
	struct mint_ask ask = { 0 };
	const ssize_t n = channel_recv(*mint, &ask, sizeof(ask), NULL, 0, NULL);
	struct mint_word word = { 0 };
	auto_fd fd = -1;

	if (n == -EAGAIN)
		return;
	if (n != (ssize_t)sizeof(ask) ||
	    (ask.family != AF_INET && ask.family != AF_INET6)) {
		fd_close(mint);
		return;
	}
	fd = mint_make(&ask, is_short);
	word.id = ask.id;
	word.err = fd < 0 ? fd : 0;
	if (channel_send(*mint, &word, sizeof(word), &fd, fd >= 0) == 0)
		return;
	/* Too many fds are on their way, maybe; or it does not fit at all. */
	word.err = -EMFILE;
	(void)channel_send(*mint, &word, sizeof(word), NULL, 0);
}
