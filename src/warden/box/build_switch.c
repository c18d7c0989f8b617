// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * build_switch.c - the builder's steps for another plan in a living sandbox
 *
 * The namespace, its rules and its doors stay as they are, and so does whoever
 * is inside. So what shapes them cannot change here: that takes a restart. The
 * old worker lets go of the device before the new one takes it; in between,
 * connection requests wait in the kernel.
 */
#include "box/build_own.h"

#include "base/fd.h"
#include "base/text.h"
#include "bus/plan_file.h"
#include "bus/retired.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A worker has only to turn its loop once; a busy machine takes a while. */
#define RETIRE_TIMES	2000
#define RETIRE_PAUSE_MS 1

bool build_is_retired(pid_t worker)
{
	char path[32];
	char name[32] = "";
	auto_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", worker);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 &&
	       text_starts(name, RETIRED_NAME);
}

/** switch_hop_same() - Do two lead the same way?
 *
 * Addresses of a name may come in another order each time; the name counts.
 */
static bool switch_hop_same(const struct hop *a, const struct hop *b,
			    bool any_user)
{
	return a->kind == b->kind && a->port == b->port &&
	       a->insecure == b->insecure && a->no_udp == b->no_udp &&
	       a->eager == b->eager && a->fresh == b->fresh &&
	       a->forward == b->forward && a->dial_s == b->dial_s &&
	       !strcmp(a->host, b->host) && !strcmp(a->path, b->path) &&
	       !strcmp(a->dev, b->dev) && a->has_auth == b->has_auth &&
	       (any_user ||
		(!strcmp(a->user, b->user) && !strcmp(a->pass, b->pass)));
}

static bool switch_chain_same(const struct build *b, const struct plan *old,
			      const struct terms *was)
{
	const struct plan *new = b->plan;

	if (old->hop_count != new->hop_count ||
	    was->isolate != b->terms.isolate)
		return false;
	for (unsigned int i = 0; i < old->hop_count; i++)
		if (!switch_hop_same(&old->hop[i], &new->hop[i],
				     was->isolate && i + 1 == old->hop_count))
			return false;
	return true;
}

static bool switch_dns_same(const struct plan *a, const struct plan *b)
{
	if (a->names != b->names || a->server_count != b->server_count)
		return false;
	for (unsigned int i = 0; i < a->server_count; i++)
		if (a->server[i].is_tcp != b->server[i].is_tcp ||
		    !addr_equal(&a->server[i].addr, &b->server[i].addr))
			return false;
	if (a->alias_count != b->alias_count)
		return false;
	for (unsigned int i = 0; i < a->alias_count; i++)
		if (!addr_equal(&a->alias[i], &b->alias[i]))
			return false;
	return true;
}

static bool switch_exposes(const struct plan *p, const struct plan_expose *e)
{
	for (unsigned int i = 0; i < p->expose_count; i++)
		if (addr_equal(&p->expose[i].addr, &e->addr) &&
		    !strcmp(p->expose[i].name, e->name))
			return true;
	return false;
}

/** switch_expose_same() - Are the same doors exposed?
 *
 * Addresses of a name may come in another order each time.
 */
static bool switch_expose_same(const struct plan *a, const struct plan *b)
{
	if (a->expose_count != b->expose_count)
		return false;
	for (unsigned int i = 0; i < a->expose_count; i++)
		if (!switch_exposes(b, &a->expose[i]) ||
		    !switch_exposes(a, &b->expose[i]))
			return false;
	return true;
}

static bool switch_publish_same(const struct plan *a, const struct plan *b)
{
	if (a->publish_count != b->publish_count)
		return false;
	for (unsigned int i = 0; i < a->publish_count; i++)
		if (!addr_equal(&a->publish[i].host, &b->publish[i].host) ||
		    a->publish[i].inner_port != b->publish[i].inner_port)
			return false;
	return true;
}

static bool switch_only_same(const struct plan *a, const struct plan *b)
{
	if (a->only_count != b->only_count)
		return false;
	for (unsigned int i = 0; i < a->only_count; i++)
		if (a->only[i].below != b->only[i].below ||
		    strcmp(a->only[i].name, b->only[i].name) != 0)
			return false;
	return true;
}

