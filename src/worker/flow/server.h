/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * server.h - be a proxy: SOCKS5, SOCKS4a is not spoken, HTTP
 *
 * Serves `nsproxy serve` on the host, and the gateway address of a sandbox.
 */
#include "base/addr.h"
#include "base/loop.h"
#include "bus/plan.h"
#include "dial/way.h"
#include "flow/relay.h"

#define SERVER_HELLO_MS	   10000 /* a client has this long to say its wish */
#define SERVER_UDP_IDLE_MS 120000

struct server;

/**
 * struct server_lead - where a client is led
 * @way:   Dial by it; the server's own unless changed
 * @take:  Do not dial: it is welcome, and this takes its socket; or NULL
 */
struct server_lead {
	struct way *way;
	void (*take)(void *ctx, int fd);
};

/**
 * server_names_fn - May a client go there, and by which way? And which name is
 * behind an address that may be a lease?
 *
 * Return: 0 (@d may have been given a name), or -errno to refuse
 */
typedef int server_names_fn(void *ctx, struct dest *d,
			    struct server_lead *lead);

struct front;

/**
 * server_new() - Make a proxy server
 * @loop, @way, @pool, @serve:  Borrowed; outlive it
 * @client_max:   At once; who comes to a listener then waits until others leave
 * @names, @ctx:  May be NULL
 *
 * Names go into the way as names; a direct way needs way.resolver for them.
 *
 * Return: server, or NULL (no memory)
 */
struct server *server_new(struct loop *loop, struct way *way,
			  struct relay_pool *pool,
			  const struct plan_serve *serve,
			  unsigned int client_max, server_names_fn *names,
			  void *ctx);
void server_free(struct server *s);

/** server_seat() - Let UDP associations of @s have seats at a front, which
 * outlives it */
void server_seat(struct server *s, struct front *f);

/** server_retire() - Accept nobody any more, and end the associations: another
 * worker has the listeners; connections stay */
void server_retire(struct server *s);

/** server_accept() - Serve a connected non-blocking client, or hang up if there
 * are too many; takes @fd */
void server_accept(struct server *s, int fd);

/** server_listen() - Serve a listener; takes @fd. Return: 0 or -errno */
int server_listen(struct server *s, int fd);
