// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * named.c - what the configuration says about named sandboxes
 *
 * A sandbox has the name of its profile. The plan is made in a builder's
 * process: files are read, secrets too, and names are looked up.
 */
#include "named.h"

#include "conf/account.h"
#include "conf/place.h"
#include "conf/profile.h"
#include "dns_job.h"
#include "conf/wireguard.h"
#include "named_jobs.h"
#include "profiles.h"
#include "proxies.h"
#include "settle.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** named_can_stand() - Can all that it says be had? */
static int named_can_stand(const struct profile *pr, struct fault *f)
{
	const char *what = NULL;

	if (pr->guard == GUARD_PLAIN && geteuid() != 0)
		what = "guard = plain";
	else if (pr->veth && geteuid() != 0)
		what = "veth = true";
	else if (pr->attach && geteuid() != 0)
		what = pr->wireguard ? "wireguard" : "attach";
	if (what)
		return fault_plain(f, -EPERM,
				   "profile '%s' wants '%s', which root's "
				   "daemon alone can give",
				   pr->name, what);
	for (unsigned int i = 0; i < pr->helper_count; i++)
		if (pr->guard == GUARD_STRICT &&
		    pr->helper[i].where == WHERE_SANDBOX)
			return fault_plain(f, -EOPNOTSUPP,
					   "profile '%s' is strict, and its "
					   "helper '%s' cannot run inside: "
					   "'where = host' it could",
					   pr->name, pr->helper[i].name);
	return 0;
}

/** named_access() - One of `users`, as a number */
static int named_access(const char *text, struct terms_access *ret,
			struct fault *f)
{
	struct account user;
	gid_t group;
	int rc;

	if (text[0] == '@') {
		rc = account_group(text + 1, &group, f);
		if (rc == 0)
			*ret = (struct terms_access){ true, group };
	} else {
		rc = account_user(text, &user, f);
		if (rc == 0)
			*ret = (struct terms_access){ false, user.uid };
	}
	return rc;
}

_Static_assert(KEYS_VETH_PORTS == VETH_PORTS, "each port fits");

/** named_veth() - Its link to the host */
static void named_veth(const struct profile *pr, struct veth *v)
{
	v->is_wished = pr->veth;
	for (unsigned int i = 0; pr->veth && i < pr->veth_ports->count; i++) {
		struct veth_port *p = &v->port[v->port_count++];
		bool is_udp = false;

		(void)proto_port_parse(pr->veth_ports->value[i].text, &is_udp,
				       &p->port, NULL); /* was checked */
		p->proto = is_udp ? IPPROTO_UDP : IPPROTO_TCP;
	}
}

static int named_terms(const struct profile *pr, struct terms *t,
		       struct fault *f)
{
	int rc = 0;

	t->guard = pr->guard;
	t->isolate = pr->isolate == ISOLATE_SANDBOX;
	if (pr->users->count > TERMS_ACCESS)
		return fault_plain(f, -E2BIG,
				   "profile '%s' has %u users; at most %d fit",
				   pr->name, pr->users->count, TERMS_ACCESS);
	for (unsigned int i = 0; rc == 0 && i < pr->users->count; i++)
		rc = named_access(pr->users->value[i].text,
				  &t->access[t->access_count++], f);
	named_veth(pr, &t->veth);
	return rc;
}

/** named_read() - The file of its interface */
static int named_read(const struct conf *c, const struct profile *pr,
		      struct wireguard *ret, struct fault *f)
{
	const struct value *v = pr->wireguard;

	return wireguard_read(v->text, v->at.file->layer, c->uid, ret, f);
}

/** named_interface() - Its file's number, and servers if the profile has none
 */
static int named_interface(const struct conf *c, const struct profile *pr,
			   struct terms *t, struct dns_wish *dns,
			   struct fault *f)
{
	struct wireguard *w = pr->wireguard ? malloc(sizeof(*w)) : NULL;
	int rc;

	if (!pr->wireguard)
		return 0;
	if (!w)
		return fault(f, -ENOMEM, "read '%s'", pr->wireguard->text);
	rc = named_read(c, pr, w, f);
	t->wireguard = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; rc == 0 && i < sizeof(*w); i++)
		t->wireguard = (t->wireguard ^ ((const uint8_t *)w)[i]) *
			       1099511628211u;
	profile_dns(pr, dns);
	for (unsigned int i = 0; rc == 0 && !dns->is_set && i < w->dns_count;
	     i++)
		dns->server[dns->server_count++].addr = w->dns[i];
	if (dns->server_count > 0 && !dns->is_set) {
		dns->is_set = true;
		dns->mode = NAMES_FORWARD;
	}
	explicit_bzero(w, sizeof(*w));
	free(w);
	return rc;
}

