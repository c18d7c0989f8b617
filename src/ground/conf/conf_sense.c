// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_sense.c - what must hold of proxies and profiles as wholes
 *
 * The second half of conf_finish(): what one value means beside another.
 */
#include "conf/conf_check.h"

#include "conf/conf_chain.h"
#include "conf/dns.h"
#include "conf/engine.h"
#include "conf/hop.h"
#include "conf/owner.h"
#include "conf/place.h"
#include "conf/profile.h"

#include <errno.h>
#include <string.h>

/** sense_secret() - Can the password be had, and by nobody else? */
static void sense_secret(struct conf *c, const struct section *s)
{
	const struct setting *file = &s->set[PROXY_PASSWORD_FILE];
	struct fault f = { 0 };
	char secret[256];
	int rc;

	if (file->count != 1 || file->value->text[0] != '/')
		return;
	rc = secret_read(file->value->text, s->at.file->layer, c->uid, secret,
			 &f);
	explicit_bzero(secret, sizeof(secret));
	/* Root's secrets are not for users, and that is well. */
	if (rc == -EACCES && c->uid != 0 && s->at.file->layer != LAYER_USER)
		return;
	if (rc < 0)
		problem_add(&c->problems, &file->value->at, "'%s': %s",
			    "password-file", f.text);
}

/** sense_auth() - Who the proxy is told we are */
static void sense_auth(struct conf *c, const struct section *s,
		       const struct hop *h)
{
	const struct setting *user = &s->set[PROXY_USERNAME];
	const struct setting *file = &s->set[PROXY_PASSWORD_FILE];
	const char *pass = file->count ? "x" : ""; /* whatever it will be */
	struct hop tried = *h;
	const char *why;

	if (h->has_auth && (user->count || file->count)) {
		problem_add(&c->problems, &s->set[PROXY_URL].at,
			    "the URL holds a user name, and '%s' is set as "
			    "well; one of the two must go",
			    user->count ? "username" : "password-file");
		return;
	}
	if (file->count && !user->count)
		problem_add(&c->problems, &file->at,
			    "'password-file' needs a 'username'");
	if (!user->count)
		return;
	why = hop_set_auth(&tried, user->value->text, pass);
	if (why)
		problem_add(&c->problems, &user->at, "'username': %s", why);
}

/** sense_open() - A password in a URL must not be for all to read */
static void sense_open(struct conf *c, const struct value *url,
		       const struct hop *h)
{
	if (h->pass[0] != '\0' && url->at.file->open_to_others)
		problem_add(&c->problems, &url->at,
			    "the URL holds a password, and others may read "
			    "this file; chmod 600 it, or use 'password-file'");
}

static void sense_proxy(struct conf *c, const struct section *s)
{
	const struct setting *url = &s->set[PROXY_URL];
	const struct setting *udp = &s->set[PROXY_UDP];
	struct hop h;

	sense_secret(c, s);
	if (url->count == 0 && !c->is_torn)
		problem_add(&c->problems, &s->at, "proxy '%s' has no 'url'",
			    s->name);
	if (url->count != 1 || hop_parse(url->value->text, &h, NULL) < 0)
		return;
	sense_auth(c, s, &h);
	sense_open(c, url->value, &h);
	if (udp->is_set && h.kind != HOP_SOCKS5)
		problem_add(&c->problems, &udp->at,
			    "'udp' is for socks5 proxies; others carry none");
	explicit_bzero(&h, sizeof(h));
}

/** sense_order() - Can these hops stand in this order? */
static void sense_order(struct conf *c, const struct section *s,
			const struct links *chain)
{
	const struct origin *at = &s->set[PROFILE_CHAIN].at;
	struct plan p = { .hop_count = chain->count };
	struct fault f = { 0 };

	for (unsigned int i = 0; i < chain->count; i++)
		p.hop[i] = chain->link[i].hop;
	if (chain_check(&p, &f) < 0)
		problem_add(&c->problems, at, "'chain': %s", f.text);
	explicit_bzero(&p, sizeof(p));
}

static void sense_isolate(struct conf *c, const struct section *s,
			  const struct link *last)
{
	const struct setting *isolate = &s->set[PROFILE_ISOLATE];

	if (isolate->count != 1 || strcmp(isolate->value->text, "sandbox") != 0)
		return;
	if (last->hop.kind != HOP_SOCKS5 || last->hop.has_auth ||
	    (last->proxy && last->proxy->set[PROXY_USERNAME].count))
		problem_add(&c->problems, &isolate->at,
			    "'isolate = sandbox' needs a last proxy that is a "
			    "socks5 one without a user name");
}

/** sense_only() - Will there be names to compare? */
static void sense_only(struct conf *c, const struct section *s,
		       const struct link *last)
{
	const struct setting *only = &s->set[PROFILE_ONLY];
	const struct setting *dns = &s->set[PROFILE_DNS];

	if (only->count > 0 &&
	    (last->hop.kind == HOP_DIRECT ||
	     (dns->count > 0 && strcmp(dns->value->text, "fake") != 0)))
		problem_add(&c->problems, &only->at,
			    "'only' needs names that leave as names: a proxy "
			    "that takes them, and 'dns = fake'");
}

