// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * enter.c - `nsproxy exec` and `nsproxy shell`: a command into a sandbox
 *
 * The daemon gives the namespaces; this very process goes in and becomes the
 * command. Whatever goes wrong before that ends in exit status 125.
 */
#include "verb.h"

#include "base/fd.h"
#include "box/enter.h"
#include "box/power.h"
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What comes with the reply, in this order. */
enum {
	GIVEN_NET,
	GIVEN_MNT,
	GIVEN_PIDS,
	GIVEN_USER,
	GIVEN_FDS
};

/** enter_has() - Does the daemon at the other end have this sandbox? */
static bool enter_has(struct control *c, const char *name)
{
	struct varlink_reply r = { 0 };
	bool has;

	if (control_call(c, "Status", json_pack("{s:s}", "name", name),
			 CALL_PATIENCE_MS, &r, NULL) < 0)
		return false;
	has = strcmp(r.error, CONTROL_INTERFACE ".NoSuchSandbox") != 0;
	varlink_reply_fini(&r);
	return has;
}

/** enter_ask_own() - In a child without power: has the own daemon got it? */
static void __attribute__((noreturn)) enter_ask_own(int tell, const char *name)
{
	struct control c;
	bool has = false;

	call_choose(CALL_OWN);
	if (power_lose(NULL) == 0 && call_open_quietly(&c))
		has = enter_has(&c, name);
	(void)!write(tell, has ? "y" : "n", 1);
	_exit(0);
}

/** enter_own_has() - The same; what a user's own daemon says is never read by a
 * process that could take up power */
static bool enter_own_has(const char *name)
{
	char got = 'n';
	int pipes[2];
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return false;
	child = fork();
	if (child == 0)
		enter_ask_own(pipes[1], name);
	fd_close(&pipes[1]);
	(void)!read(pipes[0], &got, 1); /* the end of a child that died */
	fd_close(&pipes[0]);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	return got == 'y';
}

/** enter_choose() - By the setuid bit: the own daemon without power, or root's
 */
static int enter_choose(const char *name, struct fault *f)
{
	if (!power_is_aside())
		return 0;
	if (call_chosen() == CALL_ANY)
		call_choose(enter_own_has(name) ? CALL_OWN : CALL_SYSTEM);
	return call_chosen() == CALL_OWN ? power_forget(f) : 0;
}

/** enter_open() - The own daemon, or root's when only that has it */
static int enter_open(const struct verb *v, const char *name, struct control *c)
{
	struct control other;
	const int status = call_open(v, c);

	if (status != STATUS_DONE || enter_has(c, name) ||
	    !call_open_system(&other))
		return status;
	if (!enter_has(&other, name)) {
		control_close(&other);
		return STATUS_DONE;
	}
	control_close(c);
	*c = other;
	return STATUS_DONE;
}

/** enter_take() - What the daemon gave; Return: 0 or -errno */
static int enter_take(struct control *c, const json_t *p, struct enter *ret,
		      struct fault *f)
{
	const bool own_user = json_is_true(json_object_get(p, "own_user"));
	const int guard =
		key_read_word(guard_words, varlink_get_string(p, "guard"));

	/* Only root's daemon is believed about what root's power is for. */
	if (c->in.fd_count != (own_user ? GIVEN_FDS : GIVEN_USER) ||
	    guard < 0 || (!own_user && !c->is_system))
		return fault_plain(f, -EPROTO, "the daemon gave no namespaces");
	ret->guard = (enum guard_word)guard;
	ret->mounts =
		(uint64_t)json_integer_value(json_object_get(p, "mounts"));
	ret->net = fd_take(&c->in.fds[GIVEN_NET]);
	ret->mnt = fd_take(&c->in.fds[GIVEN_MNT]);
	ret->pids = fd_take(&c->in.fds[GIVEN_PIDS]);
	if (own_user)
		ret->user = fd_take(&c->in.fds[GIVEN_USER]);
	return 0;
}

