/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * outlet_own.h - what the files of an outlet share: outlet.c (its life, the
 * queue, the receive buffers), outlet_socks.c, outlet_direct.c. Nobody else
 * includes this.
 */
#include "base/list.h"
#include "dial/outlet.h"

#include <sys/socket.h>
#include <sys/uio.h>

#define OUTLET_QUEUE_BYTES (256 * 1024)	      /* in one queue, headers aside */
#define OUTLET_QUEUED_MAX  (16 * 1024 * 1024) /* the same, in all queues */
#define OUTLET_BATCH	   8		      /* datagrams in one recvmmsg(2) */
#define OUTLET_TURN	   64 /* datagrams in one turn of the loop */
#define OUTLET_DATAGRAM	   65536
#define OUTLET_RCVBUF	   (1024 * 1024) /* asked for; the kernel may cap it */

/** struct outlet_kind - how one kind of outlet does it */
struct outlet_kind {
	int (*send)(struct outlet *o, const struct dest *to, const void *data,
		    size_t len);
	void (*free)(struct outlet *o);
};

/**
 * struct outlet - first member of both kinds
 * @is_busy:    A callback may be running: between outlet_enter() and _leave()
 * @is_closed:  The owner closed it in a callback; buried in outlet_leave()
 */
struct outlet {
	const struct outlet_kind *kind;
	struct way *way;
	struct outlet_user *user;
	bool is_busy;
	bool is_closed;
};

/** struct outlet_packet - a datagram that waits */
struct outlet_packet {
	struct list node;
	struct dest to;
	size_t len;
	uint8_t data[];
};

/** struct outlet_queue - OUTLET_QUEUE datagrams, OUTLET_QUEUE_BYTES; all
 * together OUTLET_QUEUED_MAX */
struct outlet_queue {
	struct list packets;
	unsigned int count;
	size_t bytes;
};

void outlet_queue_init(struct outlet_queue *q);
/** outlet_queue_put() - Copy. Return: 0, -ENOBUFS, -ENOMEM */
int outlet_queue_put(struct outlet_queue *q, const struct dest *to,
		     const void *data, size_t len);
/** outlet_queue_take() - The oldest, to be freed by the caller; or NULL */
struct outlet_packet *outlet_queue_take(struct outlet_queue *q);
/** outlet_queue_take_named() - The same among those to a name */
struct outlet_packet *outlet_queue_take_named(struct outlet_queue *q,
					      const char *name);
void outlet_queue_clear(struct outlet_queue *q);

/** outlet_enter() - From here on callbacks may be called */
void outlet_enter(struct outlet *o);
/** outlet_leave() - Bury it if it was closed. Return: whether it lives */
bool outlet_leave(struct outlet *o);

/**
 * outlet_take_fn - What to do with a datagram that came
 * @from:  Sender's address, as the kernel tells it
 */
typedef void outlet_take_fn(struct outlet *o, const struct addr *from,
			    const uint8_t *data, size_t len);

/**
 * outlet_receive() - Read what has come, give each datagram to @take
 * @o:   Entered; stops at once when it is closed in a callback
 * @fd:  Not closed before outlet_leave()
 *
 * Return: 0, or -errno of the socket
 */
int outlet_receive(struct outlet *o, int fd, outlet_take_fn *take);

/** outlet_socket() - A UDP socket with a roomy receive buffer, or -errno */
int outlet_socket(const struct way *w, enum outer_kind kind,
		  const struct addr *to);

/** outlet_is_soft() - Errors of a send that mean no more than a lost datagram
 */
bool outlet_is_soft(int err);

struct outlet *outlet_socks_new(struct way *w, struct outlet_user *u,
				int *ret_err);
struct outlet *outlet_direct_new(struct way *w, struct outlet_user *u,
				 int *ret_err);
