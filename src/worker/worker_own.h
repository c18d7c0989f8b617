/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * worker_own.h - what a worker is made of; for the files of this folder alone
 */
#include "base/fault.h"
#include "base/loop.h"
#include "bus/plan.h"
#include "dial/way.h"
#include "flow/doors.h"
#include "flow/echo.h"
#include "flow/gate.h"
#include "flow/server.h"
#include "flow/tun.h"
#include "flow/udp.h"

#include <stdbool.h>
#include <stdint.h>

struct connector_line;

/** struct worker - everything a worker has */
struct worker {
	struct loop loop;
	struct plan plan;
	struct plan_fd fd[PLAN_FDS];
	unsigned int fd_count;
	int chan;
	int devnull;
	struct watch chan_watch;
	struct way way;
	struct way direct;
	struct connector *connector;
	struct resolver *resolver;
	struct relay_pool *pool;
	struct names *names;
	struct server *server;
	struct server *engine;
	struct front *front;
	struct tun tun;
	struct gate gate;
	struct udp udp;
	struct echo echo;
	struct doors doors;
	bool has_log;
	struct task over;
	struct timer drain;
	struct timer retiring;
	struct watch signal_watch;
	int signals;
	bool is_retired;
	uint64_t drain_until_ms;
};

/**
 * retire_listen() - Hear SIGUSR1, which means: let another worker take over
 * @w:  Its loop is there; to be called before the lock-down
 * @f:  Why not
 *
 * A worker that retires opens nothing new, keeps the connections it has until
 * they end, and is called RETIRE_NAME from the moment on when it reads neither
 * device nor listeners any more.
 *
 * Return: 0 or -errno
 */
int retire_listen(struct worker *w, struct fault *f);

/** worker_has_sandbox() - Or is it a plain proxy server? */
bool worker_has_sandbox(const struct worker *w);

/**
 * worker_find_socket() - Reach a proxy's unix socket without a file system
 * @w:  Its plan is there; a hop's path becomes a bare name
 * @f:  Why not
 *
 * The worker keeps the socket's directory as its current one and connects by
 * the bare name, so that a proxy that comes back with a new socket is found.
 *
 * Return: 0, also without such a proxy, or -errno
 */
int worker_find_socket(struct worker *w, struct fault *f);

/**
 * worker_start_connector() - A sandbox's worker makes no sockets itself
 * @w:     Nothing is built yet; gets its connector
 * @line:  Our ends of the channels, for worker_lock()
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int worker_start_connector(struct worker *w, struct connector_line *line,
			   struct fault *f);

/**
 * worker_lock() - Give up what is not needed from here on
 * @w:     All is built
 * @line:  Of worker_start_connector(); not looked at without a connector
 * @f:     Why not
 *
 * Return: 0 or -errno; on failure the caller must exit
 */
int worker_lock(struct worker *w, const struct connector_line *line,
		struct fault *f);

/** worker_is_idle() - Has the last connection ended? */
bool worker_is_idle(const struct worker *w);

/** worker_over() - The sandbox's last process has ended, or its keeper died;
 * @ctx is a worker */
void worker_over(void *ctx);

/** worker_left() - Whoever hatched us has gone: a watch_fn for chan_watch */
void worker_left(struct watch *watch, uint32_t events);

/** worker_server_dest() - A server_names_fn for the gateway's server: leases
 * and odd places; @ctx is a worker */
int worker_server_dest(void *ctx, struct dest *d, struct server_lead *lead);

/**
 * engine_start() - Serve an engine
 * @w:  All of its sandbox but this is there
 * @f:  Why not
 *
 * Return: 0 or -errno
 */
int engine_start(struct worker *w, struct fault *f);
