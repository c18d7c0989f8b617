// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * attach.c - `nsproxy attach`, `detach`: a way out for a namespace that is
 * there
 *
 * The namespace is opened here, with the caller's rights and no others, and
 * goes to the daemon with the call.
 */
#include "verb.h"

#include "base/fd.h"
#include "base/text.h"
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/** struct attach - what the options said
 * @pid:  0 for none
 */
struct attach {
	uint32_t pid;
	const char *netns;
	const char *name;
};

static int take_pid(void *ctx, const char *value, struct fault *f)
{
	struct attach *a = ctx;

	if (!text_uint(value, INT_MAX, &a->pid) || a->pid == 0)
		return fault_plain(f, -EINVAL, "'%s' is no process id", value);
	return 0;
}

static int take_netns(void *ctx, const char *value, struct fault *f)
{
	struct attach *a = ctx;

	(void)f;
	a->netns = value;
	return 0;
}

static int take_name(void *ctx, const char *value, struct fault *f)
{
	struct attach *a = ctx;

	(void)f;
	a->name = value;
	return 0;
}

static const struct opt attach_opts[] = {
	{ 0, "pid", "PID", false,
	  "the namespace of this process, for as long as it lives", take_pid },
	{ 0, "netns", "PATH", false,
	  "the namespace of this file, as in /run/netns", take_netns },
	{ 0, "name", "NAME", false,
	  "call it so; else it is called as the profile", take_name },
};

static bool attach_lives(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/** attach_open() - Put the namespace, and the process if one was named, where
 * the call takes them from; Return: 0 or -errno */
static int attach_open(const struct attach *a, struct control *c,
		       struct fault *f)
{
	const int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	auto_fd pidfd = -1;
	auto_fd net = -1;
	char path[40];

	if (a->netns) {
		net = open(a->netns, how);
		if (net < 0)
			return fault(f, -errno, "open '%s'", a->netns);
		c->give[c->give_count++] = fd_take(&net);
		return 0;
	}
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)a->pid, 0);
	if (pidfd < 0)
		return fault(f, -errno, "find process %u", a->pid);
	(void)snprintf(path, sizeof(path), "/proc/%u/ns/net", a->pid);
	net = open(path, how);
	if (net < 0)
		return fault(f, -errno, "open %s", path);
	/* The number may have become another's meanwhile. */
	if (!attach_lives(pidfd))
		return fault_plain(f, -ESRCH, "process %u has ended", a->pid);
	c->give[c->give_count++] = fd_take(&net);
	c->give[c->give_count++] = fd_take(&pidfd);
	return 0;
}

/** attach_ask() - Return: what to exit with */
static int attach_ask(const struct verb *v, const struct attach *a,
		      const char *profile)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	struct control c;
	int status = call_open(v, &c);

	if (status != STATUS_DONE)
		return status;
	if (attach_open(a, &c, &f) < 0 ||
	    control_call(&c, "Attach",
			 json_pack("{s:s, s:s}", "name",
				   a->name ? a->name : profile, "profile",
				   profile),
			 CALL_PATIENCE_MS, &r, &f) < 0)
		status = verb_say(v, &f, STATUS_FAILED);
	else if (r.error[0] != '\0')
		status = call_say(v, &r);
	varlink_reply_fini(&r);
	control_close(&c);
	return status;
}

static int attach_misused(const struct verb *v, const char *what)
{
	struct fault f = { 0 };

	(void)fault_plain(&f, -EINVAL, "%s", what);
	return verb_say(v, &f, STATUS_MISUSED);
}

static int attach_verb(const struct verb *v, char **argv)
{
	struct attach a = { 0 };
	int status = STATUS_DONE;

	if (!verb_words(v, argv, &a, &status))
		return status;
	if (!argv[0] || argv[1])
		return attach_misused(v, "one profile must be named");
	if (!a.netns == !a.pid)
		return attach_misused(v, "either --pid or --netns tells which "
					 "namespace");
	return attach_ask(v, &a, argv[0]);
}

static int detach_verb(const struct verb *v, char **argv)
{
	struct varlink_reply r = { 0 };
	int status = STATUS_DONE;

	if (!verb_words(v, argv, NULL, &status))
		return status;
	if (!argv[0] || argv[1])
		return attach_misused(v, "one sandbox must be named");
	status = call_once(v, "Down", "name", json_string(argv[0]), &r);
	varlink_reply_fini(&r);
	return status;
}

const struct verb verb_attach = {
	.name = "attach",
	.args = "PROFILE --pid PID | --netns PATH [--name NAME]",
	.line = "Give a network namespace that is there a profile's way out.",
	.opts = attach_opts,
	.opt_count = sizeof(attach_opts) / sizeof(attach_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = attach_verb,
};

const struct verb verb_detach = {
	.name = "detach",
	.args = "NAME",
	.line = "Take that way out away again; the same as down.",
	.misuse = STATUS_MISUSED,
	.fn = detach_verb,
};
