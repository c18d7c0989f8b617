// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * client.c - one client of our own proxy server, from accept to relay
 *
 * What a client says stays in its socket until it is understood: each message
 * is peeked and taken whole. So no client costs a buffer, and what it sent
 * behind its request is still there for the relay.
 */
#include "flow/client.h"

#include "base/fd.h"
#include "base/log.h"
#include "flow/front.h"
#include "flow/server_udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HEAR	  ((uint32_t)EPOLLIN | EPOLLRDHUP | EPOLLET)
#define ONLY_LEFT ((uint32_t)EPOLLRDHUP | EPOLLET)
#define KEEP_MS	  UINT32_MAX /* the deadline of the state before goes on */

static const struct {
	const char *name;
	uint32_t wants;
	uint32_t patience_ms; /* 0: see enum client_state why */
} client_states[] = {
	[CLIENT_GREETS] = { "greets", HEAR, SERVER_HELLO_MS },
	[CLIENT_LOGS_IN] = { "logs in", HEAR, KEEP_MS },
	[CLIENT_ASKS] = { "asks", HEAR, KEEP_MS },
	[CLIENT_DIALS] = { "dials", ONLY_LEFT, 0 },
	[CLIENT_FORWARDS] = { "forwards", 0, SERVER_HELLO_MS },
	[CLIENT_RELAYS] = { "relays", 0, 0 },
	[CLIENT_ASSOCIATES] = { "associates", HEAR, 0 },
	[CLIENT_LEAVES] = { "leaves", HEAR, CLIENT_LEAVE_MS },
};

static_assert(sizeof(client_states) / sizeof(client_states[0]) == CLIENT_STATES,
	      "each state has a row");

static void client_late(struct timer *t)
{
	client_free(container_of(t, struct client, timer));
}

void client_enter(struct client *c, enum client_state next)
{
	struct loop *loop = c->server->loop;
	const uint32_t patience_ms = client_states[next].patience_ms;

	log_trace("proxy client: %s -> %s", client_states[c->state].name,
		  client_states[next].name);
	c->state = next;
	loop_want(loop, &c->watch, client_states[next].wants);
	if (patience_ms == 0)
		loop_untimer(loop, &c->timer);
	else if (patience_ms != KEEP_MS)
		/* Without memory for it the client just has no deadline. */
		(void)loop_timer(loop, &c->timer, patience_ms, client_late);
}

void client_free(struct client *c)
{
	struct loop *loop = c->server->loop;

	loop_unwatch(loop, &c->watch);
	loop_unwatch(loop, &c->outer_watch);
	loop_untimer(loop, &c->timer);
	if (c->dial)
		dial_cancel(c->dial);
	if (c->relay)
		relay_cancel(c->relay);
	if (c->http)
		relay_http_cancel(c->http);
	server_udp_close(c->udp);
	front_leave(c->seat);
	stream_abort(&c->outer);
	fd_close(&c->fd);
	free(c->head);
	free(c->forwards);
	list_del(&c->node);
	c->server->count--;
	free(c);
}

int client_eat(struct client *c, size_t len)
{
	while (len > 0) {
		/* MSG_TRUNC: TCP drops them without a copy. */
		const ssize_t n =
			recv(c->fd, c->server->scratch, len, MSG_TRUNC);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		len -= (size_t)n;
	}
	return 0;
}

