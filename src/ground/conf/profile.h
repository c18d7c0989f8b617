/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * profile.h - a profile in our types, and the plan it becomes
 */
#include "bus/plan.h"
#include "conf/conf.h"
#include "conf/dns.h"

#define HELPERS_MAX  8	  /* of one profile */
#define HELPER_BYTES 4096 /* of one command, each word with its NUL */

/**
 * struct helper - a program that lives with the sandbox
 * @name:     As written
 * @command:  Program and arguments, NULL-terminated
 * @user:     Whom it runs as; NULL: the user whose profile it is
 * @restart:  When it ends
 * @where:    Whose network it has
 * @ready:    Where it is going to listen; AF_UNSPEC when that is not said
 */
struct helper {
	const char *name;
	const char **command;
	const char *user;
	enum restart_word restart;
	enum where_word where;
	struct addr ready;
};

/**
 * struct profile - what the user wrote about a sandbox
 * @section:    As it was written, with where each value comes from
 * @name:       Of the sandbox
 * @expose:     HOST:PORT texts; names are looked up when the sandbox begins
 * @users:      "USER" and "@GROUP"
 * @autostart:  Bring it up with the daemon
 * @veth:       Give it a link to the host as well
 * @veth_ports: "tcp:PORT" and "udp:PORT" of the host that it may reach so
 * @guard:      What holds programs inside
 * @isolate:    Whether the last proxy sees a user name of this sandbox's own
 * @attach:     Interface of the host that is its network; NULL: none
 * @wireguard:  File of the one that is made for it, called @attach
 * @engine:     Name of what has its TUN; NULL: the worker
 * @helper:     @helper_count of them
 *
 * All lives as long as the configuration. The chain is followed, and secrets
 * are read, by profile_to_plan() only.
 */
struct profile {
	const struct section *section;
	const char *name;
	const struct setting *expose;
	const struct setting *users;
	bool autostart;
	bool veth;
	const struct setting *veth_ports;
	enum guard_word guard;
	enum isolate_word isolate;
	const char *attach;
	const struct value *wireguard;
	const char *engine;
	const struct helper *helper;
	unsigned int helper_count;
};

/**
 * profile_get() - Find a profile and read it into our types
 * @c:      Configuration that conf_finish() found good
 * @name:   Name; for a user the own ones go before the system's
 * @ret:    Result
 * @f:      Why not, with a hint
 *
 * Return: 0, or -ENOENT
 */
int profile_get(struct conf *c, const char *name, struct profile *ret,
		struct fault *f);

/**
 * profile_chain_to_plan() - The way out, with secrets
 * @c:  Configuration
 * @p:  Profile
 * @to: Its hops are written; the caller wipes it
 * @f:  Why not; never tells a secret
 *
 * Password files are read here and now. With ISOLATE_SANDBOX the last hop gets
 * random credentials, other ones with each call.
 *
 * Return: 0 or -errno
 */
int profile_chain_to_plan(struct conf *c, const struct profile *p,
			  struct plan *to, struct fault *f);

/**
 * profile_to_plan() - All of a profile that needs nothing of the host
 * @c:    Configuration
 * @p:    Profile
 * @to:   Hops, names that may leave and published ports are written; the caller
 * wipes it
 * @dns:  How names are looked up; not set if the profile does not say
 * @f:    Why not
 *
 * What is left to the caller: addresses of the first hop's name, @p->expose,
 * and what @dns means for this way out.
 *
 * Return: 0 or -errno
 */
int profile_to_plan(struct conf *c, const struct profile *p, struct plan *to,
		    struct dns_wish *dns, struct fault *f);

/** profile_dns() - The part of @dns alone */
void profile_dns(const struct profile *p, struct dns_wish *dns);

/** profile_only() - Add the names that may leave; Return: 0, or -E2BIG */
int profile_only(const struct profile *p, struct plan *to, struct fault *f);

/** profile_publish() - Add the published ports; Return: 0, or -E2BIG */
int profile_publish(const struct profile *p, struct plan *to, struct fault *f);
