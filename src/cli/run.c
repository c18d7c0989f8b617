// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * run.c - `nsproxy run`: one command in a sandbox of its own
 *
 * Words become a plan here; the box builds it and waits for the command.
 * Whatever goes wrong before the command began ends in exit status 125.
 */
#include "verb.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/oneshot.h"
#include "bus/plan.h"
#include "conf/dns.h"
#include "conf/only.h"
#include "dns_job.h"
#include "named_jobs.h"
#include "profiles.h"
#include "proxies.h"
#include "settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct run - what the options said
 * @level:    First, for verb_take_verbose()
 * @profile, @engine:  Names, or NULL
 * @jobs:     What runs beside the command
 */
struct run {
	int level;
	const char *profile;
	const char *engine;
	struct jobs jobs;
	struct plan plan;
	struct dns_wish dns;
	int publish_fd[PLAN_PUBLISH];
};

static int take_profile(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	(void)f;
	r->profile = value;
	return 0;
}

static int take_engine(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	(void)f;
	r->engine = value;
	return 0;
}

static int take_proxy(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	return proxies_add(&r->plan, value, f);
}

static int take_proxy_file(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	return proxies_add_file(&r->plan, value, f);
}

static int take_dns(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	return dns_parse(value, &r->dns, f);
}

static int take_only(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	return only_add(&r->plan, value, f);
}

static int take_ip4_only(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	(void)value;
	if (!r->plan.want_v4)
		return fault_plain(f, -EINVAL, "-4 and -6 exclude each other");
	r->plan.want_v6 = false;
	return 0;
}

static int take_ip6_only(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	(void)value;
	if (!r->plan.want_v6)
		return fault_plain(f, -EINVAL, "-4 and -6 exclude each other");
	r->plan.want_v4 = false;
	return 0;
}

static int take_expose(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	return settle_expose(&r->plan, value, f);
}

static int take_publish(void *ctx, const char *value, struct fault *f)
{
	struct run *r = ctx;

	return settle_publish(&r->plan, value, f);
}

static const struct opt run_opts[] = {
	{ 'P', "profile", "NAME", false,
	  "a profile of the configuration; -x and -d go before what it says, "
	  "-e and -p add to it",
	  take_profile },
	{ 'x', "proxy", "URL", true,
	  "way out; repeated or comma-separated: a chain, nearest first",
	  take_proxy },
	{ 0, "proxy-file", "FILE", true,
	  "read the way out from FILE, one or more URLs", take_proxy_file },
	{ 'd', "dns", "DNS", true,
	  "fake (default), off, socks-resolve, udp://IP[:PORT], "
	  "tcp://IP[:PORT], or dnsproxy and then its servers",
	  take_dns },
	{ 0, "only", "PATTERN", true,
	  "let names like *.i2p leave and nothing else; goes before a "
	  "profile's",
	  take_only },
	{ '4', "ipv4-only", NULL, true, "no IPv6 inside", take_ip4_only },
	{ '6', "ipv6-only", NULL, true, "no IPv4 inside", take_ip6_only },
	{ 'e', "expose", "HOST:PORT", true,
	  "let the command reach this address of the host", take_expose },
	{ 'p', "publish", "[ADDR:]PORT:PORT", true,
	  "lead a port of the host to a port inside", take_publish },
	{ 0, "engine", "NAME", false,
	  "let another program turn packets into connections: tun2socks, or "
	  "one of the configuration",
	  take_engine },
	VERB_OPT_QUIET,
	VERB_OPT_VERBOSE,
};

static const char run_more[] =
	"Ways out:\n"
	"  socks5://[USER:PASS@]HOST[:1080]   socks5+unix:/PATH\n"
	"  socks4a://HOST[:1080]              direct://[?dev=IFACE]\n"
	"  http://[USER:PASS@]HOST[:8080]     block://\n"
	"  https://[USER:PASS@]HOST[:443]     (http, https: ?forward)\n"
	"without -x and -P: NSPROXY_PROXY, ALL_PROXY or all_proxy of the\n"
	"environment; -x - reads them from standard input\n"
	"\n"
	"Exit status: the command's own; 128+n when signal n ended it; 125 "
	"when "
	"it\nwas never started, 126 when it could not be, 127 when it was not "
	"found\n"
	"\n"
	"Example:\n"
	"  nsproxy run -x socks5://127.0.0.1:1080 -- curl "
	"https://example.org/\n";

