/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * connector_own.h - what a worker and its connector say; for connector.c and
 * connector_serve.c alone
 *
 * The connector is a fork of the worker, so that both have the same layouts.
 */
#include "dial/outer.h"

#define CONNECTOR_BATCH 16
#define CONNECTOR_DATA	65536 /* a datagram */

/** enum connector_kind - the first word of what a worker says */
enum connector_kind {
	CONNECTOR_ASK,	/* wishes, to be answered by .ask */
	CONNECTOR_WAIT, /* the same, by .wait */
	CONNECTOR_SAY,	/* a datagram for a socket inside */
};

/** struct connector_wishes - @count of them; the rest is not sent */
struct connector_wishes {
	uint32_t kind;
	uint32_t count;
	struct outer_wish wish[CONNECTOR_BATCH];
};

/** struct connector_words - a datagram; only what there is of @data is sent */
struct connector_words {
	uint32_t kind;
	int32_t fd;
	struct addr from;
	struct addr to;
	uint8_t data[CONNECTOR_DATA];
};

/** struct connector_answers - one for each wish; with it come the sockets of
 * those whose @err is 0, in order */
struct connector_answers {
	uint32_t count;
	int32_t err[CONNECTOR_BATCH];
};
