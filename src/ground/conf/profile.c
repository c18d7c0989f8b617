// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * profile.c - a profile in our types, and the plan it becomes
 *
 * Enter with a configuration that was found good: what was checked there is
 * not doubted here.
 */
#include "conf/profile.h"

#include "base/text.h"
#include "conf/conf_chain.h"
#include "conf/hop.h"
#include "conf/only.h"
#include "conf/owner.h"
#include "conf/place.h"
#include "conf/wireguard.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define PROFILE_SHOWN 64
#define PROFILE_NAMES 256 /* candidates for "did you mean" */
#define ISOLATE_BYTES 16  /* of chance in a user name */

static bool flag_of(const struct section *s, unsigned int key)
{
	bool flag = false;

	(void)key_read_flag(s->set[key].value->text, &flag); /* was checked */
	return flag;
}

static unsigned int word_of(const struct section *s, unsigned int key)
{
	const int word = key_read_word(forms[s->kind].key[key].words,
				       s->set[key].value->text);

	return word < 0 ? 0 : (unsigned int)word; /* was checked */
}

static void helper_read(struct conf *c, const struct section *s,
			struct helper *ret)
{
	const struct setting *command = &s->set[HELPER_COMMAND];
	const struct setting *user = &s->set[HELPER_USER];
	const struct setting *ready = &s->set[HELPER_READY];

	*ret = (struct helper){
		.name = s->name,
		.user = user->count ? user->value->text : NULL,
		.restart = word_of(s, HELPER_RESTART),
		.where = word_of(s, HELPER_WHERE),
	};
	if (ready->count > 0)
		(void)ready_parse(ready->value->text, &ret->ready,
				  NULL); /* was checked */
	ret->command = arena_take(&c->arena,
				  (command->count + 1) * sizeof(*ret->command));
	for (unsigned int i = 0; i < command->count; i++)
		ret->command[i] = command->value[i].text;
}

static void helpers_read(struct conf *c, struct profile *p)
{
	struct helper *all;
	unsigned int n = 0;

	for (const struct section *s = c->first; s; s = s->next)
		n += s->kind == SECTION_HELPER && s->parent == p->section;
	all = arena_take(&c->arena, n * sizeof(*all));
	p->helper = all;
	for (const struct section *s = c->first; s; s = s->next)
		if (s->kind == SECTION_HELPER && s->parent == p->section)
			helper_read(c, s, &all[p->helper_count++]);
}

static int profile_unknown(const struct conf *c, const char *name,
			   struct fault *f)
{
	const char *names[PROFILE_NAMES];
	char shown[PROFILE_SHOWN];
	const char *near;
	size_t n = 0;

	for (const struct section *s = c->first; s; s = s->next)
		if (s->kind == SECTION_PROFILE && n < PROFILE_NAMES)
			names[n++] = s->name;
	near = text_did_you_mean(name, names, n);
	(void)fault_plain(f, -ENOENT, "there is no profile '%s'",
			  text_quote(shown, sizeof(shown), name, strlen(name)));
	if (near)
		return fault_hint(f, "did you mean '%s'?", near);
	if (c->hidden > 0)
		return fault_hint(f,
				  "you may not read all of %s: it may be "
				  "there",
				  CONF_SYSTEM_DIR);
	return fault_hint(f, "nsproxy config show lists the profiles, nsproxy "
			     "config path the files they are read from");
}

static void profile_wireguard(struct conf *c, const struct setting *set,
			      struct profile *p)
{
	char *link = arena_take(&c->arena, IFNAMSIZ);

	(void)wireguard_link(set->value->text, link); /* was checked */
	p->attach = link;
	p->wireguard = set->value;
}

int profile_get(struct conf *c, const char *name, struct profile *ret,
		struct fault *f)
{
	const struct section *s =
		conf_find(c, SECTION_PROFILE, name, LAYER_USER);

