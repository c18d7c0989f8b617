// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * greet_fuzz.c - any octets as what a hop of the chain answers
 *
 * The first octet chooses the protocol and how far the talk has come. What is
 * surely the answer's never reaches beyond it: behind it are the far end's
 * own octets.
 */
#include "block.h"

#include "base/bytes.h"
#include "dial/greet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct {
	enum hop_kind kind;
	enum greet_step step;
} talks[] = {
	{ HOP_SOCKS5, GREET_HELLO },   { HOP_SOCKS5, GREET_LOGIN },
	{ HOP_SOCKS5, GREET_REQUEST }, { HOP_SOCKS4A, GREET_REQUEST },
	{ HOP_HTTP, GREET_REQUEST },   { HOP_HTTPS, GREET_REQUEST },
};

/** hear() - Understand a copy of exactly @len octets */
static int hear(const struct hop *h, enum greet_step step, const uint8_t *data,
		size_t len, size_t *taken)
{
	struct greet_answer a = { 0 };
	uint8_t *block = block_of(data, len);
	struct rd r;
	int err;

	r = rd_of(block, len);
	err = greet_get(h, step, &r, &a);
	*taken = len - rd_left(&r);
	assert(err == 0 || err == -EAGAIN || err == -EPROTO);
	assert(err != -EAGAIN || *taken == 0);
	if (err == 0 && a.err != 0)
		assert(a.err < 0 && a.phrase);
	free(block);
	return err;
}

/** hear_by_parts() - As a connection does that cannot look ahead */
static void hear_by_parts(const struct hop *h, enum greet_step step,
			  const uint8_t *data, size_t len)
{
	size_t whole_taken;
	size_t taken = 0;
	size_t have = 0;
	const int whole = hear(h, step, data, len, &whole_taken);
	int err = -EAGAIN;

	while (err == -EAGAIN) {
		const size_t more = greet_certain(h, step, data, have);

		if (more == 0 || more > len - have)
			return;
		have += more;
		assert(whole != 0 || have <= whole_taken);
		err = hear(h, step, data, have, &taken);
	}
	assert(err == whole && taken == whole_taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hop h = { .has_auth = true, .user = "ann", .pass = "secret" };
	const size_t count = sizeof(talks) / sizeof(talks[0]);

	if (len < 1 || len > GREET_HEAR_MAX)
		return 0;
	h.kind = talks[data[0] % count].kind;
	h.has_auth = data[0] & 0x80;
	hear_by_parts(&h, talks[data[0] % count].step, data + 1, len - 1);
	return 0;
}
