// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wireguard.c - read a WireGuard configuration, as wg-quick(8) takes it
 *
 * What wg(8) knows is copied for it, line by line and only when it was
 * understood; the rest (addresses, servers, MTU) is for us.
 */
#include "conf/wireguard.h"

#include "base/text.h"
#include "conf/place.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WIREGUARD_SHOWN 80
#define KEY_TEXT_LEN	44 /* 32 bytes in base64 */
#define MTU_LEAST	576
#define MTU_MOST	65535

/**
 * struct wg_file - what has been read so far
 * @is_peer:     In a [Peer]; else in [Interface]
 * @has_section: In either
 * @has_key:     The section has its PrivateKey or PublicKey
 * @no_routes:   Table = off
 */
struct wg_file {
	struct wireguard *ret;
	bool is_peer;
	bool has_section;
	bool has_interface;
	bool has_key;
	bool no_routes;
	unsigned int peers;
};

/** wg_put() - Text for wg(8) */
static const char *wg_put(struct wg_file *w, const char *text)
{
	const size_t used = strlen(w->ret->conf);

	return text_copy(w->ret->conf + used, sizeof(w->ret->conf) - used, text)
		       ? NULL
		       : "the file is too long";
}

/** wg_say() - A line for wg(8) */
static const char *wg_say(struct wg_file *w, const char *key, const char *value)
{
	const char *why = wg_put(w, key);

	if (!why)
		why = wg_put(w, " = ");
	if (!why)
		why = wg_put(w, value);
	return why ? why : wg_put(w, "\n");
}

static bool wg_is_key(const char *text)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	return strlen(text) == KEY_TEXT_LEN &&
	       strspn(text, base64) == KEY_TEXT_LEN - 1 &&
	       text[KEY_TEXT_LEN - 1] == '=';
}

static const char *take_secret(struct wg_file *w, const char *key, char *value)
{
	return wg_is_key(value) ? wg_say(w, key, value)
				: "that is no key: 32 bytes in base64";
}

static const char *take_own_key(struct wg_file *w, const char *key, char *value)
{
	if (w->has_key)
		return "it is there twice";
	w->has_key = true;
	return take_secret(w, key, value);
}

static const char *take_number(struct wg_file *w, const char *key, char *value)
{
	uint32_t n;

	if (strcmp(value, "off") != 0 && !text_uint(value, 65535, &n))
		return "it must be a number up to 65535, or off";
	return wg_say(w, key, value);
}

static const char *take_mark(struct wg_file *w, const char *key, char *value)
{
	char *end;

	errno = 0;
	if (strcmp(value, "off") != 0 &&
	    (!isdigit((unsigned char)value[0]) ||
	     strtoul(value, &end, 0) > UINT32_MAX || *end != '\0' || errno))
		return "it must be a number, or off";
	return wg_say(w, key, value);
}

/** wg_net() - "IP" or "IP/LEN" */
static bool wg_net(char *text, struct wireguard_net *ret)
{
	char *slash = strchr(text, '/');
	uint32_t len;

	if (slash)
		*slash++ = '\0';
	if (strchr(text, '[') || !addr_parse_ip(text, &ret->ip))
		return false;
	len = addr_size(&ret->ip) * 8;
	if (slash && !text_uint(slash, len, &len))
		return false;
	ret->len = (uint8_t)len;
	return true;
}

/** wg_next() - The next word of a list, trimmed; NULL at its end */
static char *wg_next(char **at)
{
	char *word = strsep(at, ",");
	size_t len;

	if (!word)
		return NULL;
	word += strspn(word, " \t");
	len = strlen(word);
	while (len > 0 && isspace((unsigned char)word[len - 1]))
		word[--len] = '\0';
	return word;
}

static const char *take_address(struct wg_file *w, const char *key, char *value)
{
	struct wireguard *r = w->ret;
	char *word;

	(void)key;
	while ((word = wg_next(&value))) {
		if (r->address_count == WIREGUARD_ADDRS)
			return "there are more than 16 addresses";
		if (!wg_net(word, &r->address[r->address_count]))
			return "that is no IP/LENGTH";
		r->address_count++;
	}
	return NULL;
}

