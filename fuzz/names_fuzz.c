// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * names_fuzz.c - any octets on a TCP connection of DNS
 *
 * From a client, cut anywhere: what is asked is what stands between the
 * lengths. From an upstream: whatever it says, the question has one end at
 * most, and an answer is one to it. The first octet says which, and its second
 * bit whether the answer has the id that was asked with.
 */
#include "base/bytes.h"
#include "base/fd.h"
#include "base/loop.h"
#include "names/tcp_ask.h"
#include "names/tcp_front.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FROM_UPSTREAM 1
#define WITH_ID	      2

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct loop loop;
static struct way way;
static uint64_t now_ms;
static int listener;
static struct addr listener_at;

static uint64_t clock_by_hand(void)
{
	return now_ms;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);

	(void)argc, (void)argv;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert(loop_init(&loop) == 0);
	loop.clock_ms = clock_by_hand;
	way_init_direct(&way, &loop);
	listener =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert(bind(listener, (struct sockaddr *)&at, size) == 0 &&
	       listen(listener, 16) == 0 &&
	       getsockname(listener, (struct sockaddr *)&at, &size) == 0);
	listener_at = addr_from_ip4(&at.sin_addr, ntohs(at.sin_port));
	return 0;
}

static void turn(int times)
{
	while (times-- > 0)
		loop_turn(&loop, 0);
}

/** struct said - what is yet to be asked of what was sent */
struct said {
	struct rd left;
	unsigned int queries;
};

/** count_queries() - Of octets that are sent: those that are whole, up to one
 * that is too long, after which nothing is asked */
static unsigned int count_queries(const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	unsigned int count = 0;

	for (;;) {
		const size_t size = rd_be16(&r);

		rd_skip(&r, size);
		if (r.ran_out || size > TCP_FRONT_QUERY)
			return count;
		count++;
	}
}

/** heard() - asker_fn: each query is the next one that was sent */
static bool heard(void *ctx, const struct asker *who, const void *msg,
		  size_t len)
{
	struct said *s = ctx;
	const size_t sent = rd_be16(&s->left);

	assert(who->kind == ASKER_STREAM);
	assert(!s->left.ran_out && sent == len && len <= TCP_FRONT_QUERY);
	assert(rd_left(&s->left) >= len && !memcmp(s->left.at, msg, len));
	rd_skip(&s->left, len);
	s->queries++;
	return false;
}

static void try_client(const uint8_t *data, size_t len, size_t piece)
{
	const unsigned int queries = count_queries(data, len);
	struct said said = { .left = rd_of(data, len) };
	struct tcp_front f;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair) < 0)
		return;
	memset(&f, 0, sizeof(f));
	tcp_front_init(&f, &loop, heard, &said);
	tcp_front_accept(&f, pair[0]);
	while (len > 0) {
		const ssize_t n = send(pair[1], data, len < piece ? len : piece,
				       MSG_NOSIGNAL | MSG_DONTWAIT);

		turn(1);
		if (n <= 0)
			break;
		data += n;
		len -= (size_t)n;
	}
	turn(2);
	assert(said.queries == queries);
	tcp_front_fini(&f);
	fd_close(&pair[1]);
}

/** struct end - how the question ended */
struct end {
	struct ask ask;
	unsigned int times;
};

static void ended(struct ask *a, int err, const void *msg, size_t len,
		  const struct dns_verdict *v)
{
	struct end *e = container_of(a, struct end, ask);

	e->times++;
	assert(e->times == 1 && err <= 0);
	if (err == 0)
		assert(msg && len >= 12 && v && v->id == a->id && !v->is_cut);
}

/** answer() - Say it to who has asked */
static void answer(int peer, uint8_t how, const uint8_t *data, size_t len,
		   size_t piece)
{
	uint8_t asked[512];
	uint8_t *copy = malloc(len + 1);

	assert(copy);
	memcpy(copy, data, len);
	if (recv(peer, asked, sizeof(asked), MSG_DONTWAIT) >= 4 &&
	    (how & WITH_ID) && len >= 4)
		memcpy(copy + 2, asked + 2, 2);
	for (size_t sent = 0; sent < len; sent += piece) {
		const size_t left = len - sent;

		(void)send(peer, copy + sent, left < piece ? left : piece,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
		turn(1);
	}
	free(copy);
}

static void try_upstream(uint8_t how, const uint8_t *data, size_t len,
			 size_t piece)
{
	struct dns_query q = { .has_question = true, .type = 1, .class = 1 };
	struct end e = { .ask = { .q = &q, .fn = ended } };
	struct tcp_ask t;
	int peer = -1;

	assert(dns_name_of_text("a.example", &q.name));
	memset(&t, 0, sizeof(t));
	tcp_ask_init(&t, &way, &listener_at);
	assert(tcp_ask_start(&t, &e.ask) == 0);
	for (int i = 0; i < 4 && peer < 0; i++) {
		turn(1);
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	turn(2);
	if (peer >= 0) {
		const struct linger hard = { .l_onoff = 1 };

		answer(peer, how, data, len, piece);
		/* No port of the host's stays in use for a minute. */
		(void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard,
				 sizeof(hard));
		fd_close(&peer);
	}
	turn(2);
	if (e.times == 0)
		tcp_ask_forget(&e.ask, false);
	tcp_ask_fini(&t);
	turn(1);
	while ((peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		fd_close(&peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t piece;

	if (len < 3 || len > 16384)
		return 0;
	piece = (size_t)data[1] * 4 + 1;
	if (data[0] & FROM_UPSTREAM)
		try_upstream(data[0], data + 2, len - 2, piece);
	else
		try_client(data + 2, len - 2, piece);
	return 0;
}
