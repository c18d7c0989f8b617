/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * client.h - one client of our own proxy server; seen by server_*.c only
 */
#include "base/list.h"
#include "base/loop.h"
#include "dial/dial.h"
#include "flow/relay.h"
#include "flow/relay_http.h"
#include "flow/server.h"
#include "net/stream.h"
#include "wire/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole head, and enough of what is too much to know it. Also the room for
 * one UDP datagram. */
#define SERVER_SCRATCH_BYTES 65536
#define CLIENT_PEEK_BYTES    (HTTP_HEAD_MAX + 256)
#define CLIENT_LEAVE_MS	     2000 /* to read our refusal */

struct front_seat;
struct server_udp;

/**
 * struct server - a proxy server
 * @clients:    All struct client, @count of them, @client_max at most
 * @listeners:  All struct listener
 * @front:      Where associations sit, or NULL
 * @scratch:    SERVER_SCRATCH_BYTES; holds nothing between two calls
 */
struct server {
	struct loop *loop;
	struct way *way;
	struct relay_pool *pool;
	const struct plan_serve *serve;
	server_names_fn *names;
	void *ctx;
	struct front *front;
	struct list clients;
	unsigned int count;
	unsigned int client_max;
	struct list listeners;
	uint8_t *scratch;
};

/**
 * enum client_state - what a client is at
 * @CLIENT_GREETS:      SOCKS5 greeting, or an HTTP head
 * @CLIENT_LOGS_IN:     SOCKS5 user and password
 * @CLIENT_ASKS:        SOCKS5 request
 * @CLIENT_DIALS:       @dial is alive; it has its own deadline
 * @CLIENT_FORWARDS:    @outer and @head are alive: the rewritten HTTP head is
 *                      on its way
 * @CLIENT_RELAYS:      @relay or @http is alive and owns both fds; may last for
 * ever
 * @CLIENT_ASSOCIATES:  @udp or @seat is alive, as long as the TCP connection
 * @CLIENT_LEAVES:      Was refused; may read why before we close
 *
 * @fd is alive in all but CLIENT_RELAYS. The first three share one deadline.
 */
enum client_state {
	CLIENT_GREETS,
	CLIENT_LOGS_IN,
	CLIENT_ASKS,
	CLIENT_DIALS,
	CLIENT_FORWARDS,
	CLIENT_RELAYS,
	CLIENT_ASSOCIATES,
	CLIENT_LEAVES,
	CLIENT_STATES
};

enum client_tongue {
	CLIENT_SOCKS5,
	CLIENT_HTTP_CONNECT,
	CLIENT_HTTP_PLAIN, /* its head stays in the socket until dialled */
};

struct client {
	struct list node;
	struct server *server;
	enum client_state state;
	enum client_tongue tongue;
	int fd;
	struct watch watch;
	struct timer timer;
	struct dial *dial;
	struct relay *relay;
	struct relay_http *http;
	struct dest *forwards; /* where to, when requests are forwarded */
	struct server_udp *udp;
	struct front_seat *seat;
	struct stream outer;
	struct watch outer_watch;
	uint8_t *head;
	size_t head_len;
	size_t head_sent;
};

/**
 * client_new() - Begin to serve
 * @s:   Server, below its cap
 * @fd:  Taken, also on failure
 *
 * Return: 0 or -errno
 */
int client_new(struct server *s, int fd);

/** client_free() - End at once, wherever it is */
void client_free(struct client *c);

/** client_enter() - Change the state: what is waited for, and how long */
void client_enter(struct client *c, enum client_state next);

/** client_eat() - Take octets that were peeked. Return: 0 or -errno */
int client_eat(struct client *c, size_t len);

/**
 * client_send() - Say something short; a client that has no room for it after
 * all that it did not say is dropped
 *
 * Return: 0 or -errno
 */
int client_send(struct client *c, const void *buf, size_t len);

/** client_leave() - We have refused. Return: 0 or -errno */
int client_leave(struct client *c);

/**
 * client_dial() - Go where it wants
 * @c:   Client whose request has been read
 * @to:  Destination
 *
 * Return: 0 (it may have been refused), or -errno to drop it
 */
int client_dial(struct client *c, struct dest *to);

/*
 * The dialogues, by protocol. All of them return 0 when something was done (the
 * state says what comes next), -EAGAIN when the client has to say more, or
 * -errno when it must be dropped; none frees the client.
 */

/**
 * server_socks_hear() - Understand the next SOCKS5 message
 * @c:  Client in CLIENT_GREETS, CLIENT_LOGS_IN or CLIENT_ASKS
 * @r:  What was peeked, from the message's first octet
 */
int server_socks_hear(struct client *c, struct rd *r);
/** server_socks_refuse() - Answer a request with the reason, @err: -errno */
int server_socks_refuse(struct client *c, int err);
/** server_socks_welcome() - Answer a request: connected, or associated */
int server_socks_welcome(struct client *c, const struct addr *bound);

/** server_http_hear() - Understand an HTTP head; @c is in CLIENT_GREETS */
int server_http_hear(struct client *c, struct rd *r);
/** server_http_refuse() - Answer with the status for an -errno */
int server_http_refuse(struct client *c, int err);
/** server_http_welcome() - "200 Connection established" */
int server_http_welcome(struct client *c);
/** server_http_prepare() - Take the head of a plain request off the socket and
 * put the rewritten one into @c->head */
int server_http_prepare(struct client *c);

/** server_same_secret() - Compare without telling by the time taken where they
 * differ; both NUL-terminated, at most 255 octets */
bool server_same_secret(const char *a, const char *b);