int client_send(struct client *c, const void *buf, size_t len)
{
	const ssize_t n = send(c->fd, buf, len, MSG_NOSIGNAL);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int client_leave(struct client *c)
{
	/* Closing with unread octets would reset the connection, and the
	 * client might never read why. */
	if (shutdown(c->fd, SHUT_WR) < 0)
		return -errno;
	client_enter(c, CLIENT_LEAVES);
	return 0;
}

static int client_refuse(struct client *c, int err)
{
	if (c->tongue == CLIENT_SOCKS5)
		return server_socks_refuse(c, err);
	return server_http_refuse(c, err);
}

static void client_relayed(void *ctx, int err)
{
	struct client *c = ctx;

	(void)err; /* both sides know it by now */
	c->relay = NULL;
	c->http = NULL;
	client_free(c);
}

/* Return: 0 or -errno, the sides are gone then */
static int client_relay(struct client *c)
{
	struct server *s = c->server;

	client_enter(c, CLIENT_RELAYS);
	loop_unwatch(s->loop, &c->watch);
	loop_unwatch(s->loop, &c->outer_watch);
	if (c->forwards)
		return relay_http_start(s->pool, s->way, c->forwards,
					fd_take(&c->fd), stream_take(&c->outer),
					client_relayed, c, &c->http);
	return relay_start(s->pool, fd_take(&c->fd), stream_take(&c->outer),
			   client_relayed, c, &c->relay);
}

/* Return: 0 when all is sent, -EAGAIN, or -errno */
static int client_forward(struct client *c)
{
	while (c->head_sent < c->head_len) {
		const ssize_t n =
			stream_write(&c->outer, c->head + c->head_sent,
				     c->head_len - c->head_sent);

		if (n < 0)
			return (int)n;
		c->head_sent += (size_t)n;
	}
	free(c->head);
	c->head = NULL;
	return client_relay(c);
}

static void client_outer_event(struct watch *w, uint32_t events)
{
	struct client *c = container_of(w, struct client, outer_watch);
	int rc;

	(void)events;
	rc = client_forward(c);
	if (rc < 0 && rc != -EAGAIN)
		client_free(c);
}

static int client_forward_start(struct client *c)
{
	int rc;

	rc = server_http_prepare(c);
	if (rc < 0)
		return rc;
	client_enter(c, CLIENT_FORWARDS);
	rc = client_forward(c);
	if (rc != -EAGAIN)
		return rc;
	return loop_watch(c->server->loop, &c->outer_watch, c->outer.fd,
			  (uint32_t)EPOLLIN | EPOLLOUT | EPOLLET,
			  client_outer_event);
}

static int client_connected(struct client *c, const struct addr *bound)
{
	int rc = -EIO;

	switch (c->tongue) {
	case CLIENT_SOCKS5:
		rc = server_socks_welcome(c, bound);
		break;
	case CLIENT_HTTP_CONNECT:
		rc = server_http_welcome(c);
		break;
	case CLIENT_HTTP_PLAIN:
		/* Its head stays where it is: relay_http takes it. */
		return c->forwards ? client_relay(c) : client_forward_start(c);
	}
	return rc < 0 ? rc : client_relay(c);
}

static void client_dialled(void *ctx, int err, struct stream s,
			   const struct addr *bound)
{
	struct client *c = ctx;
	int rc;

	c->dial = NULL;
	c->outer = s;
	rc = err < 0 ? client_refuse(c, err) : client_connected(c, bound);
	if (rc < 0)
		client_free(c);
}

/** client_give() - Somebody else serves it from here on. Return: -EPIPE: it is
 * ours no more, or has gone */
static int client_give(struct client *c, const struct server_lead *lead)
{
	const struct addr none = { .family = AF_UNSPEC };
	int rc = -EHOSTUNREACH;

	if (c->tongue == CLIENT_HTTP_PLAIN)
		return client_refuse(c, rc);
	rc = c->tongue == CLIENT_SOCKS5 ? server_socks_welcome(c, &none)
					: server_http_welcome(c);
	if (rc < 0)
		return rc;
	loop_unwatch(c->server->loop, &c->watch);
	lead->take(c->server->ctx, fd_take(&c->fd));
	return -EPIPE;
}

int client_dial(struct client *c, struct dest *to)
{
	struct server *s = c->server;
	struct server_lead lead = { .way = s->way };
	char text[ADDR_TEXT];
	int rc = 0;

	if (s->names)
		rc = s->names(s->ctx, to, &lead);
	if (rc == 0 && lead.take)
		return client_give(c, &lead);
	if (rc == 0 && way_forwards(lead.way, to)) {
		c->forwards = malloc(sizeof(*to));
		rc = c->forwards ? 0 : -ENOMEM;
	}
	if (c->forwards)
		*c->forwards = *to;
	if (rc == 0)
		rc = dial_start(lead.way, DIAL_CONNECT, to, client_dialled, c,
				&c->dial);
	log_debug("proxy client asks for %s: %s", dest_text(to, text),
		  rc < 0 ? "refused" : "dialling");
	if (rc < 0)
		return client_refuse(c, rc);
	client_enter(c, CLIENT_DIALS);
	return 0;
}

/* The first octet tells the protocol: SOCKS5 says 5, a method is letters. */
static int client_hear_tongue(struct client *c, struct rd *r)
{
	const struct plan_serve *serve = c->server->serve;
	const uint8_t first = *r->at;

	if (first == 5)
		return serve->socks ? server_socks_hear(c, r) : -EPROTO;
	if ((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z'))
		return serve->http ? server_http_hear(c, r) : -EPROTO;
	return -EPROTO;
}

/* Return: 0 if a message was taken, -EAGAIN, or -errno */
static int client_hear(struct client *c)
{
	uint8_t *buf = c->server->scratch;
	const ssize_t n = recv(c->fd, buf, CLIENT_PEEK_BYTES, MSG_PEEK);
	struct rd r;

	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	r = rd_of(buf, (size_t)n);
	if (c->state == CLIENT_GREETS)
		return client_hear_tongue(c, &r);
	return server_socks_hear(c, &r);
}

static int client_listen(struct client *c, uint32_t events)
{
	int rc = 0;

	while (rc == 0 && c->state <= CLIENT_ASKS)
		rc = client_hear(c);
	/* Nothing more will come to complete the message. */
	if (rc == -EAGAIN && (events & (EPOLLRDHUP | EPOLLHUP)))
		return -EPIPE;
	return rc;
}

/*
 * The client has ended its side while we dial. If it has said something behind
 * its request, it may well wait for the answer to that; else it has gone.
 */
static int client_left(struct client *c, uint32_t events)
{
	uint8_t octet;

	if (events & (EPOLLHUP | EPOLLERR))
		return -EPIPE;
	return recv(c->fd, &octet, 1, MSG_PEEK) > 0 ? 0 : -EPIPE;
}

/* Throw away what it still says. Return: -EAGAIN, or -EPIPE at the end */
static int client_ignore(struct client *c)
{
	for (int i = 0; i < 16; i++) {
		const ssize_t n = recv(c->fd, c->server->scratch,
				       SERVER_SCRATCH_BYTES, MSG_TRUNC);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EPIPE;
	}
	return -E2BIG;
}

static void client_event(struct watch *w, uint32_t events)
{
	struct client *c = container_of(w, struct client, watch);
	int rc = 0;

	switch (c->state) {
	case CLIENT_GREETS:
	case CLIENT_LOGS_IN:
	case CLIENT_ASKS:
		rc = client_listen(c, events);
		break;
	case CLIENT_DIALS:
	case CLIENT_FORWARDS:
		rc = client_left(c, events);
		break;
	case CLIENT_ASSOCIATES:
	case CLIENT_LEAVES:
		rc = client_ignore(c);
		break;
	case CLIENT_RELAYS:
	case CLIENT_STATES:
		break;
	}
	if (rc < 0 && rc != -EAGAIN)
		client_free(c);
}

int client_new(struct server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		fd_close(&fd);
		return -ENOMEM;
	}
	*c = (struct client){
		.server = s,
		.fd = fd,
		.watch = { .fd = -1 },
		.outer_watch = { .fd = -1 },
		.outer = STREAM_EMPTY,
	};
	list_add_tail(&s->clients, &c->node);
	s->count++;
	rc = loop_watch(s->loop, &c->watch, fd,
			client_states[CLIENT_GREETS].wants, client_event);
	if (rc == 0)
		rc = loop_timer(s->loop, &c->timer, SERVER_HELLO_MS,
				client_late);
	if (rc < 0)
		client_free(c);
	return rc;
}
