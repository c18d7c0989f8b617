// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * hop.c - proxies and chains of them, as people write them
 *
 * Enter with chain_parse() for each thing the user wrote, then chain_check()
 * once. What a scheme is and which options it takes are tables.
 */
#include "conf/hop.h"

#include "base/text.h"
#include "conf/place.h"
#include "conf/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOP_OPTIONS \
	"insecure, forward, eager, fresh, timeout=SECONDS, dev=IFACE"
#define HOP_FORMS                                                      \
	"socks5://HOST:PORT, socks4a://..., http://..., https://..., " \
	"socks5+unix:/PATH, direct://, block://"

#define TIMEOUT_MAX_S 600

/* What stands behind the scheme. */
enum hop_shape {
	SHAPE_PLACE, /* HOST:PORT */
	SHAPE_PATH,  /* of a unix socket */
	SHAPE_NONE,
};

struct hop_scheme {
	const char *name;
	enum hop_kind kind;
	enum hop_shape shape;
	uint16_t port;
};

static const struct hop_scheme hop_schemes[] = {
	{ "socks5", HOP_SOCKS5, SHAPE_PLACE, 1080 },
	{ "socks5h", HOP_SOCKS5, SHAPE_PLACE, 1080 },
	{ "socks5+unix", HOP_SOCKS5, SHAPE_PATH, 0 },
	{ "socks4a", HOP_SOCKS4A, SHAPE_PLACE, 1080 },
	{ "http", HOP_HTTP, SHAPE_PLACE, 8080 },
	{ "https", HOP_HTTPS, SHAPE_PLACE, 443 },
	{ "direct", HOP_DIRECT, SHAPE_NONE, 0 },
	{ "block", HOP_BLOCK, SHAPE_NONE, 0 },
};

#define SCHEMES (sizeof(hop_schemes) / sizeof(hop_schemes[0]))

static const char *const hop_kind_name[] = {
	[HOP_SOCKS5] = "socks5", [HOP_SOCKS4A] = "socks4a",
	[HOP_HTTP] = "http",	 [HOP_HTTPS] = "https",
	[HOP_DIRECT] = "direct", [HOP_BLOCK] = "block",
};

_Static_assert(sizeof(hop_kind_name) / sizeof(hop_kind_name[0]) == HOP_KINDS,
	       "each kind of hop has a name");

static const char *take_insecure(struct hop *h, const char *value)
{
	if (value)
		return "the option 'insecure' takes no value";
	if (h->kind != HOP_HTTPS)
		return "the option 'insecure' is for https:// only";
	h->insecure = true;
	return NULL;
}

static const char *take_forward(struct hop *h, const char *value)
{
	if (value)
		return "the option 'forward' takes no value";
	if (h->kind != HOP_HTTP && h->kind != HOP_HTTPS)
		return "the option 'forward' is for http:// and https:// only";
	h->forward = true;
	return NULL;
}

static const char *take_eager(struct hop *h, const char *value)
{
	if (value)
		return "the option 'eager' takes no value";
	if (h->kind != HOP_SOCKS5)
		return "the option 'eager' is for socks5:// only";
	h->eager = true;
	return NULL;
}

static const char *take_fresh(struct hop *h, const char *value)
{
	if (value)
		return "the option 'fresh' takes no value";
	if (h->kind == HOP_DIRECT || h->kind == HOP_BLOCK)
		return "the option 'fresh' is for proxies only";
	h->fresh = true;
	return NULL;
}

static const char *take_timeout(struct hop *h, const char *value)
{
	if (h->kind == HOP_BLOCK)
		return "block:// takes no option 'timeout'";
	if (!value || !text_uint(value, TIMEOUT_MAX_S, &h->dial_s) ||
	    h->dial_s == 0)
		return "the option 'timeout' takes a number of seconds from 1 "
		       "to 600";
	return NULL;
}

static const char *take_dev(struct hop *h, const char *value)
{
	if (h->kind != HOP_DIRECT)
		return "the option 'dev' is for direct:// only (put "
		       "direct://?dev=IFACE before the proxy)";
	if (!value || value[0] == '\0' || strchr(value, '/') ||
	    !strcmp(value, ".") || !strcmp(value, "..") ||
	    !text_copy(h->dev, sizeof(h->dev), value))
		return "the option 'dev' takes the name of a network "
		       "interface (at most 15 bytes)";
	return NULL;
}

struct hop_option {
	const char *name;
	const char *(*take)(struct hop *h, const char *value);
};

static const struct hop_option hop_options[] = {
	{ "insecure", take_insecure }, { "forward", take_forward },
	{ "eager", take_eager },       { "fresh", take_fresh },
	{ "timeout", take_timeout },   { "dev", take_dev },
};

