// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_attach.c - a profile whose network is an interface of the host's
 *
 * There is no gate in such a sandbox, and nothing that needs one.
 */
#include "conf/conf_check.h"

#include "conf/dns.h"
#include "conf/wireguard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void attach_dns(struct conf *c, const struct value *v)
{
	struct dns_wish w = { 0 };
	const char *why;

	if (dns_parse(v->text, &w, NULL) < 0)
		return; /* told for itself */
	why = dns_why_not_plain(&w);
	if (why)
		problem_add(&c->problems, &v->at, "'dns' beside 'attach': %s",
			    why);
}

static void attach_file(struct conf *c, const struct value *v)
{
	const enum conf_layer layer = v->at.file->layer;
	struct wireguard *w = malloc(sizeof(*w));
	struct fault f = { 0 };
	int rc;

	if (!w)
		return;
	rc = wireguard_read(v->text, layer, c->uid, w, &f);
	explicit_bzero(w, sizeof(*w));
	free(w);
	/* Root's secrets are not for users, and that is well. */
	if (rc == -EACCES && c->uid != 0 && layer != LAYER_USER)
		return;
	if (rc < 0)
		problem_add(&c->problems, &v->at, "'wireguard': %s", f.text);
}

bool attach_is_without(const struct section *s, unsigned int key)
{
	if (s->kind != SECTION_PROFILE || (!s->set[PROFILE_ATTACH].is_set &&
					   !s->set[PROFILE_WIREGUARD].is_set))
		return false;
	return key == PROFILE_CHAIN || key == PROFILE_EXPOSE ||
	       key == PROFILE_VETH || key == PROFILE_VETH_PORTS ||
	       key == PROFILE_ISOLATE || key == PROFILE_ONLY ||
	       key == PROFILE_ENGINE;
}

void sense_attach(struct conf *c, const struct section *s)
{
	const struct setting *dns = &s->set[PROFILE_DNS];
	const struct setting *file = &s->set[PROFILE_WIREGUARD];
	const char *other = file->count > 0 ? "wireguard" : "attach";

	if (file->count > 0 && s->set[PROFILE_ATTACH].count > 0)
		problem_add(&c->problems, &file->at,
			    "'attach' and 'wireguard' exclude each other");
	if (file->count == 1 && file->value->text[0] == '/')
		attach_file(c, file->value);
	for (unsigned int i = 0; i < PROFILE_KEYS; i++)
		if (s->set[i].is_set && attach_is_without(s, i))
			problem_add(&c->problems, &s->set[i].at,
				    "'%s' and '%s' exclude each other: all "
				    "packets go by the interface",
				    forms[s->kind].key[i].name, other);
	for (unsigned int i = 0; i < dns->count; i++)
		attach_dns(c, &dns->value[i]);
}
