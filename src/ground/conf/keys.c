// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * keys.c - what may stand in a configuration: one table
 *
 * Beside each key stands what one value of it must look like; what several
 * values mean together is for conf_check.c.
 */
#include "conf/keys.h"

#include "base/text.h"
#include "conf/dns.h"
#include "conf/engine.h"
#include "conf/hop.h"
#include "conf/only.h"
#include "conf/opts.h"
#include "conf/place.h"
#include "conf/wireguard.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define KEYS_SHOWN    80
#define NAME_MAX_CONF 31 /* fits a path, a log line, and has room to spare */
#define WORDS_MAX     8

const char *name_fault(const char *name)
{
	const size_t len = strlen(name);

	if (len == 0)
		return "it is empty";
	if (len > NAME_MAX_CONF)
		return "it is longer than 31 bytes";
	if (name[0] == '.' || name[0] == '-')
		return "it begins with '.' or '-'";
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    !strchr("-_.+@", name[i]))
			return "it may hold letters, digits and - _ . + @ only";
	return NULL;
}

/** key_fault() - "'TEXT': why" */
static int key_fault(struct fault *f, const char *text, const char *why)
{
	char shown[KEYS_SHOWN];

	text_quote(shown, sizeof(shown), text, strlen(text));
	return fault_plain(f, -EINVAL, "'%s': %s", shown, why);
}

static int check_url(const char *text, struct fault *f)
{
	struct hop h;
	const int rc = hop_parse(text, &h, f);

	explicit_bzero(&h, sizeof(h));
	return rc;
}

/** check_link() - A proxy of a chain: a URL, or the name of one */
static int check_link(const char *text, struct fault *f)
{
	const char *why;

	if (strchr(text, ':'))
		return check_url(text, f);
	why = name_fault(text);
	return why ? key_fault(f, text, why) : 0;
}

static int check_path(const char *text, struct fault *f)
{
	if (text[0] == '/')
		return 0;
	return key_fault(f, text, "a path must begin with '/'");
}

static int check_username(const char *text, struct fault *f)
{
	const size_t len = strlen(text);

	if (len == 0)
		return key_fault(f, text, "the user name is empty");
	if (len > 255)
		return key_fault(f, text,
				 "the user name is longer than 255 bytes");
	return 0;
}

static int check_expose(const char *text, struct fault *f)
{
	char host[NAME_MAX_LEN + 1];
	uint16_t port;

	return host_port_parse(text, host, &port, f);
}

static int check_publish(const char *text, struct fault *f)
{
	struct plan_publish p;

	return publish_parse(text, &p, f);
}

static int check_only(const char *text, struct fault *f)
{
	struct plan_only one;

	return only_parse(text, &one, f);
}

static int check_port(const char *text, struct fault *f)
{
	bool is_udp;
	uint16_t port;

	return proto_port_parse(text, &is_udp, &port, f);
}

/** check_user() - A user, or "@" and a group; who is known is asked later */
static int check_user(const char *text, struct fault *f)
{
	const char *name = text + (text[0] == '@');
	const size_t len = strlen(name);

	if (len == 0 || len > 255)
		return key_fault(f, text, "write a user, or @ and a group");
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    !strchr("-_.$", name[i]))
			return key_fault(f, text,
					 "that is no name of a user or group");
	return name[0] == '-' ? key_fault(f, text, "no name begins with '-'")
			      : 0;
}

static int check_helper_user(const char *text, struct fault *f)
{
	if (text[0] == '@')
		return key_fault(f, text, "it must be a user, not a group");
	if (!strcmp(text, "root") || !strcmp(text, "0"))
		return key_fault(
			f, text,
			"helpers and engines run as ordinary users, never as "
			"root");
	return check_user(text, f);
}

static int check_engine(const char *text, struct fault *f)
{
	const char *why = name_fault(text);

	return why ? key_fault(f, text, why) : 0;
}

static int check_engine_word(const char *text, struct fault *f)
{
	return engine_word_check(text, f);
}

static int check_ready(const char *text, struct fault *f)
{
	struct addr a;

	return ready_parse(text, &a, f);
}

static int check_iface(const char *text, struct fault *f)
{
	const size_t len = strlen(text);
	size_t good = 0;

	while (isgraph((unsigned char)text[good]) && !strchr("/:", text[good]))
		good++;
	if (len == 0 || len >= IFNAMSIZ || good < len || !strcmp(text, ".") ||
	    !strcmp(text, ".."))
		return key_fault(f, text,
				 "that is no name of a network interface");
	return !strcmp(text, "lo") ? key_fault(f, text, "the host needs that")
				   : 0;
}

static int check_wireguard(const char *text, struct fault *f)
{
	char link[IFNAMSIZ];
	const char *why = wireguard_link(text, link);

	if (check_path(text, f) < 0)
		return -EINVAL;
	return why ? key_fault(f, text, why) : 0;
}

