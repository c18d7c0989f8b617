// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * settle.c - the parts of a plan that depend on the host
 *
 * Names, exposed and published doors, and what of the environment stays
 * outside. Everything the host has to be asked for is asked here, before the
 * sandbox begins.
 */
#include "settle.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/hop.h"
#include "conf/place.h"
#include "conf/url.h"
#include "lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESOLV_CONF	"/etc/resolv.conf"
#define RESOLV_CONF_MAX 16384
#define LISTEN_BACKLOG	4096

static const char dns_hint[] =
	"give the servers to ask: -d udp://IP (or tcp://IP), or -d off";

/** settle_host_dns() - The host's own upstreams, for a direct way out */
static int settle_host_dns(struct dns_wish *w, struct fault *f)
{
	auto_fd fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
	char text[RESOLV_CONF_MAX];
	const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (dns_read_hosts(text, w) > 0)
		return 0;
	(void)fault_plain(f, -ENOENT, "%s names no DNS server", RESOLV_CONF);
	return fault_hint(f, "%s", dns_hint);
}

/**
 * settle_loopback() - Can the servers be asked, by the one interface?
 *
 * The resolver of a VPN may stand on the host's loopback, and is asked there
 * when somebody wrote it down. That of the host would ask others past the VPN.
 */
static int settle_loopback(const struct plan *p, struct dns_wish *w,
			   bool is_written, struct fault *f)
{
	const char *dev = plan_last(p)->dev;

	for (unsigned int i = 0; dev[0] && i < w->server_count; i++) {
		w->server[i].is_here = addr_is_loopback(&w->server[i].addr);
		if (!w->server[i].is_here || is_written)
			continue;
		(void)fault_plain(f, -ENETUNREACH,
				  "the host's DNS server is on its loopback, "
				  "and would ask others past %s",
				  dev);
		return fault_hint(f, "give the VPN's own: -d udp://IP (it may "
				     "be on the loopback), or -d off");
	}
	return 0;
}

/** settle_servers() - Copy upstreams; ask by TCP where UDP cannot leave */
static void settle_servers(struct plan *p, const struct dns_wish *w)
{
	const bool has_udp = chain_has_udp(p);
	char shown[ADDR_TEXT];

	p->server_count = w->server_count;
	for (unsigned int i = 0; i < w->server_count; i++) {
		p->server[i] = w->server[i];
		if (has_udp || p->server[i].is_tcp)
			continue;
		p->server[i].is_tcp = true;
		log_info(
			"DNS server %s is asked by TCP: the way out has no UDP",
			addr_text(&p->server[i].addr, shown));
	}
}

/** settle_plain_dns() - For who asks by an interface of the host, without us */
static int settle_plain_dns(struct plan *p, const struct dns_wish *w,
			    struct fault *f)
{
	struct dns_wish all = *w;
	const char *why;
	const int rc = all.is_set ? 0 : settle_host_dns(&all, f);

	if (rc < 0)
		return rc;
	why = dns_why_not_plain(&all);
	if (why) {
		(void)fault_plain(f, -ENETUNREACH, "%s: %s",
				  w->is_set ? "'dns'" : RESOLV_CONF, why);
		return fault_hint(f, "give the VPN's servers: "
				     "dns = {\"udp://IP\"}, or dns = off");
	}
	p->names = NAMES_OFF;
	p->server_count = all.server_count;
	memcpy(p->server, all.server, sizeof(all.server));
	return 0;
}

int settle_dns(struct plan *p, const struct dns_wish *w, struct fault *f)
{
	const enum hop_kind last = plan_last(p)->kind;
	struct dns_wish all = *w;

	if (p->device[0] != '\0')
		return settle_plain_dns(p, w, f);
	if (!all.is_set && last != HOP_DIRECT) {
		all.is_set = true;
		all.mode = NAMES_FAKE;
	}
	if (!all.is_set) {
		const int rc = settle_host_dns(&all, f);

		if (rc < 0)
			return rc;
	}
	if (settle_loopback(p, &all, w->is_set, f) < 0)
		return -ENETUNREACH;
	if (all.mode == NAMES_FAKE && last == HOP_DIRECT) {
		(void)fault_plain(f, -EINVAL,
				  "-d fake needs a proxy that takes names; "
				  "with direct:// real addresses are needed");
		return fault_hint(f, "leave -d out to ask the host's DNS "
				     "servers, or name some: -d udp://IP");
	}
	if (all.mode == NAMES_RESOLVE && last != HOP_SOCKS5) {
		(void)fault_plain(f, -EINVAL,
				  "-d socks-resolve needs a last proxy that is "
				  "socks5, as Tor's: no other can be asked");
		return fault_hint(f, "leave -d out: names travel to the proxy "
				     "as names then");
	}
	if (p->only_count > 0 && all.mode != NAMES_FAKE) {
		(void)fault_plain(f, -EINVAL,
				  "'only' needs names that leave as names, and "
				  "here they would be looked up first");
		return fault_hint(f, "use a proxy and dns fake (-d fake)");
	}
	if (all.mode == NAMES_PROGRAM && dnsproxy_check(&all.program, f) < 0)
		return -EINVAL;
	p->names = all.mode;
	settle_servers(p, &all);
	return 0;
}

