// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outlet.c - UDP of one inner endpoint through a way out
 *
 * The door, and what both kinds of outlet need: a small queue and the reading
 * of many datagrams at once. The kinds are outlet_socks.c and outlet_direct.c.
 */
#include "dial/outlet.h"

#include "dial/outlet_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Shared by all outlets: only one reads at a time, and nothing stays in it. */
static uint8_t outlet_room[OUTLET_BATCH][OUTLET_DATAGRAM];
/* In the queues of all outlets together: thousands may wait for one proxy. */
static size_t outlet_queued_bytes;

int outlet_open(struct way *w, struct outlet_user *u, struct outlet **ret)
{
	struct outlet *o;
	int err = 0;

	if (!way_has_udp(w))
		return -EOPNOTSUPP;
	o = w->hop[w->count - 1].kind == HOP_DIRECT
		    ? outlet_direct_new(w, u, &err)
		    : outlet_socks_new(w, u, &err);
	if (!o)
		return err;
	*ret = o;
	return 0;
}

int outlet_send(struct outlet *o, const struct dest *to, const void *data,
		size_t len)
{
	return o->kind->send(o, to, data, len);
}

void outlet_close(struct outlet *o)
{
	if (!o)
		return;
	o->is_closed = true;
	if (!o->is_busy)
		o->kind->free(o);
}

void outlet_enter(struct outlet *o)
{
	o->is_busy = true;
}

bool outlet_leave(struct outlet *o)
{
	o->is_busy = false;
	if (!o->is_closed)
		return true;
	o->kind->free(o);
	return false;
}

void outlet_queue_init(struct outlet_queue *q)
{
	*q = (struct outlet_queue){ 0 };
	list_init(&q->packets);
}

int outlet_queue_put(struct outlet_queue *q, const struct dest *to,
		     const void *data, size_t len)
{
	struct outlet_packet *p;

	if (q->count >= OUTLET_QUEUE || len > OUTLET_QUEUE_BYTES - q->bytes ||
	    len > OUTLET_QUEUED_MAX - outlet_queued_bytes)
		return -ENOBUFS;
	p = malloc(sizeof(*p) + len);
	if (!p)
		return -ENOMEM;
	p->to = *to;
	p->len = len;
	if (len > 0)
		memcpy(p->data, data, len);
	list_add_tail(&q->packets, &p->node);
	q->count++;
	q->bytes += len;
	outlet_queued_bytes += len;
	return 0;
}

static struct outlet_packet *outlet_queue_out(struct outlet_queue *q,
					      struct list *at)
{
	struct outlet_packet *p = container_of(at, struct outlet_packet, node);

	list_del(&p->node);
	q->count--;
	q->bytes -= p->len;
	outlet_queued_bytes -= p->len;
	return p;
}

struct outlet_packet *outlet_queue_take(struct outlet_queue *q)
{
	if (list_empty(&q->packets))
		return NULL;
	return outlet_queue_out(q, q->packets.next);
}

struct outlet_packet *outlet_queue_take_named(struct outlet_queue *q,
					      const char *name)
{
	struct list *at;

	list_each (at, &q->packets)
		if (!strcmp(container_of(at, struct outlet_packet, node)
				    ->to.name,
			    name))
			return outlet_queue_out(q, at);
	return NULL;
}

void outlet_queue_clear(struct outlet_queue *q)
{
	struct outlet_packet *p;

	while ((p = outlet_queue_take(q)))
		free(p);
}

int outlet_socket(const struct way *w, enum outer_kind kind,
		  const struct addr *to)
{
	const struct outer_wish wish = {
		.by = (uint16_t)w->by,
		.kind = (uint16_t)kind,
		.to = *to,
	};
	const int fd = way_socket(w, &wish);
	const int size = OUTLET_RCVBUF;

	if (fd >= 0) /* a small buffer only loses more */
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	return fd;
}

bool outlet_is_soft(int err)
{
	return err == -EAGAIN || err == -ENOBUFS || err == -EINTR ||
	       err == -ENOMEM;
}

/* Return: datagrams read, or -errno */
static int outlet_read_batch(int fd, struct mmsghdr *msg,
			     struct sockaddr_storage *from)
{
	struct iovec iov[OUTLET_BATCH];
	int n;

	memset(msg, 0, OUTLET_BATCH * sizeof(*msg));
	for (unsigned int i = 0; i < OUTLET_BATCH; i++) {
		iov[i].iov_base = outlet_room[i];
		iov[i].iov_len = OUTLET_DATAGRAM;
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
		msg[i].msg_hdr.msg_name = &from[i];
		msg[i].msg_hdr.msg_namelen = sizeof(from[i]);
	}
	n = recvmmsg(fd, msg, OUTLET_BATCH, MSG_DONTWAIT, NULL);
	for (unsigned int i = 0; i < OUTLET_BATCH; i++)
		msg[i].msg_hdr.msg_iov = NULL; /* ends with this scope */
	return n < 0 ? -errno : n;
}

int outlet_receive(struct outlet *o, int fd, outlet_take_fn *take)
{
	struct sockaddr_storage from[OUTLET_BATCH];
	struct mmsghdr msg[OUTLET_BATCH];
	int n = OUTLET_BATCH;

	/* A batch that is not full was the last: no call just to hear so. */
	for (int done = 0; n == OUTLET_BATCH && done < OUTLET_TURN; done += n) {
		n = outlet_read_batch(fd, msg, from);
		for (int i = 0; i < n && !o->is_closed; i++) {
			struct addr a;

			addr_from_sock(&a, &from[i]);
			take(o, &a, outlet_room[i], msg[i].msg_len);
		}
		if (o->is_closed)
			return 0;
	}
	return n < 0 && n != -EAGAIN && n != -EINTR ? n : 0;
}
