// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * config_import.c - `nsproxy config import`: a netns-proxy file, written anew
 *
 * Two shapes are known: {"profiles": {NAME: {vconns, tun2socks, dnsproxy,
 * procs}}, "flatpak"}, and the older {"params": {NAME: {cmd, hport, chain,
 * dns_argv}}, "flatpak"}. What has no counterpart is told on standard error;
 * a profile whose proxy cannot be told gets "block://": never a way out that
 * nobody asked for.
 */
#include "config_words.h"

#include "base/text.h"
#include "bus/plan.h"
#include "conf/dns.h"
#include "conf/keys.h"
#include "conf/profile.h"
#include "import_dns.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#define IMPORT_SHOWN 64
#define IMPORT_WORDS 24	  /* of dns */
#define PORT_OLD     9909 /* what both shapes mean when no port is given */
#define DNS_OLD	     "tcp://1.1.1.1"
#define DNS_OLD_IP6  "tcp://[2620:119:35::35]"

/** struct import - the profile at work */
struct import {
	char name[IMPORT_SHOWN];
	unsigned int dns_count;
};

/** import_note() - Tell what is not carried over */
static void import_note(const struct import *im, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void import_note(const struct import *im, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("nsproxy: config: import: ", stderr);
	if (im->name[0])
		(void)fprintf(stderr, "profile '%s': ", im->name);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/** import_note_key() - About a key that nobody knows */
static void import_note_key(const struct import *im, const char *key)
{
	char shown[IMPORT_SHOWN];

	import_note(im, "'%s' is not carried over",
		    text_quote(shown, sizeof(shown), key, strlen(key)));
}

/** import_text() - A text in double quotes */
static void import_text(const struct import *im, const char *text)
{
	(void)putchar('"');
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (strchr("\"\\$", c))
			(void)printf("\\%c", c);
		else if (c == '\n')
			(void)fputs("\\n", stdout);
		else if (c == '\t' || (c >= 0x20 && c != 0x7f))
			(void)putchar(c);
		else
			import_note(im,
				    "a control character (0x%02x) is left "
				    "out of a text",
				    c);
	}
	(void)putchar('"');
}

/* --- where a profile's proxy is */

static unsigned int import_port(const struct import *im, const json_t *port)
{
	const json_int_t n =
		json_is_integer(port) ? json_integer_value(port) : 0;

	if (!port || json_is_null(port))
		return PORT_OLD;
	if (n >= 1 && n <= 65535)
		return (unsigned int)n;
	import_note(im, "its port is no number from 1 to 65535");
	return 0;
}

static bool import_is_root(const json_t *vconn)
{
	const json_t *target = json_object_get(vconn, "target");

	return json_is_string(target) &&
	       !strcmp(json_string_value(target), "Root");
}

static void import_chain(unsigned int port, bool is_ip6)
{
	if (port == 0)
		(void)puts("\tchain = {\"block://\"}");
	else
		(void)printf("\tchain = {\"socks5://%s:%u\"}\n",
			     is_ip6 ? "[::1]" : "127.0.0.1", port);
}

static void import_tun2socks(const struct import *im, const json_t *tun2socks)
{
	const json_t *src = json_object_get(tun2socks, "SrcAddrPort");
	unsigned int port = 0;

	if (!src)
		import_note(im, "it has no proxy and nothing gets out "
				"(block://)");
	else if (!import_is_root(json_object_get(src, "vconn")))
		import_note(im, "its proxy is in another namespace, not on "
				"the host: nothing gets out (block://); "
				"publish its port there and name it in "
				"'chain'");
	else
		port = import_port(im, json_object_get(src, "port"));
	import_chain(port, json_is_true(json_object_get(src, "v6")));
}

static void import_vconns(const struct import *im, const json_t *vconns,
			  bool has_proxy)
{
	size_t i;
	json_t *vconn;

	json_array_foreach (vconns, i, vconn) {
		if (!import_is_root(vconn))
			import_note(im, "its link to another namespace is not "
					"carried over");
		else if (!has_proxy)
			import_note(im, "it had a link to the host; what it "
					"reached there goes into 'expose', as "
					"127.0.0.1:PORT");
	}
}

/* --- names */

static void import_dns_add(struct import *im, const char *text)
{
	struct dns_wish w = { 0 };
	char shown[IMPORT_SHOWN];

	text_quote(shown, sizeof(shown), text, strlen(text));
	if (dns_parse(text, &w, NULL) < 0 || w.mode != NAMES_FORWARD)
		import_note(im,
			    "the DNS server '%s' is not carried over: "
			    "only udp:// and tcp:// addresses are known",
			    shown);
	else if (im->dns_count == PLAN_SERVERS)
		import_note(im, "the DNS server '%s' is one too many", shown);
	else {
		(void)fputs(im->dns_count++ ? ", " : "\tdns = {", stdout);
		import_text(im, text);
	}
}

/** import_dns_args() - From dnsproxy's arguments: it itself, if it is needed */
static void import_dns_args(struct import *im, const json_t *args)
{
	struct dns_words all = { 0 };

	if (import_dns_words(args, &all))
		import_note(im, "arguments of dnsproxy other than its "
				"upstreams are left out");
	if (import_needs_program(&all)) {
		(void)fputs("\tdns = {\"" DNSPROXY_NAME "\"", stdout);
		for (unsigned int i = 0; i < all.count; i++) {
			(void)fputs(", ", stdout);
			import_text(im, all.word[i]);
		}
		(void)puts("}");
		return;
	}
	for (unsigned int i = 0; i < all.count; i++)
		if (!text_starts(all.word[i], "bootstrap="))
			import_dns_add(im, all.word[i]);
	if (im->dns_count > 0)
		(void)puts("}");
}

static void import_dnsproxy(struct import *im, const json_t *dnsproxy)
{
	const json_t *on = json_object_get(dnsproxy, "Enabled");
	const json_t *args = json_object_get(on, "args");

	if (!on)
		return; /* names go to the proxy, which is the default */
	if (json_is_array(args))
		import_dns_args(im, args);
	else
		(void)printf("\tdns = {\"%s\"}\n",
			     json_is_true(json_object_get(on, "v6"))
				     ? DNS_OLD_IP6
				     : DNS_OLD);
}

/* --- programs */

/** import_is_plain() - Do all its words mean the same to us? */
static bool import_is_plain(const json_t *argv)
{
	size_t i;
	json_t *word;

	json_array_foreach (argv, i, word)
		if (!json_is_string(word) ||
		    strchr(json_string_value(word), '$'))
			return false;
	return true;
}

/** import_is_short() - May a 'command' of ours be that long? */
static bool import_is_short(const char *program, const json_t *argv)
{
	size_t bytes = strlen(program) + 1;
	size_t i;
	json_t *word;

	json_array_foreach (argv, i, word)
		bytes += json_string_length(word) + 1;
	return bytes <= HELPER_BYTES && json_array_size(argv) < CONF_TEXTS;
}

/** import_helper_fault() - Return: why it is left out, or NULL */
static const char *import_helper_fault(const char *program, const json_t *argv,
				       const char *user)
{
	const struct key *k = &forms[SECTION_HELPER].key[HELPER_USER];

	if (!program || !program[0] || !import_is_plain(argv))
		return "its words are none, or hold addresses that do not "
		       "exist here";
	if (!import_is_short(program, argv))
		return "its words are too many";
	if (user && strcmp(user, "root") != 0 && k->check(user, NULL) < 0)
		return "its 'user' is no name of one";
	return NULL;
}

static void import_helper(const struct import *im, const char *name,
			  const json_t *proc)
{
	const char *program =
		json_string_value(json_object_get(proc, "program"));
	const char *user = json_string_value(json_object_get(proc, "user"));
	const json_t *argv = json_object_get(proc, "argv");
	const char *why = import_helper_fault(program, argv, user);
	size_t i;
	json_t *word;

	if (!proc || json_is_null(proc))
		return;
	if (why) {
		import_note(im, "its program '%s' is not carried over: %s",
			    name, why);
		return;
	}
	(void)printf("\thelper \"%s\" {\n\t\tcommand = {", name);
	import_text(im, program);
	json_array_foreach (argv, i, word) {
		(void)fputs(", ", stdout);
		import_text(im, json_string_value(word));
	}
	(void)puts("}");
	if (user && strcmp(user, "root") != 0) {
		(void)fputs("\t\tuser = ", stdout);
		import_text(im, user);
		(void)putchar('\n');
	} else {
		import_note(im,
			    "its program '%s' names no user; it would "
			    "run as nobody",
			    name);
	}
	(void)puts("\t}");
}

static void import_procs(const struct import *im, const json_t *procs)
{
	const json_t *su = json_object_get(procs, "su");

	if (su && !json_is_null(su))
		import_note(im, "its program 'su' is not carried over: "
				"nothing runs as root");
	import_helper(im, "normal", json_object_get(procs, "normal"));
}

/* --- the two shapes */

static void import_profile(struct import *im, json_t *p)
{
	const json_t *tun2socks = json_object_get(p, "tun2socks");
	const char *key;
	json_t *value;

	import_tun2socks(im, tun2socks);
	import_vconns(im, json_object_get(p, "vconns"),
		      json_object_get(tun2socks, "SrcAddrPort"));
	import_dnsproxy(im, json_object_get(p, "dnsproxy"));
	import_procs(im, json_object_get(p, "procs"));
	json_object_foreach (p, key, value)
		if (strcmp(key, "tun2socks") != 0 &&
		    strcmp(key, "vconns") != 0 &&
		    strcmp(key, "dnsproxy") != 0 && strcmp(key, "procs") != 0)
			import_note_key(im, key);
}

static void import_params(struct import *im, json_t *p)
{
	const char *key;
	json_t *value;

	import_chain(import_port(im, json_object_get(p, "hport")), false);
	if (json_is_array(json_object_get(p, "dns_argv")))
		import_dns_args(im, json_object_get(p, "dns_argv"));
	import_helper(im, "cmd", json_object_get(p, "cmd"));
	if (json_is_true(json_object_get(p, "chain")))
		import_note(im, "'chain' put a proxy into the namespace; if "
				"it led to others, name them in 'chain'");
	json_object_foreach (p, key, value)
		if (strcmp(key, "hport") != 0 && strcmp(key, "dns_argv") != 0 &&
		    strcmp(key, "cmd") != 0 && strcmp(key, "chain") != 0 &&
		    strcmp(key, "ipv6") != 0)
			import_note_key(im, key);
}

/** import_all() - @first: profiles that are written already */
static void import_all(json_t *all, const json_t *first,
		       void (*one)(struct import *im, json_t *p))
{
	const char *name;
	json_t *p;

	json_object_foreach (all, name, p) {
		struct import im = { 0 };
		const char *why = name_fault(name);

		text_quote(im.name, sizeof(im.name), name, strlen(name));
		if (!why && !json_is_object(p))
			why = "it is no object";
		if (!why && json_is_object(json_object_get(first, name)))
			why = "'profiles' has one of that name";
		if (why) {
			import_note(&im, "it is left out: %s", why);
			continue;
		}
		(void)printf("\nprofile \"%s\" {\n", name);
		one(&im, p);
		(void)puts("}");
	}
}

int config_import(const struct config_call *call)
{
	const struct import whole = { 0 };
	json_error_t error;
	json_t *root =
		json_load_file(call->operand, JSON_REJECT_DUPLICATES, &error);
	json_t *profiles = json_object_get(root, "profiles");
	json_t *params = json_object_get(root, "params");
	struct fault f = { 0 };
	char shown[IMPORT_SHOWN];
	char why[JSON_ERROR_TEXT_LENGTH];

	text_quote(shown, sizeof(shown), call->operand, strlen(call->operand));
	if (!root) {
		(void)fault_plain(&f, -EINVAL, "%s:%d: %s", shown,
				  error.line > 0 ? error.line : 0,
				  text_quote(why, sizeof(why), error.text,
					     strlen(error.text)));
		return verb_say(call->verb, &f, STATUS_FAILED);
	}
	if (!json_is_object(profiles) && !json_is_object(params)) {
		json_decref(root);
		(void)fault_plain(&f, -EINVAL,
				  "%s holds neither 'profiles' nor 'params': "
				  "it is no configuration of netns-proxy",
				  shown);
		return verb_say(call->verb, &f, STATUS_FAILED);
	}
	(void)puts("# made by nsproxy config import; see nsproxy.conf(5)");
	import_all(profiles, NULL, import_profile);
	import_all(params, profiles, import_params);
	if (json_object_size(json_object_get(root, "flatpak")) > 0)
		import_note(&whole, "which flatpak application gets which "
				    "profile is not carried over");
	json_decref(root);
	return STATUS_DONE;
}
