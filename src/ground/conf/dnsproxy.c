// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dnsproxy.c - what stands behind "dnsproxy" in a list of `dns`
 *
 * Each server is understood before dnsproxy sees it: which port it is asked
 * at, and whether somebody must be asked for its address first.
 */
#include "conf/dnsproxy.h"

#include "base/text.h"
#include "conf/dns_stamp.h"
#include "conf/place.h"

#include <errno.h>
#include <string.h>

#define DNS_PORT  53
#define BOOTSTRAP "bootstrap="

static const char why_port[] =
	"only plain servers are asked at port 53, which leads to dnsproxy "
	"itself in here";
static const char why_plain_name[] =
	"a plain server at port 53 is given by its IP address";

static const struct dns_scheme {
	const char *prefix;
	uint16_t port;
	bool is_plain;
	bool is_tcp;
	bool needs_udp;
} schemes[] = {
	{ .prefix = "udp://", .port = 53, .is_plain = true },
	{ .prefix = "tcp://", .port = 53, .is_plain = true, .is_tcp = true },
	{ .prefix = "tls://", .port = 853 },
	{ .prefix = "https://", .port = 443 },
	{ .prefix = "h3://", .port = 443, .needs_udp = true },
	{ .prefix = "quic://", .port = 853, .needs_udp = true },
};

static const struct dns_scheme *scheme_of(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (text_starts(text, schemes[i].prefix))
			return &schemes[i];
	return NULL;
}

/** place_set() - HOST[:PORT], the port known if none is written */
static const char *place_set(const char *text, struct dns_place *p)
{
	const char *why = place_read(text, p->host, &p->port);

	if (why)
		return why;
	if (!addr_parse_ip(p->host, &p->addr)) {
		p->addr = (struct addr){ 0 };
		p->has_name = true;
		return NULL;
	}
	p->addr.port = p->port;
	return addr_is_any(&p->addr) || addr_is_multicast(&p->addr)
		       ? "that is no address of a DNS server"
		       : NULL;
}

/** place_is_own() - An address that the sandbox has itself */
static bool place_is_own(const struct addr *a)
{
	static const char *const own[] = { SANDBOX_IP4, GATEWAY_IP4,
					   SANDBOX_IP6, GATEWAY_IP6 };
	struct addr mine;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (addr_parse_ip(own[i], &mine) && addr_same_host(&mine, a))
			return true;
	return addr_is_loopback(a) && a->port == DNSPROXY_PORT;
}

static const char *place_judge(const struct dns_place *p)
{
	if (p->port == DNS_PORT && !p->is_plain)
		return why_port;
	if (p->port == DNS_PORT && p->has_name)
		return why_plain_name;
	if (p->addr.family != AF_UNSPEC && place_is_own(&p->addr))
		return "that address is the sandbox's own";
	return NULL;
}

/** place_plain() - "9.9.9.9", "2001:db8::1", "[2001:db8::1]:53", ... */
static const char *place_plain(const char *text, struct dns_place *p)
{
	struct addr bare;
	char bracketed[DNSPROXY_WORD + 2];

	p->is_plain = true;
	if (!addr_parse_ip(text, &bare) || bare.family != AF_INET6)
		return place_set(text, p);
	bracketed[0] = '[';
	strcpy(bracketed + 1, text); /* an address is short */
	strcat(bracketed, "]");
	return place_set(bracketed, p);
}

/** place_stamp() - What a stamp leads to */
static const char *place_stamp(const char *text, struct dns_place *p)
{
	struct dns_place by = { .port = 443 };
	struct dns_stamp s;
	const char *why;

	if (!dns_stamp_read(text, &s))
		return "the stamp cannot be read, or is of a kind that "
		       "dnsproxy does not know";
	if (s.kind == STAMP_PLAIN)
		return place_plain(s.addr, p);
	p->port = s.kind == STAMP_HTTPS || s.kind == STAMP_CRYPT ? 443 : 853;
	p->needs_udp = s.kind == STAMP_CRYPT || s.kind == STAMP_QUIC;
	why = place_set(s.kind == STAMP_CRYPT ? s.addr : s.host, p);
	if (why)
		return why;
	if (s.kind == STAMP_CRYPT)
		return p->has_name ? "the stamp holds no IP address" : NULL;
	/* Some hold an address beside the name, and then need nobody. */
	if (s.addr[0] == '\0')
		return NULL;
	why = place_plain(s.addr, &by);
	if (!why && by.has_name)
		why = "the stamp holds no IP address";
	p->has_name = false;
	return why;
}

/** place_authority() - What of "HOST:PORT/path" comes before the path */
static const char *place_authority(const char *text, struct dns_place *p)
{
	char host[DNSPROXY_WORD];
	const char *at;

	if (!text_copy_n(host, sizeof(host), text, strcspn(text, "/?#")))
		return "it is too long";
	at = strrchr(host, '@'); /* a login, of https */
	return place_set(at ? at + 1 : host, p);
}

