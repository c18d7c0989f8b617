// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * main.c - the verb table: read this first
 *
 * `nsproxy VERB ...` is looked up here. The same binary, called as
 * `nsproxy @worker`, is the data plane of a sandbox, `@keeper` holds a named
 * one, `@minder` runs its helpers and `@builder` makes it; a setuid start sheds
 * its privilege before it looks at a word and knows no such role.
 */
#include "base/text.h"
#include "box/build.h"
#include "box/hatch.h"
#include "box/minder.h"
#include "box/power.h"
#include "box/standing.h"
#include "conf/keys.h"
#include "call.h"
#include "guess.h"
#include "named.h"
#include "shed.h"
#include "verb.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct verb verb_help_word;

static const struct verb *const verbs[] = {
	&verb_run,    &verb_serve,  &verb_check,   &verb_demo,
	&verb_config, &verb_daemon, &verb_up,	   &verb_down,
	&verb_exec,   &verb_shell,  &verb_list,	   &verb_status,
	&verb_pids,   &verb_id,	    &verb_restart, &verb_switch,
	&verb_reload, &verb_logs,   &verb_gc,	   &verb_stop,
	&verb_attach, &verb_detach, &verb_version, &verb_help_word,
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *main_find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static void main_unknown(char *const *argv)
{
	const char *names[VERBS];

	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i]->name;
	guess_verb(argv, names, VERBS);
}

static void main_usage(FILE *to)
{
	(void)fputs("usage: nsproxy [--system | --user] VERB ...\n\n"
		    "Puts any program behind any proxy; it cannot get around "
		    "it.\n\n",
		    to);
	for (size_t i = 0; i < VERBS; i++)
		(void)fprintf(to, "  %-9s%s\n", verbs[i]->name, verbs[i]->line);
	(void)fputs("\nnsproxy run -x socks5://127.0.0.1:1080 -- curl "
		    "https://example.org/\n"
		    "nsproxy help VERB tells more.\n",
		    to);
}

/** struct help - which of the manuals' lists are wanted */
struct help {
	bool of_verbs;
	bool of_keys;
};

static int take_manual(void *ctx, const char *value, struct fault *f)
{
	struct help *h = ctx;

	(void)value;
	(void)f;
	h->of_verbs = true;
	return 0;
}

static int take_manual_conf(void *ctx, const char *value, struct fault *f)
{
	struct help *h = ctx;

	(void)value;
	(void)f;
	h->of_keys = true;
	return 0;
}

/* The manuals' lists are made when they are built. */
static const struct opt help_opts[] = {
	{ 0, "manual", NULL, false, NULL, take_manual },
	{ 0, "manual-conf", NULL, false, NULL, take_manual_conf },
};

static int main_help(const struct verb *v, char **argv)
{
	const struct verb *about;
	struct help h = { 0 };
	int status = STATUS_DONE;
	int used;

	if (!verb_options(v, argv, &h, &used, &status))
		return status;
	argv += used;
	for (size_t i = 0; h.of_verbs && i < VERBS; i++)
		verb_manual(verbs[i], stdout);
	if (h.of_keys)
		keys_manual(stdout);
	if (h.of_verbs || h.of_keys)
		return STATUS_DONE;
	if (!argv[0]) {
		main_usage(stdout);
		return STATUS_DONE;
	}
	about = main_find(argv[0]);
	if (!about) {
		main_unknown(argv);
		return STATUS_MISUSED;
	}
	verb_help(about, stdout);
	return STATUS_DONE;
}

static const struct verb verb_help_word = {
	.name = "help",
	.args = "[VERB]",
	.line = "Tell how a verb is used.",
	.opts = help_opts,
	.opt_count = sizeof(help_opts) / sizeof(help_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = main_help,
};

/**
 * main_open_stdio() - Nothing else may ever get the numbers 0, 1 and 2
 *
 * What was closed is closed again for a command that we execute.
 *
 * Return: whether all three are open
 */
static bool main_open_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			return false;
	return true;
}

/** main_words - what may stand before the verb */
static const struct main_word {
	const char *word;
	enum call_whose whose;
} main_words[] = {
	{ "--system", CALL_SYSTEM },
	{ "--user", CALL_OWN },
};

/** main_skip() - Return: the verb and what follows; what stands before it is
 * heeded */
static char **main_skip(char **argv)
{
	for (; *argv; argv++) {
		size_t i = 0;

		while (i < 2 && strcmp(*argv, main_words[i].word) != 0)
			i++;
		if (i == 2)
			break;
		call_choose(main_words[i].whose);
	}
	return argv;
}

static int main_verb(char **argv)
{
	static char help[] = "help";
	static char version[] = "version";
	const struct verb *v;

	if (!argv[0]) {
		main_usage(stderr);
		return STATUS_MISUSED;
	}
	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))
		argv[0] = help;
	if (!strcmp(argv[0], "--version") || !strcmp(argv[0], "-V"))
		argv[0] = version;
	v = main_find(argv[0]);
	if (!v) {
		main_unknown(argv);
		return STATUS_MISUSED;
	}
	return v->fn(v, argv + 1);
}

/** main_role() - One of our own processes, started by another of them */
static int main_role(const char *role)
{
	socklen_t size = sizeof(int);
	int type = 0;

	if (getsockopt(WORKER_CHANNEL, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET) {
		(void)fputs("nsproxy: what begins with '@' is started by "
			    "nsproxy itself\n",
			    stderr);
		return STATUS_MISUSED;
	}
	if (!strcmp(role, WORKER_ROLE))
		return worker_main(WORKER_CHANNEL);
	if (!strcmp(role, KEEPER_ROLE))
		return standing_main(WORKER_CHANNEL);
	if (!strcmp(role, MINDER_ROLE))
		return minder_main(WORKER_CHANNEL);
	if (!strcmp(role, BUILDER_ROLE))
		return builder_main(WORKER_CHANNEL, named_plan,
				    named_wireguard);
	return STATUS_MISUSED;
}

/**
 * main_needs_power() - Does this verb need what a setuid start lends?
 *
 * exec asks the daemon first, as the caller, and is admitted or not; who may
 * start root's daemon is told by the caller's groups.
 */
static bool main_needs_power(const char *verb)
{
	if (!verb)
		return false;
	if (!strcmp(verb, verb_daemon.name))
		return call_chosen() == CALL_SYSTEM;
	return !strcmp(verb, verb_exec.name) || !strcmp(verb, verb_shell.name);
}

static int main_shed(const char *verb, struct fault *f)
{
	return shed_is_lent() && main_needs_power(verb) ? power_put_aside(f)
							: shed_for_good(f);
}

int main(int argc, char **argv)
{
	const bool is_privileged = shed_is_privileged();
	struct fault f = { 0 };
	int status;

	if (!main_open_stdio())
		return STATUS_NOT_BEGUN;
	/* Linux before 5.18 executes programs without any arguments. */
	if (argc < 1 || (!is_privileged && argc > 1 && argv[1][0] == '@'))
		return argc < 1 ? STATUS_MISUSED : main_role(argv[1]);
	argv = main_skip(argv + 1);
	if (is_privileged && main_shed(argv[0], &f) < 0) {
		(void)fprintf(stderr, "nsproxy: %s\n", f.text);
		return STATUS_NOT_BEGUN;
	}
	status = main_verb(argv);
	if (fflush(stdout) != 0 && status == STATUS_DONE)
		status = STATUS_FAILED;
	return status;
}
