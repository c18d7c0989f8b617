// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks5_code.c - what the reply codes of SOCKS5 mean
 *
 * The dial comes in with a code a proxy gave, the server with an -errno that
 * wants to become one.
 */
#include "wire/socks5.h"

#include <errno.h>

#define SOCKS5_TOR_FIRST 0xf0 /* Tor's proposal 304 */
#define SOCKS5_TOR_LAST	 0xf7

int socks5_errno(uint8_t code)
{
	static const int meaning[] = {
		[SOCKS5_OK] = 0,
		[SOCKS5_FAILED] = -EHOSTUNREACH,
		[SOCKS5_FORBIDDEN] = -EACCES,
		[SOCKS5_NET_UNREACHABLE] = -ENETUNREACH,
		[SOCKS5_HOST_UNREACHABLE] = -EHOSTUNREACH,
		[SOCKS5_REFUSED] = -ECONNREFUSED,
		[SOCKS5_TTL_EXPIRED] = -ETIMEDOUT,
		[SOCKS5_BAD_COMMAND] = -EOPNOTSUPP,
		[SOCKS5_BAD_ADDRESS] = -ENETUNREACH,
	};

	if (code < sizeof(meaning) / sizeof(meaning[0]))
		return meaning[code];
	return -EHOSTUNREACH;
}

enum socks5_code socks5_code_of(int err)
{
	switch (err) {
	case 0:
		return SOCKS5_OK;
	case -EACCES:
	case -EPERM:
		return SOCKS5_FORBIDDEN;
	case -ENETUNREACH:
		return SOCKS5_NET_UNREACHABLE;
	case -EHOSTUNREACH:
		return SOCKS5_HOST_UNREACHABLE;
	case -ECONNREFUSED:
		return SOCKS5_REFUSED;
	case -ETIMEDOUT:
		return SOCKS5_TTL_EXPIRED;
	case -EOPNOTSUPP:
		return SOCKS5_BAD_COMMAND;
	case -EAFNOSUPPORT:
		return SOCKS5_BAD_ADDRESS;
	default:
		return SOCKS5_FAILED;
	}
}

const char *socks5_code_text(uint8_t code)
{
#define ROW(high)                                                           \
	"code 0x" high "0", "code 0x" high "1", "code 0x" high "2",         \
		"code 0x" high "3", "code 0x" high "4", "code 0x" high "5", \
		"code 0x" high "6", "code 0x" high "7", "code 0x" high "8", \
		"code 0x" high "9", "code 0x" high "a", "code 0x" high "b", \
		"code 0x" high "c", "code 0x" high "d", "code 0x" high "e", \
		"code 0x" high "f"
	static const char number[256][10] = {
		ROW("0"), ROW("1"), ROW("2"), ROW("3"), ROW("4"), ROW("5"),
		ROW("6"), ROW("7"), ROW("8"), ROW("9"), ROW("a"), ROW("b"),
		ROW("c"), ROW("d"), ROW("e"), ROW("f"),
	};
#undef ROW
	static const char *const plain[] = {
		[SOCKS5_OK] = "succeeded",
		[SOCKS5_FAILED] = "general failure",
		[SOCKS5_FORBIDDEN] = "forbidden by the proxy's rules",
		[SOCKS5_NET_UNREACHABLE] = "network unreachable",
		[SOCKS5_HOST_UNREACHABLE] = "host unreachable",
		[SOCKS5_REFUSED] = "connection refused",
		[SOCKS5_TTL_EXPIRED] = "TTL expired",
		[SOCKS5_BAD_COMMAND] = "command not supported",
		[SOCKS5_BAD_ADDRESS] = "address type not supported",
	};
	static const char *const tor[] = {
		"onion service descriptor not found",
		"onion service descriptor invalid",
		"onion service introduction failed",
		"onion service rendezvous failed",
		"onion service wants client authorization",
		"onion service refused the client authorization",
		"invalid onion service address",
		"onion service introduction timed out",
	};

	if (code < sizeof(plain) / sizeof(plain[0]))
		return plain[code];
	if (code >= SOCKS5_TOR_FIRST && code <= SOCKS5_TOR_LAST)
		return tor[code - SOCKS5_TOR_FIRST];
	return number[code];
}
