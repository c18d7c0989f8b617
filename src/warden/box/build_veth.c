// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build_veth.c - a builder's steps that make the link to the host
 *
 * The wall stands before there is a link, and the link comes up last. A
 * builder that is killed leaves none: the peer is in the namespace of a keeper
 * that ends with it.
 */
#include "box/build_own.h"

#include "kern/wall.h"

int build_veth_clear(struct build *b, struct fault *f)
{
	int rc;

	if (!b->wish.is_pinned)
		return 0;
	rc = veth_remove(b->wish.name);
	if (rc < 0)
		return fault(f, rc, "remove the link to the host");
	if (b->wish.was.is_wished)
		wall_shut(b->wish.was.link);
	return 0;
}

int build_veth_choose(struct build *b, struct fault *f)
{
	struct veth *v = &b->terms.veth;

	if (!v->is_wished)
		return 0;
	v->slot = b->wish.was.slot;
	return veth_choose(v, b->wish.name, &b->veth_held, f);
}

int build_veth(struct build *b, struct fault *f)
{
	const struct veth *v = &b->terms.veth;
	int rc;

	if (!v->is_wished)
		return 0;
	rc = wall_make(f);
	if (rc == 0)
		rc = wall_let(v, f);
	if (rc == 0)
		rc = veth_make(v, b->wish.name, b->fds[STORE_FD_NET], f);
	return rc < 0 ? rc : veth_open(v, f);
}

void build_unveth(struct build *b)
{
	if (!b->terms.veth.is_wished)
		return;
	(void)veth_remove(b->wish.name);
	wall_shut(b->terms.veth.link);
}