static int run_open_published(struct run *r, struct fault *f)
{
	for (unsigned int i = 0; i < r->plan.publish_count; i++) {
		const int rc = settle_listen(&r->plan.publish[i].host,
					     &r->publish_fd[i], f);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int run_need_proxy(const struct plan *p, struct fault *f)
{
	if (p->hop_count > 0)
		return 0;
	(void)fault_plain(f, -EINVAL, "no way out is given");
	return fault_hint(f, "say -x socks5://HOST:PORT (or http://...), "
			     "-P PROFILE, --proxy-file FILE, or set "
			     "NSPROXY_PROXY; -x direct:// goes out without a "
			     "proxy");
}

/** run_go() - From options to the end of the command */
static int run_go(struct run *r, char **argv, int *ret_status, struct fault *f)
{
	const char *drop_env[SETTLE_VARS + 1];
	const struct oneshot o = {
		.plan = &r->plan,
		.publish_fd = r->publish_fd,
		.argv = argv,
		.drop_env = drop_env,
		.jobs = &r->jobs,
		.is_quiet = r->level == LOG_LEVEL_ERR,
	};
	int rc = 0;

	if (!argv[0]) {
		(void)fault_plain(f, -EINVAL, "the command is missing");
		return fault_hint(f, "nsproxy run -x URL -- CMD [ARG...]");
	}
	if (r->profile)
		rc = profiles_settle(r->profile, true, &r->plan, &r->dns, f);
	else if (r->plan.hop_count == 0)
		rc = proxies_add_env(&r->plan, f);
	if (rc == 0 && (r->engine || r->profile))
		rc = named_run_engine(r->profile, r->engine, &r->plan, &r->jobs,
				      f);
	if (rc == 0)
		rc = run_need_proxy(&r->plan, f);
	if (rc == 0)
		rc = proxies_settle(&r->plan, f);
	if (rc == 0)
		rc = settle_dns(&r->plan, &r->dns, f);
	if (rc == 0)
		rc = dns_job(&r->plan, &r->dns, &r->jobs, f);
	if (rc == 0)
		rc = run_open_published(r, f);
	if (rc < 0)
		return rc;
	settle_drop_env(&r->plan, drop_env);
	r->plan.log_level = r->level;
	return oneshot_run(&o, ret_status, f);
}

static void run_fini(struct run *r)
{
	for (unsigned int i = 0; i < PLAN_PUBLISH; i++)
		fd_close(&r->publish_fd[i]);
	explicit_bzero(&r->plan, sizeof(r->plan));
	free(r);
}

static int run_verb(const struct verb *v, char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	struct fault f = { 0 };
	int status = STATUS_NOT_BEGUN;
	int used;

	if (!r) {
		(void)fault(&f, -ENOMEM, "begin");
		return verb_say(v, &f, STATUS_NOT_BEGUN);
	}
	log_init("run: ", LOG_LEVEL_WARN);
	r->level = LOG_LEVEL_WARN;
	r->plan.want_v4 = r->plan.want_v6 = true;
	for (unsigned int i = 0; i < PLAN_PUBLISH; i++)
		r->publish_fd[i] = -1;
	if (verb_options(v, argv, r, &used, &status)) {
		log_init("run: ", (enum log_level)r->level);
		if (run_go(r, argv + used, &status, &f) < 0)
			status = verb_say(v, &f, STATUS_NOT_BEGUN);
	}
	run_fini(r);
	return status;
}

const struct verb verb_run = {
	.name = "run",
	.args = "[-x URL]... [OPTIONS] [--] CMD [ARG...]",
	.line = "Run a command that reaches the network only by a proxy.",
	.more = run_more,
	.opts = run_opts,
	.opt_count = sizeof(run_opts) / sizeof(run_opts[0]),
	.misuse = STATUS_NOT_BEGUN,
	.fn = run_verb,
};
