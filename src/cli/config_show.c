// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * config_show.c - `nsproxy config show`: what counts, and who said so
 *
 * No password is read for it, and those in URLs are masked.
 */
#include "config_words.h"

#include "base/text.h"
#include "conf/conf_chain.h"
#include "conf/profile.h"
#include "conf/url.h"
#include "json.h"
#include "profiles.h"

#include <string.h>

#define SHOW_TEXT 512
#define SHOW_WIDE 44 /* columns of a value before its origin */

/** show_may_hide() - Could there be a password in it? */
static bool show_may_hide(const char *text)
{
	return strstr(text, "://") || (strchr(text, '@') && strchr(text, ':'));
}

/** show_value() - A value fit for people's eyes */
static const char *show_value(char *to, const char *text)
{
	if (show_may_hide(text))
		return url_mask(to, SHOW_TEXT, text);
	return text_quote(to, SHOW_TEXT, text, strlen(text));
}

static void show_setting(const struct key *k, const struct setting *set,
			 const char *indent)
{
	char text[SHOW_TEXT];
	char where[ORIGIN_TEXT];
	int wide = 0;

	if (!set->is_set && set->count == 0)
		return; /* there is nothing to tell */
	(void)printf("%s%-14s ", indent, k->name);
	for (unsigned int i = 0; i < set->count; i++)
		wide += printf("%s%s", i ? ", " : "",
			       show_value(text, set->value[i].text));
	if (set->count == 0)
		wide += printf("(none)");
	(void)printf("%*s  %s\n", wide < SHOW_WIDE ? SHOW_WIDE - wide : 0, "",
		     origin_text(&set->at, where));
}

static void show_settings(const struct section *s, const char *indent)
{
	for (unsigned int i = 0; i < forms[s->kind].count; i++)
		show_setting(&forms[s->kind].key[i], &s->set[i], indent);
}

/** show_hop() - One hop of the way out, in words */
static void show_hop(const struct link *l, char *to)
{
	char user[SHOW_TEXT / 2];
	const char *const more = l->hop.no_udp	  ? " without UDP"
				 : l->hop.forward ? " that forwards"
						  : "";

	if (l->hop.has_auth)
		(void)snprintf(to, SHOW_TEXT * 2, "%s as '%s'%s", l->hop.label,
			       text_quote(user, sizeof(user), l->hop.user,
					  strlen(l->hop.user)),
			       more);
	else
		(void)snprintf(to, SHOW_TEXT * 2, "%s%s", l->hop.label, more);
}

/** show_interface() - The way out of one that has no chain; false: it has */
static bool show_interface(const struct section *s, char to[SHOW_TEXT * 2])
{
	const bool is_made = s->set[PROFILE_WIREGUARD].count > 0;
	const struct setting *set =
		&s->set[is_made ? PROFILE_WIREGUARD : PROFILE_ATTACH];
	char text[SHOW_TEXT];

	if (set->count == 0)
		return false;
	(void)snprintf(to, SHOW_TEXT * 2, "%s %s",
		       is_made ? "wireguard" : "attached",
		       text_quote(text, sizeof(text), set->value->text,
				  strlen(set->value->text)));
	return true;
}

static void show_way(struct conf *c, const struct section *s)
{
	struct links chain;
	char text[SHOW_TEXT * 2];

	if (show_interface(s, text)) {
		(void)fputs(text, stdout);
		return;
	}

	(void)conf_chain(c, s, &c->problems, &chain); /* it was checked */
	for (unsigned int i = 0; i < chain.count; i++) {
		show_hop(&chain.link[i], text);
		(void)printf("%s%s", i ? " -> " : "", text);
	}
	explicit_bzero(&chain, sizeof(chain));
}

/** show_hidden() - The profile of a lower layer that this one goes before */
static const struct section *show_hidden(const struct conf *c,
					 const struct section *s)
{
	const enum conf_layer layer = s->at.file->layer;

	if (layer == LAYER_PRESET)
		return NULL;
	return conf_find(c, s->kind, s->name,
			 layer == LAYER_USER ? LAYER_SYSTEM : LAYER_PRESET);
}

static void show_profile(struct conf *c, const struct section *s)
{
	const struct section *hidden = show_hidden(c, s);
	char where[ORIGIN_TEXT];

	(void)printf("%s '%s'  %s\n", forms[s->kind].name, s->name,
		     origin_text(&s->at, where));
	if (hidden)
		(void)printf("  goes before the %s in %s\n",
			     hidden->at.file->layer == LAYER_PRESET
				     ? "preset"
				     : "system's",
			     origin_text(&hidden->at, where));
	show_settings(s, "  ");
	if (s->kind != SECTION_PROFILE)
		return;
	(void)printf("  %-14s ", "way out");
	show_way(c, s);
	(void)fputs("\n", stdout);
	for (const struct section *h = c->first; h; h = h->next) {
		if (h->parent != s)
			continue;
		(void)printf("  helper '%s'  %s\n", h->name,
			     origin_text(&h->at, where));
		show_settings(h, "    ");
	}
}

/* --- the same as JSON */

static void json_origin(const struct origin *at)
{
	if (!at->file) {
		(void)fputs("null", stdout);
		return;
	}
	(void)fputs("{\"file\":", stdout);
	json_text(stdout, at->file->path);
	(void)printf(",\"line\":%u}", at->line);
}

