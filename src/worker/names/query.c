// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * query.c - the policy: who answers what
 *
 * query_decide() sees only values and gives a verdict; query_answer() writes
 * it down. What is left is an ordinary name in NAMES_FORWARD or NAMES_RESOLVE.
 */
#include "names/query.h"

#include <errno.h>
#include <strings.h>

#include "bus/only.h"
#include "names/special.h"

enum verdict {
	VERDICT_ERROR,	  /* @rcode and nothing else */
	VERDICT_ABSENT,	  /* NXDOMAIN */
	VERDICT_EMPTY,	  /* no records of that type */
	VERDICT_ANY,	  /* the short answer to ANY */
	VERDICT_LOOPBACK, /* A or AAAA of localhost */
	VERDICT_EXPOSED,  /* A or AAAA of an exposed name */
	VERDICT_LEASE,	  /* A or AAAA of a name that the proxy knows */
	VERDICT_PTR,	  /* name of a lease */
	VERDICT_UPSTREAM,
};

/**
 * struct decision - a verdict and what it needs
 * @rcode:  VERDICT_ERROR
 * @text:   VERDICT_LEASE: name to lease
 * @name:   VERDICT_PTR: the answer
 */
struct decision {
	enum verdict verdict;
	enum dns_rcode rcode;
	char text[NAME_MAX_LEN + 1];
	struct dns_name name;
};

static bool is_exposed(const struct plan *p, const char *name)
{
	for (unsigned int i = 0; i < p->expose_count; i++)
		if (p->expose[i].name[0] != '\0' &&
		    !strcasecmp(p->expose[i].name, name))
			return true;
	return false;
}

bool query_is_exposed(const struct plan *p, const struct dns_query *q)
{
	char name[NAME_MAX_LEN + 1];

	return q->has_question && dns_name_text(&q->name, name) &&
	       is_exposed(p, name);
}

/** by_type() - A name has addresses, which @then answers with, and no more */
static enum verdict by_type(const struct dns_query *q, enum verdict then)
{
	if (q->type == DNS_ANY)
		return VERDICT_ANY;
	return q->type == DNS_A || q->type == DNS_AAAA ? then : VERDICT_EMPTY;
}

static bool is_unwanted(const struct plan *p, uint16_t type)
{
	return (type == DNS_A && !p->want_v4) ||
	       (type == DNS_AAAA && !p->want_v6);
}

static enum verdict lease_decide(const struct plan *p,
				 const struct dns_query *q,
				 const struct decision *d)
{
	if (d->text[0] == '\0')
		return VERDICT_ABSENT; /* would be no host name for a proxy */
	if (!only_allows(p, d->text))
		return VERDICT_ABSENT; /* nor would it be let out */
	if (is_unwanted(p, q->type))
		return VERDICT_EMPTY;
	return by_type(q, VERDICT_LEASE);
}

static enum verdict reverse_decide(const struct plan *p, struct leases *l,
				   const struct dns_query *q,
				   struct decision *d)
{
	const struct reverse r = special_reverse(&q->name);
	const char *name = r.is_whole ? leases_name(l, &r.addr) : NULL;

	if (name && dns_name_of_text(name, &d->name))
		return q->type == DNS_PTR   ? VERDICT_PTR
		       : q->type == DNS_ANY ? VERDICT_ANY
					    : VERDICT_EMPTY;
	if (special_is_private(&r))
		return VERDICT_ABSENT;
	if (p->names == NAMES_FORWARD)
		return q->type == DNS_ANY ? VERDICT_ANY : VERDICT_UPSTREAM;
	if (p->names != NAMES_RESOLVE)
		return VERDICT_ABSENT;
	/* Nothing but the name of an address can be asked for. */
	return r.is_whole && q->type == DNS_PTR ? VERDICT_UPSTREAM
						: VERDICT_EMPTY;
}

static enum verdict ordinary_decide(const struct plan *p,
				    const struct dns_query *q,
				    const struct decision *d)
{
	if (p->names == NAMES_FORWARD) {
		if (q->type == DNS_ANY)
			return VERDICT_ANY;
		return is_unwanted(p, q->type) ? VERDICT_EMPTY
					       : VERDICT_UPSTREAM;
	}
	if (q->name.len == 1)
		return by_type(q, VERDICT_EMPTY); /* the root has no host */
	if (p->names == NAMES_RESOLVE && d->text[0] != '\0')
		return is_unwanted(p, q->type) ? VERDICT_EMPTY
					       : by_type(q, VERDICT_UPSTREAM);
	return lease_decide(p, q, d);
}

