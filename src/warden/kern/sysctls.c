// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sysctls.c - settings of the sandbox's own network namespace
 *
 * /proc/sys/net shows the namespace of the process that opens it, so nothing
 * here touches the host. A new namespace begins with copies of the host's
 * IPv4 settings: what matters is written even where it is the default.
 */
#include "kern/sysctls.h"

#include "base/broken.h"
#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

/* As long as a dial may take, when no hop says otherwise; 30 s make
 * tcp_syn_retries 4: 1 + 2 + 4 + 8 + 16 = 31 s. */
#define PATIENCE_S 30

static const struct sysctl sysctls_ip4[] = {
	/* First: writing it resets others. */
	{ "ipv4/ip_forward", "0" },
	/* The worker gives SYNs and answers back with any source address,
	 * also with the sandbox's own and those of exposed loopback doors. */
	{ "ipv4/conf/all/rp_filter", "0" },
	{ "ipv4/conf/nsp0/rp_filter", "0" },
	{ "ipv4/conf/nsp0/accept_local", "1" },
	{ "ipv4/conf/nsp0/route_localnet", "1" },
	{ "ipv4/conf/all/accept_redirects", "0" },
	{ "ipv4/conf/nsp0/accept_redirects", "0" },
	/* Linux 6.5 repeats the first SYNs each second; the sum must hold. */
	{ "ipv4/tcp_syn_linear_timeouts", "0", .may_fail = true },
	{ NULL },
};

static const struct sysctl sysctls_ip6[] = {
	{ "ipv6/conf/all/disable_ipv6", "0", .may_fail = true },
	{ "ipv6/conf/lo/disable_ipv6", "0", .may_fail = true },
	{ "ipv6/conf/nsp0/disable_ipv6", "0", .may_fail = true },
	{ "ipv6/conf/all/forwarding", "0" },
	{ "ipv6/conf/nsp0/accept_ra", broken(BROKEN_ADVERTS) ? "2" : "0" },
	{ "ipv6/conf/nsp0/accept_redirects", "0" },
	{ NULL },
};

/* Packets of the one interface that comes here go nowhere else. */
static const struct sysctl sysctls_bare[] = {
	{ "ipv4/ip_forward", "0" },
	{ "ipv4/conf/all/accept_redirects", "0" },
	{ "ipv6/conf/all/disable_ipv6", "0", .may_fail = true },
	{ "ipv6/conf/default/disable_ipv6", "0", .may_fail = true },
	{ "ipv6/conf/all/forwarding", "0", .may_fail = true },
	{ NULL },
};

static int sysctls_refused(int rc, const struct sysctl *s, const char *path,
			   struct fault *f)
{
	(void)fault(f, rc, "write '%s' to %s", s->value, path);
	if (rc != -EROFS)
		return rc;
	return fault_hint(f, "/proc/sys is read-only here, as in a container "
			     "or in a sandbox that root started; run nsproxy "
			     "outside of it");
}

int sysctls_write(const struct sysctl *table, struct fault *f)
{
	for (const struct sysctl *s = table; s->path; s++) {
		char path[128];
		int rc;

		(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", s->path);
		rc = fd_write_file(path, s->value);
		if (rc < 0 && !s->may_fail)
			return sysctls_refused(rc, s, path, f);
	}
	return 0;
}

int sysctls_settle(bool has_ip6, struct fault *f)
{
	const int rc = sysctls_write(sysctls_ip4, f);

	return rc < 0 || !has_ip6 ? rc : sysctls_write(sysctls_ip6, f);
}

int sysctls_settle_bare(struct fault *f)
{
	return sysctls_write(sysctls_bare, f);
}

bool sysctls_shorten(void)
{
	static const char path[] = "/proc/sys/net/ipv4/tcp_rmem"; /* and IPv6 */
	FILE *file = fopen(path, "re");
	unsigned int least;
	unsigned int first;
	unsigned int most;
	char value[48];
	int count;

	if (!file)
		return false;
	count = fscanf(file, "%u %u %u", &least, &first, &most);
	(void)fclose(file);
	if (count != 3 || most <= SYSCTLS_SHORT_BYTES)
		return false;
	if (first > SYSCTLS_SHORT_BYTES)
		first = SYSCTLS_SHORT_BYTES;
	(void)snprintf(value, sizeof(value), "%u %u %u", least, first,
		       SYSCTLS_SHORT_BYTES);
	return fd_write_file(path, value) == 0;
}

int sysctls_distrust(struct fault *f)
{
	static const struct sysctl table[] = {
		{ "ipv4/conf/all/route_localnet", "0" },
		{ "ipv4/conf/nsp0/route_localnet", "0" },
		{ "ipv4/conf/nsp0/accept_local", "0" },
		{ NULL },
	};

	return sysctls_write(table, f);
}

unsigned int sysctls_retries(unsigned int seconds)
{
	unsigned int retries = 1; /* 1 + 2 = 3 s */

	if (seconds == 0)
		seconds = PATIENCE_S;

	/* The kernel's greatest is 127; 10 retries last half an hour. */
	while (retries < 10 && (2u << retries) - 1 <= seconds)
		retries++;
	return retries;
}

int sysctls_seal(struct fault *f)
{
	static const char net[] = "/proc/sys/net";
	const unsigned long locked = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(net, net, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, net, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | locked,
		  NULL) < 0)
		return fault(f, -errno, "make %s read-only", net);
	return 0;
}

int sysctls_patience(unsigned int seconds, struct fault *f)
{
	char retries[16];
	const struct sysctl table[] = {
		{ "ipv4/tcp_syn_retries", retries },
		{ NULL },
	};

	(void)snprintf(retries, sizeof(retries), "%u",
		       sysctls_retries(seconds));
	return sysctls_write(table, f);
}

int sysctls_allow_users(unsigned int ping_from, unsigned int ping_to,
			bool every_port, struct fault *f)
{
	char range[32];
	const struct sysctl table[] = {
		{ "ipv4/ping_group_range", range },
		{ every_port ? "ipv4/ip_unprivileged_port_start" : NULL, "0" },
		{ NULL },
	};

	(void)snprintf(range, sizeof(range), "%u %u", ping_from, ping_to);
	return sysctls_write(table, f);
}