static bool switch_users_same(const struct terms *a, const struct terms *b)
{
	if (a->access_count != b->access_count)
		return false;
	for (unsigned int i = 0; i < a->access_count; i++)
		if (a->access[i].is_group != b->access[i].is_group ||
		    a->access[i].id != b->access[i].id)
			return false;
	return true;
}

/** switch_patience() - What the kernel inside was told at set-up */
static unsigned int switch_patience(const struct plan *p)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < p->hop_count; i++)
		if (p->hop[i].dial_s > most)
			most = p->hop[i].dial_s;
	return most;
}

static bool switch_veth_same(const struct veth *a, const struct veth *b)
{
	if (a->is_wished != b->is_wished || a->port_count != b->port_count)
		return false;
	for (unsigned int i = 0; i < a->port_count; i++)
		if (a->port[i].proto != b->port[i].proto ||
		    a->port[i].port != b->port[i].port)
			return false;
	return true;
}

/** switch_program_same() - Is dnsproxy, the last of the jobs, run as before? */
static bool switch_program_same(const struct plan *old, const struct plan *new,
				const struct jobs *was, const struct jobs *jobs)
{
	return old->names == new->names && was->count > 0 && jobs->count > 0 &&
	       memcmp(&was->job[was->count - 1], &jobs->job[jobs->count - 1],
		      sizeof(jobs->job[0])) == 0;
}

static bool switch_engine_same(const struct job *a, const struct job *b)
{
	return a && b ? !memcmp(a, b, sizeof(*a)) : a == b;
}

/** switch_fixed() - The first thing that differs and cannot change here */
static const char *switch_fixed(const struct build *b, const struct plan *old,
				const struct terms *was,
				const struct jobs *jobs)
{
	if (!switch_expose_same(old, b->plan))
		return "expose";
	if (!switch_publish_same(old, b->plan))
		return "publish";
	if (strcmp(old->device, b->plan->device) != 0)
		return "attach";
	if (was->wireguard != b->terms.wireguard)
		return "wireguard";
	if (old->device[0] != '\0' && !switch_dns_same(old, b->plan))
		return "dns";
	if (!switch_veth_same(&was->veth, &b->terms.veth))
		return "veth";
	if (was->guard != b->terms.guard)
		return "guard";
	if (!switch_engine_same(jobs_engine(jobs), jobs_engine(b->jobs)))
		return "engine";
	if ((old->names == NAMES_PROGRAM || b->plan->names == NAMES_PROGRAM) &&
	    !switch_program_same(old, b->plan, jobs, b->jobs))
		return "dns (dnsproxy)";
	if (jobs->count != b->jobs->count ||
	    memcmp(jobs->job, b->jobs->job,
		   jobs->count * sizeof(jobs->job[0])) != 0)
		return "helpers";
	if ((old->names == NAMES_OFF) != (b->plan->names == NAMES_OFF))
		return "dns (off, or not)";
	if (switch_patience(old) != switch_patience(b->plan))
		return "timeout";
	return NULL;
}

/** switch_judge() - What has changed? */
static int switch_judge(struct build *b, const struct plan *old,
			const struct terms *was, const struct jobs *jobs,
			struct fault *f)
{
	const bool chain = !switch_chain_same(b, old, was);
	const bool dns = !switch_dns_same(old, b->plan);
	const bool only = !switch_only_same(old, b->plan);
	const bool users = !switch_users_same(was, &b->terms);
	const char *fixed = switch_fixed(b, old, was, jobs);

	if (fixed) {
		(void)fault_plain(f, -EOPNOTSUPP,
				  "'%s' of the profile differs, and cannot "
				  "change while the sandbox is up",
				  fixed);
		return fault_hint(f, "nsproxy restart %s", b->wish.name);
	}
	b->terms.veth = was->veth; /* with the addresses that it has */
	memcpy(b->terms.device, was->device, sizeof(was->device));
	/* The doors that are open are told apart by their place in it. */
	memcpy(b->plan->expose, old->expose, sizeof(old->expose));
	b->needs_worker = chain || dns || only;
	(void)snprintf(b->changed, sizeof(b->changed), "%s%s%s%s",
		       chain ? "chain " : "", dns ? "dns " : "",
		       only ? "only " : "", users ? "users " : "");
	if (strcmp(was->profile, b->terms.profile) != 0 &&
	    b->changed[0] == '\0')
		(void)text_copy(b->changed, sizeof(b->changed), "profile ");
	if (b->changed[0] != '\0')
		b->changed[strlen(b->changed) - 1] = '\0';
	return 0;
}