static enum verdict name_decide(const struct plan *p, struct leases *l,
				const struct dns_query *q, struct decision *d)
{
	const bool is_host = dns_name_text(&q->name, d->text);
	const enum special kind = special_of(&q->name);

	if (kind != SPECIAL_LOOPBACK && is_host && is_exposed(p, d->text))
		return by_type(q, VERDICT_EXPOSED);
	switch (kind) {
	case SPECIAL_LOOPBACK:
		return by_type(q, VERDICT_LOOPBACK);
	case SPECIAL_ABSENT:
		return VERDICT_ABSENT;
	case SPECIAL_EMPTY:
		return by_type(q, VERDICT_EMPTY);
	case SPECIAL_HIDDEN:
		return p->hop_count > 0 && hop_can_name(plan_last(p))
			       ? lease_decide(p, q, d)
			       : VERDICT_ABSENT;
	case SPECIAL_REVERSE:
		return reverse_decide(p, l, q, d);
	case SPECIAL_NONE:
		return ordinary_decide(p, q, d);
	}
	return VERDICT_ABSENT;
}

static void query_decide(const struct plan *p, struct leases *l,
			 const struct dns_query *q, int form,
			 struct decision *d)
{
	*d = (struct decision){ .verdict = VERDICT_ERROR };
	if (form != DNS_NOERROR)
		d->rcode = (enum dns_rcode)form;
	else if (q->class != DNS_CLASS_IN || p->names == NAMES_OFF)
		d->rcode = DNS_REFUSED;
	else if (q->type == 0 || q->type == DNS_OPT)
		d->rcode = DNS_FORMERR;
	else if (q->type >= DNS_META && q->type < DNS_ANY)
		d->rcode = DNS_NOTIMP;
	else
		d->verdict = name_decide(p, l, q, d);
}

/** loopback_put() - Answer with what localhost is */
static void loopback_put(struct dns_answer *a, uint16_t type)
{
	static const uint8_t ip4[4] = { 127, 0, 0, 1 };
	static const uint8_t ip6[16] = { [15] = 1 };
	const struct addr addr =
		type == DNS_A ? addr_from_ip4(ip4, 0) : addr_from_ip6(ip6, 0);

	dns_answer_addr(a, &addr);
}

/** exposed_put() - Answer with the addresses of an exposed name, each once */
static void exposed_put(struct dns_answer *a, const struct plan *p,
			const char *name, int family)
{
	for (unsigned int i = 0; i < p->expose_count; i++) {
		const struct plan_expose *e = &p->expose[i];
		bool is_new =
			e->addr.family == family && !strcasecmp(e->name, name);

		for (unsigned int k = 0; is_new && k < i; k++)
			is_new = strcasecmp(p->expose[k].name, name) != 0 ||
				 !addr_same_host(&p->expose[k].addr, &e->addr);
		if (is_new)
			dns_answer_addr(a, &e->addr);
	}
}

int query_answer(const struct plan *p, struct leases *l,
		 const struct dns_query *q, int form, void *buf, size_t room,
		 size_t *ret_len)
{
	const int family = q->type == DNS_A ? AF_INET : AF_INET6;
	enum dns_rcode rcode = DNS_NOERROR;
	struct decision d;
	struct dns_answer a;
	struct addr addr;

	query_decide(p, l, q, form, &d);
	dns_answer_begin(&a, buf, room, q);
	switch (d.verdict) {
	case VERDICT_ERROR:
		rcode = d.rcode;
		break;
	case VERDICT_ABSENT:
		rcode = DNS_NXDOMAIN;
		break;
	case VERDICT_EMPTY:
		break;
	case VERDICT_ANY:
		dns_answer_hinfo(&a);
		break;
	case VERDICT_LOOPBACK:
		loopback_put(&a, q->type);
		break;
	case VERDICT_EXPOSED:
		exposed_put(&a, p, d.text, family);
		break;
	case VERDICT_LEASE:
		if (leases_take(l, d.text, family, &addr) == 0)
			dns_answer_addr(&a, &addr);
		else
			rcode = DNS_SERVFAIL;
		break;
	case VERDICT_PTR:
		dns_answer_ptr(&a, &d.name);
		break;
	case VERDICT_UPSTREAM:
		return -ENOENT;
	}
	if (a.answers == 0 && (rcode == DNS_NXDOMAIN || rcode == DNS_NOERROR))
		dns_answer_soa(&a);
	*ret_len = dns_answer_end(&a, rcode);
	return 0;
}
