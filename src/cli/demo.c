// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * demo.c - `nsproxy demo`: what it does, shown with what really happens
 *
 * Needs neither root nor the internet. Nothing is told that was not tried: a
 * line gets its mark from the outcome, and one wrong outcome makes the whole
 * demo fail.
 */
#include "verb.h"

#include "base/fd.h"
#include "base/text.h"
#include "demo_inside.h"
#include "demo_world.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEMO_URL    "http://" DEMO_NAME "/"
#define DEMO_RUN_MS 20000 /* for each command */

/**
 * struct demo - the show
 * @is_inside:   We are the part that runs in the sandbox
 * @self_fd:     Our own program
 * @world:       Alive while @self_fd is
 * @has_failed:  Something did not come out as it should
 */
struct demo {
	bool is_inside;
	int self_fd;
	struct demo_world world;
	bool has_failed;
};

static int take_inside(void *ctx, const char *value, struct fault *f)
{
	struct demo *d = ctx;

	(void)value;
	(void)f;
	d->is_inside = true;
	return 0;
}

static const struct opt demo_opts[] = {
	{ 0, "inside", NULL, false, NULL, take_inside },
};

static void demo_say(struct demo *d, bool as_it_should, const char *tried,
		     const char *outcome)
{
	const bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");

	if (!as_it_should)
		d->has_failed = true;
	(void)printf(" %s %-26s %s\n",
		     as_it_should ? (utf8 ? "✓" : "ok")
				  : (utf8 ? "✗" : "FAILED"),
		     tried, outcome);
	(void)fflush(stdout);
}

/**
 * demo_read() - Read until the end, or until it takes too long
 *
 * Return: whether the end was seen
 */
static bool demo_read(int fd, char *to, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec t;
	time_t due;
	size_t used = 0;
	bool ended = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	due = t.tv_sec + DEMO_RUN_MS / 1000;
	while (!ended && used < size - 1 && t.tv_sec < due) {
		if (poll(&p, 1, 1000) > 0) {
			const ssize_t n = read(fd, to + used, size - 1 - used);

			ended = n <= 0;
			used += n > 0 ? (size_t)n : 0;
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &t);
	}
	to[used] = '\0';
	return ended;
}

/**
 * demo_try() - Run a command and keep what it says
 * @self_fd:  Our own program, or -1: look for @argv[0] in PATH
 * @argv:     Command
 * @said:     Room for its output and errors
 * @size:     Of @said
 *
 * Return: its exit status, 128+n for a signal, 127 when it is not there
 */
