// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_chain.c - from the names in a profile's chain to hops
 *
 * A name is a proxy's, or else a profile's, whose chain stands there then.
 */
#include "conf/conf_chain.h"

#include "base/text.h"
#include "conf/hop.h"

#include <string.h>

#define CHAIN_DEPTH 16	/* profiles within profiles */
#define CHAIN_STEPS 256 /* entries looked at: 8 hops need no more */
#define CHAIN_NAMES 256 /* candidates for "did you mean" */

struct chain_walk {
	const struct conf *conf;
	struct problems *problems;
	struct links *ret;
	const struct section *above[CHAIN_DEPTH];
	unsigned int depth;
	unsigned int steps;
	bool is_whole;
};

#define chain_problem(w, at, ...)                            \
	do {                                                 \
		(w)->is_whole = false;                       \
		problem_add((w)->problems, at, __VA_ARGS__); \
	} while (0)

/** chain_add() - Append what a URL says; the URL may stand elsewhere */
static struct link *chain_add(struct chain_walk *w, const struct value *url,
			      const struct origin *at)
{
	struct link *l = &w->ret->link[w->ret->count];

	if (w->ret->count == PLAN_HOPS) {
		chain_problem(w, at, "a chain has at most %d proxies",
			      PLAN_HOPS);
		return NULL;
	}
	*l = (struct link){ .at = *at };
	if (hop_parse(url->text, &l->hop, NULL) < 0) {
		w->is_whole = false; /* the value was told for itself */
		return NULL;
	}
	w->ret->count++;
	return l;
}

static void chain_add_proxy(struct chain_walk *w, const struct section *proxy,
			    const struct origin *at)
{
	const struct setting *url = &proxy->set[PROXY_URL];
	const struct setting *user = &proxy->set[PROXY_USERNAME];
	const struct setting *udp = &proxy->set[PROXY_UDP];
	struct link *l;

	if (url->count != 1) {
		w->is_whole = false; /* that was told */
		return;
	}
	l = chain_add(w, url->value, at);
	if (!l)
		return;
	l->proxy = proxy;
	if (udp->count == 1)
		l->hop.no_udp = !strcmp(udp->value->text, "none");
	if (user->count == 1 && hop_set_auth(&l->hop, user->value->text, ""))
		w->is_whole = false; /* the proxy was told for itself */
}

/** chain_unknown() - "unknown proxy 'NAME'; did you mean ...?" */
static void chain_unknown(struct chain_walk *w, const struct value *v,
			  enum conf_layer layer)
{
	const char *names[CHAIN_NAMES];
	const char *near;
	size_t n = 0;

	w->is_whole = false;
	if (name_fault(v->text))
		return; /* that was told */
	for (const struct section *s = w->conf->first; s; s = s->next)
		if ((s->kind == SECTION_PROXY || s->kind == SECTION_PROFILE) &&
		    n < CHAIN_NAMES && conf_is_seen(s, layer))
			names[n++] = s->name;
	near = text_did_you_mean(v->text, names, n);
	if (w->conf->is_torn)
		return; /* it may stand where nothing could be read */
	if (near)
		chain_problem(w, &v->at,
			      "no proxy or profile is called '%s'; did you "
			      "mean '%s'?",
			      v->text, near);
	else
		chain_problem(w, &v->at, "no proxy or profile is called '%s'",
			      v->text);
}

static void chain_follow(struct chain_walk *w, const struct section *profile);

static void chain_add_profile(struct chain_walk *w, const struct section *next,
			      const struct value *v)
{
	for (unsigned int i = 0; i < w->depth; i++) {
		if (w->above[i] != next)
			continue;
		chain_problem(w, &v->at,
			      "the chain of '%s' comes back to itself: a loop",
			      v->text);
		return;
	}
	if (next->set[PROFILE_ATTACH].count > 0 ||
	    next->set[PROFILE_WIREGUARD].count > 0)
		chain_problem(w, &v->at,
			      "profile '%s' has no chain: it has "
			      "'attach'",
			      v->text);
	else if (w->depth == CHAIN_DEPTH)
		chain_problem(w, &v->at, "too many profiles name each other");
	else
		chain_follow(w, next);
}

static void chain_follow(struct chain_walk *w, const struct section *profile)
{
	const enum conf_layer layer = profile->at.file->layer;
	const struct setting *chain = &profile->set[PROFILE_CHAIN];

	w->above[w->depth++] = profile;
	for (unsigned int i = 0; i < chain->count; i++) {
		const struct value *v = &chain->value[i];
		const struct section *s;

		if (w->steps++ == CHAIN_STEPS) {
			chain_problem(w, &v->at, "the chain never ends");
			break;
		}
		if (w->steps > CHAIN_STEPS)
			break;
		if (strchr(v->text, ':')) {
			(void)chain_add(w, v, &v->at); /* it told */
			continue;
		}
		s = conf_find(w->conf, SECTION_PROXY, v->text, layer);
		if (s) {
			chain_add_proxy(w, s, &v->at);
			continue;
		}
		s = conf_find(w->conf, SECTION_PROFILE, v->text, layer);
		if (s)
			chain_add_profile(w, s, v);
		else
			chain_unknown(w, v, layer);
	}
	w->depth--;
}

bool conf_chain(const struct conf *c, const struct section *profile,
		struct problems *ps, struct links *ret)
{
	struct chain_walk w = {
		.conf = c, .problems = ps, .ret = ret, .is_whole = true
	};

	ret->count = 0;
	chain_follow(&w, profile);
	return w.is_whole;
}