static const char *const udp_words[] = { "associate", "none", NULL };
const char *const guard_words[] = { "plain", "guarded", "strict", NULL };
static const char *const isolate_words[] = { "none", "sandbox", NULL };
static const char *const restart_words[] = { "never", "on-failure", "always",
					     NULL };
static const char *const where_words[] = { "sandbox", "host", NULL };

static const struct key proxy_keys[] = {
	[PROXY_URL] = { "url", KEY_TEXT, "URL", NULL, NULL,
			"Where it is and what it speaks, as after run -x.",
			check_url },
	[PROXY_USERNAME] = { "username", KEY_TEXT, "TEXT", NULL, NULL,
			     "User name to give to it, as it is (no %XX).",
			     check_username },
	[PROXY_PASSWORD_FILE] = { "password-file", KEY_TEXT, "PATH", NULL, NULL,
				  "File with the password in its one line; "
				  "others must not be able to read it.",
				  check_path },
	[PROXY_UDP] = { "udp", KEY_WORD, "associate|none", udp_words,
			"associate",
			"How a socks5 proxy carries UDP; with none, programs "
			"are told at once that there is none.",
			NULL },
};

static const struct key profile_keys[] = {
	[PROFILE_CHAIN] = { "chain", KEY_TEXTS, "NAME|URL, ...", NULL, NULL,
			    "The way out, nearest first: proxies by name or "
			    "URL; a profile's name stands for its chain.",
			    check_link },
	[PROFILE_DNS] = { "dns", KEY_TEXTS,
			  "fake|off|socks-resolve|dnsproxy|DNS-URL, ...", NULL,
			  NULL,
			  "How names are looked up, as after run -d. When "
			  "not set: fake with a proxy, else the host's "
			  "servers.",
			  dns_check },
	[PROFILE_EXPOSE] = { "expose", KEY_TEXTS, "HOST:PORT, ...", NULL, NULL,
			     "Addresses of the host that can be reached from "
			     "inside, at the same address.",
			     check_expose },
	[PROFILE_PUBLISH] = { "publish", KEY_TEXTS, "[ADDR:]PORT:PORT, ...",
			      NULL, NULL,
			      "Ports of the host that lead to a port inside.",
			      check_publish },
	[PROFILE_USERS] = { "users", KEY_TEXTS, "USER|@GROUP, ...", NULL, NULL,
			    "Who may enter the sandbox in root's daemon, "
			    "beside its owner and group nsproxy; known to "
			    "/etc/passwd or /etc/group, or numbers.",
			    check_user },
	[PROFILE_AUTOSTART] = { "autostart", KEY_FLAG, "true|false", NULL,
				"false", "Bring the sandbox up at the start.",
				NULL },
	[PROFILE_VETH] = { "veth", KEY_FLAG, "true|false", NULL, "false",
			   "Give the sandbox a link to the host as well; "
			   "root's "
			   "daemon only.",
			   NULL },
	[PROFILE_VETH_PORTS] = { "veth-ports", KEY_TEXTS,
				 "tcp:PORT|udp:PORT, ...", NULL, NULL,
				 "Ports of the host that can be reached over "
				 "that link; no other can.",
				 check_port },
	[PROFILE_GUARD] = { "guard", KEY_WORD, "plain|guarded|strict",
			    guard_words, "guarded",
			    "What holds programs inside. plain: the network "
			    "namespace alone, no barrier to a hostile "
			    "program; guarded: no capabilities and a nested "
			    "user namespace; strict: also private /run and "
			    "/tmp and its own processes. nsproxy run always "
			    "guards, and refuses strict.",
			    NULL },
	[PROFILE_ISOLATE] = { "isolate", KEY_WORD, "none|sandbox",
			      isolate_words, "none",
			      "sandbox: give the last proxy, which must be a "
			      "socks5 one without user name, a random user "
			      "name for each sandbox; Tor then keeps their "
			      "circuits apart.",
			      NULL },
	[PROFILE_ONLY] = { "only", KEY_TEXTS, "DOMAIN|*.DOMAIN, ...", NULL,
			   NULL,
			   "The only names that may leave: a domain and all "
			   "below it, or with *. those below it alone. Other "
			   "names do not exist, and addresses are refused.",
			   check_only },
	[PROFILE_ATTACH] = { "attach", KEY_TEXT, "IFACE", NULL, NULL,
			     "Instead of a chain: this interface of the host "
			     "is moved into the sandbox, and back at its end; "
			     "root's daemon only, see VPNS.",
			     check_iface },
	[PROFILE_WIREGUARD] = { "wireguard", KEY_TEXT, "PATH", NULL, NULL,
				"The same with an interface that is made of "
				"this file, as wg-quick(8) reads it.",
				check_wireguard },
	[PROFILE_ENGINE] = { "engine", KEY_TEXT, "NAME", NULL, NULL,
			     "Let another program turn the packets of the "
			     "sandbox into connections: tun2socks, or one "
			     "that an engine section describes.",
			     check_engine },
};

