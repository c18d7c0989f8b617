// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * server_fuzz.c - any octets as what a client says to our proxy server
 *
 * SOCKS5 and HTTP, with and without a password, a piece at a time, by real
 * sockets and the real loop. The way out is "block": whatever a client says,
 * it gets an answer or its end, and no connection is made for it.
 */
#include "base/fd.h"
#include "base/loop.h"
#include "flow/client.h"
#include "flow/server.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WITH_AUTH 1
#define NO_SOCKS  2
#define NO_HTTP	  4

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct loop loop;
static struct plan plan = { .hop_count = 1, .hop[0].kind = HOP_BLOCK };
static struct way way;
static struct relay_pool *pool;
static struct plan_serve serve;
static struct server *server;
static uint64_t now_ms;
static unsigned int asked;

static uint64_t clock_by_hand(void)
{
	return now_ms;
}

/** refuse() - Each wish comes by here, and is told no */
static int refuse(void *ctx, struct dest *d, struct server_lead *lead)
{
	(void)ctx, (void)lead;
	assert(memchr(d->name, '\0', sizeof(d->name)));
	asked++;
	return -EHOSTUNREACH;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	assert(loop_init(&loop) == 0);
	loop.clock_ms = clock_by_hand;
	way_init(&way, &loop, &plan);
	pool = relay_pool_new(&loop);
	server = server_new(&loop, &way, pool, &serve, 16, refuse, NULL);
	assert(pool && server);
	(void)strcpy(serve.user, "ann");
	(void)strcpy(serve.pass, "secret");
	return 0;
}

/** drain() - Throw away what it said; false: it has hung up */
static bool drain(int fd)
{
	char buf[4096];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0);
	return n < 0 && errno == EAGAIN;
}

static void turn(int times)
{
	while (times-- > 0)
		loop_turn(&loop, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool is_open = true;
	size_t piece;
	int pair[2];

	if (len < 3 || len > 16384 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair) < 0)
		return 0;
	asked = 0;
	serve.has_auth = data[0] & WITH_AUTH;
	serve.socks = !(data[0] & NO_SOCKS);
	serve.http = !(data[0] & NO_HTTP) || !serve.socks;
	piece = (size_t)data[1] + 1;
	server_accept(server, pair[0]);
	for (size_t sent = 2; sent < len && is_open;) {
		const size_t left = len - sent;
		const size_t want = left < piece ? left : piece;
		const ssize_t n = send(pair[1], data + sent, want,
				       MSG_NOSIGNAL | MSG_DONTWAIT);

		turn(2);
		is_open = n > 0 && drain(pair[1]);
		sent += n > 0 ? (size_t)n : 0;
	}
	if (serve.has_auth && asked > 0)
		assert(memmem(data, len, "secret", 6) ||
		       memmem(data, len, "YW5uOnNlY3JldA==", 16));
	assert(asked <= 1);
	/* Whatever it still waits for ends by its own deadline. */
	(void)shutdown(pair[1], SHUT_WR);
	turn(2);
	now_ms += SERVER_HELLO_MS + 1000;
	turn(3);
	assert(!drain(pair[1]));
	fd_close(&pair[1]);
	turn(1);
	return 0;
}
