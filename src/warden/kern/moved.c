// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * moved.c - the walk of an interface from one namespace into another
 *
 * Both directions are one walk: read what it has where it is, move it, say that
 * again where it has come to. Nothing about it is kept anywhere else. Who walks
 * stands in another namespace then: a process that moved_hand.c makes.
 */
#include "kern/moved_own.h"

#include "base/text.h"
#include "kern/dump.h"
#include "kern/kept.h"
#include "kern/netlink.h"
#include "kern/wireguard.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define MOVED_ALIAS   "nsproxy attached to "
#define MOVED_MADE    "nsproxy made for "
#define MOVED_WAS     " was " /* no name of a sandbox has blanks */
#define MOVED_ALIASES 256     /* room for one, as the kernel has */
#define MOVED_MOST    16 /* interfaces of one namespace that are given back */

/**
 * struct moved - an interface
 * @index:     In the namespace it is in; 0: not found
 * @is_away:   It has been moved
 * @is_up:     IFF_UP
 * @mtu:       To be set; 0: as it is
 * @gen_mode:  How link-local addresses come about; -1 without IPv6
 */
struct moved {
	char link[IF_NAMESIZE];
	int index;
	bool is_away;
	bool is_up;
	int gen_mode;
	uint32_t mtu;
	char alias[MOVED_ALIASES];
	struct kept kept;
};

static int moved_enter(int ns, const char *whose, struct fault *f)
{
	if (setns(ns, CLONE_NEWNET) == 0)
		return 0;
	return fault(f, -errno, "enter %s network", whose);
}

/** struct moved_attrs - those of a link that matter */
struct moved_attrs {
	const struct nlattr *name;
	const struct nlattr *alias;
	const struct nlattr *spec;
};

static int moved_attr(const struct nlattr *a, void *ctx)
{
	struct moved_attrs *all = ctx;

	if (mnl_attr_get_type(a) == IFLA_IFNAME)
		all->name = a;
	if (mnl_attr_get_type(a) == IFLA_IFALIAS)
		all->alias = a;
	if (mnl_attr_get_type(a) == IFLA_AF_SPEC)
		all->spec = a;
	return MNL_CB_OK;
}

static int moved_inet6(const struct nlattr *a, void *ctx)
{
	int *mode = ctx;

	if (mnl_attr_get_type(a) == IFLA_INET6_ADDR_GEN_MODE)
		*mode = mnl_attr_get_u8(a);
	return MNL_CB_OK;
}

static int moved_family(const struct nlattr *a, void *ctx)
{
	return mnl_attr_get_type(a) == AF_INET6
		       ? mnl_attr_parse_nested(a, moved_inet6, ctx)
		       : MNL_CB_OK;
}

/** moved_text() - An attribute's text, cut to what fits */
static void moved_text(const struct nlattr *a, char *to, size_t room)
{
	const size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	(void)text_copy_n(to, room, a ? mnl_attr_get_payload(a) : "",
			  len < room ? strnlen(mnl_attr_get_payload(a), len)
				     : room - 1);
}

/** moved_look() - Is this the link that is looked for? */
static int moved_look(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct moved_attrs all = { 0 };
	struct moved *m = ctx;
	char link[IF_NAMESIZE] = "";

	(void)mnl_attr_parse(h, sizeof(*i), moved_attr, &all);
	moved_text(all.name, link, sizeof(link));
	if (h->nlmsg_type != RTM_NEWLINK || strcmp(link, m->link) != 0)
		return MNL_CB_OK;
	m->index = i->ifi_index;
	m->is_up = i->ifi_flags & IFF_UP;
	m->gen_mode = -1;
	if (all.spec)
		(void)mnl_attr_parse_nested(all.spec, moved_family,
					    &m->gen_mode);
	moved_text(all.alias, m->alias, sizeof(m->alias));
	return MNL_CB_OK;
}

