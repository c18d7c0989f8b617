// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * check.c - `nsproxy check`: can this host do it, and can this proxy?
 *
 * First what the kernel says about itself, then the box walks its own table of
 * set-up steps, then the proxy is asked. Findings are collected and told at
 * the end, to people or as JSON.
 */
#include "verb.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "box/oneshot.h"
#include "bus/plan.h"
#include "json.h"
#include "probe.h"
#include "proxies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FINDINGS_MAX	  48

#define NEED_KERNEL_MAJOR 5
#define NEED_KERNEL_MINOR 10

enum finding_state {
	FINDING_OK,
	FINDING_NOTE, /* good to know */
	FINDING_WARN, /* may be in the way */
	FINDING_FAIL,
	FINDING_STATES
};

static const char *const finding_state_name[] = {
	[FINDING_OK] = "ok",
	[FINDING_NOTE] = "note",
	[FINDING_WARN] = "warn",
	[FINDING_FAIL] = "fail",
};

_Static_assert(sizeof(finding_state_name) / sizeof(finding_state_name[0]) ==
		       FINDING_STATES,
	       "each state has a name");

struct finding {
	enum finding_state state;
	char name[40];
	char text[512];
	char hint[384];
};

/**
 * struct check - one run
 * @status:  What we exit with, as far as is known
 */
struct check {
	struct plan plan;
	bool as_json;
	struct finding finding[FINDINGS_MAX];
	unsigned int count;
	int status;
};

static int take_proxy(void *ctx, const char *value, struct fault *f)
{
	struct check *c = ctx;

	return proxies_add(&c->plan, value, f);
}

static int take_proxy_file(void *ctx, const char *value, struct fault *f)
{
	struct check *c = ctx;

	return proxies_add_file(&c->plan, value, f);
}

static int take_json(void *ctx, const char *value, struct fault *f)
{
	struct check *c = ctx;

	(void)value;
	(void)f;
	c->as_json = true;
	return 0;
}

static const struct opt check_opts[] = {
	{ 'x', "proxy", "URL", true,
	  "ask this proxy, too: is it there, has it UDP, IPv6?", take_proxy },
	{ 0, "proxy-file", "FILE", true, "read the proxy from FILE",
	  take_proxy_file },
	{ 0, "json", NULL, false, "findings as JSON (nsproxy.check/1)",
	  take_json },
};

/** check_add() - Note a finding; a failure spoils the exit status */
static struct finding *check_add(struct check *c, enum finding_state state,
				 const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static struct finding *check_add(struct check *c, enum finding_state state,
				 const char *name, const char *fmt, ...)
{
	/* The last place is overwritten: nobody has so many. */
	struct finding *n = &c->finding[c->count];
	va_list ap;

	if (c->count < FINDINGS_MAX - 1)
		c->count++;
	*n = (struct finding){ .state = state };
	(void)snprintf(n->name, sizeof(n->name), "%s", name);
	va_start(ap, fmt);
	(void)vsnprintf(n->text, sizeof(n->text), fmt, ap); /* cut is fine */
	va_end(ap);
	if (state == FINDING_FAIL && c->status == STATUS_DONE)
		c->status = STATUS_FAILED;
	return n;
}

static void check_hint(struct finding *n, const char *text)
{
	(void)snprintf(n->hint, sizeof(n->hint), "%s", text);
}

static void check_kernel(struct check *c)
{
	struct utsname u = { 0 };
	unsigned int major = 0;
	unsigned int minor = 0;
	bool is_old;

	(void)uname(&u); /* cannot fail */
	(void)sscanf(u.release, "%u.%u", &major, &minor);
	is_old = major < NEED_KERNEL_MAJOR ||
		 (major == NEED_KERNEL_MAJOR && minor < NEED_KERNEL_MINOR);
	check_add(c, is_old ? FINDING_WARN : FINDING_OK, "kernel", "Linux %s%s",
		  u.release,
		  is_old ? ": nsproxy is made for 5.10 and newer" : "");
}

/** check_sysctl() - Return: the number in a file, or -1 */
static long check_sysctl(const char *path)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}

static void check_userns(struct check *c)
{
	const bool is_root = geteuid() == 0;
	const char *name = "user namespaces";

	if (check_sysctl("/proc/sys/user/max_user_namespaces") == 0)
		check_hint(check_add(c, FINDING_FAIL, name,
				     "none may be made on this host"),
			   "sysctl -w user.max_user_namespaces=15000");
	else if (!is_root &&
		 check_sysctl("/proc/sys/kernel/unprivileged_userns_clone") ==
			 0)
		check_hint(check_add(c, FINDING_FAIL, name,
				     "only root may make them"),
			   "sysctl -w kernel.unprivileged_userns_clone=1");
	else if (!is_root && check_sysctl("/proc/sys/kernel/apparmor_restrict_"
					  "unprivileged_userns") == 1)
		check_hint(check_add(c, FINDING_WARN, name,
				     "AppArmor may forbid them "
				     "(apparmor_restrict_unprivileged_userns "
				     "is 1)"),
			   "give nsproxy an AppArmor profile with the rule "
			   "'userns,'; there is no need to switch the "
			   "restriction off for all programs");
	else
		check_add(c, FINDING_OK, name, "not forbidden");
}

