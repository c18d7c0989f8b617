/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * http_body.h - where the body of a request ends (RFC 9112, 6)
 *
 * Stricter than the RFC, so that nobody behind us can see another end than we
 * do: a chunk has a size of 1 to 15 hexadecimal digits and nothing else on its
 * line, lines end with CRLF, there are no extensions and no trailers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_body_state {
	HTTP_BODY_OVER, /* the request has ended; zeroed is a body of nothing */
	HTTP_BODY_COUNTED,
	HTTP_BODY_SIZE, /* digits of a chunk's size, and so on: */
	HTTP_BODY_SIZE_LF,
	HTTP_BODY_DATA,
	HTTP_BODY_DATA_CR,
	HTTP_BODY_DATA_LF,
	HTTP_BODY_LAST_CR, /* behind the chunk of size 0 */
	HTTP_BODY_LAST_LF,
};

/**
 * struct http_body - how much of a body is still to come
 * @left:    Octets of the body, or of the chunk
 * @digits:  Of the chunk's size, so far
 */
struct http_body {
	enum http_body_state state;
	uint64_t left;
	unsigned int digits;
};

/** http_body_counted() - A body of @len octets */
struct http_body http_body_counted(uint64_t len);
/** http_body_chunked() - One in chunks */
struct http_body http_body_chunked(void);

/**
 * http_body_take() - How many of these octets are the body's?
 * @b:     Body; moved on
 * @data:  What comes next
 * @len:   Of @data
 *
 * Return: octets, less than @len when the body ends before; -EPROTO when they
 * are no chunks
 */
long http_body_take(struct http_body *b, const uint8_t *data, size_t len);