/** moved_read() - All of it, in the namespace where we are */
static int moved_read(struct moved *m, struct fault *f)
{
	int rc = dump_all(RTM_GETLINK, AF_UNSPEC, moved_look, m);

	if (rc < 0)
		return fault(f, rc, "look for the interface '%s'", m->link);
	if (m->index == 0)
		return fault_plain(f, -ENODEV,
				   "there is no interface '%s' on the host",
				   m->link);
	return kept_read(&m->kept, m->index, f);
}

static struct nlmsghdr *moved_say(struct netlink *n, int index,
				  const char *what)
{
	struct nlmsghdr *h = netlink_add(n, RTM_NEWLINK, NLM_F_ACK, what);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	return h;
}

/** moved_leave() - It goes, with another alias, from where we are */
static int moved_leave(struct moved *m, const char *alias, int to,
		       struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_ROUTE, &n, f);
	struct nlmsghdr *h;

	if (rc < 0)
		return rc;
	/* Both or nothing: there is none inside without its mark. */
	h = moved_say(n, m->index, "move the interface");
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)to);
	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	rc = netlink_commit(n, f);
	m->is_away |= rc == 0;
	return rc;
}

static void moved_say_gen_mode(struct netlink *n, int index, int mode)
{
	struct nlmsghdr *h = moved_say(n, index, "choose link-local addresses");
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(h, AF_INET6);

	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, (uint8_t)mode);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
}

/** moved_up() - Without link-local addresses but those it had */
static int moved_up(const struct moved *m, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	int rc = netlink_new(NETLINK_ROUTE, &n, f);
	struct ifinfomsg *i;

	if (rc < 0)
		return rc;
	if (m->gen_mode >= 0)
		moved_say_gen_mode(n, m->index, IN6_ADDR_GEN_MODE_NONE);
	if (m->mtu > 0)
		mnl_attr_put_u32(moved_say(n, m->index, "set the MTU"),
				 IFLA_MTU, m->mtu);
	if (m->is_up) {
		i = mnl_nlmsg_get_payload(
			moved_say(n, m->index, "bring the interface up"));
		i->ifi_flags = i->ifi_change = IFF_UP;
	}
	if (m->gen_mode >= 0)
		moved_say_gen_mode(n, m->index, m->gen_mode);
	return netlink_commit(n, f);
}

/** moved_arrive() - It is where we are, and bare */
static int moved_arrive(struct moved *m, bool is_home, struct fault *f)
{
	int rc;

	m->index = (int)if_nametoindex(m->link);
	if (m->index == 0)
		return fault(f, -errno, "find '%s' where it was moved to",
			     m->link);
	rc = moved_up(m, f);
	return rc < 0 ? rc : kept_put(&m->kept, m->index, is_home, f);
}

/** moved_shift() - From where we are to another namespace, where we are then */
static int moved_shift(struct moved *m, const char *alias, int to,
		       const char *whose, bool is_home, struct fault *f)
{
	int rc = moved_leave(m, alias, to, f);

	if (rc == 0)
		rc = moved_enter(to, whose, f);
	return rc < 0 ? rc : moved_arrive(m, is_home, f);
}

static int moved_remove(const struct moved *m, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = netlink_new(NETLINK_ROUTE, &n, f);
	struct ifinfomsg *i;

	if (rc < 0)
		return rc;
	i = mnl_nlmsg_put_extra_header(
		netlink_add(n, RTM_DELLINK, NLM_F_ACK, "remove the interface"),
		sizeof(*i));
	i->ifi_index = m->index;
	return netlink_commit(n, f);
}

/** moved_alias() - How it is marked inside */
static int moved_alias(const struct moved *m, const struct moved_work *w,
		       char alias[static MOVED_ALIASES], struct fault *f)
{
	const int len =
		snprintf(alias, MOVED_ALIASES, "%s%s%s%s",
			 w->wireguard ? MOVED_MADE : MOVED_ALIAS, w->name,
			 m->alias[0] ? MOVED_WAS : "", m->alias);

	return len < MOVED_ALIASES
		       ? 0
		       : fault(f, -E2BIG, "mark '%s' beside its alias",
			       m->link);
}

