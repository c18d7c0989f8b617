/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * connector_book.h - which places a plan knows
 */
#include "bus/plan.h"
#include "dial/outer.h"

#include <stdbool.h>

/**
 * struct connector_book - a plan's places, and nothing else of it
 * @kind:      Of the first hop that is connected to
 * @has_udp:   It may carry UDP
 * @dev:       What its sockets are bound to; or empty
 * @path:      Its unix socket; or empty
 * @hop:       Its addresses
 * @exposed:   On the host, by the host's routes
 * @server:    Name servers on the host's loopback
 */
struct connector_book {
	enum hop_kind kind;
	bool has_udp;
	char dev[IFNAMSIZ];
	char path[sizeof(((struct hop *)0)->path)];
	struct addr hop[PLAN_ADDRS];
	unsigned int hop_count;
	struct addr exposed[PLAN_EXPOSE];
	unsigned int exposed_count;
	struct addr server[PLAN_SERVERS];
	unsigned int server_count;
};

/** connector_book_of() - Write a plan's places down */
struct connector_book connector_book_of(const struct plan *p);

/**
 * connector_book_has() - May this be made?
 * @b:  Book
 * @w:  From a worker, which may be hostile: nothing in it is sure
 */
bool connector_book_has(const struct connector_book *b,
			const struct outer_wish *w);

/** connector_book_dev() - What such a socket is bound to; or "" */
const char *connector_book_dev(const struct connector_book *b,
			       const struct outer_wish *w);
