// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks5_fuzz.c - any octets as any message of SOCKS5 and SOCKS4
 *
 * A prefix must give -EAGAIN or what the whole gives, and what has been read
 * must survive being written and read again.
 */
#include "block.h"

#include "base/bytes.h"
#include "wire/socks4.h"
#include "wire/socks5.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** struct message - everything a message can hold; zeroed before each read */
struct message {
	uint8_t octet;
	struct dest dest;
	struct addr addr;
	char user[256];
	char pass[256];
};

static int get_hello(struct rd *r, struct message *m)
{
	return socks5_hello_get(r, &m->octet);
}

static int get_choice(struct rd *r, struct message *m)
{
	return socks5_choice_get(r, &m->octet);
}

static int get_login(struct rd *r, struct message *m)
{
	return socks5_login_get(r, m->user, m->pass);
}

static int get_verdict(struct rd *r, struct message *m)
{
	return socks5_verdict_get(r, &m->octet);
}

static int get_request(struct rd *r, struct message *m)
{
	return socks5_request_get(r, &m->octet, &m->dest);
}

static int get_reply(struct rd *r, struct message *m)
{
	return socks5_reply_get(r, &m->octet, &m->addr);
}

static int get_found(struct rd *r, struct message *m)
{
	return socks5_found_get(r, &m->octet, &m->dest);
}

static int get_dest(struct rd *r, struct message *m)
{
	return socks5_dest_get(r, &m->dest);
}

static int get_udp(struct rd *r, struct message *m)
{
	return socks5_udp_get(r, &m->dest);
}

static int get_reply4(struct rd *r, struct message *m)
{
	return socks4_reply_get(r, &m->octet);
}

typedef int get_fn(struct rd *r, struct message *m);

/** read_from() - Decode a copy of exactly @len octets */
static int read_from(get_fn *get, const uint8_t *data, size_t len,
		     struct message *m, size_t *taken)
{
	uint8_t *block = block_of(data, len);
	struct rd r;
	int err;

	r = rd_of(block, len);
	memset(m, 0, sizeof(*m));
	err = get(&r, m);
	*taken = len - rd_left(&r);
	assert(!r.ran_out && (err == 0) == (*taken > 0));
	free(block);
	return err;
}

static void expect_same_by_parts(get_fn *get, const uint8_t *data, size_t len,
				 size_t cut)
{
	struct message whole;
	struct message part;
	size_t whole_taken;
	size_t part_taken;
	const int err = read_from(get, data, len, &whole, &whole_taken);
	const int early = read_from(get, data, cut, &part, &part_taken);

	if (early == -EAGAIN)
		return;
	assert(early == err && part_taken == whole_taken);
	assert(!memcmp(&part, &whole, sizeof(part)));
}

/** expect_stable() - A destination that was read can be said again */
static void expect_stable(const uint8_t *data, size_t len)
{
	uint8_t buf[SOCKS5_REPLY_MAX];
	struct wr w = wr_of(buf, sizeof(buf));
	struct message first;
	struct message again;
	size_t taken;

	if (read_from(get_dest, data, len, &first, &taken) != 0)
		return;
	assert(socks5_dest_put(&w, &first.dest));
	assert(!read_from(get_dest, buf, wr_used(&w), &again, &taken));
	assert(!memcmp(&first, &again, sizeof(first)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static get_fn *const gets[] = {
		get_hello, get_choice, get_login,  get_verdict, get_request,
		get_reply, get_dest,   get_reply4, get_found,
	};
	struct message reply;
	struct message m;
	size_t taken;

	if (len < 1)
		return 0;
	for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++)
		expect_same_by_parts(gets[i], data + 1, len - 1, data[0] % len);
	/* Both readers of a reply take the same ones. */
	assert(read_from(get_found, data + 1, len - 1, &m, &taken) ==
	       read_from(get_reply, data + 1, len - 1, &reply, &taken));
	(void)read_from(get_udp, data + 1, len - 1, &m, &taken);
	expect_stable(data + 1, len - 1);
	return 0;
}