const char *dnsproxy_place(const char *text, struct dns_place *ret)
{
	const struct dns_scheme *s = scheme_of(text);
	struct dns_place p = { .port = DNS_PORT };
	const char *why;

	if (s) {
		p.port = s->port;
		p.is_plain = s->is_plain;
		p.is_tcp = s->is_tcp;
		p.needs_udp = s->needs_udp;
		text += strlen(s->prefix);
		why = p.is_plain ? place_set(text, &p)
				 : place_authority(text, &p);
	} else if (text_starts(text, "sdns://")) {
		why = place_stamp(text + strlen("sdns://"), &p);
	} else if (strstr(text, "://")) {
		why = "unknown scheme; dnsproxy knows " DNSPROXY_SCHEMES;
	} else {
		why = place_plain(text, &p);
	}
	if (!why)
		why = place_judge(&p);
	if (!why)
		*ret = p;
	return why;
}

bool dnsproxy_is_word(const char *word)
{
	return !strcmp(word, DNSPROXY_NAME) ||
	       text_starts(word, DNSPROXY_NAME "=");
}

bool dnsproxy_is_meant(const char *word)
{
	const struct dns_scheme *s = scheme_of(word);

	return (s && !s->is_plain) || text_starts(word, "sdns://") ||
	       text_starts(word, "[/") || text_starts(word, BOOTSTRAP) ||
	       word[0] == '-';
}

const char *dnsproxy_begin(const char *word, struct dnsproxy_wish *w)
{
	const char *path = word + strlen(DNSPROXY_NAME);

	if (*path == '=' && path[1] != '/')
		return "the program's path begins with '/'";
	return text_copy(w->program, sizeof(w->program),
			 *path == '=' ? path + 1 : word)
		       ? NULL
		       : "it is too long";
}

static const char *words_add(struct dnsproxy_words *w, unsigned int most,
			     const char *word, const char *too_many)
{
	if (w->count == most)
		return too_many;
	return text_copy(w->word[w->count++], DNSPROXY_WORD, word)
		       ? NULL
		       : "it is too long";
}

/** option_is_known() - May it be given? Those that open a door of their own,
 * read a file or go elsewhere may not */
static bool option_is_known(const char *word)
{
	static const char *const flags[] = {
		"--cache",   "--cache-optimistic", "--refuse-any",
		"--edns",    "--ipv6-disabled",	   "--http3",
		"--verbose",
	};
	static const char *const values[] = {
		"--cache-size=",    "--cache-min-ttl=", "--cache-max-ttl=",
		"--upstream-mode=", "--timeout=",	"--bogus-nxdomain=",
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(word, flags[i]))
			return true;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (text_starts(word, values[i]))
			return true;
	return false;
}

/** servers_check() - "[/example.org/]SERVER ...", or SERVER */
static const char *servers_check(const char *word, struct dnsproxy_wish *w)
{
	const char *end = strstr(word, "/]");
	struct dns_place p;
	const char *why;

	if (!text_starts(word, "[/")) {
		why = dnsproxy_place(word, &p);
		w->has_name |= !why && p.has_name;
		return why;
	}
	if (!end)
		return "the domains are not closed: [/example.org/]SERVER";
	for (const char *at = end + 2;;) {
		const size_t len = strcspn(at, " ");
		char one[DNSPROXY_WORD];

		if (!text_copy_n(one, sizeof(one), at, len))
			return "it is too long";
		/* "#" is dnsproxy's word for the servers without domains. */
		why = !strcmp(one, "#") ? NULL : dnsproxy_place(one, &p);
		if (why)
			return why;
		w->has_name |= one[0] != '#' && p.has_name;
		if (at[len] == '\0')
			return NULL;
		at += len + 1;
	}
}

const char *dnsproxy_add(const char *word, struct dnsproxy_wish *w)
{
	struct dns_place p;
	const char *why;

	for (const char *at = word; *at; at++)
		if (*at < ' ' || *at > '~')
			return "it holds characters that no server has";
	if (word[0] == '-')
		return option_is_known(word)
			       ? words_add(&w->option, DNSPROXY_OPTIONS, word,
					   "at most 8 options can be given")
			       : "that is none of the options of dnsproxy that "
				 "can be given here";
	if (text_starts(word, BOOTSTRAP)) {
		word += strlen(BOOTSTRAP);
		why = dnsproxy_place(word, &p);
		if (!why && p.has_name)
			why = "who is asked first is given by its IP address";
		return why ? why
			   : words_add(&w->bootstrap, DNSPROXY_BOOTSTRAP, word,
				       "at most 4 can be asked first");
	}
	why = servers_check(word, w);
	return why ? why
		   : words_add(&w->server, DNSPROXY_SERVERS, word,
			       "at most 16 servers can be named");
}

int dnsproxy_check(const struct dnsproxy_wish *w, struct fault *f)
{
	bool has_general = false;

	for (unsigned int i = 0; i < w->server.count; i++)
		has_general |= w->server.word[i][0] != '[' ||
			       w->server.word[i][1] != '/';
	if (!has_general) {
		(void)fault_plain(f, -EINVAL,
				  "dnsproxy is given no server to ask%s",
				  w->server.count > 0 ? " for every name" : "");
		return fault_hint(f,
				  "name servers behind it, such as "
				  "tls://9.9.9.9; it knows " DNSPROXY_SCHEMES);
	}
	if (!w->has_name || w->bootstrap.count > 0)
		return 0;
	(void)fault_plain(f, -EINVAL,
			  "one of dnsproxy's servers has a name, and nobody is "
			  "named who knows its address");
	return fault_hint(f, "write its IP address, or add a server to ask "
			     "first: bootstrap=9.9.9.9");
}
