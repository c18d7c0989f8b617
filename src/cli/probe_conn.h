/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * probe_conn.h - a connection where everything must be done by a deadline
 */
#include "base/fault.h"
#include "bus/plan.h"

#include <stddef.h>
#include <stdint.h>

/**
 * struct probe_conn - one connection
 * @fd:      Non-blocking; owned, -1 is closed
 * @due_ms:  Monotonic time after which all fails with -ETIMEDOUT
 */
struct probe_conn {
	int fd;
	uint64_t due_ms;
};

/**
 * probe_conn_open() - Connect to the first address of a hop that answers
 * @h:      Hop with addresses or path
 * @dev:    Bind to this interface; may be empty
 * @for_ms: Time for everything on the connection
 * @ret:    Result, owned by the caller; closed on failure
 * @f:      Why not
 *
 * Return: 0 or -errno
 */
int probe_conn_open(const struct hop *h, const char *dev, unsigned int for_ms,
		    struct probe_conn *ret, struct fault *f);

/** probe_conn_send() - Send all. Return: 0 or -errno */
int probe_conn_send(struct probe_conn *c, const void *buf, size_t len);

/**
 * probe_conn_recv() - Receive exactly @len bytes
 *
 * Return: 0, -ECONNRESET at the end of the stream, -ETIMEDOUT, or -errno
 */
int probe_conn_recv(struct probe_conn *c, void *buf, size_t len);
