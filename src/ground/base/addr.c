// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * addr.c - IP addresses as values
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_host(a, b);
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

unsigned int addr_size(const struct addr *a)
{
	switch (a->family) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}

struct addr addr_from_ip4(const void *ip, uint16_t port)
{
	struct addr a = { .family = AF_INET, .port = port };

	memcpy(a.ip, ip, 4);
	return a;
}

struct addr addr_from_ip6(const void *ip, uint16_t port)
{
	struct addr a = { .family = AF_INET6, .port = port };

	memcpy(a.ip, ip, 16);
	return a;
}

void addr_from_sock(struct addr *a, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in4 = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	*a = (struct addr){ 0 };
	if (ss->ss_family == AF_INET)
		*a = addr_from_ip4(&in4->sin_addr, ntohs(in4->sin_port));
	else if (ss->ss_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		*a = addr_from_ip4(&in6->sin6_addr.s6_addr[12],
				   ntohs(in6->sin6_port));
	else if (ss->ss_family == AF_INET6)
		*a = addr_from_ip6(&in6->sin6_addr, ntohs(in6->sin6_port));
}

socklen_t addr_to_sock(const struct addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (void *)ss;
	struct sockaddr_in6 *in6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (a->family == AF_INET) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(a->port);
		memcpy(&in4->sin_addr, a->ip, 4);
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	memcpy(&in6->sin6_addr, a->ip, 16);
	return sizeof(*in6);
}

bool addr_parse_ip(const char *text, struct addr *a)
{
	char bare[INET6_ADDRSTRLEN];
	const size_t len = strlen(text);
	uint8_t ip[16];

	if (inet_pton(AF_INET, text, ip) == 1) {
		*a = addr_from_ip4(ip, 0);
		return true;
	}
	if (text[0] == '[' && len >= 2 && text[len - 1] == ']' &&
	    len - 2 < sizeof(bare)) {
		memcpy(bare, text + 1, len - 2);
		bare[len - 2] = '\0';
		text = bare;
	}
	if (inet_pton(AF_INET6, text, ip) != 1)
		return false;
	*a = addr_from_ip6(ip, 0);
	return true;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t loop6[16] = { [15] = 1 };

	if (a->family == AF_INET)
		return a->ip[0] == 127;
	return a->family == AF_INET6 && !memcmp(a->ip, loop6, 16);
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return a->family != AF_UNSPEC && !memcmp(a->ip, zero, 16);
}

bool addr_is_multicast(const struct addr *a)
{
	static const uint8_t ones[4] = { 255, 255, 255, 255 };

	if (a->family == AF_INET)
		return (a->ip[0] & 0xf0) == 0xe0 || !memcmp(a->ip, ones, 4);
	return a->family == AF_INET6 && a->ip[0] == 0xff;
}

const char *addr_ip_text(const struct addr *a, char *buf)
{
	if (addr_size(a) == 0 || !inet_ntop(a->family, a->ip, buf, ADDR_TEXT))
		strcpy(buf, "-");
	return buf;
}

const char *addr_text(const struct addr *a, char *buf)
{
	char ip[ADDR_TEXT];

	(void)snprintf(buf, ADDR_TEXT,
		       a->family == AF_INET6 ? "[%.60s]:%u" : "%.60s:%u",
		       addr_ip_text(a, ip), a->port);
	return buf;
}

const char *dest_text(const struct dest *d, char *buf)
{
	if (d->name[0] == '\0')
		return addr_text(&d->addr, buf);
	(void)snprintf(buf, ADDR_TEXT, "%s:%u", d->name, d->addr.port);
	return buf;
}
