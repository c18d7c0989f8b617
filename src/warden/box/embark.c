// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * embark.c - a job's own process until its program takes over
 *
 * It goes where the job belongs, sheds every power, and executes. A job inside
 * is held as what `nsproxy exec` starts: nothing has been executed when one
 * step fails.
 */
#include "box/launch.h"

#include "base/fd.h"
#include "base/text.h"
#include "box/enter.h"
#include "box/knock.h"
#include "bus/channel.h"
#include "bus/plan.h"
#include "kern/guard.h"
#include "kern/ids.h"
#include "kern/namespace.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EMBARK_FILES 1024 /* select(2) must not meet greater ones unasked */
#define EMBARK_CHAN  3
#define EMBARK_ENV   6
#define EMBARK_ASIDE 10 /* above every fd that is arranged */

_Static_assert(ENGINE_TUN_FD == EMBARK_CHAN + 1, "what lies above is closed");

/**
 * struct journey - on the way
 * @chan:    To the nurse
 * @here:    /proc of this process, as the minder sees it
 * @tables:  @table_count, of the network it is in
 */
struct journey {
	const struct launch *l;
	int chan;
	int said;
	int here;
	int tables[LISTENING_TABLES];
	unsigned int table_count;
	struct nurse_word word;
};

/** embark_look() - Who are we to those outside our PID namespace? */
static int embark_look(struct journey *j, struct fault *f)
{
	char pid[16] = "";

	if (readlink("/proc/self", pid, sizeof(pid) - 1) <= 0)
		return fault(f, -errno, "read /proc/self");
	j->word.pid = (pid_t)strtol(pid, NULL, 10);
	j->here = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return j->here < 0 ? fault(f, -errno, "open /proc/self") : 0;
}

/** embark_files() - Nothing to read, and one place to write */
static int embark_files(const struct journey *j, struct fault *f)
{
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(j->said, 1) < 0 ||
	    dup2(j->said, 2) < 0)
		return fault(f, -errno, "arrange standard files");
	return 0;
}

/** embark_limits() - Those of nobody in particular */
static int embark_limits(struct fault *f)
{
	const struct rlimit no_core = { 0 };
	struct rlimit files;

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 ||
	    getrlimit(RLIMIT_NOFILE, &files) < 0)
		return fault(f, -errno, "set limits");
	if (files.rlim_cur > EMBARK_FILES)
		files.rlim_cur = EMBARK_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &files); /* less than we have */
	(void)umask(022);
	return 0;
}

/** embark_nest() - A user namespace of its own, as `exec` makes it
 *
 * The nurse writes its map: a strict sandbox's /proc does not know us. */
