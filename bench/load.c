// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * load.c - the two ends of a measurement
 *
 *   load [-s SECS] [-n STREAMS] [-z SIZE] [-w WINDOW] [-m NAMES]
 *        [-c COUNT] [-x PROXY-HOST:PORT] MODE HOST PORT
 *
 * MODE is one of the table below; "server" is the far end, "idle" holds
 * STREAMS connections. With -x the client speaks SOCKS5 itself: the native
 * client which others are compared with. When it has warmed up it says "go",
 * and after SECS one line of JSON; it stays until standard input ends, so that
 * its CPU time can be read. With -c it does COUNT and no more, without a clock.
 */
#include "load.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_US 300000 /* windows open, routes are cached */

struct load load = {
	.secs = 1, .streams = 1, .size = CHUNK, .window = 1, .names = 1 << 20
};
atomic_bool is_over;
atomic_long total;
atomic_long lost;

static const struct mode {
	const char *name;
	void *(*client)(void *nth);
} modes[] = {
	{ "up", tcp_stream },	{ "down", tcp_stream }, { "conn", tcp_conn },
	{ "ping", tcp_ping },	{ "udp", udp_echo },	{ "dns-udp", dns_udp },
	{ "dns-tcp", dns_tcp },
};

bool is_done(void)
{
	return is_over || (load.count && total >= load.count);
}

void die(const char *what)
{
	perror(what);
	_exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void wait_for_end(void)
{
	char octet;

	fflush(stdout);
	while (read(0, &octet, 1) > 0)
		continue;
	_exit(0);
}

static void begin(const struct mode *mode)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	for (int i = 0; i < load.streams; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &attr, mode->client,
				   (void *)(intptr_t)i))
			die("thread");
	}
}

static void measure(const struct mode *mode)
{
	uint64_t began;
	long at_start, lost_before, counted;
	double passed;

	begin(mode);
	if (load.count) {
		while (!is_done())
			usleep(1000);
		wait_for_end();
	}
	usleep(WARM_UP_US);
	hist_clear();
	puts("go");
	fflush(stdout);
	began = now_ns();
	at_start = total;
	lost_before = lost;
	usleep((useconds_t)(load.secs * 1e6));
	passed = (double)(now_ns() - began) / 1e9;
	counted = total - at_start;
	is_over = true;
	printf("{\"count\": %ld, \"secs\": %.4f, \"rate\": %.1f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f, \"lost\": %ld}\n",
	       counted, passed, (double)counted / passed, hist_us(0.5),
	       hist_us(0.99), lost - lost_before);
	wait_for_end();
}

static bool address(const char *host, const char *port, struct sockaddr_in *ret)
{
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)atoi(port));
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1;
}

static bool option(int letter, char *value)
{
	char *colon;

	switch (letter) {
	case 's':
		return (load.secs = atof(value)) > 0;
	case 'n':
		return (load.streams = atoi(value)) >= 0;
	case 'z':
		return (load.size = atoi(value)) > 0 && load.size <= CHUNK;
	case 'w':
		return (load.window = atoi(value)) > 0;
	case 'c':
		return (load.count = atol(value)) > 0;
	case 'm':
		return (load.names = atoi(value)) > 0;
	case 'x':
		colon = strchr(value, ':');
		if (!colon)
			return false;
		*colon = '\0';
		return address(value, colon + 1, &load.proxy);
	}
	return false;
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int usage(void)
{
	fprintf(stderr, "usage: see the head of load.c\n");
	return 2;
}

int main(int argc, char **argv)
{
	int letter;

	while ((letter = getopt(argc, argv, "s:n:z:w:m:c:x:")) > 0)
		if (!option(letter, optarg))
			return usage();
	if (argc - optind != 3 ||
	    !address(argv[optind + 1], argv[optind + 2], &load.far_end))
		return usage();
	load.mode = argv[optind];
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	if (!strcmp(load.mode, "server"))
		server();
	if (!strcmp(load.mode, "idle")) {
		tcp_idle();
		wait_for_end();
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(load.mode, modes[i].name))
			measure(&modes[i]);
	return usage();
}
