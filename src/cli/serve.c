// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * serve.c - `nsproxy serve`: be a proxy
 *
 * Listens, starts the resolver processes and a worker, and then only waits:
 * for a signal, which ends the worker, or for the worker's own end.
 */
#include "verb.h"

#include "base/fd.h"
#include "base/log.h"
#include "box/hatch.h"
#include "bus/plan.h"
#include "proxies.h"
#include "resolvers.h"
#include "serve_words.h"
#include "settle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char serve_more[] =
	"Listens on ADDR:PORT (default " SERVE_DEFAULT ") and speaks SOCKS5\n"
	"(CONNECT, UDP ASSOCIATE) and HTTP CONNECT on one port, or only the "
	"one\nwritten before it. Port 0 takes any free one. When ready it "
	"prints\n\"listening on ADDR:PORT\"; SIGINT or SIGTERM end it.\n"
	"\n"
	"Example:\n"
	"  nsproxy serve 127.0.0.1:1080\n";

static int serve_hatch(struct serve *s, struct hatchling *ret, struct fault *f)
{
	auto_fd self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	auto_fd names = -1;
	struct plan_fd fds[] = {
		{ .kind = PLAN_FD_SERVE },
		{ .kind = PLAN_FD_RESOLVE },
	};
	int rc = 0;

	if (self < 0)
		return fault(f, -errno, "open our own program");
	if (s->listen_fd < 0)
		rc = settle_listen(&s->addr, &s->listen_fd, f);
	if (rc == 0)
		rc = resolvers_start(&s->plan, sizeof(s->plan), &names, f);
	if (rc < 0)
		return rc;
	fds[0].fd = s->listen_fd;
	fds[1].fd = names;
	return hatch_worker(self, &s->plan, fds, 2, ret, f);
}

static void serve_announce(const struct serve *s)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	char shown[ADDR_TEXT];
	struct addr a = s->addr;

	if (getsockname(s->listen_fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sock(&a, &ss);
	(void)printf("listening on %s\n", addr_text(&a, shown));
	(void)fflush(stdout); /* whoever closed it does not wait for it */
}

/** serve_wait() - Until a signal, or until the worker is gone */
static int serve_wait(struct hatchling *w)
{
	sigset_t set;
	pid_t pid;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail */
	for (;;) {
		do {
			pid = waitpid(-1, NULL, WNOHANG);
		} while (pid > 0 && pid != w->pid);
		if (pid == w->pid) {
			fd_close(&w->chan);
			log_err("the worker is gone; nothing is served any "
				"more");
			return STATUS_FAILED;
		}
		if (sigwait(&set, &sig) == 0 && sig != SIGCHLD)
			break;
	}
	fd_close(&w->chan); /* by this the worker knows */
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return STATUS_DONE;
}

static int serve_go(const struct verb *v, struct serve *s, char **argv)
{
	struct hatchling w = { .chan = -1 };
	struct fault f = { 0 };

	if (serve_settle(s, argv, &f) < 0)
		return verb_say(v, &f, STATUS_MISUSED);
	if (proxies_settle(&s->plan, &f) < 0 || serve_hatch(s, &w, &f) < 0)
		return verb_say(v, &f, STATUS_FAILED);
	serve_announce(s);
	fd_close(&s->listen_fd); /* the worker has its own */
	return serve_wait(&w);
}

static int serve_verb(const struct verb *v, char **argv)
{
	struct serve *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };
	int status = STATUS_FAILED;
	int used;

	if (!s) {
		(void)fault(&f, -ENOMEM, "begin");
		return verb_say(v, &f, STATUS_FAILED);
	}
	log_init("serve: ", LOG_LEVEL_WARN);
	s->level = LOG_LEVEL_WARN;
	s->listen_fd = -1;
	(void)signal(SIGCHLD, SIG_DFL); /* an ignored one would reap for us */
	if (verb_options(v, argv, s, &used, &status)) {
		log_init("serve: ", (enum log_level)s->level);
		status = serve_go(v, s, argv + used);
	}
	fd_close(&s->listen_fd);
	explicit_bzero(&s->plan, sizeof(s->plan));
	free(s);
	return status;
}

const struct verb verb_serve = {
	.name = "serve",
	.args = "[OPTIONS] [socks5://|http://][USER:PASS@][ADDR:PORT]",
	.line = "Be a SOCKS5 and HTTP proxy on this host.",
	.more = serve_more,
	.opts = serve_opts,
	.opt_count = SERVE_OPTS,
	.misuse = STATUS_MISUSED,
	.fn = serve_verb,
};