#define OPTIONS (sizeof(hop_options) / sizeof(hop_options[0]))

/** hop_fault() - "proxy 'URL': why", the password masked */
static int hop_fault(struct fault *f, const char *url, const char *why)
{
	char shown[URL_SHOWN];

	return fault_plain(f, -EINVAL, "proxy '%s': %s",
			   url_mask(shown, sizeof(shown), url), why);
}

static const struct hop_scheme *hop_find_scheme(const char *name)
{
	for (size_t i = 0; i < SCHEMES; i++)
		if (!strcmp(hop_schemes[i].name, name))
			return &hop_schemes[i];
	return NULL;
}

static int hop_fault_scheme(struct fault *f, const char *url, const char *name)
{
	const char *names[SCHEMES];
	const char *near;

	for (size_t i = 0; i < SCHEMES; i++)
		names[i] = hop_schemes[i].name;
	near = !strcmp(name, "socks4") || !strcmp(name, "socks")
		       ? NULL
		       : text_did_you_mean(name, names, SCHEMES);
	if (!strcmp(name, "socks"))
		near = "socks5";
	(void)hop_fault(f, url, "unknown scheme");
	if (!strcmp(name, "socks4"))
		return fault_hint(f, "socks4:// cannot carry names or IPv6; "
				     "most such proxies speak socks4a://");
	if (near)
		return fault_hint(f, "did you mean '%s'? A proxy is one of %s",
				  near, HOP_FORMS);
	return fault_hint(f, "a proxy is one of " HOP_FORMS);
}

/** hop_read_option() - One "NAME" or "NAME=VALUE" */
static int hop_read_option(struct hop *h, char *word, const char *url,
			   struct fault *f)
{
	const char *names[OPTIONS];
	char shown[64];
	char *value = strchr(word, '=');
	const char *near;

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < OPTIONS; i++) {
		const char *why;

		names[i] = hop_options[i].name;
		if (strcmp(names[i], word) != 0)
			continue;
		why = hop_options[i].take(h, value);
		return why ? hop_fault(f, url, why) : 0;
	}
	near = text_did_you_mean(word, names, OPTIONS);
	(void)hop_fault(f, url, "unknown option");
	text_quote(shown, sizeof(shown), word, strlen(word));
	if (near)
		return fault_hint(f, "'%s': did you mean '%s'? Options: %s",
				  shown, near, HOP_OPTIONS);
	return fault_hint(f, "'%s' is none of the options: %s", shown,
			  HOP_OPTIONS);
}

static int hop_read_options(struct hop *h, const char *query, const char *url,
			    struct fault *f)
{
	char words[sizeof(((struct url *)0)->query)];
	char *save = NULL;

	(void)text_copy(words, sizeof(words), query); /* same size */
	for (char *w = strtok_r(words, "&", &save); w;
	     w = strtok_r(NULL, "&", &save))
		if (hop_read_option(h, w, url, f) < 0)
			return -EINVAL;
	return 0;
}

const char *hop_set_auth(struct hop *h, const char *user, const char *pass)
{
	if (h->kind == HOP_DIRECT || h->kind == HOP_BLOCK)
		return "there is nobody to give a user name to";
	if (user[0] == '\0' &&
	    (h->kind == HOP_SOCKS5 || h->kind == HOP_SOCKS4A))
		return "the user name is empty";
	if (h->kind == HOP_SOCKS4A && pass[0] != '\0')
		return "SOCKS4a knows no password";
	if ((h->kind == HOP_HTTP || h->kind == HOP_HTTPS) && strchr(user, ':'))
		return "a user name with ':' cannot be sent (RFC 7617)";
	if (strlen(user) >= sizeof(h->user) || strlen(pass) >= sizeof(h->pass))
		return "user name and password have at most 255 bytes each";
	h->has_auth = true;
	(void)text_copy(h->user, sizeof(h->user), user); /* fits */
	(void)text_copy(h->pass, sizeof(h->pass), pass);
	return NULL;
}

static const char *hop_read_place(struct hop *h, const struct hop_scheme *s,
				  const struct url *u)
{
	const char *why = NULL;

	if (s->shape == SHAPE_PATH) {
		if (u->place[0] != '\0')
			return "write socks5+unix:/PATH, without a host";
		if (u->path[0] != '/' || u->path[1] == '\0')
			return "the path of the socket must begin with '/'";
		return text_copy(h->path, sizeof(h->path), u->path)
			       ? NULL
			       : "the path of a unix socket has at most 107 "
				 "bytes";
	}
	if (!u->slashes)
		return "'//' is missing behind the scheme";
	if (u->path[0] != '\0' && strcmp(u->path, "/") != 0)
		return "a proxy has no path";
	if (s->shape == SHAPE_NONE)
		return u->place[0] == '\0'
			       ? NULL
			       : "it takes no host (an interface is written "
				 "direct://?dev=IFACE)";
	h->port = s->port;
	why = place_read(u->place, h->host, &h->port);
	return why;
}

