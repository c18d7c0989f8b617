// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * doors.c - sockets born in the sandbox: gate, name server, exposed doors
 *
 * A socket stays in the namespace where it was born; these are handed to the
 * worker, which lives outside.
 */
#include "box/doors.h"

#include "base/fd.h"
#include "box/setup.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define DOORS_BACKLOG 4096
#define DOORS_DNS     53
/* The IPv4 port may be taken for IPv6 only by chance of this sandbox's own. */
#define DOORS_TRIES   16

/** struct door - options of a socket, beside its address */
struct door {
	int type;
	bool is_transparent;
	bool want_pktinfo;
};

/** door_set() - Switch on one option; 0 or -errno */
static int door_set(int fd, int level, int option)
{
	const int one = 1;

	if (setsockopt(fd, level, option, &one, sizeof(one)) < 0)
		return -errno;
	return 0;
}

static int door_options(int fd, const struct door *d, int family)
{
	const bool is_ip6 = family == AF_INET6;
	int rc = 0;

	if (is_ip6)
		rc = door_set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (rc == 0 && d->is_transparent)
		rc = is_ip6 ? door_set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT)
			    : door_set(fd, IPPROTO_IP, IP_TRANSPARENT);
	if (rc == 0 && d->want_pktinfo)
		rc = is_ip6 ? door_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
			    : door_set(fd, IPPROTO_IP, IP_PKTINFO);
	/* Accepted sockets inherit these: the relay has no use for delay. The
	 * program's own sockets have what they have on the host: some, as bbr,
	 * gather small writes. */
	if (rc == 0 && d->type == SOCK_STREAM) {
		rc = door_set(fd, IPPROTO_TCP, TCP_NODELAY);
		fd_be_near(fd);
	}
	return rc;
}

/** door_open() - Return: 0 or -errno */
static int door_open(const struct door *d, const struct addr *a, int *ret_fd)
{
	const int type = d->type | SOCK_NONBLOCK | SOCK_CLOEXEC;
	auto_fd fd = socket(a->family, type, 0);
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sock(a, &ss);
	int rc;

	if (fd < 0)
		return -errno;
	rc = door_options(fd, d, a->family);
	if (rc < 0)
		return rc;
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0)
		return -errno;
	if (d->type == SOCK_STREAM && listen(fd, DOORS_BACKLOG) < 0)
		return -errno;
	*ret_fd = fd_take(&fd);
	return 0;
}

static void doors_add(struct setup *s, enum plan_fd_kind kind,
		      unsigned int index, int fd)
{
	assert(s->fd_count < PLAN_FDS);
	s->fds[s->fd_count++] = (struct plan_fd){
		.kind = kind,
		.index = index,
		.fd = fd,
	};
}

static struct addr doors_any(int family, uint16_t port)
{
	return (struct addr){ .family = (uint16_t)family, .port = port };
}

static uint16_t doors_port_of(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct addr a;

	/* Cannot fail for a bound socket of ours. */
	(void)getsockname(fd, (struct sockaddr *)&ss, &len);
	addr_from_sock(&a, &ss);
	return a.port;
}

/** doors_try_gate() - Both listeners, on a port that the kernel picks */
static int doors_try_gate(struct setup *s)
{
	const struct door gate = {
		.type = SOCK_STREAM,
		.is_transparent = true,
	};
	struct addr a = doors_any(AF_INET, 0);
	auto_fd fd4 = -1;
	auto_fd fd6 = -1;
	int rc = door_open(&gate, &a, &fd4);

	if (rc < 0)
		return rc;
	a = doors_any(AF_INET6, doors_port_of(fd4));
	if (s->has_ip6)
		rc = door_open(&gate, &a, &fd6);
	if (rc < 0)
		return rc;
	s->gate_port = a.port;
	doors_add(s, PLAN_FD_GATE, 0, fd_take(&fd4));
	if (fd6 >= 0)
		doors_add(s, PLAN_FD_GATE, 1, fd_take(&fd6));
	return 0;
}

static int doors_open_gate(struct setup *s, struct fault *f)
{
	int rc = -EADDRINUSE;

	for (int i = 0; rc == -EADDRINUSE && i < DOORS_TRIES; i++)
		rc = doors_try_gate(s);
	return rc < 0 ? fault(f, rc, "open the gate's listeners") : 0;
}

static int doors_open_names(struct setup *s, int family, struct fault *f)
{
	const struct door udp = { .type = SOCK_DGRAM, .want_pktinfo = true };
	const struct door tcp = { .type = SOCK_STREAM };
	const struct addr a = doors_any(family, DOORS_DNS);
	int fd;
	int rc = door_open(&udp, &a, &fd);

	if (rc == 0) {
		doors_add(s, PLAN_FD_NAMES_UDP, 0, fd);
		rc = door_open(&tcp, &a, &fd);
	}
	if (rc == 0)
		doors_add(s, PLAN_FD_NAMES_TCP, 0, fd);
	return rc < 0 ? fault(f, rc, "listen on port 53 inside") : 0;
}

/** doors_open_program() - A socket that leads to who answers DNS inside */
static int doors_open_program(struct setup *s, struct fault *f)
{
	const uint8_t ip[4] = { 127, 0, 0, 1 };
	const struct addr to = addr_from_ip4(ip, DNSPROXY_PORT);
	auto_fd fd =
		socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sock(&to, &ss);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&ss, len) < 0)
		return fault(f, -errno, "make a socket to port %d inside",
			     DNSPROXY_PORT);
	doors_add(s, PLAN_FD_PROGRAM, 0, fd_take(&fd));
	return 0;
}

/**
 * doors_open_exposed() - Sockets for each exposed IPv6 loopback address
 *
 * The kernel lets no packet to ::1 pass through a device, so that, unlike
 * 127.0.0.1, it cannot be led through the gate. Where an engine has the device
 * there is no gate for 127.0.0.1 either.
 */
static int doors_open_exposed(struct setup *s, struct fault *f)
{
	const struct door tcp = { .type = SOCK_STREAM };
	const struct door udp = { .type = SOCK_DGRAM };

	for (unsigned int i = 0; i < s->plan->expose_count; i++) {
		const struct addr *a = &s->plan->expose[i].addr;
		char text[ADDR_TEXT];
		int fd;
		int rc;

		if (!addr_is_loopback(a) ||
		    (a->family == AF_INET6 && !s->has_ip6) ||
		    (a->family == AF_INET && s->plan->engine == ENGINE_NONE))
			continue;
		rc = door_open(&tcp, a, &fd);
		if (rc == 0) {
			doors_add(s, PLAN_FD_EXPOSE, i, fd);
			rc = door_open(&udp, a, &fd);
		}
		if (rc < 0)
			return fault(f, rc, "listen on %s inside",
				     addr_text(a, text));
		doors_add(s, PLAN_FD_EXPOSE_UDP, i, fd);
	}
	return 0;
}

int doors_open(struct setup *s, struct fault *f)
{
	int rc = s->plan->engine == ENGINE_NONE ? doors_open_gate(s, f) : 0;

	if (rc == 0 && s->plan->names != NAMES_OFF) {
		rc = doors_open_names(s, AF_INET, f);
		if (rc == 0 && s->has_ip6)
			rc = doors_open_names(s, AF_INET6, f);
	}
	if (rc == 0 && s->plan->names == NAMES_PROGRAM)
		rc = doors_open_program(s, f);
	if (rc == 0)
		rc = doors_open_exposed(s, f);
	return rc;
}
