// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * resolvers.c - the processes that look names up for `nsproxy serve`
 *
 * A worker is locked down and getaddrinfo(3) may open any file and talk to
 * anyone, so it is called here: each process takes one question at a time
 * from the channel they share. They wipe what they inherited and see only
 * names.
 */
#include "resolvers.h"

#include "base/fd.h"
#include "base/text.h"
#include "bus/channel.h"
#include "bus/resolve_msg.h"
#include "lookup.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define RESOLVERS    4
#define RESOLVER_UID 65534 /* nobody */

static void resolver_answer(int chan, const struct resolve_question *q)
{
	struct resolve_answer a = { .id = q->id };

	if (memchr(q->name, '\0', sizeof(q->name)) && text_name_ok(q->name) &&
	    lookup_host(q->name, 0, a.addr, RESOLVE_ADDRS, &a.count, NULL) < 0)
		a.count = 0;
	/* A worker that is gone is seen by the next receive. */
	(void)channel_send(chan, &a, sizeof(a), NULL, 0);
}

/** resolver_shed() - Talk to DNS servers as nobody when we were root */
static void resolver_shed(void)
{
	/* In a user namespace there may be nobody else to become. */
	if (geteuid() == 0) {
		(void)!setresgid(RESOLVER_UID, RESOLVER_UID, RESOLVER_UID);
		(void)!setresuid(RESOLVER_UID, RESOLVER_UID, RESOLVER_UID);
	}
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void resolver_main(int chan, pid_t parent)
{
	struct resolve_question q;

	/* Only the channel: the listener must close when the worker ends. */
	if (dup2(chan, STDERR_FILENO + 1) < 0)
		_exit(1);
	chan = STDERR_FILENO + 1;
	(void)close_range((unsigned int)chan + 1, ~0u, 0);
	resolver_shed();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);
	for (;;) {
		const ssize_t n =
			channel_recv(chan, &q, sizeof(q), NULL, 0, NULL);

		if (n == (ssize_t)sizeof(q))
			resolver_answer(chan, &q);
		else if (n == 0 || n != -EPROTO)
			_exit(0);
	}
}

int resolvers_start(void *forget, size_t len, int *ret_chan, struct fault *f)
{
	const pid_t parent = getpid();
	int both[2];
	int rc = channel_pair(both);

	if (rc < 0)
		return fault(f, rc, "make a channel to the resolvers");
	for (int i = 0; i < RESOLVERS && rc == 0; i++) {
		const pid_t pid = fork();

		if (pid == 0) {
			explicit_bzero(forget, len);
			resolver_main(both[0], parent);
		}
		if (pid < 0)
			rc = fault(f, -errno, "start a resolver process");
	}
	fd_close(&both[0]);
	if (rc < 0)
		fd_close(&both[1]);
	else
		*ret_chan = both[1];
	return rc;
}
