// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * host.c - the host of a destination as strangers write it
 *
 * The codecs of SOCKS and HTTP come in with what stood where a host belongs.
 */
#include "wire/host.h"

#include "base/text.h"

#include <string.h>

struct addr host_from_ip6(const void *ip, uint16_t port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr a = addr_from_ip6(ip, port);

	if (!memcmp(a.ip, mapped, sizeof(mapped)))
		return addr_from_ip4(a.ip + sizeof(mapped), port);
	return a;
}

bool host_get(const void *text, size_t len, uint16_t port, struct dest *ret)
{
	struct dest got = { .addr.port = port };
	const char *from = text;

	if (len == 0 || memchr(text, '\0', len))
		return false;
	if (from[len - 1] == '.')
		len--;
	if (!text_copy_n(got.name, sizeof(got.name), from, len))
		return false;
	/* Behind the dot: "192.0.2.1." must not pass for a name. */
	if (addr_parse_ip(got.name, &got.addr)) {
		got.addr.port = port;
		if (got.addr.family == AF_INET6)
			got.addr = host_from_ip6(got.addr.ip, port);
		memset(got.name, 0, sizeof(got.name));
		*ret = got;
		return true;
	}
	if (!text_name_ok(got.name))
		return false;
	for (char *c = got.name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	*ret = got;
	return true;
}
