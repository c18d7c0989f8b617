// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * setup.c - the table of steps that make a sandbox
 *
 * Walked by the keeper, in its own process, and by `nsproxy check`. Nothing
 * runs in the sandbox yet, and nothing has left it.
 */
#include "box/setup.h"

#include "base/fd.h"
#include "box/doors.h"
#include "box/stall.h"
#include "bus/channel.h"
#include "kern/foreign.h"
#include "kern/links.h"
#include "kern/namespace.h"
#include "kern/private.h"
#include "kern/rules.h"
#include "kern/sysctls.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define GROUPS_ALL 2147483647u /* ping_group_range ends here */

_Static_assert(RULES_EXPOSE >= PLAN_EXPOSE, "each exposed address has a rule");

void setup_init(struct setup *s, const struct plan *plan)
{
	*s = (struct setup){
		.plan = plan,
		.guard = GUARD_GUARDED,
		.foreign = -1,
		.mint = -1,
		.resolver = { .mounts = -1, .changes = -1 },
	};
	for (int i = 0; i < SOURCES; i++)
		s->resolver.spare[i] = -1;
}

void setup_fini(struct setup *s)
{
	while (s->fd_count > 0)
		fd_close(&s->fds[--s->fd_count].fd);
	fd_close(&s->mint);
	resolver_close(&s->resolver);
}

/** setup_own_ip() - One of the sandbox's own addresses */
static struct addr setup_own_ip(const char *text)
{
	struct addr a = { 0 };
	const bool is_ip = addr_parse_ip(text, &a);

	assert(is_ip);
	(void)is_ip; /* without assertions */
	return a;
}

/** setup_pid() - The host's /proc, which is still mounted, tells it */
static pid_t setup_pid(void)
{
	char text[16] = "";

	if (readlink("/proc/self", text, sizeof(text) - 1) < 0)
		return getpid();
	return (pid_t)strtol(text, NULL, 10);
}

/** setup_attach() - Into a namespace that others made, where we may have been
 * before. Nobody's programs will be in our mounts */
static int setup_attach(struct setup *s, struct fault *f)
{
	int rc;

	s->guard = GUARD_PLAIN;
	s->pid = setup_pid();
	rc = foreign_enter(s->foreign, s->is_root, f);
	if (rc < 0)
		return rc;
	s->is_foreign = true;
	rules_sweep();
	links_sweep(s->has_ip6);
	former_note(&s->former);
	return 0;
}

static int setup_namespaces(struct setup *s, struct fault *f)
{
	unsigned int how = 0;
	int rc;

	s->is_root = namespace_is_root();
	s->has_ip6 = namespace_has_ip6();
	if (s->foreign >= 0)
		return setup_attach(s, f);
	how |= s->is_root ? 0 : NAMESPACE_OWN_USER;
	how |= s->guard == GUARD_PLAIN ? NAMESPACE_KEEPS_SUID : 0;
	how |= s->guard == GUARD_STRICT ? NAMESPACE_OWN_PIDS : 0;
	rc = namespace_enter(how, f);
	if (rc == 0)
		s->pid = setup_pid();
	return rc;
}

/** setup_is_bare() - Does an interface of the host come here, and no gate? */
static bool setup_is_bare(const struct setup *s)
{
	return s->plan->device[0] != '\0';
}

static int setup_tun(struct setup *s, struct fault *f)
{
	int fd;
	int rc;

	if (setup_is_bare(s))
		return 0;
	/* Another's namespace outlives us. */
	rc = links_open_tun(!s->is_foreign, &fd, f);
	if (rc == 0)
		s->fds[s->fd_count++] = (struct plan_fd){
			.kind = s->plan->engine == ENGINE_NONE
					? PLAN_FD_TUN
					: PLAN_FD_ENGINE_TUN,
			.fd = fd,
		};
	return rc;
}

/**
 * setup_queues() - Short ones before the programs
 *
 * What is received faster than it is read leaves the processor's cache. The
 * limit is one for both ends of a connection, so ours must be able to do
 * without. A namespace of others' may have networks behind it, and an engine's
 * TCP is no kernel's.
 */
static void setup_queues(struct setup *s)
{
	s->is_short = !setup_is_bare(s) && !s->is_foreign &&
		      s->plan->engine == ENGINE_NONE && fd_may_be_wide() &&
		      sysctls_shorten();
}

