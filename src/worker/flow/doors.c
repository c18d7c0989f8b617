// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * doors.c - connections that others begin
 *
 * A published port: a visitor on the host, and a socket to a port inside. A
 * socket belongs to the namespace it was born in, so the keeper, who lives
 * inside, makes it on request and sends it over. An exposed ::1 port: a visitor
 * inside, and a dial on the host (the gate takes the other exposed addresses,
 * but the kernel lets no ::1 packet in by the TUN).
 */
#include "flow/doors.h"

#include "bus/channel.h"
#include "bus/mint_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define DOORS_BURST   32
#define DOORS_REST_MS 100

enum visitor_state {
	VISITOR_MINTING,    /* in .minting, until .timer */
	VISITOR_CONNECTING, /* .inner is alive; .timer */
	VISITOR_DIALING,    /* .dial is alive, with its own deadline */
	VISITOR_OPEN,	    /* .relay is alive */
};

struct visitor {
	struct list node;
	struct doors *doors;
	enum visitor_state state;
	struct watch watch;
	struct timer timer;
	struct dial *dial;
	struct relay *relay;
	int fd;	   /* who came */
	int inner; /* towards the port inside */
	int family;
	uint16_t port;
	uint64_t mint_id;
	bool is_led; /* to the program, or back to the resolver */
};

