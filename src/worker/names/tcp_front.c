// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tcp_front.c - clients that ask by TCP
 *
 * A client is read by client_read(), which hands each query on; answers are
 * queued by tcp_front_reply() and written once in a turn of the loop. Both end
 * in client_settle(), which alone decides what is waited for and whether the
 * client is over. Clients are freed nowhere else but there, in client_timeout()
 * and in tcp_front_accept(), which are entered by the loop or a new client.
 */
#include "names/tcp_front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"

#define ACCEPT_MAX 16
#define PAUSE_MS   100

/**
 * enum client_state - what a client may still do
 *
 * CLIENT_OPEN:   asks and reads; for TCP_FRONT_IDLE_MS of silence at most
 * CLIENT_ENDED:  asks no more; waits for what it asked before
 * CLIENT_BROKEN: is over, waits for client_settle()
 */
enum client_state {
	CLIENT_OPEN,
	CLIENT_ENDED,
	CLIENT_BROKEN,
};

/**
 * struct client - a connection
 * @birth:    See struct asker
 * @used_ms:  When bytes last went either way
 * @waiting:  Queries handed on and not answered
 * @in:       Begun queries; @in_len octets
 * @out:      Unwritten answers: @out_len octets from @out_at; on demand
 */
struct client {
	struct tcp_front *front;
	struct watch watch;
	struct timer timer;
	struct task task;
	enum client_state state;
	int fd;
	unsigned int slot;
	uint64_t birth;
	uint64_t used_ms;
	unsigned int waiting;
	size_t in_len;
	uint8_t *out;
	size_t out_at;
	size_t out_len;
	size_t out_room;
	uint8_t in[2 + TCP_FRONT_QUERY];
};

static void client_free(struct client *c)
{
	struct tcp_front *f = c->front;

	loop_unwatch(f->loop, &c->watch);
	loop_untimer(f->loop, &c->timer);
	loop_undefer(f->loop, &c->task);
	fd_close(&c->fd);
	f->client[c->slot] = NULL;
	free(c->out);
	free(c);
}

static bool client_may_ask(const struct client *c)
{
	return c->state == CLIENT_OPEN && c->waiting < TCP_FRONT_WAITING &&
	       c->out_len < TCP_FRONT_PAUSE;
}

/** client_write() - Write what fits */
static void client_write(struct client *c)
{
	while (c->out_len > 0 && c->state != CLIENT_BROKEN) {
		const ssize_t n = send(c->fd, c->out + c->out_at, c->out_len,
				       MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			c->state = CLIENT_BROKEN;
			return;
		}
		c->out_at += (size_t)n;
		c->out_len -= (size_t)n;
		c->used_ms = c->front->loop->now_ms;
	}
	c->out_at = 0;
}

/** client_ask() - Hand on the whole queries that have come */
static void client_ask(struct client *c)
{
	const struct asker who = {
		.kind = ASKER_STREAM,
		.slot = c->slot,
		.birth = c->birth,
	};
	struct rd r = rd_of(c->in, c->in_len);

	while (client_may_ask(c)) {
		struct rd whole = r;
		const uint16_t len = rd_be16(&whole);
		const uint8_t *msg;

		if (!whole.ran_out && len > TCP_FRONT_QUERY) {
			c->state = CLIENT_BROKEN;
			return;
		}
		msg = rd_bytes(&whole, len);
		if (whole.ran_out)
			break;
		r = whole;
		c->waiting++;
		if (!c->front->fn(c->front->ctx, &who, msg, len))
			c->waiting--;
	}
	c->in_len = rd_left(&r);
	memmove(c->in, r.at, c->in_len);
}

/** client_read() - Take what is there, if more may be asked */
static void client_read(struct client *c)
{
	client_ask(c);
	while (client_may_ask(c) && c->in_len < sizeof(c->in)) {
		const ssize_t n = recv(c->fd, c->in + c->in_len,
				       sizeof(c->in) - c->in_len, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			c->state = n == 0 ? CLIENT_ENDED : CLIENT_BROKEN;
			return;
		}
		c->used_ms = c->front->loop->now_ms;
		c->in_len += (size_t)n;
		client_ask(c);
	}
}

/** client_settle() - Say what is waited for, or bury the client */
static void client_settle(struct client *c)
{
	if (c->state == CLIENT_BROKEN ||
	    (c->state == CLIENT_ENDED && c->waiting == 0 && c->out_len == 0)) {
		client_free(c);
		return;
	}
	loop_want(c->front->loop, &c->watch,
		  (client_may_ask(c) ? (uint32_t)EPOLLIN : 0) |
			  (c->out_len > 0 ? (uint32_t)EPOLLOUT : 0));
}

static void client_ready(struct watch *w, uint32_t events)
{
	struct client *c = container_of(w, struct client, watch);

	/* A mere FIN of the client is no hang-up: it may still read. */
	if (events & (EPOLLERR | EPOLLHUP))
		c->state = CLIENT_BROKEN;
	client_write(c);
	client_read(c);
	client_write(c);
	client_settle(c);
}

/** client_work() - Answers were queued: write them, and ask what had to wait */
static void client_work(struct task *t)
{
	struct client *c = container_of(t, struct client, task);

	client_write(c);
	client_read(c);
	client_write(c);
	client_settle(c);
}

