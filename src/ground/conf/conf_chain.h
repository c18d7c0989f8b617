/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * conf_chain.h - from the names in a profile's chain to hops
 */
#include "bus/plan.h"
#include "conf/conf.h"

/**
 * struct link - one hop of a chain
 * @hop:    As its URL says, with the user name; without the password of a file
 * @proxy:  Section it was named by; NULL when its URL stands in the chain
 * @at:     Where the chain names it
 */
struct link {
	struct hop hop;
	const struct section *proxy;
	struct origin at;
};

/** struct links - a whole chain; may hold secrets */
struct links {
	struct link link[PLAN_HOPS];
	unsigned int count;
};

/**
 * conf_chain() - Follow the names in a profile's chain
 * @c:        Configuration
 * @profile:  SECTION_PROFILE with its defaults filled in
 * @ps:       Gets what is wrong: unknown names, loops, bad URLs, too many
 * @ret:      Chain, nearest first; incomplete on failure
 *
 * Return: whether it is whole
 */
bool conf_chain(const struct conf *c, const struct section *profile,
		struct problems *ps, struct links *ret);