static void sense_chain(struct conf *c, const struct section *s)
{
	const struct setting *set = &s->set[PROFILE_CHAIN];
	struct links chain;

	for (unsigned int i = 0; i < set->count; i++) {
		struct hop h;

		if (!strchr(set->value[i].text, ':') ||
		    hop_parse(set->value[i].text, &h, NULL) < 0)
			continue;
		sense_open(c, &set->value[i], &h);
		explicit_bzero(&h, sizeof(h));
	}
	if (set->count == 0 && !c->is_torn)
		problem_add(&c->problems, set->is_set ? &set->at : &s->at,
			    "profile '%s' has no 'chain'; to go out without "
			    "a proxy say \"direct://\"",
			    s->name);
	if (conf_chain(c, s, &c->problems, &chain) && chain.count > 0) {
		const struct link *last = &chain.link[chain.count - 1];
		const struct setting *dns = &s->set[PROFILE_DNS];

		sense_order(c, s, &chain);
		sense_isolate(c, s, last);
		if (last->hop.kind != HOP_SOCKS5 && dns->count == 1 &&
		    !strcmp(dns->value->text, "socks-resolve"))
			problem_add(&c->problems, &dns->value->at,
				    "'dns = socks-resolve' needs a last proxy "
				    "that is a socks5 one, as Tor's");
		sense_only(c, s, last);
		if (last->hop.kind == HOP_DIRECT && dns->count == 1 &&
		    !strcmp(dns->value->text, "fake"))
			problem_add(&c->problems, &dns->value->at,
				    "'dns = fake' needs a proxy that takes "
				    "names; the chain of '%s' goes out "
				    "directly",
				    s->name);
	}
	explicit_bzero(&chain, sizeof(chain));
}

/** sense_empty() - A list of nothing would let everything out */
static void sense_empty(struct conf *c, const struct section *s)
{
	const struct setting *only = &s->set[PROFILE_ONLY];

	if (only->is_set && only->count == 0)
		problem_add(&c->problems, &only->at,
			    "'only' is empty; leave it out to let all names "
			    "leave, or say \"block://\" to let none");
}

static void sense_dns(struct conf *c, const struct section *s)
{
	const struct setting *set = &s->set[PROFILE_DNS];
	struct dns_wish all = { 0 };
	struct fault f = { 0 };

	for (unsigned int i = 0; i < set->count; i++) {
		if (dns_check(set->value[i].text, NULL) < 0)
			return; /* told for itself */
		if (dns_parse(set->value[i].text, &all, &f) < 0)
			problem_add(&c->problems, &set->value[i].at,
				    "'dns': %s", f.text);
	}
	if (all.mode == NAMES_PROGRAM && all.is_set &&
	    dnsproxy_check(&all.program, &f) < 0)
		problem_add(&c->problems, &set->at, "'dns': %s; %s", f.text,
			    f.hint);
}

/** sense_counts() - What a plan has room for */
static void sense_counts(struct conf *c, const struct section *s)
{
	static const struct {
		enum profile_key key;
		unsigned int most;
	} doors[] = {
		{ PROFILE_EXPOSE, PLAN_EXPOSE },
		{ PROFILE_PUBLISH, PLAN_PUBLISH },
		{ PROFILE_VETH_PORTS, KEYS_VETH_PORTS },
		{ PROFILE_ONLY, PLAN_ONLY },
	};

	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		const struct setting *set = &s->set[doors[i].key];
		const unsigned int most = doors[i].most;

		if (set->count > most)
			problem_add(&c->problems, &set->value[most].at,
				    "'%s' takes at most %u values",
				    forms[s->kind].key[doors[i].key].name,
				    most);
		for (unsigned int a = 0; a < set->count; a++)
			for (unsigned int b = 0; b < a; b++)
				if (!strcmp(set->value[a].text,
					    set->value[b].text))
					problem_add(
						&c->problems, &set->value[a].at,
						"'%s' stands in the list twice",
						forms[s->kind]
							.key[doors[i].key]
							.name);
	}
}

/** listens_twice() - Would the second bind(2) fail? */
static bool listens_twice(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && a->family == b->family &&
	       (addr_same_host(a, b) || addr_is_any(a) || addr_is_any(b));
}

static bool starts_itself(const struct section *s)
{
	const struct setting *set = &s->set[PROFILE_AUTOSTART];
	bool flag = false;

	return set->count == 1 && key_read_flag(set->value->text, &flag) &&
	       flag;
}