static void hop_make_label(struct hop *h)
{
	const char *kind = hop_kind_name[h->kind];
	const bool is_ip6 = strchr(h->host, ':');
	char shown[NAME_MAX_LEN];

	/* Percents may have hidden octets that are no ASCII. */
	text_quote(shown, sizeof(shown), h->path, strlen(h->path));
	if (h->path[0] != '\0')
		(void)snprintf(h->label, sizeof(h->label), "%s %s", kind,
			       shown);
	else if (h->host[0] != '\0')
		(void)snprintf(h->label, sizeof(h->label),
			       is_ip6 ? "%s [%s]:%u" : "%s %s:%u", kind,
			       h->host, h->port);
	else if (h->dev[0] != '\0')
		(void)snprintf(h->label, sizeof(h->label), "%s by %s", kind,
			       h->dev);
	else
		(void)text_copy(h->label, sizeof(h->label), kind); /* fits */
}

int hop_parse(const char *url, struct hop *ret, struct fault *f)
{
	struct url u;
	struct hop h = { 0 };
	const struct hop_scheme *s;
	const char *why = url_split(url, &u);

	if (why && u.scheme[0] == '\0') {
		(void)hop_fault(f, url, why);
		return fault_hint(f, "a proxy is one of " HOP_FORMS);
	}
	s = hop_find_scheme(u.scheme);
	if (!s && !u.slashes && !why)
		why = "it does not begin with a scheme such as socks5://";
	if (why)
		return hop_fault(f, url, why);
	if (!s)
		return hop_fault_scheme(f, url, u.scheme);
	h.kind = s->kind;
	why = u.has_auth ? hop_set_auth(&h, u.user, u.pass) : NULL;
	if (!why)
		why = hop_read_place(&h, s, &u);
	if (why)
		return hop_fault(f, url, why);
	if (hop_read_options(&h, u.query, url, f) < 0)
		return -EINVAL;
	hop_make_label(&h);
	*ret = h;
	return 0;
}

int chain_parse(struct plan *p, const char *text, struct fault *f)
{
	const unsigned int kept = p->hop_count;
	char url[URL_MAX + 1];
	int rc = 0;

	for (const char *at = text; rc == 0; at++) {
		const size_t len = strcspn(at, ",");

		/* Over-long ones are refused by url_split(). */
		(void)text_copy_n(url, sizeof(url), at,
				  len < URL_MAX ? len : URL_MAX);
		if (p->hop_count == PLAN_HOPS)
			rc = fault_plain(f, -E2BIG,
					 "a chain has at most %d proxies",
					 PLAN_HOPS);
		else if (len == 0)
			rc = fault_plain(f, -EINVAL,
					 "a proxy of the list is "
					 "empty");
		else
			rc = hop_parse(url, &p->hop[p->hop_count], f);
		if (rc == 0)
			p->hop_count++;
		at += len;
		if (*at == '\0')
			break;
	}
	if (rc < 0)
		p->hop_count = kept;
	return rc;
}

int chain_check(const struct plan *p, struct fault *f)
{
	for (unsigned int i = 0; i < p->hop_count; i++) {
		const struct hop *h = &p->hop[i];

		if (p->hop_count == 1)
			break;
		if (h->forward && i + 1 < p->hop_count)
			return fault_plain(f, -EINVAL,
					   "'?forward' is for the last proxy "
					   "of a chain: %s would have to reach "
					   "%s by CONNECT",
					   h->label, p->hop[i + 1].label);
		if (h->kind == HOP_BLOCK)
			return fault_plain(f, -EINVAL,
					   "block:// stands alone: it lets "
					   "nothing through");
		if (h->kind == HOP_DIRECT && h->dev[0] == '\0')
			return fault_plain(f, -EINVAL,
					   "direct:// stands alone; in a chain "
					   "leave it out");
		if (h->kind == HOP_DIRECT && i > 0)
			return fault_plain(f, -EINVAL,
					   "direct://?dev=%s must come first: "
					   "it is how the first proxy is "
					   "reached",
					   h->dev);
	}
	return 0;
}

bool chain_has_udp(const struct plan *p)
{
	const struct hop *last = plan_last(p);

	if (last->kind == HOP_DIRECT)
		return true;
	return last->kind == HOP_SOCKS5 && !last->no_udp &&
	       (p->hop_count == 1 ||
		(p->hop_count == 2 && p->hop[0].kind == HOP_DIRECT));
}
