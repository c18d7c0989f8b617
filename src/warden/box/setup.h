/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/fault.h"
#include "bus/plan.h"
#include "conf/keys.h"
#include "kern/former.h"
#include "kern/resolver.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct setup - what the steps of setup.c have made so far
 * @plan:      Wish; borrowed
 * @is_root:   The namespaces belong to the caller's user namespace, and the
 *             program keeps all ids
 * @guard:     What will hold the programs
 * @foreign:   Network namespace to build in, borrowed; -1: a new one
 * @is_foreign: We are in it
 * @former:    What it was like before
 * @pid:       Ours, as the host sees it
 * @is_blind:  Make no inotify instance: root and each user have but 128
 * @has_ip6:   The kernel has IPv6
 * @is_short:  Little piles up before programs (sysctls_shorten())
 * @fds:       What the worker gets: device, listeners, its end of @mint
 * @fd_count:  Of @fds
 * @gate_port: Where the gate listens
 * @mint:      The keeper's end: sockets are asked for here; non-blocking
 * @resolver:  The resolver's files
 */
struct setup {
	const struct plan *plan;
	bool is_root;
	enum guard_word guard;
	int foreign;
	bool is_foreign;
	struct former former;
	pid_t pid;
	bool is_blind;
	bool has_ip6;
	bool is_short;
	struct plan_fd fds[PLAN_FDS];
	unsigned int fd_count;
	uint16_t gate_port;
	int mint;
	struct resolver resolver;
};

/** setup_init() - Begin with nothing; setup_fini() takes half-built ones */
void setup_init(struct setup *s, const struct plan *plan);
/** setup_fini() - Close every fd; the rest ends with the process */
void setup_fini(struct setup *s);

/**
 * struct setup_step - one step on the way to a sandbox
 * @name:   For people: "network namespace"
 * @build:  0, or -errno with a filled fault
 *
 * What a step makes ends with the process that made it, so there is nothing
 * to undo: a process that has failed a step must exit.
 */
struct setup_step {
	const char *name;
	int (*build)(struct setup *s, struct fault *f);
};

/** setup_steps - In order; ends with a NULL name */
extern const struct setup_step setup_steps[];

/**
 * setup_build() - Turn this process into the keeper of a new sandbox
 * @s:  Initialised
 * @f:  Why not
 *
 * Return: 0 or -errno
 */
int setup_build(struct setup *s, struct fault *f);
