// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wireguard.c - make a WireGuard interface
 */
#include "kern/wireguard.h"

#include "base/fd.h"
#include "bus/sealed.h"
#include "kern/netlink.h"
#include "kern/tool.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define WIREGUARD_CAPS (1ull << CAP_NET_ADMIN)

/** wireguard_by_kernel() - Return: 0; -EOPNOTSUPP where it has none; -errno */
static int wireguard_by_kernel(const char *link, struct fault *f)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;
	const int rc = netlink_new(NETLINK_ROUTE, &n, f);
	struct nlmsghdr *h;
	struct nlattr *info;

	if (rc < 0)
		return rc;
	h = netlink_add(n, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
			"make a WireGuard interface");
	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, link);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "wireguard");
	mnl_attr_nest_end(h, info);
	return netlink_commit(n, f);
}

static int wireguard_by_program(const char *link, struct fault *f)
{
	const char *const argv[] = { "wireguard-go", link, NULL };
	const int rc = tool_run(argv, -1, WIREGUARD_CAPS, f);

	if (rc != -ENOENT)
		return rc;
	(void)fault_plain(f, rc,
			  "this kernel has no WireGuard, and there is "
			  "no program 'wireguard-go'");
	return fault_hint(f, "sudo modprobe wireguard, or install "
			     "wireguard-go");
}

static void wireguard_remove(const char *link)
{
	__attribute__((cleanup(netlink_free))) struct netlink *n = NULL;

	if (netlink_new(NETLINK_ROUTE, &n, NULL) < 0)
		return;
	(void)mnl_nlmsg_put_extra_header(
		netlink_add(n, RTM_DELLINK, NLM_F_ACK, "remove an interface"),
		sizeof(struct ifinfomsg));
	mnl_attr_put_strz(n->last, IFLA_IFNAME, link);
	(void)netlink_commit(n, NULL);
}

/** wireguard_set() - Keys and peers, by the program that knows both kinds */
static int wireguard_set(const struct wireguard *w, struct fault *f)
{
	const char *const argv[] = { "wg", "setconf", w->link, "/dev/stdin",
				     NULL };
	auto_fd conf = -1;
	int rc = sealed_put("nsproxy-wireguard", w->conf, strlen(w->conf),
			    &conf);

	if (rc < 0)
		return fault(f, rc, "write down what '%s' shall be", w->link);
	rc = tool_run(argv, conf, WIREGUARD_CAPS, f);
	return rc == -ENOENT ? fault_hint(f, "install wireguard-tools") : rc;
}

int wireguard_make(const struct wireguard *w, struct fault *f)
{
	int rc;

	if (if_nametoindex(w->link) > 0)
		return fault_plain(f, -EEXIST,
				   "there is an interface '%s' on the host "
				   "already",
				   w->link);
	rc = wireguard_by_kernel(w->link, NULL);
	if (rc == -EOPNOTSUPP)
		rc = wireguard_by_program(w->link, f);
	else if (rc < 0)
		rc = fault(f, rc, "make the WireGuard interface '%s'", w->link);
	if (rc == 0)
		rc = wireguard_set(w, f);
	if (rc < 0)
		wireguard_remove(w->link);
	return rc;
}