int settle_expose(struct plan *p, const char *text, struct fault *f)
{
	struct plan_expose e = { 0 };
	char host[NAME_MAX_LEN + 1];
	struct addr found[PLAN_ADDRS];
	unsigned int n = 0;
	uint16_t port;
	int rc;

	rc = host_port_parse(text, host, &port, f);
	if (rc == 0)
		rc = lookup_host(host, port, found, PLAN_ADDRS, &n, f);
	if (rc < 0)
		return rc;
	if (!addr_parse_ip(host, &e.addr))
		(void)text_copy(e.name, sizeof(e.name), host); /* same size */
	for (unsigned int i = 0; i < n; i++) {
		if (addr_is_any(&found[i]) || addr_is_multicast(&found[i]))
			return fault_plain(f, -EINVAL,
					   "'%s' is no address one can "
					   "connect to",
					   host);
		if (p->expose_count == PLAN_EXPOSE)
			return fault_plain(f, -E2BIG,
					   "at most %d addresses can be "
					   "exposed",
					   PLAN_EXPOSE);
		e.addr = found[i];
		p->expose[p->expose_count++] = e;
	}
	return 0;
}

int settle_publish(struct plan *p, const char *text, struct fault *f)
{
	if (p->publish_count == PLAN_PUBLISH)
		return fault_plain(f, -E2BIG,
				   "at most %d ports can be "
				   "published",
				   PLAN_PUBLISH);
	if (publish_parse(text, &p->publish[p->publish_count], f) < 0)
		return -EINVAL;
	p->publish_count++;
	return 0;
}

int settle_listen(const struct addr *a, int *ret_fd, struct fault *f)
{
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	auto_fd fd = socket(a->family, type, 0);
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sock(a, &ss);
	char shown[ADDR_TEXT];
	const int on = 1;

	addr_text(a, shown);
	if (fd < 0)
		return fault(f, -errno, "make a socket for %s", shown);
	/* A port whose last owner's connections still linger is free. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* "::" means what it says; 0.0.0.0 can be had beside it. */
	if (a->family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	if (addr_is_loopback(a))
		fd_be_near(fd);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0) {
		const int err = errno;

		(void)fault(f, -err, "listen on %s", shown);
		if (err == EADDRINUSE)
			return fault_hint(f, "another program has the port; "
					     "choose another");
		if (err == EACCES)
			return fault_hint(f, "ports below 1024 are for root; "
					     "choose a higher one");
		return -err;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

/** settle_is_stale() - Does this proxy URL lead nowhere inside? */
static bool settle_is_stale(const struct plan *p, const char *url)
{
	struct url u;
	struct addr a;
	char host[NAME_MAX_LEN + 1];
	uint16_t port = 0;
	const bool whole = strstr(url, "://") && !url_split(url, &u);

	if (place_read(whole ? u.place : url, host, &port))
		return false;
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	if (!addr_parse_ip(host, &a) || !addr_is_loopback(&a))
		return false;
	a.port = port;
	for (unsigned int i = 0; i < p->expose_count; i++)
		if (addr_equal(&p->expose[i].addr, &a))
			return false;
	return true;
}

void settle_drop_env(const struct plan *p, const char **ret)
{
	static const char *const always[] = { "NSPROXY_PROXY", "ALL_PROXY",
					      "all_proxy" };
	static const char *const maybe[] = { "http_proxy",  "https_proxy",
					     "ftp_proxy",   "HTTP_PROXY",
					     "HTTPS_PROXY", "FTP_PROXY" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		ret[n++] = always[i];
	for (size_t i = 0; i < sizeof(maybe) / sizeof(maybe[0]); i++) {
		const char *value = getenv(maybe[i]);

		if (!value || !settle_is_stale(p, value))
			continue;
		log_info("%s is left out of the environment: its proxy on this "
			 "host cannot be reached from inside (-e exposes it)",
			 maybe[i]);
		ret[n++] = maybe[i];
	}
	ret[n] = NULL;
}
