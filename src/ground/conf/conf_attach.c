// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_attach.c - a profile whose network is an interface of the host's
 *
 * There is no gate in such a sandbox, and nothing that needs one.
 */
#include "conf/conf_check.h"

#include "conf/dns.h"

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

void sense_attach(struct conf *c, const struct section *s)
{
	static const enum profile_key gate[] = { PROFILE_CHAIN, PROFILE_EXPOSE,
						 PROFILE_VETH,
						 PROFILE_VETH_PORTS,
						 PROFILE_ISOLATE };
	const struct setting *dns = &s->set[PROFILE_DNS];

	for (size_t i = 0; i < sizeof(gate) / sizeof(gate[0]); i++)
		if (s->set[gate[i]].is_set)
			problem_add(&c->problems, &s->set[gate[i]].at,
				    "'%s' and 'attach' exclude each other: all "
				    "packets go by the interface",
				    forms[s->kind].key[gate[i]].name);
	for (unsigned int i = 0; i < dns->count; i++)
		attach_dns(c, &dns->value[i]);
}