static void client_timeout(struct timer *t)
{
	struct client *c = container_of(t, struct client, timer);
	struct loop *loop = c->front->loop;
	const uint64_t idle_ms = loop->now_ms - c->used_ms;
	uint64_t wait_ms = TCP_FRONT_IDLE_MS;

	/* A query is answered in seconds, if only by SERVFAIL. */
	if (c->waiting == 0) {
		if (idle_ms >= TCP_FRONT_IDLE_MS) {
			client_free(c);
			return;
		}
		wait_ms -= idle_ms;
	}
	if (loop_timer(loop, &c->timer, wait_ms, client_timeout) < 0)
		client_free(c);
}

/** slot_find() - A free slot, if need be that of the longest silent client */
static unsigned int slot_find(struct tcp_front *f)
{
	struct client *old = f->client[0];
	unsigned int slot;

	for (unsigned int i = 0; i < NAMES_TCP_CLIENTS; i++) {
		struct client *c = f->client[i];

		if (!c)
			return i;
		if ((c->waiting == 0) > (old->waiting == 0) ||
		    ((c->waiting == 0) == (old->waiting == 0) &&
		     c->used_ms < old->used_ms))
			old = c;
	}
	slot = old->slot;
	client_free(old);
	return slot;
}

void tcp_front_accept(struct tcp_front *f, int fd)
{
	auto_fd own = fd;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->front = f;
	c->fd = -1;
	c->watch.fd = -1;
	c->slot = slot_find(f);
	c->birth = ++f->births;
	c->used_ms = f->loop->now_ms;
	if (fd_nonblock(fd) < 0 ||
	    loop_watch(f->loop, &c->watch, fd, EPOLLIN, client_ready) < 0) {
		free(c);
		return;
	}
	c->fd = fd_take(&own);
	f->client[c->slot] = c;
	if (loop_timer(f->loop, &c->timer, TCP_FRONT_IDLE_MS, client_timeout) <
	    0)
		client_free(c);
}

/** out_room() - Make room for @need more octets of answers */
static bool out_room(struct client *c, size_t need)
{
	size_t room = c->out_room ? c->out_room : 1024;
	uint8_t *out;

	if (c->out_len + need > TCP_FRONT_MAX)
		return false;
	if (c->out_at > 0) {
		memmove(c->out, c->out + c->out_at, c->out_len);
		c->out_at = 0;
	}
	while (room < c->out_len + need)
		room *= 2;
	if (room == c->out_room)
		return true;
	out = realloc(c->out, room);
	if (!out)
		return false;
	c->out = out;
	c->out_room = room;
	return true;
}

void tcp_front_reply(struct tcp_front *f, const struct asker *who,
		     const void *msg, size_t len)
{
	struct client *c = f->client[who->slot];
	struct wr w;

	if (!c || c->birth != who->birth)
		return;
	c->waiting--;
	loop_defer(f->loop, &c->task, client_work);
	if (c->state == CLIENT_BROKEN || !out_room(c, 2 + len)) {
		c->state = CLIENT_BROKEN;
		return;
	}
	w = wr_of(c->out, c->out_room);
	(void)wr_room(&w, c->out_len); /* out_room() made it */
	wr_be16(&w, (uint16_t)len);
	wr_bytes(&w, msg, len);
	c->out_len = wr_used(&w);
}

static void door_ready(struct watch *w, uint32_t events);

/** door_resume() - Fds may be there again */
static void door_resume(struct timer *t)
{
	struct tcp_door *d = container_of(t, struct tcp_door, pause);

	loop_want(d->front->loop, &d->watch, EPOLLIN);
}

static void door_ready(struct watch *w, uint32_t events)
{
	struct tcp_door *d = container_of(w, struct tcp_door, watch);
	struct loop *loop = d->front->loop;

	(void)events;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		const int fd = accept4(d->fd, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0 && d->front->lead) {
			d->front->lead(d->front->lead_ctx, fd);
			continue;
		}
		if (fd >= 0) {
			tcp_front_accept(d->front, fd);
			continue;
		}
		/* The listener stays readable while there is no fd for it. */
		if ((errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		     errno == ENOMEM) &&
		    loop_timer(loop, &d->pause, PAUSE_MS, door_resume) == 0)
			loop_want(loop, &d->watch, 0);
		return;
	}
}

void tcp_front_init(struct tcp_front *f, struct loop *loop, asker_fn *fn,
		    void *ctx)
{
	*f = (struct tcp_front){ .loop = loop, .fn = fn, .ctx = ctx };
}

int tcp_front_add(struct tcp_front *f, int fd)
{
	struct tcp_door *d = &f->door[f->count];
	auto_fd own = fd;
	int rc;

	if (f->count == TCP_FRONT_DOORS)
		return -ENOSPC;
	*d = (struct tcp_door){ .front = f, .fd = -1 };
	rc = fd_nonblock(fd);
	if (rc == 0)
		rc = loop_watch(f->loop, &d->watch, fd, EPOLLIN, door_ready);
	if (rc < 0)
		return rc;
	d->fd = fd_take(&own);
	f->count++;
	return 0;
}

void tcp_front_fini(struct tcp_front *f)
{
	for (unsigned int i = 0; i < f->count; i++) {
		loop_unwatch(f->loop, &f->door[i].watch);
		loop_untimer(f->loop, &f->door[i].pause);
		fd_close(&f->door[i].fd);
	}
	f->count = 0;
	for (unsigned int i = 0; i < NAMES_TCP_CLIENTS; i++)
		if (f->client[i])
			client_free(f->client[i]);
}