static int setup_sysctls(struct setup *s, struct fault *f)
{
	const unsigned int gid = getegid();
	unsigned int dial_s = 0;
	int rc;

	for (unsigned int i = 0; i < s->plan->hop_count; i++)
		if (s->plan->hop[i].dial_s > dial_s)
			dial_s = s->plan->hop[i].dial_s;
	rc = setup_is_bare(s) ? sysctls_settle_bare(f)
			      : sysctls_settle(s->has_ip6, f);
	if (rc == 0 && s->plan->engine != ENGINE_NONE)
		rc = sysctls_distrust(f);
	if (rc == 0 && !setup_is_bare(s))
		rc = sysctls_patience(dial_s, f);
	if (rc < 0)
		return rc;
	setup_queues(s);
	/* Who may do what in there is others' to say. */
	if (s->is_foreign)
		return 0;
	/* Root of a container may have few groups to speak of. */
	if (s->is_root && sysctls_allow_users(0, GROUPS_ALL, true, NULL) == 0)
		return 0;
	return sysctls_allow_users(gid, gid, s->is_root, f);
}

static int setup_links(struct setup *s, struct fault *f)
{
	struct links l = { .ip4 = setup_own_ip(SANDBOX_IP4) };

	if (setup_is_bare(s))
		return links_build_bare(f);
	if (s->plan->engine != ENGINE_NONE) {
		l.mtu = ENGINE_MTU;
		l.is_plain = true;
	}

	if (s->has_ip6)
		l.ip6 = setup_own_ip(SANDBOX_IP6);
	/* lo of a namespace that is there is others'. */
	if (!s->is_foreign)
		links_widen_lo();
	return links_build(&l, f);
}

static int setup_doors(struct setup *s, struct fault *f)
{
	const int rc = setup_is_bare(s) ? 0 : doors_open(s, f);

	return rc < 0 || s->plan->engine == ENGINE_NONE ? rc : stall_open(s, f);
}

static int setup_rules(struct setup *s, struct fault *f)
{
	struct rules r = {
		.tun = LINKS_TUN,
		.mark = LINKS_MARK,
		.gate_port = s->gate_port,
		.own4 = setup_own_ip(SANDBOX_IP4),
	};

	if (setup_is_bare(s) || s->plan->engine != ENGINE_NONE)
		return 0; /* there is no gate */
	if (s->has_ip6)
		r.own6 = setup_own_ip(SANDBOX_IP6);
	for (unsigned int i = 0; i < s->plan->expose_count; i++) {
		const struct addr *a = &s->plan->expose[i].addr;

		if (a->family == AF_INET && addr_is_loopback(a))
			r.expose[r.expose_count++] = *a;
	}
	return rules_load(&r, f);
}

static int setup_mint(struct setup *s, struct fault *f)
{
	int pair[2];
	int rc = channel_pair(pair);

	if (rc < 0)
		return fault(f, rc, "make a channel");
	s->mint = pair[0];
	s->fds[s->fd_count++] = (struct plan_fd){
		.kind = PLAN_FD_MINT,
		.fd = pair[1],
	};
	rc = fd_nonblock(s->mint);
	return rc < 0 ? fault(f, rc, "make a channel") : 0;
}

static int setup_private(struct setup *s, struct fault *f)
{
	int rc;

	if (s->guard != GUARD_STRICT)
		return 0;
	rc = private_places(f);
	return rc < 0 ? rc : private_proc(f);
}

static int setup_resolver(struct setup *s, struct fault *f)
{
	char servers[PLAN_NAMESERVERS];
	int rc;

	if (s->is_foreign)
		return 0; /* nobody sees our mounts */
	rc = resolver_open(&s->resolver, plan_nameservers(s->plan, servers), f);
	if (s->is_blind)
		fd_close(&s->resolver.changes); /* who keeps it looks around */
	return rc;
}

static int setup_seal(struct setup *s, struct fault *f)
{
	return s->is_root && !s->is_foreign ? sysctls_seal(f) : 0;
}

/* Settings before links: some count only while nsp0 is down. Doors before
 * rules: these name the port the gate got. Private places before what covers
 * files in them, and settings through the host's /proc before that. Namespaces
 * before all, since what would fail there must not have touched the host's. */
const struct setup_step setup_steps[] = {
	{ "namespaces", setup_namespaces },
	{ "TUN device", setup_tun },
	{ "network settings", setup_sysctls },
	{ "links and routes", setup_links },
	{ "sockets", setup_doors },
	{ "packet rules", setup_rules },
	{ "channel for sockets", setup_mint },
	{ "private places", setup_private },
	{ "resolver files", setup_resolver },
	{ "settings sealed", setup_seal },
	{ NULL },
};

int setup_build(struct setup *s, struct fault *f)
{
	for (const struct setup_step *step = setup_steps; step->name; step++) {
		const int rc = step->build(s, f);

		if (rc < 0)
			return rc;
	}
	return 0;
}
