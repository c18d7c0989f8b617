// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * former.c - what another's network namespace was like before us
 *
 * Noted by a keeper that enters a namespace which outlives it; links, routes
 * and rules are others' to take back (links.c, rules.c).
 */
#include "kern/former.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* All that sysctls_settle() and sysctls_patience() write but what belongs to
 * nsp0, and what the kernel changes along with it. */
static const char *const former_setting[] = {
	/* Before those that writing it changes, too. */
	"ipv4/ip_forward",
	"ipv4/conf/default/forwarding",
	"ipv4/conf/lo/forwarding",
	"ipv4/conf/all/accept_redirects",
	"ipv4/conf/all/rp_filter",
	"ipv4/tcp_syn_linear_timeouts",
	"ipv4/tcp_syn_retries",
	/* The same of these two. */
	"ipv6/conf/all/disable_ipv6",
	"ipv6/conf/default/disable_ipv6",
	"ipv6/conf/lo/disable_ipv6",
	"ipv6/conf/all/forwarding",
	"ipv6/conf/default/forwarding",
	"ipv6/conf/lo/forwarding",
};

#define SETTINGS (sizeof(former_setting) / sizeof(former_setting[0]))

static_assert(SETTINGS <= FORMER_SETTINGS, "each has room");

static void former_path(size_t i, char to[static 80])
{
	(void)snprintf(to, 80, "/proc/sys/net/%s", former_setting[i]);
}

/** former_read() - One line without its end; empty if there is none */
static void former_read(const char *path, char to[static FORMER_VALUE])
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, to, FORMER_VALUE - 1);

	to[n > 0 ? n : 0] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

/** former_lo() - Ask about lo, or tell it; Return: did it work? */
static bool former_lo(int fd, unsigned long what, struct ifreq *r)
{
	memcpy(r->ifr_name, "lo", sizeof("lo"));
	return ioctl(fd, what, r) == 0;
}

void former_note(struct former *was)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq flags = { 0 };
	struct ifreq ip4 = { 0 };
	char path[80];

	for (size_t i = 0; i < SETTINGS; i++) {
		former_path(i, path);
		former_read(path, was->value[i]);
	}
	/* In doubt lo stays as it will be. */
	was->is_up = !former_lo(fd, SIOCGIFFLAGS, &flags) ||
		     flags.ifr_flags & IFF_UP;
	was->has_ip4 = former_lo(fd, SIOCGIFADDR, &ip4);
	was->is_noted = true;
}

/** former_lo_down() - With the address that the kernel has given it */
static void former_lo_down(bool has_ip4)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };
	struct sockaddr_in at;

	if (former_lo(fd, SIOCGIFFLAGS, &r)) {
		r.ifr_flags &= (short)~IFF_UP;
		(void)former_lo(fd, SIOCSIFFLAGS, &r);
	}
	if (has_ip4 || !former_lo(fd, SIOCGIFADDR, &r))
		return;
	memcpy(&at, &r.ifr_addr, sizeof(at));
	if (at.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
		return;
	at.sin_addr.s_addr = htonl(INADDR_ANY); /* none */
	memcpy(&r.ifr_addr, &at, sizeof(at));
	(void)former_lo(fd, SIOCSIFADDR, &r);
}

void former_restore(const struct former *was)
{
	if (!was->is_noted)
		return;
	for (size_t i = 0; i < SETTINGS; i++) {
		char path[80];
		char now[FORMER_VALUE];

		former_path(i, path);
		former_read(path, now);
		if (was->value[i][0] != '\0' && strcmp(was->value[i], now) != 0)
			(void)fd_write_file(path, was->value[i]);
	}
	if (!was->is_up)
		former_lo_down(was->has_ip4);
}
