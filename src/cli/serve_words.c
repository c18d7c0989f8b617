// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * serve_words.c - what the words behind `nsproxy serve` say
 *
 * Options, the address to listen on, and whether all of it may be: a proxy
 * that everybody can use is opened only on purpose.
 */
#include "serve_words.h"

#include "base/fd.h"
#include "base/text.h"
#include "conf/hop.h"
#include "conf/place.h"
#include "conf/url.h"
#include "proxies.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVE_PORT 1080

static int take_proxy(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;

	return proxies_add(&s->plan, value, f);
}

static int take_proxy_file(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;

	return proxies_add_file(&s->plan, value, f);
}

/** serve_read_line() - The first line of a file, without its end */
static int serve_read_line(const char *path, char *to, size_t size,
			   struct fault *f)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char shown[80];
	ssize_t n;

	text_quote(shown, sizeof(shown), path, strlen(path));
	if (fd < 0)
		return fault(f, -errno, "open '%s'", shown);
	n = read(fd, to, size);
	if (n < 0)
		return fault(f, -errno, "read '%s'", shown);
	if (memchr(to, '\0', (size_t)n))
		return fault_plain(f, -EINVAL, "'%s' is no text", shown);
	for (ssize_t i = 0; i < n; i++)
		if (to[i] == '\n' || to[i] == '\r')
			n = i;
	if ((size_t)n == size)
		return fault_plain(f, -EINVAL,
				   "the first line of '%s' is too "
				   "long",
				   shown);
	to[n] = '\0';
	return 0;
}

static int take_user(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;

	s->has_user = true;
	if (value[0] == '\0' ||
	    !text_copy(s->plan.serve.user, sizeof(s->plan.serve.user), value))
		return fault_plain(f, -EINVAL,
				   "a user name has 1 to 255 bytes");
	return 0;
}

static int take_pass_file(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;

	s->has_pass = true;
	return serve_read_line(value, s->plan.serve.pass,
			       sizeof(s->plan.serve.pass), f);
}

static int take_auth_file(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;
	char line[sizeof(s->plan.serve.user) + sizeof(s->plan.serve.pass)];
	char *colon;
	int rc;

	rc = serve_read_line(value, line, sizeof(line), f);
	if (rc < 0)
		return rc;
	colon = strchr(line, ':');
	if (!colon || colon == line)
		return fault_plain(f, -EINVAL,
				   "the auth file must hold one line: "
				   "USER:PASS");
	*colon = '\0';
	s->has_user = s->has_pass = true;
	if (!text_copy(s->plan.serve.user, sizeof(s->plan.serve.user), line) ||
	    !text_copy(s->plan.serve.pass, sizeof(s->plan.serve.pass),
		       colon + 1))
		return fault_plain(f, -EINVAL,
				   "user name and password have "
				   "at most 255 bytes");
	explicit_bzero(line, sizeof(line));
	return 0;
}

static int take_open(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;

	(void)value;
	(void)f;
	s->is_open = true;
	return 0;
}

