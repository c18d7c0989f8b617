/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * connector.h - the worker's end: sockets from a process that may make them
 *
 * A sandbox's worker can neither make a socket nor connect one. Its connector
 * can, to the places of the plan alone, and looks at no byte from the network.
 * Whoever has none (`nsproxy serve`) makes sockets itself.
 */
#include "base/loop.h"
#include "dial/outer.h"

#include <stddef.h>

/**
 * struct connector_line - channels between the two
 * @ask:   All that the worker says, and sockets in the order of asking
 * @wait:  Sockets for who cannot go on without
 */
struct connector_line {
	int ask;
	int wait;
};

struct connector;
struct connector_ask;

/** connector_fn - The socket, which becomes the callee's, or -errno: -EACCES
 * when the plan knows no such place */
typedef void connector_fn(void *ctx, int fd);

/** connector_lost_fn - It is dead or makes no sense: nothing is reached any
 * more. Called once */
typedef void connector_lost_fn(void *ctx);

/**
 * connector_new() - Speak with a connector
 * @loop:  Borrowed
 * @line:  The worker's ends; taken
 * @lost:  Called from the loop, or from connector_wait()
 * @ctx:   For @lost
 *
 * Return: NULL without memory
 */
struct connector *connector_new(struct loop *loop,
				const struct connector_line *line,
				connector_lost_fn *lost, void *ctx);
void connector_free(struct connector *c);

/**
 * connector_ask() - Want a socket, and go on meanwhile
 * @c:    Connector
 * @w:    Which
 * @fn:   Called from the loop
 * @ctx:  For @fn
 * @ret:  For connector_forget(), valid until @fn is called
 *
 * Return: 0, -ENOMEM, or -EPIPE when there is no connector any more
 */
int connector_ask(struct connector *c, const struct outer_wish *w,
		  connector_fn *fn, void *ctx, struct connector_ask **ret);

/** connector_forget() - Not wanted any more: @fn will not be called */
void connector_forget(struct connector_ask *a);

/**
 * connector_wait() - Want a socket, and wait for it: some 50 us
 * @c:  Connector
 * @w:  Which
 *
 * Return: the socket, or -errno as in connector_fn; -ENOBUFS while too many
 * others are asked for
 */
int connector_wait(struct connector *c, const struct outer_wish *w);

/**
 * connector_say() - Send by an unconnected socket inside; it may be lost
 * @c:     Connector; NULL: by our own hand
 * @fd:    Of those that came with the plan
 * @from:  As for datagram_send()
 * @to:    Whom to
 * @data:  What
 * @len:   Of @data
 */
void connector_say(struct connector *c, int fd, const struct addr *from,
		   const struct addr *to, const void *data, size_t len);
