// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * lookup.c - find the addresses of a name on the host
 */
#include "lookup.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

static int lookup_ask(const char *host, int flags, struct addrinfo **ret)
{
	const struct addrinfo wish = {
		.ai_flags = flags,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};

	return getaddrinfo(host, NULL, &wish, ret);
}

int lookup_host(const char *host, uint16_t port, struct addr *ret,
		unsigned int room, unsigned int *ret_count, struct fault *f)
{
	struct addrinfo *all = NULL;
	struct addr ip;
	unsigned int n = 0;
	int rc;

	if (addr_parse_ip(host, &ip)) {
		ip.port = port;
		ret[0] = ip;
		*ret_count = 1;
		return 0;
	}
	rc = lookup_ask(host, AI_ADDRCONFIG, &all);
	if (rc != 0) /* ADDRCONFIG does not count loopback addresses */
		rc = lookup_ask(host, 0, &all);
	if (rc != 0)
		return fault_plain(f, -EHOSTUNREACH,
				   "cannot look up the name '%s': %s", host,
				   rc == EAI_SYSTEM ? strerror(errno)
						    : gai_strerror(rc));
	for (const struct addrinfo *a = all; a && n < room; a = a->ai_next) {
		struct sockaddr_storage ss = { 0 };

		if (a->ai_addrlen > sizeof(ss))
			continue;
		memcpy(&ss, a->ai_addr, a->ai_addrlen);
		addr_from_sock(&ip, &ss);
		ip.port = port;
		if (ip.family != AF_UNSPEC)
			ret[n++] = ip;
	}
	freeaddrinfo(all);
	if (n == 0)
		return fault_plain(f, -EHOSTUNREACH,
				   "the name '%s' has no address", host);
	*ret_count = n;
	return 0;
}
