// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * way.c - a way out: the chain of hops that traffic leaves by
 *
 * Made once from a plan; dials and outlets borrow it. All outer sockets are
 * born here.
 */
#include "dial/way.h"

#include "net/tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FORWARD_PORT	 80 /* of plain HTTP */

/* Idle connections to a proxy stay known to NATs, and a vanished proxy is
 * noticed after 60 + 5 * 20 s. */
#define OUTER_IDLE_S	 60
#define OUTER_INTERVAL_S 20
#define OUTER_PROBES	 5

static const struct hop way_direct_hop = {
	.kind = HOP_DIRECT,
	.label = "direct",
};

static const struct hop way_here_hop = {
	.kind = HOP_DIRECT,
	.dev = "lo",
	.label = "direct by lo",
};

unsigned int way_first(const struct way *w)
{
	return w->count > 1 && w->hop[0].kind == HOP_DIRECT ? 1 : 0;
}

/* Is this hop one that can stand at this place? */
static bool way_hop_ok(const struct way *w, unsigned int i)
{
	const struct hop *h = &w->hop[i];

	if (w->count == 1 && (h->kind == HOP_DIRECT || h->kind == HOP_BLOCK))
		return true;
	if (i < way_first(w))
		return true;
	if (h->kind == HOP_DIRECT || h->kind == HOP_BLOCK)
		return false;
	if (i > way_first(w))
		return h->host[0] != '\0' && h->port != 0;
	return h->path[0] != '\0' || h->addr_count > 0;
}

static int way_read_anchors(struct way *w)
{
	bool need_tls = false;
	bool need_anchors = false;

	for (unsigned int i = 0; i < w->count; i++) {
		if (w->hop[i].kind != HOP_HTTPS)
			continue;
		need_tls = true;
		need_anchors |= !w->hop[i].insecure;
	}
	if (!need_tls)
		return 0;
	return tls_context_new(need_anchors, &w->tls);
}

int way_init(struct way *w, struct loop *loop, const struct plan *p)
{
	*w = (struct way){
		.loop = loop,
		.hop = p->hop,
		.count = p->hop_count,
		.dial_max = WAY_DIALS,
	};
	if (w->count == 0 || w->count > PLAN_HOPS)
		return -EINVAL;
	for (unsigned int i = 0; i < w->count; i++)
		if (!way_hop_ok(w, i))
			return -EINVAL;
	return way_read_anchors(w);
}

static void way_init_one(struct way *w, struct loop *loop, const struct hop *h)
{
	*w = (struct way){
		.loop = loop,
		.hop = h,
		.count = 1,
		.dial_max = WAY_DIALS,
	};
}

void way_init_direct(struct way *w, struct loop *loop)
{
	way_init_one(w, loop, &way_direct_hop);
}

void way_init_here(struct way *w, struct loop *loop)
{
	way_init_one(w, loop, &way_here_hop);
}

void way_fini(struct way *w)
{
	tls_context_free(w->tls);
	*w = (struct way){ 0 };
}

bool way_forwards(const struct way *w, const struct dest *to)
{
	return w->hop[w->count - 1].forward && to->name[0] != '\0' &&
	       to->addr.port == FORWARD_PORT;
}

bool way_has_udp(const struct way *w)
{
	const struct hop *h = &w->hop[way_first(w)];

	if (w->count != way_first(w) + 1)
		return false;
	return (h->kind == HOP_SOCKS5 && !h->no_udp) || h->kind == HOP_DIRECT;
}

static int outer_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int outer_prepare(const struct way *w, int fd, int family, int type)
{
	const char *dev = w->hop[0].dev;

	if (family == AF_UNIX)
		return 0;
	/* Not having it would be a leak past the device: never ignored. */
	if (w->hop[0].kind == HOP_DIRECT && dev[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev,
		       (socklen_t)strlen(dev) + 1) < 0)
		return -errno;
	if (type != SOCK_STREAM)
		return 0;
	/* Comfort only: a socket without them carries bytes as well. */
	(void)outer_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	(void)outer_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	(void)outer_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, OUTER_IDLE_S);
	(void)outer_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, OUTER_INTERVAL_S);
	(void)outer_set(fd, IPPROTO_TCP, TCP_KEEPCNT, OUTER_PROBES);
	return 0;
}

int outer_socket(const struct way *w, int family, int type)
{
	const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = outer_prepare(w, fd, family, type);
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	return fd;
}

int outer_ping_socket(const struct way *w, int family)
{
	const int proto = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			      proto);
	int rc;

	if (fd < 0)
		return -errno;
	rc = outer_prepare(w, fd, family, SOCK_DGRAM);
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	return fd;
}
