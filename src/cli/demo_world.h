/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * demo_world.h - a little internet that only one proxy can reach
 */
#include "base/fault.h"

#include <stdint.h>
#include <sys/types.h>

#define DEMO_NAME "demo.test"
#define DEMO_PAGE "hello through nsproxy"

/**
 * struct demo_world - the running world
 * @pid:   `nsproxy serve` inside; a child of ours
 * @port:  Where it listens, on the host's 127.0.0.1
 */
struct demo_world {
	pid_t pid;
	uint16_t port;
};

/**
 * demo_world_start() - Make the world and wait until its proxy is ready
 * @self_fd:  Our own program, O_PATH
 * @ret:      Result; end it with demo_world_stop()
 * @f:        Why not
 *
 * A network namespace without any way out, a page on 127.0.0.80 in it, a name
 * for it that no other resolver knows, and a proxy whose listener was born on
 * the host and whose other sockets are born inside.
 *
 * Return: 0 or -errno
 */
int demo_world_start(int self_fd, struct demo_world *ret, struct fault *f);

/** demo_world_stop() - End it and reap it */
void demo_world_stop(struct demo_world *w);
