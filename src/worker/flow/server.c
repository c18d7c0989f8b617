// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server.c - be a proxy: the door
 *
 * Listeners come in by server_listen(), single connections by server_accept().
 * Each becomes a struct client (client.c), which talks SOCKS5 (server_socks.c)
 * or HTTP (server_http.c), dials, and ends as a relay.
 */
#include "flow/server.h"

#include "base/fd.h"
#include "base/log.h"
#include "flow/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_BATCH	64
#define ACCEPT_PAUSE_MS 100 /* out of fds: wait for some to be closed */

/** struct listener - @timer runs while accepting pauses */
struct listener {
	struct list node;
	struct server *server;
	int fd;
	struct watch watch;
	struct timer timer;
	struct log_gate gate;
};

struct server *server_new(struct loop *loop, struct way *way,
			  struct relay_pool *pool,
			  const struct plan_serve *serve,
			  unsigned int client_max, server_names_fn *names,
			  void *ctx)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct server){
		.loop = loop,
		.way = way,
		.pool = pool,
		.serve = serve,
		.client_max = client_max,
		.names = names,
		.ctx = ctx,
		.scratch = malloc(SERVER_SCRATCH_BYTES),
	};
	list_init(&s->clients);
	list_init(&s->listeners);
	if (!s->scratch) {
		free(s);
		return NULL;
	}
	return s;
}

static void listener_free(struct listener *l)
{
	loop_unwatch(l->server->loop, &l->watch);
	loop_untimer(l->server->loop, &l->timer);
	fd_close(&l->fd);
	list_del(&l->node);
	free(l);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	while (!list_empty(&s->listeners))
		listener_free(
			container_of(s->listeners.next, struct listener, node));
	while (!list_empty(&s->clients))
		client_free(container_of(s->clients.next, struct client, node));
	free(s->scratch);
	free(s);
}

void server_seat(struct server *s, struct front *f)
{
	s->front = f;
}

void server_retire(struct server *s)
{
	struct list *next;

	for (struct list *at = s->clients.next; at != &s->clients; at = next) {
		struct client *c = container_of(at, struct client, node);

		next = at->next;
		if (c->state == CLIENT_ASSOCIATES)
			client_free(c);
	}
	while (!list_empty(&s->listeners))
		listener_free(
			container_of(s->listeners.next, struct listener, node));
}

bool server_same_secret(const char *a, const char *b)
{
	const size_t a_len = strlen(a);
	const size_t b_len = strlen(b);
	volatile unsigned int differ = a_len != b_len;

	for (size_t i = 0; i < b_len; i++)
		differ |= (unsigned char)a[i < a_len ? i : 0] ^
			  (unsigned char)b[i];
	return differ == 0;
}

static bool server_is_full(const struct server *s)
{
	return s->count >= s->client_max;
}

void server_accept(struct server *s, int fd)
{
	if (server_is_full(s)) {
		fd_close(&fd);
		return;
	}
	(void)client_new(s, fd); /* it was closed: all we could do as well */
}

static void listener_resume(struct timer *t)
{
	struct listener *l = container_of(t, struct listener, timer);

	loop_want(l->server->loop, &l->watch, EPOLLIN);
}

static void listener_pause(struct listener *l, int err)
{
	struct server *s = l->server;

	if (log_may(&l->gate, s->loop->now_ms, 5000))
		log_warn("proxy server: %u clients and no room for more: %s",
			 s->count, strerror(err));
	if (loop_timer(s->loop, &l->timer, ACCEPT_PAUSE_MS, listener_resume) ==
	    0)
		loop_want(s->loop, &l->watch, 0);
}

/** listener_accept() - Return: the next client, or -errno */
static int listener_accept(const struct listener *l)
{
	int fd;

	if (server_is_full(l->server))
		return -EMFILE;
	fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void listener_event(struct watch *w, uint32_t events)
{
	struct listener *l = container_of(w, struct listener, watch);

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		const int fd = listener_accept(l);

		if (fd >= 0) {
			server_accept(l->server, fd);
			continue;
		}
		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS ||
		    fd == -ENOMEM)
			listener_pause(l, -fd);
		/* All else belongs to one connection (accept(2)), or EAGAIN. */
		return;
	}
}

int server_listen(struct server *s, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));
	int rc;

	if (!l) {
		fd_close(&fd);
		return -ENOMEM;
	}
	l->server = s;
	l->fd = fd;
	l->watch.fd = -1;
	list_add_tail(&s->listeners, &l->node);
	rc = fd_nonblock(fd);
	if (rc == 0)
		rc = loop_watch(s->loop, &l->watch, fd, EPOLLIN,
				listener_event);
	if (rc < 0)
		listener_free(l);
	return rc;
}