/** sense_publish() - Does a profile that will be up, too, have the port? */
static void sense_publish(struct conf *c, const struct section *s,
			  const struct value *v)
{
	struct plan_publish mine;
	struct plan_publish other;
	char where[ORIGIN_TEXT];

	if (publish_parse(v->text, &mine, NULL) < 0)
		return;
	for (const struct section *t = c->first; t; t = t->next) {
		const struct setting *set = &t->set[PROFILE_PUBLISH];

		if (t->kind != SECTION_PROFILE ||
		    (t != s && (!starts_itself(s) || !starts_itself(t))))
			continue;
		for (unsigned int i = 0; i < set->count; i++) {
			if (t == s && &set->value[i] == v)
				return; /* those behind it look back at it */
			if (publish_parse(set->value[i].text, &other, NULL) <
				    0 ||
			    !listens_twice(&mine.host, &other.host))
				continue;
			problem_add(&c->problems, &v->at,
				    "'publish': port %u of the host is taken "
				    "by %s",
				    mine.host.port,
				    origin_text(&set->value[i].at, where));
		}
	}
}

/** sense_user() - Whom its own files' programs run as is the user's alone */
static void sense_user(struct conf *c, const struct section *s,
		       const struct setting *user)
{
	if (user->is_set && s->at.file->layer == LAYER_USER)
		problem_add(&c->problems, &user->at,
			    "'user' is for the system's files: %ss of "
			    "your own profiles run as you",
			    forms[s->kind].name);
}

static void sense_helper(struct conf *c, const struct section *s)
{
	const struct setting *command = &s->set[HELPER_COMMAND];
	const struct setting *user = &s->set[HELPER_USER];
	size_t bytes = 0;

	for (unsigned int i = 0; i < command->count; i++)
		bytes += strlen(command->value[i].text) + 1;
	if (bytes > HELPER_BYTES)
		problem_add(&c->problems, &command->at,
			    "'command' holds more than %d bytes", HELPER_BYTES);
	if (command->count == 0 ? !c->is_torn : command->value->text[0] == '\0')
		problem_add(&c->problems,
			    command->is_set ? &command->at : &s->at,
			    "helper '%s' has no 'command'", s->name);
	sense_user(c, s, user);
}

static void sense_engine(struct conf *c, const struct section *s)
{
	const struct setting *command = &s->set[ENGINE_COMMAND];
	struct fault f = { 0 };

	sense_user(c, s, &s->set[ENGINE_USER]);
	if (command->count == 0 ? !c->is_torn
				: command->value->text[0] == '\0') {
		problem_add(&c->problems,
			    command->is_set ? &command->at : &s->at,
			    "engine '%s' has no 'command'", s->name);
		return;
	}
	if (command->count > 0 && engine_kind(command, &f) < 0)
		problem_add(&c->problems, &command->at, "'command': %s",
			    f.text);
}

/** sense_engine_of() - Is there such a one, and can it do what is wished? */
static void sense_engine_of(struct conf *c, const struct section *s)
{
	const struct setting *set = &s->set[PROFILE_ENGINE];
	const struct setting *veth = &s->set[PROFILE_VETH];
	struct engine e;
	struct fault f = { 0 };
	bool has_veth = false;

	if (set->count != 1)
		return;
	if (!c->is_torn &&
	    !engine_is_known(c, set->value->text, s->at.file->layer)) {
		(void)engine_get(c, set->value->text, s->at.file->layer, &e,
				 &f);
		problem_add(&c->problems, &set->value->at, "'engine': %s; %s",
			    f.text, f.hint);
	}
	if (veth->count == 1 && key_read_flag(veth->value->text, &has_veth) &&
	    has_veth)
		problem_add(&c->problems, &set->value->at,
			    "'engine' and 'veth = true' exclude each other");
}

/** sense_helpers() - Are there too many of a profile? */
static void sense_helpers(struct conf *c, const struct section *profile)
{
	unsigned int count = 0;

	for (const struct section *s = c->first; s; s = s->next) {
		if (s->kind != SECTION_HELPER || s->parent != profile)
			continue;
		if (count++ == HELPERS_MAX)
			problem_add(&c->problems, &s->at,
				    "profile '%s' has more than %d helpers",
				    profile->name, HELPERS_MAX);
	}
}

void check_sense(struct conf *c)
{
	for (const struct section *s = c->first; s; s = s->next) {
		if (s->kind == SECTION_PROXY)
			sense_proxy(c, s);
		if (s->kind == SECTION_HELPER)
			sense_helper(c, s);
		if (s->kind == SECTION_ENGINE)
			sense_engine(c, s);
		if (s->kind != SECTION_PROFILE)
			continue;
		sense_engine_of(c, s);
		if (s->set[PROFILE_ATTACH].count > 0 ||
		    s->set[PROFILE_WIREGUARD].count > 0)
			sense_attach(c, s);
		else
			sense_chain(c, s);
		sense_dns(c, s);
		sense_empty(c, s);
		sense_counts(c, s);
		sense_helpers(c, s);
		for (unsigned int i = 0; i < s->set[PROFILE_PUBLISH].count; i++)
			sense_publish(c, s, &s->set[PROFILE_PUBLISH].value[i]);
	}
}