static int take_listen_fd(void *ctx, const char *value, struct fault *f)
{
	struct serve *s = ctx;
	uint32_t fd;

	if (!text_uint(value, 65535, &fd) || fd <= STDERR_FILENO ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return fault_plain(f, -EINVAL, "--listen-fd needs an open fd");
	s->listen_fd = (int)fd;
	return 0;
}

const struct opt serve_opts[SERVE_OPTS] = {
	{ 'x', "proxy", "URL", true,
	  "go out by this proxy; as in run. Default: direct://", take_proxy },
	{ 0, "proxy-file", "FILE", true,
	  "read the proxy to go out by from FILE", take_proxy_file },
	{ 0, "auth-file", "FILE", false,
	  "demand the USER:PASS of FILE's first line", take_auth_file },
	{ 0, "user", "USER", false, "demand this user name", take_user },
	{ 0, "pass-file", "FILE", false,
	  "and the password in FILE's first line", take_pass_file },
	{ 0, "open", NULL, false,
	  "serve everybody, also on other addresses than loopback", take_open },
	{ 0, "listen-fd", "FD", false, NULL, take_listen_fd },
	VERB_OPT_QUIET,
	VERB_OPT_VERBOSE,
};

/** serve_read_auth() - USER:PASS@ before the address */
static const char *serve_read_auth(struct serve *s, const struct url *u)
{
	struct plan_serve *to = &s->plan.serve;

	if (!u->has_auth)
		return NULL;
	if (s->has_user || s->has_pass)
		return "credentials are given twice";
	if (u->user[0] == '\0')
		return "the user name is empty";
	s->has_user = s->has_pass = true;
	memcpy(to->user, u->user, sizeof(to->user));
	memcpy(to->pass, u->pass, sizeof(to->pass));
	return NULL;
}

/** serve_read_addr() - ADDR:PORT, where the port may be 0 */
static const char *serve_read_addr(struct serve *s, char *place)
{
	const size_t len = strlen(place);
	const bool any_port = len > 2 && !strcmp(place + len - 2, ":0");
	char host[NAME_MAX_LEN + 1];
	uint16_t port = any_port ? 0 : SERVE_PORT;
	const char *why;

	if (any_port)
		place[len - 2] = '\0';
	why = place_read(place, host, &port);
	if (why)
		return why;
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	if (!addr_parse_ip(host, &s->addr))
		return "the address to listen on must be an IP address of "
		       "this host";
	s->addr.port = port;
	return NULL;
}

/** serve_read_where() - [socks5://|http://][USER:PASS@]ADDR:PORT */
static int serve_read_where(struct serve *s, const char *text, struct fault *f)
{
	char whole[URL_MAX];
	char shown[URL_SHOWN];
	const char *why;
	struct url u;

	if (snprintf(whole, sizeof(whole), "%s%s",
		     strstr(text, "://") ? "" : "both://",
		     text) >= (int)sizeof(whole))
		return fault_plain(f, -EINVAL, "the address is too long");
	why = url_split(whole, &u);
	if (!why && (u.query[0] != '\0' || (u.path[0] && u.path[1])))
		why = "nothing may follow ADDR:PORT";
	s->plan.serve.socks = strcmp(u.scheme, "http") != 0;
	s->plan.serve.http = !text_starts(u.scheme, "socks5");
	if (!why && strcmp(u.scheme, "both") != 0 &&
	    strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "socks5") != 0 &&
	    strcmp(u.scheme, "socks5h") != 0)
		why = "serve speaks socks5:// and http://";
	if (!why)
		why = serve_read_auth(s, &u);
	if (!why)
		why = serve_read_addr(s, u.place);
	if (!why)
		return 0;
	return fault_plain(f, -EINVAL, "'%s': %s",
			   url_mask(shown, sizeof(shown), text), why);
}

/** serve_check_open() - Nobody opens a relay to the world by mistake */
static int serve_check_open(struct serve *s, struct fault *f)
{
	char shown[ADDR_TEXT];

	if (s->has_user != s->has_pass)
		return fault_plain(f, -EINVAL,
				   "--user and --pass-file belong together");
	s->plan.serve.has_auth = s->has_user;
	if (s->has_user || s->is_open || s->listen_fd >= 0 ||
	    addr_is_loopback(&s->addr))
		return 0;
	(void)fault_plain(f, -EPERM,
			  "anybody who reaches %s could use this proxy",
			  addr_text(&s->addr, shown));
	return fault_hint(f, "demand credentials (--auth-file FILE), listen "
			     "on 127.0.0.1, or insist with --open");
}

int serve_settle(struct serve *s, char **argv, struct fault *f)
{
	int rc = 0;

	if (argv[0] && argv[1])
		return fault_plain(f, -EINVAL,
				   "only one ADDR:PORT, and "
				   "options before it");
	rc = serve_read_where(s, argv[0] ? argv[0] : SERVE_DEFAULT, f);
	if (rc == 0)
		rc = serve_check_open(s, f);
	if (rc == 0 && s->plan.hop_count == 0)
		rc = chain_parse(&s->plan, "direct://", f);
	if (rc == 0)
		rc = chain_check(&s->plan, f);
	s->plan.names = NAMES_OFF;
	s->plan.want_v4 = s->plan.want_v6 = true;
	s->plan.log_level = s->level;
	return rc;
}
