// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_fuzz.c - any octets as an answer, a request, or base64
 *
 * A prefix must give -EAGAIN or what the whole gives; a request that was read
 * can be passed on, clean of what must not go further.
 */
#include "block.h"

#include "base/bytes.h"
#include "base/text.h"
#include "wire/http.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_answer(const uint8_t *data, size_t len, size_t cut)
{
	uint8_t *prefix = block_of(data, cut);
	struct rd whole = rd_of(data, len);
	struct rd part = rd_of(prefix, cut);
	unsigned int status = 0;
	unsigned int early_status = 0;
	const int err = http_answer_get(&whole, &status);
	const int early = http_answer_get(&part, &early_status);

	if (err == 0)
		assert(status >= 100 && status < 600);
	if (early != -EAGAIN)
		assert(early == err && status == early_status);
	if (len >= HTTP_HEAD_MAX)
		assert(err != -EAGAIN);
	free(prefix);
}

static void expect_request(const struct http_request *req)
{
	assert(req->to.addr.port > 0);
	assert((req->to.name[0] != '\0') == (addr_size(&req->to.addr) == 0));
	assert(req->to.name[0] == '\0' || text_name_ok(req->to.name));
	assert(req->has_auth || (!req->user[0] && !req->pass[0]));
}

static void try_rewrite(const uint8_t *head, size_t len,
			const struct http_request *req)
{
	uint8_t *room = malloc(len + 64);
	struct wr w = wr_of(room, len + 64);
	struct http_request again;
	struct rd r;
	int err;

	assert(room);
	assert(req->target >= head && req->target_len <= len);
	assert(http_request_rewrite(&w, head, len, req));
	assert(wr_used(&w) >= 4 && !memcmp(w.at - 4, "\r\n\r\n", 4));
	/* Now in origin form, which is no request to a proxy any more (or one
	 * line or a few octets over our own limits). */
	r = rd_of(room, wr_used(&w));
	err = http_request_get(&r, &again);
	assert(err == -EOPNOTSUPP || err == -EMSGSIZE || err == -EPROTO);
	free(room);
}

static void try_request(const uint8_t *data, size_t len, size_t cut)
{
	uint8_t *prefix = block_of(data, cut);
	struct rd whole = rd_of(data, len);
	struct rd part = rd_of(prefix, cut);
	struct http_request req;
	struct http_request early_req;
	const int err = http_request_get(&whole, &req);
	const int early = http_request_get(&part, &early_req);

	if (early != -EAGAIN)
		assert(early == err);
	if (len >= HTTP_HEAD_MAX)
		assert(err != -EAGAIN);
	if (err == 0) {
		expect_request(&req);
		if (!req.is_connect)
			try_rewrite(data, len - rd_left(&whole), &req);
	}
	free(prefix);
}

static void try_base64(const uint8_t *data, size_t len)
{
	uint8_t *plain = malloc(len + 1);
	uint8_t *coded = malloc(len + 4);
	struct wr w = wr_of(coded, len + 4);
	const long got = base64_get((const char *)data, len, plain, len);

	/* The coding is canonical: what can be read is what we would write. */
	if (got >= 0) {
		assert(base64_put(&w, plain, (size_t)got));
		assert(wr_used(&w) == len && !memcmp(coded, data, len));
	}
	free(coded);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t cut;

	if (len < 2)
		return 0;
	cut = ((size_t)data[0] << 8 | data[1]) % (len - 1);
	try_answer(data + 2, len - 2, cut);
	try_request(data + 2, len - 2, cut);
	try_base64(data + 2, len - 2);
	return 0;
}