/** enter_ask() - Get the namespaces; Return: what to exit with */
static int enter_ask(const struct verb *v, const char *name, struct enter *ret)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	struct control c;
	int rc;

	if (enter_open(v, name, &c) != STATUS_DONE)
		return STATUS_NOT_BEGUN;
	if (call_ask(v, &c, "Exec", "name", json_string(name), &r) !=
	    STATUS_DONE) {
		control_close(&c);
		return STATUS_NOT_BEGUN;
	}
	rc = enter_take(&c, r.parameters, ret, &f);
	varlink_reply_fini(&r);
	control_close(&c);
	return rc < 0 ? verb_say(v, &f, STATUS_NOT_BEGUN) : STATUS_DONE;
}

/** enter_settle_power() - Keep what a setuid start lent only where it is needed
 */
static int enter_settle_power(const struct enter *e, struct fault *f)
{
	if (e->user >= 0)
		return power_forget(f);
	if (geteuid() == 0 || power_is_aside())
		return 0;
	(void)fault_plain(f, -EPERM,
			  "'%s' is a sandbox of root's daemon, and this "
			  "program may not enter it without its setuid bit",
			  e->name);
	return fault_hint(f, "sudo chmod u+s nsproxy's file lets those enter "
			     "whom the profile names; or: sudo nsproxy exec");
}

/** enter_go() - With a command, or the user's shell if there is none */
static int enter_go(const struct verb *v, const char *name, char **argv)
{
	static char fallback[] = "/bin/sh";
	char *shell = getenv("SHELL");
	char *only[] = { shell && shell[0] ? shell : fallback, NULL };
	struct enter e = {
		.user = -1,
		.net = -1,
		.mnt = -1,
		.pids = -1,
		.name = name,
		.verb = v->name,
		.argv = argv[0] ? argv : only,
	};
	struct fault f = { 0 };
	int status;

	if (enter_choose(name, &f) < 0)
		return verb_say(v, &f, STATUS_NOT_BEGUN);
	status = enter_ask(v, name, &e);
	if (status != STATUS_DONE)
		return status;
	if (enter_settle_power(&e, &f) == 0)
		(void)enter_execute(&e, &f);
	return verb_say(v, &f, STATUS_NOT_BEGUN);
}

/** enter_name() - The first word; NULL: *@ret_status is what to exit with */
static const char *enter_name(const struct verb *v, char **argv, int *ret_used,
			      int *ret_status)
{
	struct fault f = { 0 };

	*ret_status = STATUS_NOT_BEGUN;
	if (!verb_options(v, argv, NULL, ret_used, ret_status))
		return NULL;
	if (argv[*ret_used])
		return argv[*ret_used];
	(void)fault_plain(&f, -EINVAL, "the name of a sandbox is missing");
	(void)fault_hint(&f, "nsproxy list tells which there are");
	*ret_status = verb_say(v, &f, STATUS_NOT_BEGUN);
	return NULL;
}

static int exec_verb(const struct verb *v, char **argv)
{
	int status;
	int used;
	const char *name = enter_name(v, argv, &used, &status);

	if (!name)
		return status;
	argv += used + 1;
	if (argv[0] && !strcmp(argv[0], "--"))
		argv++;
	return enter_go(v, name, argv);
}

static int shell_verb(const struct verb *v, char **argv)
{
	int status;
	int used;
	const char *name = enter_name(v, argv, &used, &status);
	struct fault f = { 0 };

	if (!name)
		return status;
	if (argv[used + 1]) {
		(void)fault_plain(&f, -EINVAL, "it takes one name and no more");
		(void)fault_hint(&f, "nsproxy exec NAME -- CMD runs a command");
		return verb_say(v, &f, STATUS_NOT_BEGUN);
	}
	return enter_go(v, name, argv + used + 1);
}

static const char exec_more[] =
	"Without CMD it is $SHELL. All but the network and the resolver's "
	"files stays\nas it is: user, groups, environment, directory, "
	"terminal, "
	"job control, limits.\n"
	"\n"
	"Exit status: the command's own; 125 when it was never started, 126 "
	"when it\ncould not be, 127 when it was not found\n";

const struct verb verb_exec = {
	.name = "exec",
	.args = "NAME [--] [CMD [ARG...]]",
	.line = "Run a command in a sandbox that is up.",
	.more = exec_more,
	.misuse = STATUS_NOT_BEGUN,
	.fn = exec_verb,
};

const struct verb verb_shell = {
	.name = "shell",
	.args = "NAME",
	.line = "Run your shell in a sandbox that is up.",
	.misuse = STATUS_NOT_BEGUN,
	.fn = shell_verb,
};