/** switch_seal() - The new plan and terms take the places of the old */
static int switch_seal(struct build *b, struct fault *f)
{
	int rc = plan_file_seal(b->plan, &b->plan_fd);

	if (rc == 0)
		rc = terms_seal(&b->terms, &b->terms_fd);
	if (rc < 0)
		return fault(f, rc, "seal the plan");
	fd_close(&b->fds[STORE_FD_PLAN]);
	fd_close(&b->fds[STORE_FD_TERMS]);
	b->fds[STORE_FD_PLAN] = fcntl(b->plan_fd, F_DUPFD_CLOEXEC, 0);
	b->fds[STORE_FD_TERMS] = fcntl(b->terms_fd, F_DUPFD_CLOEXEC, 0);
	if (b->fds[STORE_FD_PLAN] < 0 || b->fds[STORE_FD_TERMS] < 0)
		return fault(f, -errno, "keep the plan");
	return 0;
}

static int switch_compare(struct build *b, struct plan *old, struct jobs *jobs,
			  struct fault *f)
{
	struct terms was;
	int rc = plan_file_read(b->fds[STORE_FD_PLAN], old);

	if (rc == 0)
		rc = terms_read(b->fds[STORE_FD_TERMS], &was);
	if (rc == 0)
		rc = jobs_read(b->fds[STORE_FD_JOBS], jobs);
	if (rc < 0)
		return fault(f, rc, "read the plan that was kept");
	return switch_judge(b, old, &was, jobs, f);
}

int build_switch(struct build *b, struct fault *f)
{
	struct plan *old = calloc(1, sizeof(*old));
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	int rc = b->make_plan(b->wish.profile, b->plan, &b->terms, b->jobs,
			      NULL, f);

	if (rc == 0 && (!old || !jobs))
		rc = fault(f, -ENOMEM, "compare the plans");
	if (rc == 0) {
		memcpy(b->terms.profile, b->wish.profile,
		       sizeof(b->terms.profile));
		b->plan->log_level = b->wish.log_level;
		rc = switch_compare(b, old, jobs, f);
	}
	if (rc == 0)
		rc = switch_seal(b, f);
	if (old)
		explicit_bzero(old, sizeof(*old));
	free(old);
	free(jobs);
	return rc;
}

static void switch_signal(const struct build *b, int sig)
{
	/* One that is dead needs none. */
	(void)syscall(SYS_pidfd_send_signal, b->fds[STORE_FD_WORKER], sig, NULL,
		      0);
}

/** switch_end() - Cut its connections, and wait until it is gone */
static void switch_end(const struct build *b)
{
	struct pollfd p = {
		.fd = b->fds[STORE_FD_WORKER],
		.events = POLLIN,
	};

	switch_signal(b, SIGKILL);
	(void)poll(&p, 1, RETIRE_TIMES * RETIRE_PAUSE_MS);
}

int build_retire(struct build *b, struct fault *f)
{
	const struct timespec pause = { .tv_nsec = RETIRE_PAUSE_MS * 1000000 };
	const pid_t worker = b->given.worker;

	(void)f; /* one that will not go is ended */
	if (!b->needs_worker || worker <= 0 ||
	    build_is_dead(b->fds[STORE_FD_WORKER]))
		return 0;
	b->lost_worker = true;
	if (b->wish.is_closing) {
		switch_end(b);
		return 0;
	}
	switch_signal(b, SIGUSR1);
	for (int i = 0; i < RETIRE_TIMES; i++) {
		if (build_is_retired(worker) ||
		    build_is_dead(b->fds[STORE_FD_WORKER]))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	switch_end(b);
	return 0;
}

int build_tell_switch(struct build *b)
{
	const struct store_word w = {
		.kind = STORE_SWITCH,
		.worker = b->worker.pid,
	};
	const int fds[] = { b->plan_fd, b->terms_fd, b->worker_pidfd };

	return store_send(b->chan, &w, fds, w.worker > 0 ? 3 : 2);
}
