// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mint.c - sockets born in the sandbox, for a worker that lives outside
 */
#include "box/mint.h"

#include "base/fd.h"
#include "bus/channel.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

/* One request in a turn is enough; the worker waits for each. */
#define MINT_INET  4
#define MINT_INET6 6

void mint_answer(int *mint)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	uint8_t wish = 0;
	const ssize_t n = channel_recv(*mint, &wish, 1, NULL, 0, NULL);
	auto_fd fd = -1;

	if (n == -EAGAIN)
		return;
	if (n != 1 || (wish != MINT_INET && wish != MINT_INET6)) {
		fd_close(mint);
		return;
	}
	fd = socket(wish == MINT_INET ? AF_INET : AF_INET6, type, 0);
	if (fd >= 0)
		(void)channel_send(*mint, &wish, 1, &fd, 1);
	else
		(void)channel_send(*mint, &wish, 1, NULL, 0);
}
