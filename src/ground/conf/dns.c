// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns.c - how names are to be looked up, as people write it
 */
#include "conf/dns.h"

#include "base/text.h"
#include "conf/place.h"

#include <errno.h>
#include <string.h>

#define DNS_PORT  53
#define DNS_FORMS "fake, off, socks-resolve, udp://IP[:PORT], tcp://IP[:PORT]"
#define DNS_OTHER "; others are dnsproxy's, which then goes first"
#define DNS_SHOWN 100

/** dns_read_server() - Return: NULL, or why not */
static const char *dns_read_server(const char *text, struct plan_server *ret)
{
	struct plan_server s = { 0 };
	char host[NAME_MAX_LEN + 1];
	uint16_t port = DNS_PORT;
	const char *why;

	if (text_starts(text, "tcp://"))
		s.is_tcp = true;
	else if (!text_starts(text, "udp://") && strstr(text, "://"))
		return "unknown scheme; the ways to ask are " DNS_FORMS
			DNS_OTHER;
	else if (!text_starts(text, "udp://") && addr_parse_ip(text, &s.addr))
		text = ""; /* a bare address, also IPv6 without brackets */
	if (text_starts(text, "udp://") || s.is_tcp)
		text += strlen("udp://");
	if (s.addr.family == AF_UNSPEC) {
		why = place_read(text, host, &port);
		if (why)
			return why;
		if (!addr_parse_ip(host, &s.addr))
			return "a DNS server is given by its IP address; "
			       "else " DNS_FORMS;
	}
	if (addr_is_any(&s.addr) || addr_is_multicast(&s.addr))
		return "that is no address of a DNS server";
	s.addr.port = port;
	*ret = s;
	return NULL;
}

/** dns_is_alone() - Is it a word that names a mode, and no server? */
static bool dns_is_alone(const char *word, enum names_mode *ret)
{
	static const struct {
		const char *word;
		enum names_mode mode;
	} modes[] = {
		{ "fake", NAMES_FAKE },
		{ "off", NAMES_OFF },
		{ "socks-resolve", NAMES_RESOLVE },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(word, modes[i].word) != 0)
			continue;
		*ret = modes[i].mode;
		return true;
	}
	return false;
}

static const char *dns_begin_program(const char *word, struct dns_wish *w)
{
	if (w->is_set)
		return "it goes first, and only once: its servers follow";
	w->is_set = true;
	w->mode = NAMES_PROGRAM;
	return dnsproxy_begin(word, &w->program);
}

/** dns_add() - One word of the list */
static const char *dns_add(const char *word, struct dns_wish *w)
{
	enum names_mode mode;
	const char *why;

	if (dns_is_alone(word, &mode)) {
		if (w->is_set && w->mode != mode)
			return "it stands alone, or names server after server";
		w->is_set = true;
		w->mode = mode;
		return NULL;
	}
	if (dnsproxy_is_word(word))
		return dns_begin_program(word, w);
	if (w->is_set && w->mode == NAMES_PROGRAM)
		return dnsproxy_add(word, &w->program);
	if (w->is_set && w->mode != NAMES_FORWARD)
		return "'fake', 'off' and 'socks-resolve' stand alone";
	if (w->server_count == PLAN_SERVERS)
		return "at most 4 DNS servers can be named";
	why = dns_read_server(word, &w->server[w->server_count]);
	if (why)
		return why;
	w->server_count++;
	w->is_set = true;
	w->mode = NAMES_FORWARD;
	return NULL;
}

int dns_parse(const char *text, struct dns_wish *w, struct fault *f)
{
	struct dns_wish all = *w;

	for (const char *at = text;; at++) {
		const size_t len = strcspn(at, ",");
		char word[DNSPROXY_WORD];
		char shown[DNS_SHOWN];
		const char *why;

		why = text_copy_n(word, sizeof(word), at, len)
			      ? dns_add(word, &all)
			      : "it is too long";
		if (why)
			return fault_plain(
				f, -EINVAL, "DNS '%s': %s",
				text_quote(shown, sizeof(shown), at, len), why);
		at += len;
		if (*at == '\0')
			break;
	}
	*w = all;
	return 0;
}

int dns_check(const char *text, struct fault *f)
{
	struct dns_wish alone = { 0 };
	struct dns_wish behind = { .is_set = true, .mode = NAMES_PROGRAM };

	if (dns_parse(text, &alone, NULL) == 0 ||
	    dns_parse(text, &behind, NULL) == 0)
		return 0;
	/* Which of the two was meant tells what is wrong. */
	return dns_parse(text, dnsproxy_is_meant(text) ? &behind : &alone, f);
}

const char *dns_why_not_plain(const struct dns_wish *w)
{
	if (w->mode != NAMES_FORWARD)
		return w->mode == NAMES_OFF ? NULL
		       : w->mode == NAMES_PROGRAM
			       ? "dnsproxy is behind a worker, and there is "
				 "none"
			       : "there is no proxy that takes names";
	for (unsigned int i = 0; i < w->server_count; i++) {
		const struct plan_server *s = &w->server[i];

		if (s->is_tcp || s->addr.port != DNS_PORT)
			return "programs inside ask by themselves, udp://IP at "
			       "port 53 and no other way";
		if (addr_is_loopback(&s->addr))
			return "the host's loopback is not reached from "
			       "inside; chain = {\"direct://?dev=IFACE\"} "
			       "reaches it";
	}
	return NULL;
}

unsigned int dns_read_hosts(const char *text, struct dns_wish *w)
{
	struct dns_wish all = { .mode = NAMES_FORWARD };

	for (const char *line = text; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *at = line + strlen("nameserver");
		char ip[64];
		struct addr a;

		if (!text_starts(line, "nameserver") ||
		    (*at != ' ' && *at != '\t'))
			continue;
		at += strspn(at, " \t");
		if (!text_copy_n(ip, sizeof(ip), at, strcspn(at, " \t\r\n")) ||
		    !addr_parse_ip(ip, &a) || addr_is_any(&a) ||
		    all.server_count == PLAN_SERVERS)
			continue;
		a.port = DNS_PORT;
		all.server[all.server_count++].addr = a;
	}
	if (all.server_count == 0)
		return 0;
	all.is_set = true;
	*w = all;
	return all.server_count;
}
