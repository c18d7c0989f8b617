// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * keep.c - `nsproxy daemon`: keep named sandboxes
 *
 * In the foreground, as a service manager's service, or in the background: the
 * daemon is the same, and only who waits for it differs.
 */
#include "verb.h"

#include "base/log.h"
#include "box/ascend.h"
#include "box/power.h"
#include "call.h"
#include "conf/account.h"
#include "daemon/access.h"
#include "daemon/activation.h"
#include "daemon/background.h"
#include "daemon/daemon.h"
#include "named.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/** struct keep - the words of a start; @level first, for -v and -q */
struct keep {
	int level;
	bool is_behind;
	const char *log_path;
	int log;
	struct background behind;
};

static int take_background(void *ctx, const char *value, struct fault *f)
{
	struct keep *k = ctx;

	(void)value;
	(void)f;
	k->is_behind = true;
	return 0;
}

static int take_log_file(void *ctx, const char *value, struct fault *f)
{
	struct keep *k = ctx;

	if (value[0] == '\0')
		return fault_plain(f, -EINVAL, "--log-file needs a path");
	k->log_path = value;
	return 0;
}

static const struct opt daemon_opts[] = {
	VERB_OPT_QUIET,
	VERB_OPT_VERBOSE,
	{ 0, "background", NULL, false,
	  "return when it is ready, and leave it running", take_background },
	{ 0, "log-file", "PATH", false,
	  "with --background: append its log lines to PATH", take_log_file },
};

static const char daemon_more[] =
	"Runs in the foreground unless told otherwise. Root's daemon keeps "
	"sandboxes for\nroot, a user's own ones for that user. Profiles with "
	"'autostart = true' are\nbrought up, and all that were up before. "
	"SIGINT or SIGTERM end the daemon alone:\nits sandboxes live on, and "
	"the next daemon finds them; so it is when it is killed.\n'nsproxy "
	"stop' ends both. Under systemd, use nsproxy.service.\n";

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

static int daemon_ready(void *ctx)
{
	struct keep *k = ctx;

	return k->is_behind ? background_tell(&k->behind, NULL) : 0;
}

/** daemon_failed() - Tell who waits for it, once */
static int daemon_failed(const struct verb *v, struct keep *k,
			 const struct fault *f)
{
	if (k->is_behind && k->behind.tell >= 0) {
		(void)background_tell(&k->behind, f);
		return STATUS_FAILED;
	}
	return verb_say(v, f, STATUS_FAILED);
}

/** daemon_start() - Be the daemon, or begin it and wait */
static int daemon_start(const struct verb *v, struct keep *k,
			struct daemon_wish *w)
{
	struct named start = { 0 };
	struct fault f = { 0 };
	int status = STATUS_DONE;

	/* What was up before comes back from what its keepers have. */
	if (named_list(true, &start, &f) < 0)
		log_err("%s; nothing new can be brought up", f.text);
	w->autostart = start.name;
	f = (struct fault){ 0 };
	if (k->is_behind && background_fork(k->log, &k->behind, &f) < 0)
		status = verb_say(v, &f, STATUS_FAILED);
	else if (k->behind.child > 0 && background_wait(&k->behind, &f) < 0)
		status = verb_say(v, &f, STATUS_FAILED);
	else if (k->behind.child == 0 && daemon_run(w, &f) < 0)
		status = daemon_failed(v, k, &f);
	named_fini(&start);
	return status;
}

static int daemon_verb(const struct verb *v, char **argv)
{
	struct keep k = {
		.level = LOG_LEVEL_WARN,
		.log = -1,
		.behind.tell = -1,
	};
	struct daemon_wish w = {
		.listener = -1,
		.ready = daemon_ready,
		.ctx = &k,
	};
	struct fault f = { 0 };
	int status = STATUS_DONE;

	log_init("daemon: ", LOG_LEVEL_WARN);
	if (!verb_words(v, argv, &k, &status))
		return status;
	log_init("daemon: ", (enum log_level)k.level);
	if (argv[0])
		(void)fault_plain(&f, -EINVAL, "it takes no arguments");
	else if (k.log_path && !k.is_behind)
		(void)fault_plain(&f, -EINVAL,
				  "--log-file goes with --background");
	if (f.code < 0)
		return verb_say(v, &f, STATUS_MISUSED);
	w.level = k.level;
	/* While we have the caller's rights and no others. */
	if (k.log_path && background_log(k.log_path, &k.log, &f) < 0)
		return verb_say(v, &f, STATUS_FAILED);
	status = daemon_ascend(v);
	if (status != STATUS_DONE)
		return status;
	/* Before anything is started that would inherit them. */
	if (notify_take(&w.notify, &f) < 0 ||
	    activation_take(&w.listener, &f) < 0)
		return verb_say(v, &f, STATUS_FAILED);
	return daemon_start(v, &k, &w);
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