static void check_tun(struct check *c)
{
	auto_fd fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	const int err = errno;
	struct finding *n;

	if (fd >= 0) {
		check_add(c, FINDING_OK, "/dev/net/tun", "may be opened");
		return;
	}
	n = check_add(c, FINDING_FAIL, "/dev/net/tun", "open: %s",
		      strerror(err));
	check_hint(n,
		   err == EACCES || err == EPERM
			   ? "chmod 666 /dev/net/tun: opening it gives no "
			     "rights over the host's network"
			   : "load the module (modprobe tun); in a container, "
			     "pass the device in");
}

static void check_step(void *ctx, const char *step, const struct fault *f)
{
	struct check *c = ctx;

	if (!f)
		check_add(c, FINDING_OK, step, "done");
	else
		check_hint(check_add(c, FINDING_FAIL, step, "%s", f->text),
			   f->hint);
}

static void check_answer(struct check *c, const char *name, enum probe_answer a,
			 const char *yes, const char *no)
{
	switch (a) {
	case PROBE_YES:
		check_add(c, FINDING_OK, name, "%s", yes);
		break;
	case PROBE_NO:
		check_add(c, FINDING_NOTE, name, "%s", no);
		break;
	case PROBE_UNKNOWN:
		check_add(c, FINDING_NOTE, name, "not known");
		break;
	}
}

/** check_no_proxy() - It cannot be used; a broken host is worse news */
static void check_no_proxy(struct check *c, const struct fault *f)
{
	if (c->status == STATUS_DONE)
		c->status = STATUS_UNREACHABLE;
	check_hint(check_add(c, FINDING_FAIL, "proxy", "%s", f->text), f->hint);
}

/** check_proxy() - Ask the first proxy of the chain */
static void check_proxy(struct check *c)
{
	struct plan *p = &c->plan;
	const struct hop *h;
	struct fault f = { 0 };
	struct probe found;

	if (proxies_settle(p, &f) < 0) {
		check_no_proxy(c, &f);
		return;
	}
	h = &p->hop[proxies_first(p)];
	if (!hop_can_name(h)) {
		check_add(c, FINDING_OK, "proxy", "%s: there is nobody to ask",
			  h->label);
		return;
	}
	if (probe_hop(h, p->hop[0].dev, &found, &f) < 0) {
		check_no_proxy(c, &f);
		return;
	}
	check_add(c, FINDING_OK, "proxy", "%s is there%s", h->label,
		  h->kind == HOP_HTTPS ? " (TLS was not tried)"
		  : h->has_auth	       ? " and takes these credentials"
				       : "");
	if (plan_last(p) != h) {
		check_add(c, FINDING_NOTE, "chain",
			  "only its first proxy was asked; a chain carries no "
			  "UDP");
		return;
	}
	check_answer(c, "UDP", found.udp, "the proxy carries it",
		     "the proxy has none; programs are told so at once");
	check_answer(c, "IPv6", found.ip6, "the proxy does not refuse it",
		     "the proxy refuses it; programs are told so at once");
}

static void check_tell(const struct check *c)
{
	for (unsigned int i = 0; i < c->count; i++) {
		const struct finding *n = &c->finding[i];

		(void)printf("%-4s  %-22s  %s\n", finding_state_name[n->state],
			     n->name, n->text);
		if (n->hint[0] != '\0')
			(void)printf("      hint: %s\n", n->hint);
	}
}

static void check_tell_json(const struct check *c)
{
	(void)printf("{\"schema\":\"nsproxy.check/1\",\"ok\":%s,"
		     "\"findings\":[",
		     c->status == STATUS_DONE ? "true" : "false");
	for (unsigned int i = 0; i < c->count; i++) {
		const struct finding *n = &c->finding[i];

		(void)printf("%s\n{\"name\":", i ? "," : "");
		json_text(stdout, n->name);
		(void)printf(",\"state\":\"%s\",\"text\":",
			     finding_state_name[n->state]);
		json_text(stdout, n->text);
		(void)fputs(",\"hint\":", stdout);
		json_text(stdout, n->hint);
		(void)fputs("}", stdout);
	}
	(void)puts("\n]}");
}

static int check_verb(const struct verb *v, char **argv)
{
	struct check *c = calloc(1, sizeof(*c));
	struct fault f = { 0 };
	int status = STATUS_FAILED;
	int used;

	if (!c) {
		(void)fault(&f, -ENOMEM, "begin");
		return verb_say(v, &f, STATUS_FAILED);
	}
	log_init("check: ", LOG_LEVEL_WARN);
	if (!verb_options(v, argv, c, &used, &status)) {
		free(c);
		return status;
	}
	if (argv[used]) {
		(void)fault_plain(&f, -EINVAL,
				  "it takes options only; a proxy "
				  "is given with -x");
		free(c);
		return verb_say(v, &f, STATUS_MISUSED);
	}
	check_kernel(c);
	check_userns(c);
	check_tun(c);
	(void)oneshot_probe(check_step, c); /* has told each step */
	if (c->plan.hop_count > 0)
		check_proxy(c);
	if (c->as_json)
		check_tell_json(c);
	else
		check_tell(c);
	status = c->status;
	explicit_bzero(&c->plan, sizeof(c->plan));
	free(c);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.args = "[-x URL] [--json]",
	.line = "Tell whether this host can do it, and what a proxy can.",
	.more = "Exit status: 0 all is well; 1 something is missing; 6 the "
		"proxy cannot\nbe used\n",
	.opts = check_opts,
	.opt_count = sizeof(check_opts) / sizeof(check_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = check_verb,
};
