// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * outlet_direct.c - UDP straight from the host
 *
 * One unconnected socket a family, made when the first datagram needs it, so
 * that any peer may answer; where a way has a list of places, one connected to
 * each. ICMP errors come through the sockets' error queues and name the
 * destination they are about. Names are looked up once each.
 */
#include "dial/outlet_own.h"

#include "base/fd.h"
#include "base/text.h"
#include "dial/resolve.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define OUTLET_NAMES   32 /* names one outlet remembers */
#define OUTLET_DOORS   16 /* sockets of one outlet; the oldest gives way */
/* A send may hear of errors of earlier ones; each is heard once. */
#define OUTLET_RETRIES 4

/**
 * struct outlet_door - a socket
 * @to:  Whom it is connected to; or a family alone
 */
struct outlet_door {
	struct list node;
	struct outlet_direct *outlet;
	struct addr to;
	int fd;
	struct watch watch;
};

/**
 * struct outlet_name - a name that was sent to
 * @lookup:  While it is looked up; what is sent to it waits
 * @addr:    Afterwards: AF_UNSPEC when there is none
 */
struct outlet_name {
	struct list node;
	struct outlet_direct *outlet;
	struct resolve *lookup;
	struct addr addr;
	char name[NAME_MAX_LEN + 1];
};

struct outlet_direct {
	struct outlet base;
	struct list doors; /* oldest first */
	unsigned int door_count;
	struct list names; /* oldest first */
	unsigned int name_count;
	struct outlet_queue queue; /* to names that are looked up */
};

static struct outlet_direct *outlet_direct_of(struct outlet *o)
{
	return container_of(o, struct outlet_direct, base);
}

static void outlet_direct_take(struct outlet *o, const struct addr *from,
			       const uint8_t *data, size_t len)
{
	const struct dest peer = { .addr = *from };

	o->user->datagram(o->user, &peer, data, len);
}

/* IP_RECVERR, IPV6_RECVERR: ip(7), ipv6(7) */
static const struct sock_extended_err *outlet_error_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if ((c->cmsg_level == IPPROTO_IP &&
		     c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
		     c->cmsg_type == IPV6_RECVERR))
			return (const void *)CMSG_DATA(c);
	return NULL;
}

/* Read one error. Return: false when there is none */
static bool outlet_read_error(int fd, struct addr *to, int *err, size_t *len)
{
	_Alignas(struct cmsghdr) char control[512];
	const struct sock_extended_err *e;
	struct sockaddr_storage ss = { 0 };
	uint8_t quoted[2048];
	struct iovec iov = { .iov_base = quoted, .iov_len = sizeof(quoted) };
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t n = recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	*err = 0;
	*len = (size_t)n;
	addr_from_sock(to, &ss);
	e = outlet_error_of(&msg);
	if (e && (e->ee_origin == SO_EE_ORIGIN_ICMP ||
		  e->ee_origin == SO_EE_ORIGIN_ICMP6))
		*err = -(int)e->ee_errno;
	return true;
}

static void outlet_direct_errors(struct outlet_direct *o, int fd)
{
	struct outlet_user *u = o->base.user;
	socklen_t size = sizeof(int);
	struct addr to;
	size_t len;
	int err;

	for (int i = 0; i < OUTLET_TURN && !o->base.is_closed; i++) {
		if (!outlet_read_error(fd, &to, &err, &len)) {
			/* An error without its details must not wake us
			 * again and again. */
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
			break;
		}
		/* A smaller MTU was learned by the kernel; nobody refused. */
		if (err != 0 && err != -EMSGSIZE && to.family != AF_UNSPEC)
			u->refused(u, &to, err, len);
	}
}

static void outlet_direct_on_event(struct watch *w, uint32_t events)
{
	struct outlet_door *door = container_of(w, struct outlet_door, watch);
	struct outlet_direct *o = door->outlet;

	outlet_enter(&o->base);
	if (events & EPOLLERR)
		outlet_direct_errors(o, door->fd);
	/* Errors are of single peers and wait in the queue: go on. */
	if ((events & EPOLLIN) && !o->base.is_closed)
		(void)outlet_receive(&o->base, door->fd, outlet_direct_take);
	(void)outlet_leave(&o->base);
}

