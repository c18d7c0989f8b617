// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * command.c - the program's own process until the program takes over
 *
 * Its first moments are a walk with the keeper beside it, a letter at a time:
 *
 *	child  P  "I am in a user namespace without ids"
 *	keeper I  "you have your ids"
 *	child  R  "I have shed everything", or a fault, and it exits
 *	keeper G  "the worker is ready: go"
 *
 * The end of the channel means that the other one died.
 */
#include "box/command.h"

#include "base/broken.h"
#include "base/fd.h"
#include "box/execute.h"
#include "box/oneshot.h"
#include "bus/channel.h"
#include "kern/guard.h"
#include "kern/namespace.h"
#include "kern/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NEVER_RAN 125

#define SAY_POWERLESS  'P'
#define SAY_IDS	       'I'
#define SAY_READY      'R'
#define SAY_GO	       'G'

/** command_tell() - Say one letter; 0 or -errno */
static int command_tell(int chan, char letter)
{
	return channel_send(chan, &letter, 1, NULL, 0);
}

/** command_expect() - Wait for one letter; 0 or -EPIPE */
static int command_expect(int chan, char letter)
{
	char got;

	if (channel_recv(chan, &got, 1, NULL, 0, NULL) != 1 || got != letter)
		return -EPIPE;
	return 0;
}

/** command_guard() - In the child: shed everything, in this order */
static int command_guard(bool is_root, int chan, struct fault *f)
{
	int rc = namespace_leave_power(f);

	if (rc < 0)
		return rc;
	rc = command_tell(chan, SAY_POWERLESS);
	if (rc == 0)
		rc = command_expect(chan, SAY_IDS);
	if (rc < 0)
		return fault(f, rc, "wait for ids");
	/* Its memory and fds are ours until the program takes over; before,
	 * a user's keeper could not have written the map. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fault(f, -errno, "become undumpable");
	rc = guard_shed(is_root ? guard_file_powers() : 0, f);
	if (rc == 0)
		rc = guard_filter(f);
	if (rc == 0)
		rc = guard_place(f);
	return rc;
}

static void command_environment(const struct oneshot *o)
{
	for (const char *const *name = o->drop_env; name && *name; name++)
		(void)unsetenv(*name); /* fails for no valid name */
	/* Without memory the command merely is not told. */
	(void)setenv("NSPROXY_GATEWAY", GATEWAY_IP4, 1);
}

/** command_live() - All that the child does; never returns */
static void command_live(const struct oneshot *o, const struct signals *before,
			 bool is_root, int chan)
{
	struct fault f = { 0 };

	if (command_guard(is_root, chan, &f) < 0) {
		(void)channel_send(chan, &f, sizeof(f), NULL, 0);
		_exit(EXIT_NEVER_RAN);
	}
	if (command_tell(chan, SAY_READY) < 0 ||
	    command_expect(chan, SAY_GO) < 0)
		_exit(EXIT_NEVER_RAN);
	command_environment(o);
	/* The end of the channel tells the keeper that this is done. */
	if (!broken(BROKEN_FDS) && syscall(SYS_close_range, 3, ~0u, 0) < 0)
		_exit(EXIT_NEVER_RAN);
	signals_restore(before);
	execute_command("run", o->argv);
}

/** command_hear() - In the keeper: a letter, or the child's fault */
static int command_hear(int chan, char letter, struct fault *f)
{
	union {
		char letter;
		struct fault fault;
	} got;
	const ssize_t n = channel_recv(chan, &got, sizeof(got), NULL, 0, NULL);

	if (n == 1 && got.letter == letter)
		return 0;
	if (n == (ssize_t)sizeof(got.fault) && got.fault.code < 0) {
		if (f)
			*f = got.fault;
		return got.fault.code;
	}
	return fault_plain(f, -EPIPE,
			   "the command's process died before it "
			   "was ready");
}

int command_start(const struct oneshot *o, const struct signals *before,
		  bool is_root, struct command *ret, struct fault *f)
{
	struct command c = { .chan = -1 };
	int pair[2];
	int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel to the command");
	c.chan = pair[0];
	c.pid = fork();
	if (c.pid == 0) {
		fd_close(&pair[0]);
		command_live(o, before, is_root, pair[1]);
	}
	rc = c.pid < 0 ? fault(f, -errno, "fork the command") : 0;
	fd_close(&pair[1]);
	if (rc == 0)
		rc = command_hear(c.chan, SAY_POWERLESS, f);
	if (rc == 0)
		rc = namespace_map(c.pid, is_root, f);
	if (rc == 0 && (rc = command_tell(c.chan, SAY_IDS)) < 0)
		rc = fault(f, rc, "give the command its ids");
	if (rc == 0)
		rc = command_hear(c.chan, SAY_READY, f);
	if (rc < 0) {
		command_cancel(&c);
		return rc;
	}
	*ret = c;
	return 0;
}

int command_release(struct command *c, struct fault *f)
{
	char none;
	int rc = command_tell(c->chan, SAY_GO);

	/* Nothing more is said: the end of the channel is the good news. */
	if (rc == 0 &&
	    channel_recv(c->chan, &none, sizeof(none), NULL, 0, NULL) != 0)
		rc = -EPROTO;
	fd_close(&c->chan);
	return rc < 0 ? fault(f, rc, "let the command go") : 0;
}

void command_cancel(struct command *c)
{
	fd_close(&c->chan);
	if (c->pid <= 0)
		return;
	(void)kill(c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	c->pid = 0;
}
