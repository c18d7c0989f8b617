/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * dns_stamp.h - "sdns://..." as far as it says where a server is
 */
#include <stdbool.h>
#include <stddef.h>

#define DNS_STAMP_TEXT 256 /* of a host with its port, with NUL */

enum dns_stamp_kind {
	STAMP_PLAIN = 0x00,
	STAMP_CRYPT = 0x01,
	STAMP_HTTPS = 0x02,
	STAMP_TLS = 0x03,
	STAMP_QUIC = 0x04,
};

/**
 * struct dns_stamp - where it leads
 * @addr:  IP[:PORT] as it stands there; may be empty for the last three kinds
 * @host:  HOST[:PORT] of the last three kinds; else empty
 */
struct dns_stamp {
	enum dns_stamp_kind kind;
	char addr[DNS_STAMP_TEXT];
	char host[DNS_STAMP_TEXT];
};

/**
 * dns_stamp_read() - Read what stands behind "sdns://"
 * @text:  base64url without padding
 * @ret:   Result; untouched on failure
 *
 * Keys, hashes and paths are passed over; printable ASCII alone is taken.
 *
 * Return: whether it is a stamp of one of these kinds
 */
bool dns_stamp_read(const char *text, struct dns_stamp *ret);
