/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * socks4.h - SOCKS4 and its 4A extension (the two memos by Ying-Da Lee)
 *
 * Same rules as socks5.h.
 */
#include "base/addr.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define SOCKS4_REPLY_SIZE 8
#define SOCKS4_GRANTED	  90

/**
 * socks4_request_put() - CONNECT
 * @w:     Room
 * @d:     IPv4 address, or a name (sent the 4A way, as 0.0.0.1); IPv6 without a
 *         name cannot be said
 * @user:  User id, may be empty, no NUL inside
 *
 * Return: whether it could be said and fitted
 */
bool socks4_request_put(struct wr *w, const struct dest *d, const char *user);

/** socks4_reply_get() - @code: 90 granted, 91 failed, 92/93 identd */
int socks4_reply_get(struct rd *r, uint8_t *code);

/** socks4_errno() - 0 for granted, -EACCES for 92 and 93, else -EHOSTUNREACH:
 * the protocol does not tell a refusal from an unreachable host; 91 is taken
 * for -ECONNREFUSED, which makes programs try the next address */
int socks4_errno(uint8_t code);
