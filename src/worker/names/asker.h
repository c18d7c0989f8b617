/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * asker.h - who waits for an answer, and where it comes in
 */
#include "base/addr.h"

enum asker_kind {
	ASKER_PACKET, /* names_datagram() */
	ASKER_SOCKET, /* a bound UDP socket */
	ASKER_STREAM, /* a TCP client */
};

/**
 * struct asker - a value: it holds nothing, and may outlive its client
 * @from:   Who asked; not for ASKER_STREAM
 * @asked:  The address that was asked; not for ASKER_STREAM
 * @slot:   Which socket or client
 * @birth:  ASKER_STREAM: tells this client from a later one in its slot
 */
struct asker {
	enum asker_kind kind;
	struct addr from;
	struct addr asked;
	unsigned int slot;
	uint64_t birth;
};

/**
 * asker_fn - A message came in
 *
 * Return: whether there will be an answer, now (before this returns) or later
 */
typedef bool asker_fn(void *ctx, const struct asker *who, const void *msg,
		      size_t len);
