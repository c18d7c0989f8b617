// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * worker_connector.c - a worker leaves the making of sockets to its connector
 *
 * Enter in this order: find the proxy's socket, whose directory both keep;
 * start the connector before anything is built; lock down once all is, when the
 * connector has done so as well. Without a sandbox there is no connector.
 */
#include "worker_own.h"

#include "base/broken.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "connector_hatch.h"
#include "dial/connector.h"
#include "lockdown.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct hop *worker_socket_hop(struct worker *w)
{
	for (unsigned int i = 0; i < w->plan.hop_count; i++)
		if (w->plan.hop[i].path[0] != '\0')
			return &w->plan.hop[i];
	return NULL;
}

int worker_find_socket(struct worker *w, struct fault *f)
{
	struct hop *h = worker_socket_hop(w);
	char *slash = h ? strrchr(h->path, '/') : NULL;
	char shown[sizeof(h->label)];

	if (!slash)
		return 0;
	*slash = '\0';
	text_quote(shown, sizeof(shown), h->path, strlen(h->path));
	if (chdir(slash == h->path ? "/" : h->path) < 0)
		return fault(f, -errno,
			     "enter '%s', where the proxy's socket is", shown);
	memmove(h->path, slash + 1, strlen(slash + 1) + 1);
	return 0;
}

/** worker_connector_lost() - Whoever keeps the sandbox starts us again */
static void worker_connector_lost(void *ctx)
{
	struct worker *w = ctx;

	log_warn("the worker's connector has ended, so the worker ends");
	loop_stop(&w->loop);
}

int worker_start_connector(struct worker *w, struct connector_line *line,
			   struct fault *f)
{
	const struct connector_start s = {
		.plan = &w->plan,
		.fd = w->fd,
		.fd_count = w->fd_count,
		.devnull = w->devnull,
		.keep_cwd = worker_socket_hop(w) != NULL,
	};
	const int rc = connector_hatch(&s, line, f);

	if (rc < 0)
		return rc;
	w->connector = connector_new(&w->loop, line, worker_connector_lost, w);
	return w->connector ? 0 : fault(f, -ENOMEM, "start the connector");
}

int worker_lock(struct worker *w, const struct connector_line *line,
		struct fault *f)
{
	const struct plan *p = &w->plan;
	enum lockdown_kind kind = LOCKDOWN_WORKER;
	int rc;

	if (!w->connector)
		return lockdown_late(LOCKDOWN_SERVER,
				     worker_socket_hop(w) != NULL, f);
	if (p->hop_count == 1 && p->hop[0].kind == HOP_DIRECT)
		kind = LOCKDOWN_SENDER; /* any peer may be written to */
	kind = broken(BROKEN_KIND) ? LOCKDOWN_SERVER : kind;
	rc = lockdown_late(kind, false, f);
	return rc < 0 ? rc : connector_meet(line, f);
}