	if (!s)
		return profile_unknown(c, name, f);
	*ret = (struct profile){
		.section = s,
		.name = s->name,
		.expose = &s->set[PROFILE_EXPOSE],
		.users = &s->set[PROFILE_USERS],
		.autostart = flag_of(s, PROFILE_AUTOSTART),
		.veth = flag_of(s, PROFILE_VETH),
		.veth_ports = &s->set[PROFILE_VETH_PORTS],
		.guard = word_of(s, PROFILE_GUARD),
		.isolate = word_of(s, PROFILE_ISOLATE),
	};
	if (s->set[PROFILE_ATTACH].count > 0)
		ret->attach = s->set[PROFILE_ATTACH].value->text;
	if (s->set[PROFILE_WIREGUARD].count > 0)
		profile_wireguard(c, &s->set[PROFILE_WIREGUARD], ret);
	if (s->set[PROFILE_ENGINE].count > 0)
		ret->engine = s->set[PROFILE_ENGINE].value->text;
	helpers_read(c, ret);
	return 0;
}

/** profile_add_secret() - Give a hop the password of its proxy's file */
static int profile_add_secret(const struct conf *c, struct link *l,
			      struct fault *f)
{
	const struct setting *file = &l->proxy->set[PROXY_PASSWORD_FILE];

	if (file->count == 0)
		return 0;
	return secret_read(file->value->text, l->proxy->at.file->layer, c->uid,
			   l->hop.pass, f);
}

static int profile_isolate(struct hop *h, struct fault *f)
{
	unsigned char chance[ISOLATE_BYTES];
	char user[2 * ISOLATE_BYTES + 1];

	if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return fault(f, -errno, "get random bytes");
	for (size_t i = 0; i < sizeof(chance); i++)
		(void)sprintf(user + 2 * i, "%02x", chance[i]);
	(void)hop_set_auth(h, user, user); /* the kind was checked */
	return 0;
}

/** profile_attach() - Nothing goes out by us */
static void profile_attach(const struct profile *p, struct plan *to)
{
	struct hop *h = &to->hop[0];

	*h = (struct hop){ .kind = HOP_BLOCK };
	(void)snprintf(h->label, sizeof(h->label), "%s %s",
		       p->wireguard ? "wireguard" : "attached", p->attach);
	(void)text_copy(to->device, sizeof(to->device),
			p->attach); /* was checked */
	to->hop_count = 1;
}

int profile_chain_to_plan(struct conf *c, const struct profile *p,
			  struct plan *to, struct fault *f)
{
	struct links chain;
	int rc = 0;

	if (p->attach) {
		profile_attach(p, to);
		return 0;
	}
	if (!conf_chain(c, p->section, &c->problems, &chain))
		rc = fault_plain(f, -EINVAL, "the chain of '%s' is broken",
				 p->name);
	for (unsigned int i = 0; rc == 0 && i < chain.count; i++) {
		if (chain.link[i].proxy)
			rc = profile_add_secret(c, &chain.link[i], f);
		to->hop[i] = chain.link[i].hop;
	}
	if (rc == 0)
		to->hop_count = chain.count;
	explicit_bzero(&chain, sizeof(chain));
	if (rc == 0 && p->isolate == ISOLATE_SANDBOX)
		rc = profile_isolate(&to->hop[to->hop_count - 1], f);
	return rc;
}

void profile_dns(const struct profile *p, struct dns_wish *dns)
{
	const struct setting *set = &p->section->set[PROFILE_DNS];

	for (unsigned int i = 0; i < set->count; i++)
		(void)dns_parse(set->value[i].text, dns,
				NULL); /* was checked */
}

int profile_only(const struct profile *p, struct plan *to, struct fault *f)
{
	const struct setting *set = &p->section->set[PROFILE_ONLY];
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < set->count; i++)
		rc = only_add(to, set->value[i].text, f);
	return rc;
}

int profile_publish(const struct profile *p, struct plan *to, struct fault *f)
{
	const struct setting *set = &p->section->set[PROFILE_PUBLISH];

	for (unsigned int i = 0; i < set->count; i++) {
		if (to->publish_count == PLAN_PUBLISH)
			return fault_plain(f, -E2BIG,
					   "at most %d ports can be published",
					   PLAN_PUBLISH);
		(void)publish_parse(set->value[i].text,
				    &to->publish[to->publish_count++],
				    NULL); /* was checked */
	}
	return 0;
}

int profile_to_plan(struct conf *c, const struct profile *p, struct plan *to,
		    struct dns_wish *dns, struct fault *f)
{
	int rc = profile_chain_to_plan(c, p, to, f);

	if (rc == 0)
		rc = profile_only(p, to, f);
	if (rc < 0)
		return rc;
	profile_dns(p, dns);
	return profile_publish(p, to, f);
}