/* Any peer may answer where any may be written to. */
static bool outlet_is_open(const struct outlet_direct *o)
{
	return !o->base.way->connector || o->base.way->by == OUTER_BY_PLAN;
}

static void outlet_door_shut(struct outlet_door *door)
{
	loop_unwatch(door->outlet->base.way->loop, &door->watch);
	fd_close(&door->fd);
}

static int outlet_door_open(struct outlet_door *door)
{
	const struct way *way = door->outlet->base.way;
	const bool is_open = outlet_is_open(door->outlet);
	const int family = door->to.family;
	auto_fd fd = outlet_socket(way, is_open ? OUTER_UDP_OPEN : OUTER_UDP,
				   &door->to);
	const int on = 1;
	int rc;

	if (fd < 0)
		return fd;
	rc = family == AF_INET
		     ? setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on))
		     : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on,
				  sizeof(on));
	if (rc < 0)
		return -errno;
	/* One socket a family: each is for its own only. */
	if (family == AF_INET6 && is_open &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	rc = loop_watch(way->loop, &door->watch, fd, EPOLLIN,
			outlet_direct_on_event);
	if (rc < 0)
		return rc;
	door->fd = fd_take(&fd);
	return 0;
}

/**
 * outlet_door_is_stale() - Is it bound to an interface that is gone?
 *
 * Another of the same name may be there: a socket is bound to one, not to a
 * name.
 */
static bool outlet_door_is_stale(const struct outlet_direct *o,
				 const struct outlet_door *door)
{
	char name[IFNAMSIZ] = "";
	socklen_t len = sizeof(name);

	return o->base.way->hop[0].dev[0] != '\0' &&
	       (getsockopt(door->fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len) <
			0 ||
		len == 0);
}

static struct outlet_door *outlet_door_find(const struct outlet_direct *o,
					    const struct addr *to)
{
	struct list *at;

	list_each (at, &o->doors) {
		struct outlet_door *door =
			container_of(at, struct outlet_door, node);

		if (outlet_is_open(o) ? door->to.family == to->family
				      : addr_equal(&door->to, to))
			return door;
	}
	return NULL;
}

/** outlet_door_new() - Another one, or the oldest anew; NULL without memory */
static struct outlet_door *outlet_door_new(struct outlet_direct *o,
					   const struct addr *to)
{
	struct outlet_door *door;

	if (o->door_count == OUTLET_DOORS) {
		door = container_of(o->doors.next, struct outlet_door, node);
		outlet_door_shut(door);
		list_del(&door->node);
	} else {
		door = calloc(1, sizeof(*door));
		if (!door)
			return NULL;
		o->door_count++;
		door->outlet = o;
		door->fd = door->watch.fd = -1;
	}
	door->to =
		outlet_is_open(o) ? (struct addr){ .family = to->family } : *to;
	list_add_tail(&o->doors, &door->node);
	return door;
}

static ssize_t outlet_door_send(const struct outlet_door *door,
				const struct addr *to, const void *data,
				size_t len)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	struct sockaddr_storage ss;
	socklen_t ss_len;

	if (!outlet_is_open(door->outlet))
		return send(door->fd, data, len, flags);
	ss_len = addr_to_sock(to, &ss);
	return sendto(door->fd, data, len, flags, (void *)&ss, ss_len);
}

static int outlet_direct_write(struct outlet_direct *o, const struct addr *to,
			       const void *data, size_t len)
{
	struct outlet_door *door;
	int rc = 0;

	if (addr_size(to) == 0)
		return -EAFNOSUPPORT;
	door = outlet_door_find(o, to);
	if (!door)
		door = outlet_door_new(o, to);
	if (!door)
		return -ENOMEM;
	if (door->fd >= 0 && outlet_door_is_stale(o, door))
		outlet_door_shut(door);
	if (door->fd < 0)
		rc = outlet_door_open(door);
	if (rc < 0)
		return rc;
	/* An ICMP error of an earlier datagram is told in place of sending;
	 * its details stay in the error queue for outlet_direct_errors(). */
	for (int i = 0; i < OUTLET_RETRIES; i++) {
		if (outlet_door_send(door, to, data, len) >= 0)
			return 0;
		rc = -errno;
		if (outlet_is_soft(rc))
			return 0;
	}
	return rc;
}

