// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load.c - the two ends of a measurement
 *
 *   load server HOST PORT
 *   load MODE SECONDS STREAMS HOST PORT [PROXY-PORT]
 *
 * MODE is up, down (Gbit/s), conn (connections a second, each with one octet
 * there and back), ping (round trips a second of one octet) or idle (STREAMS
 * connections are opened and held until standard input ends). With a
 * PROXY-PORT the client speaks SOCKS5 itself to 127.0.0.1 there: that is the
 * native client which others are compared with.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static struct sockaddr_in far_end;
static int proxy_port;
static char mode;
static atomic_bool is_over;
static atomic_long total;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int tcp_socket(void)
{
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static bool read_full(int fd, void *to, size_t len)
{
	return recv(fd, to, len, MSG_WAITALL) == (ssize_t)len;
}

/* --- the server */

static void serve_stream(int fd, char *buf, bool is_source)
{
	ssize_t n;

	do {
		n = is_source ? send(fd, buf, CHUNK, MSG_NOSIGNAL)
			      : recv(fd, buf, CHUNK, 0);
	} while (n > 0);
}

static void serve_echo(int fd)
{
	char octet;

	while (recv(fd, &octet, 1, 0) == 1)
		if (send(fd, &octet, 1, MSG_NOSIGNAL) != 1)
			break;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char wish = 0;

	if (recv(fd, &wish, 1, 0) == 1 && wish == 'i')
		return NULL; /* held open until the process ends */
	if (wish == 'e' || wish == 'c') {
		serve_echo(fd);
	} else if (wish) {
		char *buf = calloc(1, CHUNK);

		if (buf)
			serve_stream(fd, buf, wish == 'd');
		free(buf);
	}
	close(fd);
	return NULL;
}

static _Noreturn void server(void)
{
	const int one = 1;
	int listener = tcp_socket();
	pthread_attr_t attr;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&far_end, sizeof(far_end)) ||
	    listen(listener, 4096))
		die("listen");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		pthread_t thread;
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, &attr, serve, (void *)(intptr_t)fd))
			close(fd);
	}
}

/* --- the client */

static bool socks_connect(int fd)
{
	struct sockaddr_in proxy = { .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)proxy_port),
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
	uint8_t wish[10] = { 5, 1, 0, 1 };
	uint8_t answer[10];

	memcpy(wish + 4, &far_end.sin_addr, 4);
	memcpy(wish + 8, &far_end.sin_port, 2);
	return !connect(fd, (struct sockaddr *)&proxy, sizeof(proxy)) &&
	       send(fd, "\5\1\0", 3, 0) == 3 && read_full(fd, answer, 2) &&
	       send(fd, wish, sizeof(wish), 0) == sizeof(wish) &&
	       read_full(fd, answer, sizeof(answer)) && answer[1] == 0;
}

static int reach(void)
{
	int fd = tcp_socket();
	bool is_there;

	if (proxy_port)
		is_there = socks_connect(fd);
	else
		is_there = !connect(fd, (struct sockaddr *)&far_end,
				    sizeof(far_end));
	if (!is_there)
		die("connect");
	if (send(fd, &mode, 1, 0) != 1)
		die("send");
	return fd;
}

static void stream(void)
{
	char *buf = calloc(1, CHUNK);
	int fd = reach();

	while (buf && !is_over) {
		ssize_t n = mode == 'u' ? send(fd, buf, CHUNK, MSG_NOSIGNAL)
					: recv(fd, buf, CHUNK, 0);
		if (n <= 0)
			die("transfer");
		total += n;
	}
	free(buf);
	close(fd);
}

static bool ping(int fd)
{
	char octet = 'x';

	return send(fd, &octet, 1, MSG_NOSIGNAL) == 1 &&
	       recv(fd, &octet, 1, 0) == 1;
}

static void *client(void *unused)
{
	int fd;

	(void)unused;
	if (mode == 'u' || mode == 'd') {
		stream();
	} else if (mode == 'e') {
		for (fd = reach(); !is_over && ping(fd);)
			total++;
	} else {
		while (!is_over) {
			const struct linger reset = { 1, 0 };

			fd = reach();
			if (!ping(fd))
				die("ping");
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				   sizeof(reset));
			close(fd);
			total++;
		}
	}
	return NULL;
}

static void idle(int count)
{
	char octet;

	while (count--)
		reach();
	puts("held");
	fflush(stdout);
	while (read(0, &octet, 1) > 0)
		continue;
}

static void measure(double secs, int streams)
{
	double began, passed;
	long at_start;

	for (int i = 0; i < streams; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, client, NULL))
			die("thread");
	}
	usleep(300000); /* let windows open */
	began = now();
	at_start = total;
	usleep((useconds_t)(secs * 1e6));
	passed = now() - began;
	if (mode == 'u' || mode == 'd')
		printf("%.3f\n", (double)(total - at_start) * 8 / passed / 1e9);
	else
		printf("%.0f\n", (double)(total - at_start) / passed);
	is_over = true;
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	bool is_server = argc == 4 && !strcmp(argv[1], "server");
	const int at = is_server ? 2 : 4;

	if (!is_server && argc != 6 && argc != 7) {
		fprintf(stderr, "usage: see the head of load.c\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	far_end.sin_family = AF_INET;
	far_end.sin_port = htons((uint16_t)atoi(argv[at + 1]));
	if (inet_pton(AF_INET, argv[at], &far_end.sin_addr) != 1)
		return 2;
	if (is_server)
		server();
	proxy_port = argc == 7 ? atoi(argv[6]) : 0;
	mode = !strcmp(argv[1], "ping") ? 'e' : argv[1][0];
	if (mode == 'i')
		idle(atoi(argv[3]));
	else
		measure(atof(argv[2]), atoi(argv[3]));
	return 0;
}