static const struct key engine_keys[] = {
	[ENGINE_COMMAND] = { "command", KEY_TEXTS, "WORD, ...", NULL, NULL,
			     "Program and arguments; no shell reads them. "
			     "{tun_fd} stands for the descriptor of the TUN, "
			     "or {tun} for its name; {proxy} for the URL it "
			     "leads to; {mtu} for its MTU.",
			     check_engine_word },
	[ENGINE_USER] = { "user", KEY_TEXT, "USER", NULL, "nobody",
			  "Whom it runs as; in a user's own file it runs as "
			  "that user, and this is not set.",
			  check_helper_user },
};

static const struct key helper_keys[] = {
	[HELPER_COMMAND] = { "command", KEY_TEXTS, "WORD, ...", NULL, NULL,
			     "Program and arguments; no shell reads them. "
			     "All users of the host can see them: no "
			     "passwords here.",
			     NULL },
	[HELPER_USER] = { "user", KEY_TEXT, "USER", NULL, "nobody",
			  "Whom it runs as; in a user's own file it runs as "
			  "that user, and this is not set.",
			  check_helper_user },
	[HELPER_RESTART] = { "restart", KEY_WORD, "never|on-failure|always",
			     restart_words, "on-failure",
			     "Whether it is started again when it ends.",
			     NULL },
	[HELPER_WHERE] = { "where", KEY_WORD, "sandbox|host", where_words,
			   "sandbox", "Whose network it has.", NULL },
	[HELPER_READY] = { "ready", KEY_TEXT, "ADDRESS:PORT", NULL, NULL,
			   "It is ready when it listens there by TCP; without "
			   "this, when it has not failed at once.",
			   check_ready },
};

#define COUNT(keys) (sizeof(keys) / sizeof((keys)[0]))

_Static_assert(COUNT(proxy_keys) == PROXY_KEYS, "each key is described");
_Static_assert(COUNT(profile_keys) == PROFILE_KEYS, "each key is described");
_Static_assert(COUNT(engine_keys) == ENGINE_KEYS, "each key is described");
_Static_assert(COUNT(helper_keys) == HELPER_KEYS, "each key is described");
_Static_assert(PROFILE_KEYS <= KEYS_MAX, "fits struct section");

const struct form forms[SECTION_KINDS] = {
	[SECTION_PROXY] = { "proxy", true, "A proxy that chains can name.",
			    proxy_keys, COUNT(proxy_keys) },
	[SECTION_PROFILE] = { "profile", true, "A sandbox as it is wished for.",
			      profile_keys, COUNT(profile_keys) },
	[SECTION_DEFAULTS] = { "defaults", false,
			       "What profiles of the same place (the system's "
			       "files, or the user's) have when they do not "
			       "say otherwise; the same keys.",
			       profile_keys, COUNT(profile_keys) },
	[SECTION_ENGINE] = { "engine", true,
			     "A program that profiles name as their engine.",
			     engine_keys, COUNT(engine_keys) },
	[SECTION_HELPER] = { "helper", true,
			     "Inside a profile: a program that lives and ends "
			     "with the sandbox. nsproxy run starts none.",
			     helper_keys, COUNT(helper_keys) },
};

int key_find(enum section_kind kind, const char *name)
{
	for (unsigned int i = 0; i < forms[kind].count; i++)
		if (!strcmp(forms[kind].key[i].name, name))
			return (int)i;
	return -1;
}

bool key_read_flag(const char *text, bool *ret)
{
	static const char *const yes[] = { "true", "yes", "on" };
	static const char *const no[] = { "false", "no", "off" };

	for (size_t i = 0; i < COUNT(yes); i++) {
		const bool is_yes = !strcasecmp(text, yes[i]);

		if (!is_yes && strcasecmp(text, no[i]) != 0)
			continue;
		*ret = is_yes;
		return true;
	}
	return false;
}

int key_read_word(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

const char *key_near_word(const char *const *words, const char *text)
{
	size_t n = 0;

	while (words[n])
		n++;
	return text_did_you_mean(text, words, n);
}

static void key_manual(const struct key *k, FILE *to)
{
	(void)fprintf(to, "*%s* = _", k->name);
	opts_escape(k->form, to);
	(void)fputs("_\n\t", to);
	opts_escape(k->help, to);
	if (k->initial)
		(void)fprintf(to, " Default: %s.", k->initial);
	(void)fputs("\n\n", to);
}

void keys_manual(FILE *to)
{
	for (int kind = 0; kind < SECTION_KINDS; kind++) {
		const struct form *form = &forms[kind];

		(void)fprintf(to, "## %s%s { ... }\n\n", form->name,
			      form->has_name ? " NAME" : "");
		opts_escape(form->help, to);
		(void)fputs("\n\n", to);
		if (kind == SECTION_DEFAULTS)
			continue; /* the profile's were just told */
		for (unsigned int i = 0; i < form->count; i++)
			key_manual(&form->key[i], to);
	}
}