/** moved_wish() - What one that was made shall have */
static int moved_wish(struct moved *m, const struct wireguard *w,
		      struct fault *f)
{
	int rc = 0;

	m->is_up = true;
	m->mtu = w->mtu;
	m->kept = (struct kept){ .is_whole = true };
	for (unsigned int i = 0; rc == 0 && i < w->address_count; i++)
		rc = kept_want_address(&m->kept, &w->address[i].ip,
				       w->address[i].len);
	for (unsigned int i = 0; rc == 0 && i < w->allowed_count; i++)
		rc = kept_want_route(&m->kept, &w->allowed[i].ip,
				     w->allowed[i].len);
	return rc < 0 ? fault(f, rc, "set up '%s'", m->link) : 0;
}

/** moved_undo_take() - As if nothing had been; with all it had, since inside
 * not all of that is there now */
static void moved_undo_take(struct moved *m, const struct moved_work *w)
{
	if (w->wireguard)
		(void)moved_remove(m, NULL);
	else if (m->is_away)
		(void)moved_shift(m, m->alias, w->home, "the host's", true,
				  NULL);
}

int moved_do_take(const struct moved_work *w, struct fault *f)
{
	char alias[MOVED_ALIASES];
	struct moved m = { 0 };
	int rc = 0;

	if (!text_copy(m.link, sizeof(m.link), w->link))
		return fault(f, -ENODEV, "find '%s'", w->link);
	if (w->wireguard)
		rc = wireguard_make(w->wireguard, f);
	if (rc < 0)
		return rc;
	rc = moved_read(&m, f);
	if (rc == 0 && w->wireguard)
		rc = moved_wish(&m, w->wireguard, f);
	if (rc == 0)
		rc = moved_alias(&m, w, alias, f);
	if (rc == 0)
		rc = moved_shift(&m, alias, w->inside, "the sandbox's", false,
				 f);
	if (rc < 0)
		moved_undo_take(&m, w);
	return rc;
}

/** moved_return() - Bring one home; we are there then */
static int moved_return(const struct moved_work *w, const char *link,
			struct fault *f)
{
	struct moved m = { 0 };
	const char *was;
	int rc = moved_enter(w->inside, "the sandbox's", f);

	(void)text_copy(m.link, sizeof(m.link), link); /* the kernel's */
	if (rc == 0)
		rc = moved_read(&m, f);
	if (rc == 0 && text_starts(m.alias, MOVED_MADE))
		return moved_remove(&m, f);
	was = strstr(m.alias, MOVED_WAS);
	if (rc == 0)
		rc = moved_shift(&m, was ? was + strlen(MOVED_WAS) : "",
				 w->home, "the host's", true, f);
	return rc;
}

/** struct moved_names - those that are marked */
struct moved_names {
	char link[MOVED_MOST][IF_NAMESIZE];
	unsigned int count;
};

static void moved_note(void *ctx, const char *link, const char *alias)
{
	struct moved_names *all = ctx;

	if ((text_starts(alias, MOVED_ALIAS) ||
	     text_starts(alias, MOVED_MADE)) &&
	    all->count < MOVED_MOST)
		(void)text_copy(all->link[all->count++], IF_NAMESIZE, link);
}

int moved_do_give_back(const struct moved_work *w, struct fault *f)
{
	struct moved_names all = { 0 };
	int bad;

	bad = moved_enter(w->inside, "the sandbox's", f);
	if (bad == 0)
		bad = dump_links(moved_note, &all);
	for (unsigned int i = 0; i < all.count; i++) {
		const int rc = moved_return(w, all.link[i], bad ? NULL : f);

		bad = bad ? bad : rc;
	}
	return bad < 0 ? bad : (int)all.count;
}
