// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * keep.c - `nsproxy daemon`: keep named sandboxes
 */
#include "verb.h"

#include "base/log.h"
#include "box/ascend.h"
#include "box/power.h"
#include "call.h"
#include "conf/account.h"
#include "daemon/access.h"
#include "daemon/daemon.h"
#include "named.h"

#include <errno.h>
#include <unistd.h>

static const struct opt daemon_opts[] = {
	VERB_OPT_QUIET,
	VERB_OPT_VERBOSE,
};

static const char daemon_more[] =
	"Runs in the foreground. Root's daemon keeps sandboxes for root, a "
	"user's own\nones for that user. Profiles with 'autostart = true' are "
	"brought up, and all\nthat were up before. SIGINT or SIGTERM end the "
	"daemon alone: its sandboxes\nlive on, and the next daemon finds them; "
	"so it is when it is killed.\n'nsproxy stop' ends both.\n";

/**
 * daemon_ascend() - Root's daemon, started by a member of its group
 *
 * Return: what to exit with
 */
static int daemon_ascend(const struct verb *v)
{
	struct fault f = { 0 };
	gid_t group;

	if (geteuid() == 0 || call_chosen() != CALL_SYSTEM)
		return STATUS_DONE;
	if (!power_is_aside()) {
		(void)fault_plain(&f, -EPERM,
				  "root's daemon can be started by root");
		(void)fault_hint(&f, "sudo nsproxy daemon; or, with the setuid "
				     "bit, by group '" ACCESS_GROUP "'");
		return verb_say(v, &f, STATUS_DENIED);
	}
	if (account_group(ACCESS_GROUP, &group, NULL) < 0 ||
	    !ascend_is_member(group)) {
		(void)fault_plain(&f, -EPERM,
				  "only root and members of group '%s' may "
				  "start root's daemon",
				  ACCESS_GROUP);
		return verb_say(v, &f, STATUS_DENIED);
	}
	return ascend(&f) < 0 ? verb_say(v, &f, STATUS_FAILED) : STATUS_DONE;
}

static int daemon_verb(const struct verb *v, char **argv)
{
	int level = LOG_LEVEL_WARN;
	struct named start = { 0 };
	struct fault f = { 0 };
	int status = STATUS_DONE;
	int rc;

	log_init("daemon: ", LOG_LEVEL_WARN);
	if (!verb_words(v, argv, &level, &status))
		return status;
	log_init("daemon: ", (enum log_level)level);
	if (argv[0]) {
		(void)fault_plain(&f, -EINVAL, "it takes no arguments");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	status = daemon_ascend(v);
	if (status != STATUS_DONE)
		return status;
	/* What was up before comes back from what its keepers have. */
	if (named_list(true, &start, &f) < 0)
		log_err("%s; nothing new can be brought up", f.text);
	rc = daemon_run(&(struct daemon_wish){ .level = level,
					       .autostart = start.name },
			&f);
	named_fini(&start);
	return rc < 0 ? verb_say(v, &f, STATUS_FAILED) : STATUS_DONE;
}

const struct verb verb_daemon = {
	.name = "daemon",
	.args = "[OPTIONS]",
	.line = "Keep named sandboxes up, for 'nsproxy exec'.",
	.more = daemon_more,
	.opts = daemon_opts,
	.opt_count = sizeof(daemon_opts) / sizeof(daemon_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = daemon_verb,
};
