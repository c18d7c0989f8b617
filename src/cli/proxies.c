// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proxies.c - from what the user said to a chain of hops
 *
 * -x, --proxy-file and the environment all end in chain_parse(); the name of
 * the first proxy is looked up here, once, on the host.
 */
#include "proxies.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/hop.h"
#include "lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 65536

static const char *const proxy_vars[] = { "NSPROXY_PROXY", "ALL_PROXY",
					  "all_proxy" };

/** proxies_blame() - Put where it was said before what is wrong with it */
static int proxies_blame(struct fault *f, const char *where)
{
	const struct fault was = *f;
	char shown[80];

	(void)fault_plain(
		f, was.code, "in %s: %s",
		text_quote(shown, sizeof(shown), where, strlen(where)),
		was.text);
	return fault_hint(f, "%s", was.hint);
}

/** proxies_add_lines() - Cuts @text at its line ends */
static int proxies_add_lines(struct plan *p, char *text, const char *where,
			     struct fault *f)
{
	const unsigned int before = p->hop_count;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len;

		line += strspn(line, " \t\r");
		len = strlen(line);
		while (len > 0 && strchr(" \t\r", line[len - 1]))
			line[--len] = '\0';
		if (len == 0 || line[0] == '#')
			continue;
		if (chain_parse(p, line, f) < 0)
			return proxies_blame(f, where);
	}
	if (p->hop_count > before)
		return 0;
	return fault_plain(f, -EINVAL, "%s holds no proxy", where);
}

/** proxies_add_fd() - Add what can be read from @fd */
static int proxies_add_fd(struct plan *p, int fd, const char *where,
			  struct fault *f)
{
	auto_free char *text = calloc(1, FILE_MAX + 1);
	size_t used = 0;
	int rc;

	if (!text)
		return fault(f, -ENOMEM, "read %s", where);
	while (used < FILE_MAX) {
		const ssize_t n = read(fd, text + used, FILE_MAX - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault(f, -errno, "read %s", where);
		if (n == 0)
			break;
		used += (size_t)n;
	}
	if (used == FILE_MAX)
		rc = fault_plain(f, -EFBIG,
				 "%s is over 64 KiB: no list of "
				 "proxies",
				 where);
	else if (memchr(text, '\0', used))
		rc = fault_plain(f, -EINVAL, "%s is no text", where);
	else
		rc = proxies_add_lines(p, text, where, f);
	explicit_bzero(text, FILE_MAX);
	return rc;
}

int proxies_add(struct plan *p, const char *text, struct fault *f)
{
	if (!strcmp(text, "-"))
		return proxies_add_fd(p, STDIN_FILENO, "standard input", f);
	return chain_parse(p, text, f);
}

/** proxies_has_secret() - Does a hop from number @from on hold a password? */
static bool proxies_has_secret(const struct plan *p, unsigned int from)
{
	for (unsigned int i = from; i < p->hop_count; i++)
		if (p->hop[i].pass[0] != '\0')
			return true;
	return false;
}

int proxies_add_file(struct plan *p, const char *path, struct fault *f)
{
	const unsigned int before = p->hop_count;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char shown[80];
	struct stat st;
	int rc;

	text_quote(shown, sizeof(shown), path, strlen(path));
	if (fd < 0)
		return fault(f, -errno, "open '%s'", shown);
	rc = proxies_add_fd(p, fd, shown, f);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 077) != 0 && proxies_has_secret(p, before))
		log_warn("'%s' holds a password and others may open it; "
			 "chmod 600 it",
			 shown);
	return 0;
}

int proxies_add_env(struct plan *p, struct fault *f)
{
	for (size_t i = 0; i < sizeof(proxy_vars) / sizeof(*proxy_vars); i++) {
		const char *value = getenv(proxy_vars[i]);

		if (!value || value[0] == '\0')
			continue;
		if (chain_parse(p, value, f) < 0)
			return proxies_blame(f, proxy_vars[i]);
		log_info("the proxy comes from %s", proxy_vars[i]);
		return 0;
	}
	return 0;
}

unsigned int proxies_first(const struct plan *p)
{
	return p->hop[0].kind == HOP_DIRECT && p->hop_count > 1 ? 1 : 0;
}

int proxies_settle(struct plan *p, struct fault *f)
{
	struct hop *first = &p->hop[proxies_first(p)];
	int rc;

	rc = chain_check(p, f);
	if (rc < 0 || first->host[0] == '\0')
		return rc;
	rc = lookup_host(first->host, first->port, first->addr, PLAN_ADDRS,
			 &first->addr_count, f);
	if (rc < 0)
		return fault_hint(f,
				  "it is the first proxy (%s), whose name "
				  "this host must know",
				  first->label);
	return 0;
}