static void outlet_name_free(struct outlet_name *n)
{
	struct outlet_packet *p;

	if (n->lookup)
		resolve_cancel(n->lookup);
	while ((p = outlet_queue_take_named(&n->outlet->queue, n->name)))
		free(p);
	list_del(&n->node);
	n->outlet->name_count--;
	free(n);
}

static void outlet_name_found(void *ctx, int err, const struct addr *addr,
			      unsigned int count)
{
	struct outlet_name *n = ctx;
	struct outlet_packet *p;

	n->lookup = NULL;
	if (err == 0 && count > 0)
		n->addr = addr[0];
	while ((p = outlet_queue_take_named(&n->outlet->queue, n->name))) {
		struct addr to = n->addr;

		to.port = p->to.addr.port;
		if (to.family != AF_UNSPEC) /* else lost, as UDP may be */
			(void)outlet_direct_write(n->outlet, &to, p->data,
						  p->len);
		free(p);
	}
}

static struct outlet_name *outlet_name_find(struct outlet_direct *o,
					    const char *name)
{
	struct list *at;

	list_each (at, &o->names) {
		struct outlet_name *n =
			container_of(at, struct outlet_name, node);

		if (!strcmp(n->name, name))
			return n;
	}
	return NULL;
}

static int outlet_name_new(struct outlet_direct *o, const char *name,
			   struct outlet_name **ret)
{
	struct outlet_name *n;
	int rc;

	if (o->name_count >= OUTLET_NAMES)
		outlet_name_free(
			container_of(o->names.next, struct outlet_name, node));
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->outlet = o;
	list_add_tail(&o->names, &n->node);
	o->name_count++;
	(void)text_copy(n->name, sizeof(n->name), name); /* same size */
	rc = resolve_start(o->base.way->resolver, name, outlet_name_found, n,
			   &n->lookup);
	if (rc < 0) {
		outlet_name_free(n);
		return rc;
	}
	*ret = n;
	return 0;
}

static int outlet_direct_send_name(struct outlet_direct *o,
				   const struct dest *to, const void *data,
				   size_t len)
{
	struct outlet_name *n = outlet_name_find(o, to->name);
	struct addr addr;
	int rc = 0;

	if (!o->base.way->resolver)
		return -EOPNOTSUPP;
	if (!n)
		rc = outlet_name_new(o, to->name, &n);
	if (rc < 0)
		return rc;
	if (n->lookup)
		return outlet_queue_put(&o->queue, to, data, len);
	addr = n->addr;
	addr.port = to->addr.port;
	if (addr.family == AF_UNSPEC)
		return -EHOSTUNREACH;
	return outlet_direct_write(o, &addr, data, len);
}

static int outlet_direct_send(struct outlet *base, const struct dest *to,
			      const void *data, size_t len)
{
	struct outlet_direct *o = outlet_direct_of(base);

	if (to->addr.family == AF_UNSPEC && to->name[0] != '\0')
		return outlet_direct_send_name(o, to, data, len);
	return outlet_direct_write(o, &to->addr, data, len);
}

static void outlet_direct_free(struct outlet *base)
{
	struct outlet_direct *o = outlet_direct_of(base);

	while (!list_empty(&o->names))
		outlet_name_free(
			container_of(o->names.next, struct outlet_name, node));
	while (!list_empty(&o->doors)) {
		struct outlet_door *door =
			container_of(o->doors.next, struct outlet_door, node);

		outlet_door_shut(door);
		list_del(&door->node);
		free(door);
	}
	free(o);
}

static const struct outlet_kind outlet_direct_kind = {
	.send = outlet_direct_send,
	.free = outlet_direct_free,
};

struct outlet *outlet_direct_new(struct way *w, struct outlet_user *u,
				 int *ret_err)
{
	struct outlet_direct *o = calloc(1, sizeof(*o));

	if (!o) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	o->base = (struct outlet){
		.kind = &outlet_direct_kind,
		.way = w,
		.user = u,
	};
	list_init(&o->doors);
	list_init(&o->names);
	outlet_queue_init(&o->queue);
	return &o->base;
}
