// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * daemon.c - keep named sandboxes
 *
 * It only moves states on and answers callers; builders do what takes time.
 * It reads nothing from any network but what workers log, and holds no secret:
 * plans are the builders' and the keepers'. Killed at any moment, it takes
 * nothing with it.
 */
#include "daemon/daemon.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/hangup.h"
#include "daemon/requests.h"
#include "kern/links.h"
#include "kern/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TIMES    25
#define LOCK_PAUSE_MS 20
#define FILES_WISHED  16384 /* each sandbox has six; hard limits were 4096 */

/** struct keeping - everything a daemon has */
struct keeping {
	struct where where;
	struct loop loop;
	struct journal journal;
	struct fleet fleet;
	struct callers callers;
	struct requests requests;
	struct notify notify;
	struct timer pulse;
	struct watch signals;
	int signal_fd;
	int lock;
	pid_t reloader; /* of a SIGHUP; 0 while there is none */
};

/**
 * daemon_lock() - One daemon a place
 *
 * A killed one's builders hold its lock for the moment they take to die.
 */
static int daemon_lock(struct keeping *k, struct fault *f)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000 };

	k->lock = open(k->where.lock, flags, 0600);
	if (k->lock < 0)
		return fault(f, -errno, "open '%s'", k->where.lock);
	for (int i = 0; i < LOCK_TIMES; i++) {
		if (flock(k->lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return fault(f, -errno, "lock '%s'", k->where.lock);
		(void)nanosleep(&pause, NULL);
	}
	return fault_plain(f, -EBUSY, "a daemon runs already, at %s",
			   k->where.socket);
}

/** daemon_reload() - As 'nsproxy reload', for who has only a signal */
static void daemon_reload(struct keeping *k)
{
	struct fault f = { 0 };

	if (k->reloader > 0) {
		log_warn("a reload goes on already");
		return;
	}
	notify_reloading(&k->notify);
	if (hangup_begin(k->where.is_system, &k->reloader, &f) == 0)
		return;
	log_err("nothing was read anew: %s", f.text);
	notify_ready(&k->notify);
}

static void daemon_reloaded(struct keeping *k, int status)
{
	k->reloader = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_info("the configuration has been read anew");
	else
		log_err("not all is as the configuration says; 'nsproxy "
			"reload' tells what is not");
	notify_ready(&k->notify);
}

/** daemon_reap() - Builders, and what they have left to us; the pidfds tell
 * their owners */
static void daemon_reap(struct keeping *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == k->reloader)
			daemon_reloaded(k, status);
}

static void daemon_signal(struct watch *w, uint32_t events)
{
	struct keeping *k = container_of(w, struct keeping, signals);
	struct signalfd_siginfo s;

	(void)events;
	while (read(k->signal_fd, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGHUP)
			daemon_reload(k);
		if (s.ssi_signo != SIGINT && s.ssi_signo != SIGTERM)
			continue;
		if (k->fleet.count > 0)
			log_warn("%zu sandbox%s live on; the next daemon finds "
				 "them, 'nsproxy stop' ends them",
				 k->fleet.count,
				 k->fleet.count == 1 ? "" : "es");
		loop_stop(&k->loop);
	}
	daemon_reap(k);
}

static int daemon_hear_signals(struct keeping *k, struct fault *f)
{
	static const int heard[] = { SIGINT, SIGTERM, SIGCHLD, SIGHUP,
				     SIGPIPE };
	sigset_t set;
	int rc;

	signals_default(); /* an ignored SIGCHLD would reap for us */
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		sigaddset(&set, heard[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail */
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signal_fd < 0)
		return fault(f, -errno, "open a signalfd");
	rc = loop_watch(&k->loop, &k->signals, k->signal_fd, EPOLLIN,
			daemon_signal);
	return rc < 0 ? fault(f, rc, "watch for signals") : 0;
}

/** daemon_settle() - A process that nobody's start can harm */
static int daemon_settle(struct fault *f)
{
	struct rlimit files;

	(void)umask(077);
	/* What a keeper or worker leaves is reaped here. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fault(f, -errno, "become a subreaper");
	/* It holds namespaces: nobody's debugger shall. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		const rlim_t hard = files.rlim_max;

		if (geteuid() == 0 && hard < FILES_WISHED)
			files.rlim_max = FILES_WISHED;
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) == 0)
			return 0;
		files.rlim_cur = files.rlim_max = hard;
		(void)setrlimit(RLIMIT_NOFILE, &files); /* fewer sandboxes */
	}
	return 0;
}

/** daemon_told() - A sandbox has changed: its callers hear it, and the service
 * manager hears how many there are */
static void daemon_told(void *ctx, struct sandbox *s, const struct fault *f)
{
	struct keeping *k = ctx;

	requests_told(&k->requests, s, f);
	notify_count(&k->notify, fleet_count_up(&k->fleet), k->fleet.count);
}