static int embark_nest(struct journey *j, struct fault *f)
{
	struct nurse_word ask;
	char ids;
	int rc;

	/* Only so can the map of its ids be written. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "become dumpable");
	rc = namespace_leave_power(f);
	if (rc < 0)
		return rc;
	memset(&ask, 0, sizeof(ask));
	ask.news = NURSE_ASKS;
	rc = channel_send(j->chan, &ask, sizeof(ask), &j->here, 1);
	if (rc == 0 && channel_recv(j->chan, &ids, 1, NULL, 0, NULL) != 1)
		rc = -EPIPE;
	return rc < 0 ? fault(f, rc, "wait for ids") : 0;
}

/** embark_to_engine() - Into an engine's network, past the sandbox, where the
 * minder will knock. Its mounts are the host's: it must be found there */
static int embark_to_engine(struct journey *j, struct fault *f)
{
	const struct launch *l = j->l;

	if (setns(l->net, CLONE_NEWNET) < 0)
		return fault(f, -errno, "enter the sandbox's network");
	j->tables[0] = knock_socket();
	if (j->tables[0] < 0)
		return fault(f, j->tables[0], "make a socket inside");
	j->table_count = 1;
	if (l->job->engine == ENGINE_NAME)
		return 0;
	return setns(l->stall, CLONE_NEWNET) < 0
		       ? fault(f, -errno, "enter the engine's network")
		       : 0;
}

/** embark_travel() - Into the job's network, and its mounts */
static int embark_travel(struct journey *j, struct fault *f)
{
	const struct enter e = {
		.user = -1, /* that one has been entered */
		.net = j->l->net,
		.mnt = j->l->mnt,
	};
	const bool is_engine = j->l->job->engine != ENGINE_NONE;
	const bool is_inside = !is_engine && j->l->job->where == WHERE_SANDBOX;
	int rc = is_inside ? enter_inside(&e, j->here, f) : 0;

	if (is_engine)
		rc = embark_to_engine(j, f);
	if (rc < 0)
		return rc;
	if (chdir("/") < 0)
		return fault(f, -errno, "leave for /");
	if (j->l->job->ready.family != AF_UNSPEC)
		j->table_count = listening_open(j->here, j->tables);
	return is_inside || is_engine ? embark_nest(j, f) : 0;
}

/** embark_shed() - Every power, in this order */
static int embark_shed(const struct journey *j, struct fault *f)
{
	const struct job *job = j->l->job;
	int rc = 0;

	if (j->l->is_root)
		rc = ids_become(job->uid, job->gid, f);
	else if (job->uid != geteuid())
		rc = fault_plain(f, -EPERM,
				 "only root can run it as another "
				 "user");
	if (rc == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		rc = fault(f, -errno, "become undumpable");
	if (rc == 0)
		rc = guard_shed(0, f);
	if (rc < 0)
		return rc;
	if (job->engine != ENGINE_NONE)
		return guard_filter_engine(f);
	if (job->where == WHERE_HOST)
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
			       ? fault(f, -errno, "set no_new_privs")
			       : 0;
	rc = guard_filter(f);
	return rc < 0 ? rc : guard_place(f);
}

/** embark_environment() - All that a job has of it */
static void embark_environment(const struct launch *l,
			       char *env[static EMBARK_ENV])
{
	static char home[8 + JOB_HOME];
	static char user[8 + JOB_USER];
	static char name[20 + STORE_NAME];
	static char path[] = "PATH=" JOB_PATH;
	static char gateway[] = "NSPROXY_GATEWAY=" GATEWAY_IP4;
	unsigned int n = 0;

	env[n++] = path;
	(void)snprintf(name, sizeof(name), "NSPROXY_SANDBOX=%s", l->sandbox);
	env[n++] = name;
	(void)snprintf(home, sizeof(home), "HOME=%s", l->job->home);
	(void)snprintf(user, sizeof(user), "USER=%s", l->job->user);
	if (l->job->home[0])
		env[n++] = home;
	if (l->job->user[0])
		env[n++] = user;
	if (l->job->where == WHERE_SANDBOX && l->job->engine == ENGINE_NONE)
		env[n++] = gateway;
	env[n] = NULL;
}

/** embark_arrange() - The channel until it executes, an engine's TUN, and no
 * other fd; Return: 0 or -errno */
static int embark_arrange(struct journey *j)
{
	const bool has_tun = j->l->job->engine == ENGINE_FD;
	const int chan = fcntl(j->chan, F_DUPFD_CLOEXEC, EMBARK_ASIDE);
	const int tun =
		has_tun ? fcntl(j->l->tun, F_DUPFD_CLOEXEC, EMBARK_ASIDE) : -1;

	if (chan < 0 || (has_tun && tun < 0) ||
	    dup3(chan, EMBARK_CHAN, O_CLOEXEC) < 0)
		return -errno;
	j->chan = EMBARK_CHAN;
	/* It stays open when the program takes over. */
	if ((has_tun && dup2(tun, ENGINE_TUN_FD) < 0) ||
	    syscall(SYS_close_range, EMBARK_CHAN + 1 + has_tun, ~0u, 0) < 0)
		return -errno;
	return 0;
}

/** embark_execute() - Return: only why not */
static int embark_execute(struct journey *j, struct fault *f)
{
	const char *argv[JOB_WORDS + 1];
	char *env[EMBARK_ENV];
	char program[PATH_MAX];
	char shown[256];
	int rc;

	job_argv(j->l->job, argv);
	embark_environment(j->l, env);
	rc = job_find(argv[0], program, sizeof(program));
	text_quote(shown, sizeof(shown), argv[0], strlen(argv[0]));
	if (rc < 0)
		return fault(f, rc, "find '%s'", shown);
	j->word.news = NURSE_RUNS;
	rc = channel_send(j->chan, &j->word, sizeof(j->word), j->tables,
			  j->table_count);
	if (rc < 0)
		return fault(f, rc, "tell the nurse");
	rc = embark_arrange(j);
	if (rc < 0)
		return fault(f, rc, "close inherited files");
	(void)execve(program, (char **)(size_t)argv, env);
	return fault(f, -errno, "execute '%s'", shown);
}

void embark(const struct launch *l, int chan, int said)
{
	struct journey j = { .l = l, .chan = chan, .said = said, .here = -1 };
	struct fault *f = &j.word.fault;

	signals_default();
	(void)setsid(); /* a fresh child leads no group, so it works */
	if (embark_look(&j, f) == 0 && embark_files(&j, f) == 0 &&
	    embark_limits(f) == 0 && embark_travel(&j, f) == 0 &&
	    embark_shed(&j, f) == 0)
		(void)embark_execute(&j, f);
	j.word.news = NURSE_FAILED;
	(void)channel_send(j.chan, &j.word, sizeof(j.word), NULL, 0);
	_exit(127);
}
