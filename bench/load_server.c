// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load_server.c - the far end: sink, source, echo by TCP and UDP, DNS
 *
 * A connection's first octet says what it wishes: 'u' a sink, 'd' a source,
 * 'e' and 'c' an echo, 'i' nothing at all. On port 53 every name has the
 * address 203.0.113.1, by UDP and by TCP.
 */
#include "load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_attr_t attr;

static void thread_start(void *(*work)(void *), int fd)
{
	pthread_t thread;

	if (pthread_create(&thread, &attr, work, (void *)(intptr_t)fd))
		close(fd);
}

static int listen_at(int type, uint16_t port)
{
	const int one = 1;
	struct sockaddr_in here = load.far_end;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	here.sin_port = htons(port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) ||
	    (type == SOCK_STREAM && listen(fd, 4096)))
		die("listen");
	return fd;
}

/* --- connections */

static void serve_stream(int fd, bool is_source)
{
	char *buf = calloc(1, CHUNK);
	ssize_t n = buf ? 1 : 0;

	while (n > 0)
		n = is_source ? send(fd, buf, CHUNK, MSG_NOSIGNAL)
			      : recv(fd, buf, CHUNK, 0);
	free(buf);
}

static void serve_echo(int fd)
{
	char octet;

	while (recv(fd, &octet, 1, 0) == 1)
		if (send(fd, &octet, 1, MSG_NOSIGNAL) != 1)
			break;
}

/* Connections that do nothing have no thread each. */
static int idle;

static bool serve_idle(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(idle, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* Whoever stays on this side holds the proxy's descriptors, too. */
static void *end_idle(void *arg)
{
	struct epoll_event e;

	(void)arg;
	for (;;)
		if (epoll_wait(idle, &e, 1, -1) == 1)
			close(e.data.fd);
	return NULL;
}

static void *serve(void *arg)
{
	const int one = 1;
	int fd = (int)(intptr_t)arg;
	char wish = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (recv(fd, &wish, 1, 0) == 1 && wish == 'i' && serve_idle(fd))
		return NULL;
	if (wish == 'e' || wish == 'c')
		serve_echo(fd);
	else if (wish)
		serve_stream(fd, wish == 'd');
	close(fd);
	return NULL;
}

static void accept_all(int listener, void *(*work)(void *))
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			thread_start(work, fd);
		else
			usleep(1000); /* no descriptor is left: no spin */
	}
}

static void *accept_streams(void *arg)
{
	accept_all((int)(intptr_t)arg, serve);
	return NULL;
}

/* --- datagrams */

static void *udp_serve(void *arg)
{
	static char buf[65536];
	int fd = (int)(intptr_t)arg;

	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0,
				     (struct sockaddr *)&from, &size);

		if (n >= 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from,
			       size);
	}
	return NULL;
}

/* --- names */

/* Turn a query of @len octets into its answer. Return: the answer's length */
static size_t dns_answer(uint8_t *msg, size_t len)
{
	static const uint8_t record[] = "\xc0\x0c\0\1\0\1\0\0\0\74\0\4"
					"\xcb\0\x71\1";
	size_t end = 12;

	if (len < 17)
		return 0;
	while (end < len && msg[end])
		end += 1 + msg[end];
	end += 5;
	if (end > len)
		return 0;
	msg[2] = 0x81; /* an answer; recursion was desired */
	msg[3] = 0x80;
	memcpy(msg + 4, "\0\1\0\0\0\0\0\0", 8);
	if (msg[end - 3] != 1) /* another type than A: there is none */
		return end;
	msg[7] = 1;
	memcpy(msg + end, record, sizeof(record) - 1);
	return end + sizeof(record) - 1;
}

static void *dns_serve_udp(void *arg)
{
	int fd = (int)(intptr_t)arg;

	for (;;) {
		uint8_t buf[1024];
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf) - 32, 0,
				     (struct sockaddr *)&from, &size);

		if (n > 0 && (n = (ssize_t)dns_answer(buf, (size_t)n)) > 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from,
			       size);
	}
	return NULL;
}

static void *dns_serve_stream(void *arg)
{
	const int one = 1;
	int fd = (int)(intptr_t)arg;
	uint8_t buf[1024];

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (read_full(fd, buf, 2)) {
		size_t len = (size_t)(buf[0] << 8 | buf[1]);

		if (len > sizeof(buf) - 34 || !read_full(fd, buf + 2, len))
			break;
		len = dns_answer(buf + 2, len);
		buf[0] = (uint8_t)(len >> 8);
		buf[1] = (uint8_t)len;
		if (!len ||
		    send(fd, buf, len + 2, MSG_NOSIGNAL) != (ssize_t)len + 2)
			break;
	}
	close(fd);
	return NULL;
}

static void *accept_dns(void *arg)
{
	accept_all((int)(intptr_t)arg, dns_serve_stream);
	return NULL;
}

void server(void)
{
	uint16_t port = ntohs(load.far_end.sin_port);

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	idle = epoll_create1(EPOLL_CLOEXEC);
	thread_start(end_idle, -1);
	for (uint16_t i = 1; i < IDLE_PORTS; i++)
		thread_start(accept_streams,
			     listen_at(SOCK_STREAM, (uint16_t)(port + i)));
	thread_start(udp_serve, listen_at(SOCK_DGRAM, port));
	thread_start(dns_serve_udp, listen_at(SOCK_DGRAM, 53));
	thread_start(accept_dns, listen_at(SOCK_STREAM, 53));
	accept_streams((void *)(intptr_t)listen_at(SOCK_STREAM, port));
	_exit(1);
}
