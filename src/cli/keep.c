// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * keep.c - `nsproxy daemon`: keep named sandboxes
 */
#include "verb.h"

#include "base/log.h"
#include "daemon/daemon.h"
#include "named.h"

#include <errno.h>

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