static int demo_try(int self_fd, const char *const *argv, char *said,
		    size_t size)
{
	/* exec does not write to the words, it only says so. */
	char *const *words = (char *const *)(uintptr_t)argv;
	auto_fd from = -1;
	int both[2];
	int status = 0;
	pid_t pid;

	said[0] = '\0';
	if (pipe2(both, O_CLOEXEC) < 0)
		return STATUS_FAILED;
	from = both[0];
	pid = fork();
	if (pid == 0) {
		(void)dup2(both[1], STDOUT_FILENO);
		(void)dup2(both[1], STDERR_FILENO);
		if (self_fd < 0)
			(void)execvp(words[0], words);
		else
			(void)fexecve(self_fd, words, environ);
		_exit(127);
	}
	fd_close(&both[1]);
	if (pid < 0)
		return STATUS_FAILED;
	if (!demo_read(from, said, size))
		(void)kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/** demo_first_line() - Cut @text behind its first line, for show */
static char *demo_first_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool demo_outside(struct demo *d)
{
	static const char *const argv[] = { "curl",	 "-q",	   "-sS",
					    "--noproxy", "*",	   "--max-time",
					    "5",	 DEMO_URL, NULL };
	char said[1024];
	const int status = demo_try(-1, argv, said, sizeof(said));

	if (status == 127) {
		demo_say(d, false, "curl " DEMO_URL,
			 "curl is not installed; the demo needs it");
		return false;
	}
	demo_say(d, status != 0, "curl " DEMO_URL, demo_first_line(said));
	return true;
}

/** demo_through() - The same with nsproxy, and where the name came from */
static void demo_through(struct demo *d)
{
	char url[64];
	const char *const argv[] = { "nsproxy",	   "run",
				     "-x",	   url,
				     "--",	   "curl",
				     "-q",	   "-sS",
				     "--noproxy",  "*",
				     "--max-time", "15",
				     "-w",	   "%{remote_ip} %{time_total}",
				     DEMO_URL,	   NULL };
	const char *tried = "the same in nsproxy run";
	char said[1024], text[256];
	char ip[64] = "";
	double seconds = 0;
	char *facts;
	int status;

	(void)snprintf(url, sizeof(url), "socks5://127.0.0.1:%u",
		       d->world.port);
	status = demo_try(d->self_fd, argv, said, sizeof(said));
	facts = strchr(said, '\n');
	if (status != 0 || !facts || !text_starts(said, DEMO_PAGE "\n")) {
		demo_say(d, false, tried, demo_first_line(said));
		return;
	}
	(void)sscanf(facts + 1, "%63s %lf", ip, &seconds);
	(void)snprintf(text, sizeof(text), "\"" DEMO_PAGE "\" in %.0f ms",
		       seconds * 1000);
	demo_say(d, true, tried, text);
	(void)snprintf(text, sizeof(text),
		       "looked up by the proxy; curl saw only %s", ip);
	demo_say(d,
		 text_starts(ip, "198.18.") || text_starts(ip, "198.19.") ||
			 text_starts(ip, "2001:2:"),
		 "the name " DEMO_NAME, text);
}

/** demo_refused() - What must not work, tried by demo_inside() */
static void demo_refused(struct demo *d)
{
	char url[64];
	char self[4096];
	const char *const argv[] = { "nsproxy", "run",	"-x",	    url, "--",
				     self,	"demo", "--inside", NULL };
	char said[2048];
	char *save = NULL;
	unsigned int lines = 0;
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", d->world.port);
	(void)demo_try(d->self_fd, argv, said, sizeof(said));
	for (char *line = strtok_r(said, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');

		if (!tab) {
			demo_say(d, false, "in the sandbox", line);
			continue;
		}
		*tab = '\0';
		demo_say(d, line[0] == '1', line + 1, tab + 1);
		lines++;
	}
	if (lines != 3)
		demo_say(d, false, "in the sandbox", "not all could be tried");
}

static void demo_show(struct demo *d)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "on 127.0.0.1:%u, in an empty network with one page",
		       d->world.port);
	demo_say(d, true, "a proxy", text);
	if (!demo_outside(d))
		return;
	demo_through(d);
	demo_refused(d);
	(void)printf("%s\n",
		     d->has_failed
			     ? "Something did not come out as it should: "
			       "nsproxy check tells more."
			     : "Now with a proxy of yours:  nsproxy run -x "
			       "socks5://127.0.0.1:1080 -- curl "
			       "https://example.org/");
}

static int demo_verb(const struct verb *v, char **argv)
{
	struct demo d = { .self_fd = -1 };
	struct fault f = { 0 };
	int status = STATUS_FAILED;

	if (!verb_words(v, argv, &d, &status))
		return status;
	if (d.is_inside)
		return demo_inside();
	if (argv[0])
		return verb_no_words(v, argv);
	(void)setlocale(LC_CTYPE, "");	/* may we write a check mark? */
	(void)signal(SIGCHLD, SIG_DFL); /* an ignored one would reap for us */
	d.self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (d.self_fd < 0) {
		(void)fault(&f, -errno, "open our own program");
		return verb_say(v, &f, STATUS_FAILED);
	}
	if (demo_world_start(d.self_fd, &d.world, &f) < 0) {
		fd_close(&d.self_fd);
		return verb_say(v, &f, STATUS_FAILED);
	}
	demo_show(&d);
	demo_world_stop(&d.world);
	fd_close(&d.self_fd);
	return d.has_failed ? STATUS_FAILED : STATUS_DONE;
}

const struct verb verb_demo = {
	.name = "demo",
	.args = "",
	.line = "Show what it does, on this host, without root or internet.",
	.opts = demo_opts,
	.opt_count = sizeof(demo_opts) / sizeof(demo_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = demo_verb,
};
