// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * place.c - host:port as people write it
 *
 * place_read*() only see characters and answer with a reason; the *_parse()
 * functions around them make the sentence.
 */
#include "conf/place.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#define SHOWN 100 /* bytes of the user's words in a sentence */

const char *place_read_port(const char *text, uint16_t *ret)
{
	uint32_t port;

	if (!text_uint(text, UINT16_MAX, &port) || port == 0)
		return "the port must be a number from 1 to 65535";
	*ret = (uint16_t)port;
	return NULL;
}

static const char *place_read_ip6(const char *text, size_t len, char *ret)
{
	struct addr a;
	char buf[ADDR_TEXT];
	char bare[NAME_MAX_LEN + 1];

	if (memchr(text, '%', len))
		return "an IPv6 address with a scope cannot be used";
	if (!text_copy_n(bare, sizeof(bare), text, len) ||
	    !addr_parse_ip(bare, &a) || a.family != AF_INET6)
		return "the brackets hold no IPv6 address";
	return text_copy(ret, NAME_MAX_LEN + 1, addr_ip_text(&a, buf))
		       ? NULL
		       : "the address is too long";
}

/** place_name_fault() - Why is this no host name? NULL if it is one */
static const char *place_name_fault(const char *name)
{
	const size_t len = strlen(name);
	const char *last = strrchr(name, '.');
	size_t label = 0;

	if (len > NAME_MAX_LEN)
		return "the host name is longer than 253 bytes";
	for (size_t i = 0; i < len; i++) {
		label = name[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return "a label of the host name is longer than 63 "
			       "bytes";
	}
	if (!text_name_ok(name))
		return "the host is no valid name (letters, digits, '-', '_' "
		       "and single dots; others as punycode)";
	last = last ? last + 1 : name;
	if (last[strspn(last, "0123456789")] == '\0')
		return "the host looks like an IPv4 address but is none";
	return NULL;
}

const char *place_read_host(const char *text, char *ret)
{
	const size_t len = strlen(text);
	char name[NAME_MAX_LEN + 2];
	struct addr a;
	const char *why;

	if (len == 0)
		return "the host is missing";
	if (text[0] == '[')
		return text[len - 1] == ']' ? place_read_ip6(text, len, ret)
					    : "the bracket of the IPv6 address "
					      "is not closed";
	if (strchr(text, ':'))
		return "an IPv6 address must be in brackets, as in [::1]";
	if (addr_parse_ip(text, &a)) {
		memcpy(ret, text, len + 1);
		return NULL;
	}
	if (!text_copy(name, sizeof(name), text))
		return "the host name is longer than 253 bytes";
	if (name[len - 1] == '.')
		name[len - 1] = '\0';
	why = place_name_fault(name);
	if (!why)
		memcpy(ret, name, strlen(name) + 1);
	return why;
}

const char *place_read(const char *text, char *ret_host, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	const char *bracket = strrchr(text, ']');
	char host[2 * NAME_MAX_LEN];
	const char *why;

	if (colon && bracket && bracket > colon)
		colon = NULL;
	if (bracket && bracket[1] != '\0' && bracket[1] != ':')
		return "only a port may follow the brackets";
	/* "::1" and "fe80::1:80": which colon begins the port? Nobody knows. */
	if (colon && !bracket && memchr(text, ':', (size_t)(colon - text)))
		return "an IPv6 address must be in brackets, as in [::1]";
	if (!colon)
		return place_read_host(text, ret_host);
	if (!text_copy_n(host, sizeof(host), text, (size_t)(colon - text)))
		return "the host name is longer than 253 bytes";
	why = place_read_host(host, ret_host);
	return why ? why : place_read_port(colon + 1, ret_port);
}

int host_port_parse(const char *text, char *ret_host, uint16_t *ret_port,
		    struct fault *f)
{
	char shown[SHOWN];
	char host[NAME_MAX_LEN + 1];
	uint16_t port = 0;
	const char *why = place_read(text, host, &port);

	if (!why && port == 0)
		why = "the port is missing; write HOST:PORT";
	if (why)
		return fault_plain(
			f, -EINVAL, "'%s': %s",
			text_quote(shown, sizeof(shown), text, strlen(text)),
			why);
	memcpy(ret_host, host, sizeof(host));
	*ret_port = port;
	return 0;
}

int proto_port_parse(const char *text, bool *ret_is_udp, uint16_t *ret_port,
		     struct fault *f)
{
	const bool is_udp = text_starts(text, "udp:");
	char shown[SHOWN];
	const char *why = NULL;
	uint16_t port = 0;

	if (!is_udp && !text_starts(text, "tcp:"))
		why = "write tcp:PORT or udp:PORT";
	if (!why)
		why = place_read_port(text + sizeof("udp:") - 1, &port);
	if (why)
		return fault_plain(
			f, -EINVAL, "'%s': %s",
			text_quote(shown, sizeof(shown), text, strlen(text)),
			why);
	*ret_is_udp = is_udp;
	*ret_port = port;
	return 0;
}

/** publish_read() - publish_parse() without the sentence */
static const char *publish_read(const char *text, struct plan_publish *ret)
{
	const char *inner = strrchr(text, ':');
	char outer[NAME_MAX_LEN + 1];
	const char *port;
	struct plan_publish p;
	const char *why;

	if (!inner)
		return "write [ADDR:]PORT:PORT, the host's port first";
	if (!text_copy_n(outer, sizeof(outer), text, (size_t)(inner - text)))
		return "it is too long";
	(void)addr_parse_ip("127.0.0.1", &p.host); /* cannot fail */
	port = strrchr(outer, ':');
	if (port) {
		char ip[NAME_MAX_LEN + 1];

		(void)text_copy_n(ip, sizeof(ip), outer,
				  (size_t)(port - outer)); /* shorter */
		if (strchr(ip, ':') && ip[0] != '[')
			return "an IPv6 address must be in brackets, as in "
			       "[::1]";
		if (!addr_parse_ip(ip, &p.host))
			return "the address to listen on must be an IP "
			       "address of this host";
	}
	why = place_read_port(port ? port + 1 : outer, &p.host.port);
	if (!why)
		why = place_read_port(inner + 1, &p.inner_port);
	if (!why && addr_is_multicast(&p.host))
		why = "one cannot listen on a multicast address";
	if (!why)
		*ret = p;
	return why;
}

int publish_parse(const char *text, struct plan_publish *ret, struct fault *f)
{
	char shown[SHOWN];
	struct plan_publish p = { 0 };
	const char *why = publish_read(text, &p);

	if (why)
		return fault_plain(
			f, -EINVAL, "'%s': %s",
			text_quote(shown, sizeof(shown), text, strlen(text)),
			why);
	*ret = p;
	return 0;
}

int ready_parse(const char *text, struct addr *ret, struct fault *f)
{
	char shown[SHOWN];
	char host[NAME_MAX_LEN + 1];
	uint16_t port = 0;
	struct addr a = { 0 };
	const int rc = host_port_parse(text, host, &port, f);

	if (rc < 0)
		return rc;
	if (!addr_parse_ip(host, &a) || addr_is_multicast(&a))
		return fault_plain(
			f, -EINVAL,
			"'%s': write ADDRESS:PORT with an IP "
			"address to listen on",
			text_quote(shown, sizeof(shown), text, strlen(text)));
	a.port = port;
	*ret = a;
	return 0;
}