/** daemon_beat() - Only a loop that turns comes here */
static void daemon_beat(struct timer *t)
{
	struct keeping *k = container_of(t, struct keeping, pulse);

	notify_alive(&k->notify);
	(void)loop_timer(&k->loop, t, k->notify.pulse_ms, daemon_beat);
}

/** daemon_say_where() - A listener that was handed in may be anywhere */
static void daemon_say_where(const struct keeping *k)
{
	struct sockaddr_un at = { 0 };
	socklen_t len = sizeof(at);
	char shown[4 * sizeof(at.sun_path)];

	if (getsockname(k->callers.listener, (struct sockaddr *)&at, &len) < 0)
		return;
	text_quote(shown, sizeof(shown), at.sun_path,
		   strnlen(at.sun_path, sizeof(at.sun_path)));
	log_info("listening at %s", shown);
}

/** daemon_ready() - Tell all who wait for it */
static int daemon_ready(struct keeping *k, const struct daemon_wish *w,
			struct fault *f)
{
	int rc = 0;

	if (k->notify.pulse_ms > 0)
		rc = loop_timer(&k->loop, &k->pulse, k->notify.pulse_ms,
				daemon_beat);
	if (rc < 0)
		return fault(f, rc, "begin to answer the watchdog");
	daemon_say_where(k);
	if (w->ready && (rc = w->ready(w->ctx)) < 0)
		return fault(f, rc, "tell that the daemon is ready");
	notify_count(&k->notify, fleet_count_up(&k->fleet), k->fleet.count);
	notify_ready(&k->notify);
	return 0;
}

static int daemon_begin(struct keeping *k, const struct daemon_wish *w,
			struct fault *f)
{
	int rc = where_find(&k->where, geteuid() == 0, f);

	if (rc == 0 && if_nametoindex(LINKS_TUN) != 0)
		rc = fault_plain(f, -EPERM,
				 "this is inside a sandbox; a daemon would "
				 "take it for the host");
	if (rc == 0)
		rc = where_make(&k->where, f);
	if (rc == 0)
		rc = daemon_lock(k, f);
	if (rc == 0)
		rc = daemon_settle(f);
	if (rc == 0 && (rc = loop_init(&k->loop)) < 0)
		rc = fault(f, rc, "start the daemon's loop");
	if (rc == 0)
		journal_start(&k->journal, &k->loop, (enum log_level)w->level);
	if (rc == 0)
		rc = daemon_hear_signals(k, f);
	access_init(&k->requests.access, k->where.is_system);
	/* Callers may ask at once; they wait for what is not there yet. */
	if (rc == 0)
		rc = callers_start(&k->callers, k->where.socket,
				   k->where.is_system ? 0666 : 0600, f);
	k->fleet.lock = k->lock;
	if (rc == 0)
		rc = fleet_start(&k->fleet, &k->loop, w->level, w->autostart,
				 f);
	if (rc == 0)
		rc = daemon_ready(k, w, f);
	return rc;
}

int daemon_run(const struct daemon_wish *w, struct fault *f)
{
	struct keeping k = {
		.loop = { .epfd = -1 },
		.callers = { .listener = w->listener, .watch.fd = -1 },
		.notify = w->notify,
		.signals.fd = -1,
		.signal_fd = -1,
		.lock = -1,
	};
	int rc;

	list_init(&k.callers.list);
	list_init(&k.fleet.all);
	k.requests = (struct requests){
		.loop = &k.loop,
		.fleet = &k.fleet,
		.callers = &k.callers,
		.journal = &k.journal,
	};
	journal_init(&k.journal);
	k.journal.news = requests_news;
	k.journal.ctx = &k.requests;
	k.fleet.journal = &k.journal;
	k.fleet.where = &k.where;
	k.fleet.told = daemon_told;
	k.fleet.ctx = &k;
	k.callers.loop = &k.loop;
	k.callers.serve = requests_serve;
	k.callers.fed = requests_fed;
	k.callers.ctx = &k.requests;
	rc = daemon_begin(&k, w, f);
	if (rc == 0) {
		rc = loop_run(&k.loop);
		if (rc < 0)
			(void)fault(f, rc, "wait for events");
		notify_stopping(&k.notify);
	}
	/* A listener that was handed in lives on, and so its file. */
	if (k.callers.listener >= 0 && w->listener < 0)
		(void)unlink(k.where.socket);
	fleet_stop(&k.fleet);
	callers_stop(&k.callers);
	journal_stop(&k.journal);
	fd_close(&k.signal_fd);
	loop_untimer(&k.loop, &k.pulse);
	notify_fini(&k.notify);
	loop_fini(&k.loop);
	fd_close(&k.lock);
	return rc;
}
