/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * bytes.h - the only pointer arithmetic on wire data
 *
 * A reader or writer that runs out stays run out (@ran_out is sticky), so a
 * codec reads like its RFC and checks once at the end. Multi-byte values are
 * big-endian on the wire and host order here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** struct rd - bounded reader over borrowed bytes */
struct rd {
	const uint8_t *at;
	const uint8_t *end;
	bool ran_out;
};

/** struct wr - bounded writer into borrowed room */
struct wr {
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool ran_out;
};

static inline struct rd rd_of(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	return (struct rd){ .at = p, .end = p + len };
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->at);
}

/** rd_bytes() - Take @len bytes; NULL and run out when there are fewer */
static inline const uint8_t *rd_bytes(struct rd *r, size_t len)
{
	const uint8_t *got = r->at;

	if (r->ran_out || rd_left(r) < len) {
		r->ran_out = true;
		return NULL;
	}
	r->at += len;
	return got;
}

static inline void rd_skip(struct rd *r, size_t len)
{
	(void)rd_bytes(r, len); /* running out is sticky */
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rd_be16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_be32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			       (uint32_t)p[2] << 8 | p[3]
		 : 0;
}

/** rd_copy() - Take @len bytes into @to; zeroes when there are fewer */
static inline void rd_copy(struct rd *r, void *to, size_t len)
{
	const uint8_t *p = rd_bytes(r, len);

	if (p)
		memcpy(to, p, len);
	else
		memset(to, 0, len);
}

static inline struct wr wr_of(void *buf, size_t len)
{
	uint8_t *p = buf;

	return (struct wr){ .start = p, .at = p, .end = p + len };
}

static inline size_t wr_used(const struct wr *w)
{
	return (size_t)(w->at - w->start);
}

/** wr_room() - Claim @len bytes to fill; NULL and run out when it won't fit */
static inline uint8_t *wr_room(struct wr *w, size_t len)
{
	uint8_t *got = w->at;

	if (w->ran_out || (size_t)(w->end - w->at) < len) {
		w->ran_out = true;
		return NULL;
	}
	w->at += len;
	return got;
}

static inline void wr_bytes(struct wr *w, const void *from, size_t len)
{
	uint8_t *p = wr_room(w, len);

	if (p && len > 0)
		memcpy(p, from, len);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

static inline void wr_be16(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wr_bytes(w, b, sizeof(b));
}

static inline void wr_be32(struct wr *w, uint32_t v)
{
	wr_be16(w, (uint16_t)(v >> 16));
	wr_be16(w, (uint16_t)v);
}

static inline void wr_text(struct wr *w, const char *s)
{
	wr_bytes(w, s, strlen(s));
}