static void json_value(const struct key *k, const struct value *v)
{
	char text[SHOW_TEXT];
	bool flag;

	if (k->type == KEY_FLAG && key_read_flag(v->text, &flag))
		(void)fputs(flag ? "true" : "false", stdout);
	else if (show_may_hide(v->text))
		json_text(stdout, url_mask(text, sizeof(text), v->text));
	else
		json_text(stdout, v->text);
}

static void json_setting(const struct key *k, const struct setting *set)
{
	(void)printf("\"%s\":{\"value\":", k->name);
	if (k->type == KEY_TEXTS)
		(void)fputs("[", stdout);
	else if (set->count == 0)
		(void)fputs("null", stdout);
	for (unsigned int i = 0; i < set->count; i++) {
		(void)fputs(i ? "," : "", stdout);
		json_value(k, &set->value[i]);
	}
	(void)fputs(k->type == KEY_TEXTS ? "],\"from\":" : ",\"from\":",
		    stdout);
	json_origin(&set->at);
	(void)fputs("}", stdout);
}

static void json_section(const struct section *s)
{
	const struct form *form = &forms[s->kind];

	(void)printf("\"kind\":\"%s\",\"name\":", form->name);
	json_text(stdout, s->name);
	(void)fputs(",\"from\":", stdout);
	json_origin(&s->at);
	(void)fputs(",\"settings\":{", stdout);
	for (unsigned int i = 0; i < form->count; i++) {
		(void)fputs(i ? ",\n" : "\n", stdout);
		json_setting(&form->key[i], &s->set[i]);
	}
	(void)fputs("}", stdout);
}

static void json_way(struct conf *c, const struct section *s)
{
	struct links chain;
	char text[SHOW_TEXT * 2];

	(void)conf_chain(c, s, &c->problems, &chain); /* it was checked */
	(void)fputs(",\"way_out\":[", stdout);
	if (show_interface(s, text))
		json_text(stdout, text);
	for (unsigned int i = 0; i < chain.count; i++) {
		show_hop(&chain.link[i], text);
		(void)fputs(i ? "," : "", stdout);
		json_text(stdout, text);
	}
	(void)fputs("]", stdout);
	explicit_bzero(&chain, sizeof(chain));
}

static void json_profile(struct conf *c, const struct section *s)
{
	const struct section *hidden = show_hidden(c, s);
	bool is_first = true;

	(void)fputs("{\"schema\":\"nsproxy.config-show/1\",", stdout);
	json_section(s);
	(void)fputs(",\"goes_before\":", stdout);
	json_origin(hidden ? &hidden->at : &(struct origin){ 0 });
	if (s->kind == SECTION_PROFILE) {
		json_way(c, s);
		(void)fputs(",\"helpers\":[", stdout);
		for (const struct section *h = c->first; h; h = h->next) {
			if (h->parent != s)
				continue;
			(void)fputs(is_first ? "{" : ",{", stdout);
			json_section(h);
			(void)fputs("}", stdout);
			is_first = false;
		}
		(void)fputs("]", stdout);
	}
	(void)puts("}");
}

/* --- all of them */

static void show_list(struct conf *c, bool as_json)
{
	char where[ORIGIN_TEXT];
	bool is_first = true;

	if (as_json)
		(void)fputs("{\"schema\":\"nsproxy.config-list/1\","
			    "\"profiles\":[",
			    stdout);
	for (const struct section *s = c->first; s; s = s->next) {
		if (s->kind != SECTION_PROFILE ||
		    conf_find(c, s->kind, s->name, LAYER_USER) != s)
			continue;
		if (as_json) {
			(void)fputs(is_first ? "\n{\"name\":" : ",\n{\"name\":",
				    stdout);
			json_text(stdout, s->name);
			(void)fputs(",\"from\":", stdout);
			json_origin(&s->at);
			json_way(c, s);
			(void)fputs("}", stdout);
		} else {
			(void)printf("%-20s %s  ", s->name,
				     origin_text(&s->at, where));
			show_way(c, s);
			(void)fputs("\n", stdout);
		}
		is_first = false;
	}
	if (as_json)
		(void)puts("\n]}");
	else if (is_first)
		(void)puts("there are no profiles; nsproxy config path tells "
			   "where they would stand");
}

/** show_find() - A profile, or else a proxy or an engine, of this name */
static const struct section *show_find(struct conf *c, const char *name,
				       struct fault *f)
{
	struct profile p;
	const struct section *s =
		conf_find(c, SECTION_PROFILE, name, LAYER_USER);

	if (!s)
		s = conf_find(c, SECTION_PROXY, name, LAYER_USER);
	if (!s)
		s = conf_find(c, SECTION_ENGINE, name, LAYER_USER);
	if (!s)
		(void)profile_get(c, name, &p, f); /* it knows why not */
	return s;
}

int config_show(const struct config_call *call)
{
	const struct section *s = NULL;
	struct fault f = { 0 };
	int status = STATUS_DONE;
	struct conf c;

	if (profiles_load(&c) < 0) {
		(void)profiles_fault(&c, &f);
		status = verb_say(call->verb, &f, STATUS_FAILED);
	} else if (!call->operand) {
		show_list(&c, call->as_json);
	} else {
		s = show_find(&c, call->operand, &f);
		if (!s)
			status = verb_say(call->verb, &f, STATUS_UNKNOWN);
		else if (call->as_json)
			json_profile(&c, s);
		else
			show_profile(&c, s);
	}
	conf_fini(&c);
	return status;
}
