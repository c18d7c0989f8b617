// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tun.c - whole packets out of the sandbox and into it
 */
#include "flow/tun.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Packets taken in one turn before other fds get theirs. */
#define TUN_BURST 128

static void tun_read(struct watch *w, uint32_t events)
{
	struct tun *t = container_of(w, struct tun, watch);
	struct packet p;

	(void)events;
	for (int i = 0; i < TUN_BURST; i++) {
		const ssize_t n = read(t->fd, t->in, PACKET_MAX);

		if (n < 0)
			return; /* EAGAIN; anything else comes again */
		if (packet_get(t->in, (size_t)n, &p) == 0)
			t->fn(t->ctx, &p);
	}
}

static int tun_init(struct tun *t, int fd, tun_fn *fn, void *ctx)
{
	t->watch.fd = -1;
	t->fd = fd;
	t->fn = fn;
	t->ctx = ctx;
	t->in = malloc(PACKET_MAX);
	t->room = malloc(PACKET_MAX);
	return t->in && t->room ? 0 : -ENOMEM;
}

int tun_stand_in(struct tun *t, tun_fn *fn, void *ctx)
{
	return tun_init(t, -1, fn, ctx);
}

int tun_start(struct tun *t, struct loop *loop, int fd, tun_fn *fn, void *ctx)
{
	const int rc = tun_init(t, fd, fn, ctx);

	if (rc < 0)
		return rc;
	return loop_watch(loop, &t->watch, fd, EPOLLIN, tun_read);
}

void tun_stop(struct tun *t, struct loop *loop)
{
	if (t->in && t->room)
		loop_unwatch(loop, &t->watch);
	free(t->in);
	free(t->room);
	t->in = t->room = NULL;
}

void tun_give(struct tun *t, const void *packet, size_t len)
{
	struct packet p;

	if (t->fd < 0 && len > 0 && packet_get(packet, len, &p) == 0)
		t->fn(t->ctx, &p);
	if (t->fd >= 0 && len > 0 && write(t->fd, packet, len) < 0)
		log_debug("nsp0 did not take a packet of %zu octets", len);
}

void tun_put(struct tun *t, size_t len)
{
	tun_give(t, t->room, len);
}