static void door_reset(int *fd)
{
	const struct linger hard = { .l_onoff = 1 };

	if (*fd < 0)
		return;
	(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(*fd);
	*fd = -1;
}

static void visitor_bury(struct visitor *v)
{
	if (v->dial)
		dial_cancel(v->dial);
	loop_unwatch(v->doors->loop, &v->watch);
	loop_untimer(v->doors->loop, &v->timer);
	if (v->is_led && v->state != VISITOR_OPEN && v->fd >= 0)
		v->doors->unled(v->doors->ctx, v->fd);
	else
		door_reset(&v->fd);
	door_reset(&v->inner);
	if (v->state != VISITOR_OPEN)
		v->doors->pending--;
	if (v->is_led)
		v->doors->led--;
	list_del(&v->node);
	free(v);
}

static void visitor_ended(void *ctx, int err)
{
	(void)err;
	visitor_bury(ctx);
}

static void visitor_open(struct visitor *v, int inner, struct stream outer)
{
	struct doors *d = v->doors;

	loop_unwatch(d->loop, &v->watch);
	loop_untimer(d->loop, &v->timer);
	v->state = VISITOR_OPEN;
	d->pending--;
	list_del(&v->node);
	list_add_tail(&d->open, &v->node);
	if (relay_start(d->pool, inner, outer, visitor_ended, v, &v->relay) < 0)
		visitor_bury(v);
}

static void visitor_expired(struct timer *t)
{
	visitor_bury(container_of(t, struct visitor, timer));
}

/** visitor_mint() - Ask the keeper for a socket born inside */
static void visitor_mint(struct visitor *v, int family)
{
	const struct mint_ask ask = {
		.id = ++v->doors->mint_id,
		.family = (uint16_t)family,
		.port = v->port,
	};

	v->family = family;
	v->mint_id = ask.id;
	v->state = VISITOR_MINTING;
	list_del(&v->node);
	list_add_tail(&v->doors->minting, &v->node);
	if (loop_timer(v->doors->loop, &v->timer, DOORS_WAIT_MS,
		       visitor_expired) < 0 ||
	    send(v->doors->mint, &ask, sizeof(ask),
		 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		visitor_bury(v);
}

/** visitor_refused() - Nothing listens on 127.0.0.1 inside: try ::1 */
static void visitor_refused(struct visitor *v)
{
	loop_unwatch(v->doors->loop, &v->watch);
	loop_untimer(v->doors->loop, &v->timer);
	door_reset(&v->inner);
	if (v->family == AF_INET && !v->is_led)
		visitor_mint(v, AF_INET6);
	else
		visitor_bury(v);
}

static void visitor_connected(struct watch *w, uint32_t events)
{
	struct visitor *v = container_of(w, struct visitor, watch);
	struct stream outer = STREAM_EMPTY;
	socklen_t len = sizeof(int);
	int inner;
	int err = 0;

	(void)events;
	if (getsockopt(v->inner, SOL_SOCKET, SO_ERROR, &err, &len) < 0 || err) {
		visitor_refused(v);
		return;
	}
	loop_unwatch(v->doors->loop, &v->watch);
	inner = v->inner;
	outer.fd = v->fd;
	v->inner = v->fd = -1;
	visitor_open(v, inner, outer);
}

/** visitor_connect() - Use a minted socket, which connects and is taken */
static void visitor_connect(struct visitor *v, int fd)
{
	struct doors *d = v->doors;

	v->inner = fd;
	v->state = VISITOR_CONNECTING;
	list_del(&v->node);
	list_add_tail(&d->visitors, &v->node);
	if (loop_timer(d->loop, &v->timer, DOORS_WAIT_MS, visitor_expired) <
	    0) {
		visitor_bury(v);
		return;
	}
	if (loop_watch(d->loop, &v->watch, fd, EPOLLOUT, visitor_connected) < 0)
		visitor_bury(v);
}

/** doors_find() - Who made a wish; NULL: nobody who is still here */
static struct visitor *doors_find(struct doors *d, uint64_t id)
{
	struct list *at;

	list_each (at, &d->minting) {
		struct visitor *v = container_of(at, struct visitor, node);

		if (v->mint_id == id)
			return v;
	}
	return NULL;
}

static void doors_minted(struct watch *w, uint32_t events)
{
	struct doors *d = container_of(w, struct doors, mint_watch);
	unsigned int count = 0;
	struct mint_word word = { 0 };
	int fd;
	const ssize_t n =
		channel_recv(d->mint, &word, sizeof(word), &fd, 1, &count);
	struct visitor *v;

	(void)events;
	if (n == -EAGAIN)
		return;
	if (n <= 0 && n != -EMFILE) {
		loop_unwatch(d->loop, &d->mint_watch);
		d->over(d->ctx);
		return;
	}
	v = doors_find(d, word.id);
	if (v && count > 0)
		visitor_connect(v, fd);
	else if (v)
		visitor_refused(v);
	else if (count > 0)
		(void)close(fd);
}

static void visitor_dialled(void *ctx, int err, struct stream s,
			    const struct addr *bound)
{
	struct visitor *v = ctx;
	int inner;

	(void)bound;
	v->dial = NULL;
	if (err < 0) {
		visitor_bury(v);
		return;
	}
	inner = v->fd;
	v->fd = -1;
	visitor_open(v, inner, s);
}

static void door_visit(struct door *door, int fd)
{
	struct doors *d = door->doors;
	struct visitor *v =
		d->pending < DOORS_PENDING ? calloc(1, sizeof(*v)) : NULL;
	struct dest to = { 0 };

	if (!v) {
		door_reset(&fd);
		return;
	}
	v->doors = d;
	v->fd = fd;
	v->inner = v->watch.fd = -1;
	list_add_tail(&d->visitors, &v->node);
	d->pending++;
	if (door->leads_in) {
		v->port = d->plan->publish[door->index].inner_port;
		visitor_mint(v, AF_INET);
		return;
	}
	v->state = VISITOR_DIALING;
	to.addr = d->plan->expose[door->index].addr;
	if (dial_start(d->direct, DIAL_CONNECT, &to, visitor_dialled, v,
		       &v->dial) < 0)
		visitor_bury(v);
}

void doors_lead(struct doors *d, int fd)
{
	struct visitor *v = d->pending < DOORS_PENDING && d->led < DOORS_LED
				    ? calloc(1, sizeof(*v))
				    : NULL;

	if (!v) {
		d->unled(d->ctx, fd);
		return;
	}
	v->doors = d;
	v->fd = fd;
	v->inner = v->watch.fd = -1;
	v->is_led = true;
	d->led++;
	v->port = DNSPROXY_PORT;
	list_add_tail(&d->visitors, &v->node);
	d->pending++;
	visitor_mint(v, AF_INET);
}

static void door_rested(struct timer *t)
{
	struct door *door = container_of(t, struct door, rest);

	loop_want(door->doors->loop, &door->watch, EPOLLIN);
}

static void door_accept(struct watch *w, uint32_t events)
{
	struct door *door = container_of(w, struct door, watch);
	struct loop *loop = door->doors->loop;

	(void)events;
	for (int i = 0; i < DOORS_BURST; i++) {
		const int fd = accept4(door->fd, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			door_visit(door, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			loop_want(loop, &door->watch, 0);
			(void)loop_timer(loop, &door->rest, DOORS_REST_MS,
					 door_rested);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

int doors_start(struct doors *d)
{
	list_init(&d->minting);
	list_init(&d->visitors);
	list_init(&d->open);
	d->mint_watch.fd = -1;
	if (d->mint < 0)
		return 0;
	if (getrandom(&d->mint_id, sizeof(d->mint_id), 0) !=
	    (ssize_t)sizeof(d->mint_id))
		return -EIO;
	return loop_watch(d->loop, &d->mint_watch, d->mint, EPOLLIN,
			  doors_minted);
}

int doors_listen(struct doors *d, int fd, unsigned int index, bool leads_in)
{
	struct door *door;

	if (d->count == sizeof(d->door) / sizeof(*d->door))
		return -E2BIG;
	if (index >=
	    (leads_in ? d->plan->publish_count : d->plan->expose_count))
		return -EPROTO;
	door = &d->door[d->count++];
	*door = (struct door){
		.doors = d,
		.fd = fd,
		.index = index,
		.leads_in = leads_in,
	};
	return loop_watch(d->loop, &door->watch, fd, EPOLLIN, door_accept);
}

static void doors_clear(struct list *l)
{
	while (!list_empty(l)) {
		struct visitor *v = container_of(l->next, struct visitor, node);

		if (v->state == VISITOR_OPEN)
			relay_cancel(v->relay);
		visitor_bury(v);
	}
}

static void doors_close(struct doors *d)
{
	for (unsigned int i = 0; i < d->count; i++) {
		loop_unwatch(d->loop, &d->door[i].watch);
		loop_untimer(d->loop, &d->door[i].rest);
	}
	loop_unwatch(d->loop, &d->mint_watch);
}

/** doors_left() - The keeper has closed its end of the mint */
static void doors_left(struct watch *w, uint32_t events)
{
	struct doors *d = container_of(w, struct doors, mint_watch);

	if (!(events & (EPOLLHUP | EPOLLERR)))
		return;
	loop_unwatch(d->loop, w);
	d->over(d->ctx);
}

void doors_retire(struct doors *d)
{
	doors_close(d);
	doors_clear(&d->minting);
	/* No events but those that cannot be masked. */
	if (d->mint >= 0 &&
	    loop_watch(d->loop, &d->mint_watch, d->mint, 0, doors_left) < 0)
		d->over(d->ctx);
}

void doors_stop(struct doors *d)
{
	if (!d->loop)
		return; /* never started */
	doors_close(d);
	doors_clear(&d->minting);
	doors_clear(&d->visitors);
	doors_clear(&d->open);
}
