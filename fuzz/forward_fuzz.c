// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * forward_fuzz.c - any octets as what a program says to be forwarded
 *
 * Whatever comes, and however it is cut: nothing goes out, or what goes out
 * begins with "METHOD http://the-name/", has one Host, one framing and no more
 * octets than its body.
 */
#include "block.h"

#include "base/bytes.h"
#include "wire/head.h"
#include "wire/http_forward.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define NAME "the-name.i2p"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct dest to = { .addr.port = 80, .name = NAME };
static const struct http_forward fwd = { .to = &to };

struct result {
	int err;
	size_t taken;
	struct http_body body;
	uint8_t out[HTTP_FORWARD_ROOM];
	size_t out_len;
};

/** forward() - From a block of exactly @len octets */
static void forward(const uint8_t *data, size_t len, struct result *ret)
{
	uint8_t *block = block_of(data, len);
	struct wr w = wr_of(ret->out, sizeof(ret->out));
	const char *why = NULL;
	struct rd r;

	r = rd_of(block, len);
	ret->err = http_forward_request(&r, &fwd, &w, &ret->body, &why);
	ret->taken = len - rd_left(&r);
	ret->out_len = wr_used(&w);
	assert(ret->err == 0 || (ret->taken == 0 && ret->out_len == 0));
	assert(ret->err >= 0 || ret->err == -EAGAIN || why);
	free(block);
}

/** expect_head() - Read it as a strict and as a lax proxy would */
static void expect_head(const struct result *res)
{
	static const char begin[] = "http://" NAME "/";
	struct rd all = rd_of(res->out, res->out_len);
	unsigned int hosts = 0, framings = 0, closes = 0, lines = 0;
	struct http_request req;
	struct rd method, line, name, value;
	struct rd r = all;

	/* A few lines of ours may be more than we ourselves would read. */
	for (size_t i = 0; i < res->out_len; i++)
		lines += res->out[i] == '\n';
	assert(lines <= HTTP_LINES_MAX + 4);
	if (lines <= HTTP_LINES_MAX)
		assert(head_find(&all, HTTP_FORWARD_ROOM) ==
		       (long)res->out_len);
	assert(head_line(&all, &line, NULL));
	assert(head_until(&line, ' ', &method) && head_is_token(&method));
	assert(!head_is(&method, "CONNECT"));
	assert(rd_left(&line) > strlen(begin) &&
	       !memcmp(line.at, begin, strlen(begin)));
	while (head_line(&all, &line, NULL)) {
		assert(head_field(line, &name, &value));
		hosts += head_is(&name, "Host");
		framings += head_is(&name, "Content-Length") ||
			    head_is(&name, "Transfer-Encoding");
		closes += head_is(&name, "Connection");
		assert(!head_is(&name, "Upgrade"));
		assert(!head_is(&name, "Proxy-Authorization"));
		assert(!head_is(&name, "Host") || head_is(&value, NAME));
	}
	assert(hosts == 1 && closes == 1 && framings <= 1);
	for (size_t i = 0; i < res->out_len; i++)
		assert(res->out[i] != '\n' || res->out[i - 1] == '\r');
	/* Our own proxy server understands the same (within its limits). */
	if (http_request_get(&r, &req) == 0)
		assert(!strcmp(req.to.name, NAME) && req.to.addr.port == 80);
}

/** try_body() - The same end, however it is cut */
static void try_body(struct http_body b, const uint8_t *data, size_t len,
		     size_t cut)
{
	struct http_body two = b;
	const long whole = http_body_take(&b, data, len);
	long part = http_body_take(&two, data, cut);

	if (part >= 0 && (size_t)part == cut) {
		const long rest = http_body_take(&two, data + cut, len - cut);

		part = rest < 0 ? rest : part + rest;
	}
	assert(part == whole);
	assert(whole <= (long)len);
	if (whole >= 0)
		assert(b.state == two.state && b.left == two.left);
}

static void try_answer(const uint8_t *data, size_t len)
{
	static uint8_t room[HTTP_FORWARD_ROOM];
	struct wr w = wr_of(room, sizeof(room));
	struct rd r = rd_of(data, len);
	bool is_final = false;
	const int err = http_forward_answer(&r, &w, &is_final);

	assert(err == 0 || err == -EAGAIN || err == -EPROTO);
	assert(err == 0 || (wr_used(&w) == 0 && rd_left(&r) == len));
	if (len >= HTTP_HEAD_MAX)
		assert(err != -EAGAIN);
	if (err == 0)
		assert(wr_used(&w) >= 13 && !memcmp(room, "HTTP/1.", 7));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct result whole, part;
	size_t cut;

	if (len < 2)
		return 0;
	cut = ((size_t)data[0] << 8 | data[1]) % (len - 1);
	data += 2;
	len -= 2;
	forward(data, len, &whole);
	forward(data, cut, &part);
	if (part.err != -EAGAIN && part.err != -EBADMSG &&
	    whole.err != -EBADMSG)
		assert(part.err == whole.err);
	if (len >= HTTP_HEAD_MAX)
		assert(whole.err != -EAGAIN);
	if (whole.err == 0) {
		expect_head(&whole);
		try_body(whole.body, data + whole.taken, len - whole.taken,
			 cut < whole.taken ? 0 : cut - whole.taken);
	}
	try_body(http_body_chunked(), data, len, cut);
	try_answer(data, len);
	return 0;
}