/** wg_mask() - No bits behind the length, as routes want it */
static void wg_mask(struct wireguard_net *n)
{
	for (unsigned int i = n->len; i < addr_size(&n->ip) * 8; i++)
		n->ip.ip[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

static const char *take_allowed(struct wg_file *w, const char *key, char *value)
{
	struct wireguard *r = w->ret;
	const char *why = wg_say(w, key, value);
	char *word;

	if (value[0] == '\0')
		return NULL; /* nothing; wg(8) likes that, too */
	while (!why && (word = wg_next(&value))) {
		struct wireguard_net *n = &r->allowed[r->allowed_count];

		if (r->allowed_count == WIREGUARD_ALLOWED)
			return "there are more than 256 networks";
		if (!wg_net(word, n))
			return "that is no IP/LENGTH";
		wg_mask(n);
		r->allowed_count++;
	}
	return why;
}

static const char *take_dns(struct wg_file *w, const char *key, char *value)
{
	struct wireguard *r = w->ret;
	char *word;

	(void)key;
	while ((word = wg_next(&value))) {
		struct addr a;

		/* All else is a domain to search in. */
		if (!addr_parse_ip(word, &a))
			continue;
		if (r->dns_count == PLAN_SERVERS)
			return "at most 4 DNS servers can be named";
		a.port = 53;
		r->dns[r->dns_count++] = a;
	}
	return NULL;
}

static const char *take_mtu(struct wg_file *w, const char *key, char *value)
{
	(void)key;
	return text_uint(value, MTU_MOST, &w->ret->mtu) &&
			       w->ret->mtu >= MTU_LEAST
		       ? NULL
		       : "it must be a number from 576 to 65535";
}

static const char *take_table(struct wg_file *w, const char *key, char *value)
{
	(void)key;
	w->no_routes = !strcasecmp(value, "off");
	return w->no_routes || !strcasecmp(value, "auto")
		       ? NULL
		       : "inside there is one table; say off, or auto";
}

static const char *take_save(struct wg_file *w, const char *key, char *value)
{
	(void)w;
	(void)key;
	return !strcasecmp(value, "false") ? NULL : "nothing is written back";
}

static const char *take_command(struct wg_file *w, const char *key, char *value)
{
	(void)w;
	(void)key;
	(void)value;
	return "commands are not run here; without the line it would do";
}

static const char *take_endpoint(struct wg_file *w, const char *key,
				 char *value)
{
	char host[NAME_MAX_LEN + 1];
	uint16_t port = 0;
	struct addr a;
	const char *why = place_read(value, host, &port);

	if (why)
		return why;
	if (!addr_parse_ip(host, &a))
		return "it must be IP:PORT: names are not looked up here";
	return port ? wg_say(w, key, value) : "the port is missing";
}

/** wg_keys - what may stand in a section */
static const struct wg_key {
	const char *name;
	bool is_peer;
	const char *(*take)(struct wg_file *w, const char *key, char *value);
} wg_keys[] = {
	{ "PrivateKey", false, take_own_key },
	{ "ListenPort", false, take_number },
	{ "FwMark", false, take_mark },
	{ "Address", false, take_address },
	{ "DNS", false, take_dns },
	{ "MTU", false, take_mtu },
	{ "Table", false, take_table },
	{ "SaveConfig", false, take_save },
	{ "PreUp", false, take_command },
	{ "PostUp", false, take_command },
	{ "PreDown", false, take_command },
	{ "PostDown", false, take_command },
	{ "PublicKey", true, take_own_key },
	{ "PresharedKey", true, take_secret },
	{ "AllowedIPs", true, take_allowed },
	{ "Endpoint", true, take_endpoint },
	{ "PersistentKeepalive", true, take_number },
};

/** wg_end_section() - Has it what it needs? */
static const char *wg_end_section(const struct wg_file *w)
{
	if (!w->has_section || w->has_key)
		return NULL;
	return w->is_peer ? "the [Peer] before this has no PublicKey"
			  : "the [Interface] before this has no PrivateKey";
}

static const char *wg_section(struct wg_file *w, const char *line)
{
	const char *why = wg_end_section(w);

	if (why)
		return why;
	w->has_section = true;
	w->has_key = false;
	w->is_peer = !strcasecmp(line, "[Peer]");
	if (w->is_peer) {
		w->peers++;
		return wg_put(w, "[Peer]\n");
	}
	if (strcasecmp(line, "[Interface]") != 0)
		return "the sections are [Interface] and [Peer]";
	if (w->has_interface)
		return "there is an [Interface] already";
	if (w->peers > 0)
		return "[Interface] comes before all [Peer]";
	w->has_interface = true;
	return wg_put(w, "[Interface]\n");
}

static const char *wg_option(struct wg_file *w, char *line)
{
	char *value = strchr(line, '=');
	size_t len;

	if (!value)
		return "write KEY = VALUE";
	*value++ = '\0';
	value += strspn(value, " \t");
	len = strlen(line);
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
	if (!w->has_section)
		return "a section must come first: [Interface]";
	for (size_t i = 0; i < sizeof(wg_keys) / sizeof(wg_keys[0]); i++)
		if (!strcasecmp(wg_keys[i].name, line) &&
		    wg_keys[i].is_peer == w->is_peer)
			return wg_keys[i].take(w, wg_keys[i].name, value);
	return w->is_peer ? "a [Peer] knows no such option"
			  : "an [Interface] knows no such option";
}

static const char *wg_line(struct wg_file *w, char *line)
{
	size_t len;

	line[strcspn(line, "#\r")] = '\0';
	line += strspn(line, " \t");
	len = strlen(line);
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
	if (len == 0)
		return NULL;
	return line[0] == '[' ? wg_section(w, line) : wg_option(w, line);
}

/** wg_whole() - What the file as a whole must have */
static const char *wg_whole(const struct wg_file *w)
{
	const char *why = wg_end_section(w);

	if (why)
		return why;
	if (!w->has_interface)
		return "there is no [Interface]";
	if (w->peers == 0)
		return "there is no [Peer]";
	return w->ret->address_count > 0 ? NULL
					 : "the [Interface] has no Address";
}

int wireguard_parse(char *text, const char *path, struct wireguard *ret,
		    struct fault *f)
{
	struct wg_file w = { .ret = ret };
	char shown[WIREGUARD_SHOWN];
	const char *why = NULL;
	unsigned int number = 0;
	char *line;

	while (!why && (line = strsep(&text, "\n"))) {
		number++;
		why = wg_line(&w, line);
	}
	if (!why)
		why = wg_whole(&w);
	if (why)
		return fault_plain(
			f, -EINVAL, "%s:%u: %s",
			text_quote(shown, sizeof(shown), path, strlen(path)),
			number, why);
	if (w.no_routes)
		ret->allowed_count = 0;
	return 0;
}
