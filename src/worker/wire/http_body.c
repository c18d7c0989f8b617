// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_body.c - where the body of a request ends
 *
 * relay_http comes in with each piece that it is about to pass on.
 */
#include "wire/http_body.h"

#include <ctype.h>
#include <errno.h>

#define CHUNK_DIGITS 15 /* of a size: far from an overflow */

struct http_body http_body_counted(uint64_t len)
{
	return (struct http_body){
		.state = len > 0 ? HTTP_BODY_COUNTED : HTTP_BODY_OVER,
		.left = len,
	};
}

struct http_body http_body_chunked(void)
{
	return (struct http_body){ .state = HTTP_BODY_SIZE };
}

static bool body_digit(struct http_body *b, uint8_t c)
{
	const int low = tolower(c);

	if (!isxdigit(c) || b->digits == CHUNK_DIGITS)
		return false;
	b->left = b->left << 4 |
		  (unsigned int)(isdigit(c) ? c - '0' : low - 'a' + 10);
	b->digits++;
	return true;
}

/** body_expect() - @c must be @want; go on to @next */
static bool body_expect(struct http_body *b, uint8_t c, uint8_t want,
			enum http_body_state next)
{
	b->state = next;
	return c == want;
}

/** body_octet() - One octet of what is between the data of chunks */
static bool body_octet(struct http_body *b, uint8_t c)
{
	switch (b->state) {
	case HTTP_BODY_SIZE:
		if (c != '\r')
			return body_digit(b, c);
		b->state = HTTP_BODY_SIZE_LF;
		return b->digits > 0;
	case HTTP_BODY_SIZE_LF:
		b->digits = 0;
		return body_expect(b, c, '\n',
				   b->left > 0 ? HTTP_BODY_DATA
					       : HTTP_BODY_LAST_CR);
	case HTTP_BODY_DATA_CR:
		return body_expect(b, c, '\r', HTTP_BODY_DATA_LF);
	case HTTP_BODY_DATA_LF:
		return body_expect(b, c, '\n', HTTP_BODY_SIZE);
	case HTTP_BODY_LAST_CR:
		return body_expect(b, c, '\r', HTTP_BODY_LAST_LF);
	case HTTP_BODY_LAST_LF:
		return body_expect(b, c, '\n', HTTP_BODY_OVER);
	case HTTP_BODY_OVER:
	case HTTP_BODY_COUNTED:
	case HTTP_BODY_DATA:
		break;
	}
	return false;
}

long http_body_take(struct http_body *b, const uint8_t *data, size_t len)
{
	size_t done = 0;

	while (done < len && b->state != HTTP_BODY_OVER) {
		size_t n = len - done;

		if (b->state != HTTP_BODY_COUNTED &&
		    b->state != HTTP_BODY_DATA) {
			if (!body_octet(b, data[done]))
				return -EPROTO;
			done++;
			continue;
		}
		if (n > b->left)
			n = (size_t)b->left;
		b->left -= n;
		done += n;
		if (b->left == 0)
			b->state = b->state == HTTP_BODY_DATA
					   ? HTTP_BODY_DATA_CR
					   : HTTP_BODY_OVER;
	}
	return (long)done;
}