int named_wireguard(const char *profile, struct wireguard *ret, struct fault *f)
{
	struct profile pr;
	struct conf c;
	int rc;

	rc = profiles_load(&c) < 0 ? profiles_fault(&c, f)
				   : profile_get(&c, profile, &pr, f);
	if (rc == 0 && !pr.wireguard)
		rc = fault_plain(f, -EAGAIN, "profile '%s' has just changed",
				 profile);
	if (rc == 0)
		rc = named_read(&c, &pr, ret, f);
	conf_fini(&c);
	return rc;
}

static int named_check(const char *name, struct plan *p, struct terms *t,
		       struct jobs *j, struct dns_wish *dns, struct fault *f)
{
	struct profile pr;
	struct conf c;
	int rc;

	if (profiles_load(&c) < 0) {
		rc = profiles_fault(&c, f);
	} else {
		rc = profile_get(&c, name, &pr, f);
		if (rc == -ENOENT && f)
			rc = f->code = -ENOKEY;
		if (rc == 0)
			rc = named_can_stand(&pr, f);
		if (rc == 0)
			rc = named_terms(&pr, t, f);
		if (rc == 0)
			rc = named_interface(&c, &pr, t, dns, f);
		if (rc == 0)
			rc = named_jobs(&pr, j, f);
		if (rc == 0 && pr.engine)
			rc = named_engine(&c, pr.engine,
					  pr.section->at.file->layer, p, j, f);
	}
	conf_fini(&c);
	return rc;
}

int named_plan(const char *profile, struct plan *p, struct terms *t,
	       struct jobs *j, int *publish_fd, struct fault *f)
{
	struct dns_wish dns = { 0 };
	int rc = named_check(profile, p, t, j, &dns, f);

	p->want_v4 = p->want_v6 = true;
	if (rc == 0)
		rc = profiles_settle(profile, false, p, &dns, f);
	if (rc == 0)
		rc = proxies_settle(p, f);
	if (rc == 0)
		rc = settle_dns(p, &dns, f);
	if (rc == 0)
		rc = dns_job(p, &dns, j, f);
	for (unsigned int i = 0; rc == 0 && publish_fd && i < p->publish_count;
	     i++)
		rc = settle_listen(&p->publish[i].host, &publish_fd[i], f);
	return rc;
}

static bool named_is_in(const struct named *n, const char *name)
{
	for (unsigned int i = 0; i < n->count; i++)
		if (!strcmp(n->name[i], name))
			return true;
	return false;
}

/** named_take() - One section, if it is a profile that is wanted */
static int named_take(struct conf *c, const struct section *s,
		      bool autostart_only, struct named *ret)
{
	struct profile pr;
	char *copy;

	if (s->kind != SECTION_PROFILE || named_is_in(ret, s->name) ||
	    profile_get(c, s->name, &pr, NULL) < 0 ||
	    pr.section->at.file->layer == LAYER_PRESET ||
	    (autostart_only && !pr.autostart))
		return 0;
	copy = strdup(s->name);
	if (!copy)
		return -ENOMEM;
	ret->name[ret->count++] = copy;
	ret->name[ret->count] = NULL;
	return 0;
}

int named_list(bool autostart_only, struct named *ret, struct fault *f)
{
	struct named n = { .name = calloc(CONF_SECTIONS + 1, sizeof(char *)) };
	struct conf c;
	int rc = 0;

	if (!n.name)
		return fault(f, -ENOMEM, "read the configuration");
	if (profiles_load(&c) < 0)
		rc = profiles_fault(&c, f);
	for (const struct section *s = c.first; rc == 0 && s; s = s->next) {
		rc = named_take(&c, s, autostart_only, &n);
		if (rc < 0)
			(void)fault(f, rc, "read the configuration");
	}
	conf_fini(&c);
	if (rc < 0)
		named_fini(&n);
	else
		*ret = n;
	return rc;
}

void named_fini(struct named *n)
{
	for (unsigned int i = 0; i < n->count; i++)
		free((void *)(size_t)n->name[i]);
	free(n->name);
	*n = (struct named){ 0 };
}

bool named_has(const char *name)
{
	struct named n = { 0 };
	bool has;

	if (named_list(false, &n, NULL) < 0)
		return false;
	has = named_is_in(&n, name);
	named_fini(&n);
	return has;
}
