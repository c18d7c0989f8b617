// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * stall.c - the place of a sandbox's engine, and the worker's front there
 *
 * An engine is a program of others that turns packets into connections. All it
 * can reach is the worker's front: its network has no device but lo, and no
 * name by which anybody could enter it.
 */
#include "box/stall.h"

#include "base/fd.h"
#include "box/setup.h"
#include "kern/links.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define STALL_BACKLOG 4096
#define STALL_NET     "/proc/self/ns/net"

static void stall_add(struct setup *s, enum plan_fd_kind kind, int fd)
{
	assert(s->fd_count < PLAN_FDS);
	s->fds[s->fd_count++] = (struct plan_fd){ .kind = kind, .fd = fd };
}

/** stall_socket() - Return: 0 or -errno */
static int stall_socket(int type, const char *ip, uint16_t port, int *ret)
{
	auto_fd fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	const int on = 1;
	struct addr a;
	socklen_t len;

	if (fd < 0)
		return -errno;
	if (!addr_parse_ip(ip, &a))
		return -EINVAL;
	a.port = port;
	len = addr_to_sock(&a, &ss);
	if (type == SOCK_DGRAM &&
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
		return -errno;
	if (type == SOCK_STREAM)
		fd_be_near(fd);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, STALL_BACKLOG) < 0))
		return -errno;
	*ret = fd_take(&fd);
	return 0;
}

/** stall_front() - The worker's doors for the engine, in this namespace */
static int stall_front(struct setup *s, struct fault *f)
{
	const bool by_name = s->plan->engine == ENGINE_NAME;
	const uint16_t port = by_name ? ENGINE_PORT_NAME : ENGINE_FRONT_PORT;
	int fd = -1;
	int rc = stall_socket(SOCK_STREAM,
			      by_name ? ENGINE_FRONT_NAME : ENGINE_FRONT, port,
			      &fd);

	if (rc == 0) {
		stall_add(s, PLAN_FD_FRONT, fd);
		rc = stall_socket(SOCK_DGRAM, "0.0.0.0", port, &fd);
	}
	if (rc < 0)
		return fault(f, rc, "listen for the engine");
	stall_add(s, PLAN_FD_FRONT_UDP, fd);
	return 0;
}

/** stall_inside() - In a new network namespace; Return: 0 or -errno */
static int stall_inside(struct setup *s, struct fault *f)
{
	auto_fd net = open(STALL_NET, O_RDONLY | O_CLOEXEC);
	int rc;

	if (net < 0)
		return fault(f, -errno, "open %s", STALL_NET);
	rc = links_raise_lo(f);
	if (rc == 0)
		rc = stall_front(s, f);
	if (rc == 0)
		stall_add(s, PLAN_FD_ENGINE_NET, fd_take(&net));
	return rc;
}

/** stall_apart() - There and back */
static int stall_apart(struct setup *s, struct fault *f)
{
	auto_fd home = open(STALL_NET, O_RDONLY | O_CLOEXEC);
	int rc;

	if (home < 0)
		return fault(f, -errno, "open %s", STALL_NET);
	if (unshare(CLONE_NEWNET) < 0)
		return fault(f, -errno, "make the engine's network namespace");
	rc = stall_inside(s, f);
	if (setns(home, CLONE_NEWNET) < 0 && rc == 0)
		rc = fault(f, -errno, "leave the engine's network namespace");
	return rc;
}

/** stall_lend() - Nobody has the TUN but who opens it by name */
static int stall_lend(struct setup *s, struct fault *f)
{
	for (unsigned int i = 0; i < s->fd_count; i++) {
		int fd = s->fds[i].fd;

		if (s->fds[i].kind != PLAN_FD_ENGINE_TUN)
			continue;
		s->fds[i] = s->fds[--s->fd_count];
		return links_lend_tun(fd, s->plan->engine_uid, f);
	}
	return fault_plain(f, -EPROTO, "there is no TUN to lend");
}

int stall_open(struct setup *s, struct fault *f)
{
	int rc;

	if (s->plan->engine == ENGINE_FD)
		return stall_apart(s, f);
	rc = stall_front(s, f);
	return rc < 0 ? rc : stall_lend(s, f);
}
