// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * worker.c - the data plane of one sandbox, from plan to end
 *
 * Takes a plan and its fds, builds the rooms in order, locks itself down, says
 * "ready", and turns the loop. Without a sandbox it is a plain proxy server;
 * in one with an interface of the host's it has published ports alone.
 */
#include "worker_own.h"

#include "worker.h"

#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "bus/channel.h"
#include "bus/plan.h"
#include "dial/connector.h"
#include "dial/resolve.h"
#include "flow/doors.h"
#include "flow/echo.h"
#include "flow/front.h"
#include "flow/gate.h"
#include "flow/route.h"
#include "flow/server.h"
#include "flow/udp.h"
#include "lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Fds that are neither flows nor pipes: listeners, TUN, DNS, associations. */
#define WORKER_SPARE_FDS 256
#define WORKER_FLOWS_MAX 65536

static int worker_fd(const struct worker *w, enum plan_fd_kind kind)
{
	for (unsigned int i = 0; i < w->fd_count; i++)
		if (w->fd[i].kind == kind)
			return w->fd[i].fd;
	return -1;
}

bool worker_has_sandbox(const struct worker *w)
{
	return worker_fd(w, PLAN_FD_MINT) >= 0;
}

static void worker_packet(void *ctx, const struct packet *p)
{
	struct worker *w = ctx;

	switch (p->proto) {
	case IPPROTO_TCP:
		gate_segment(&w->gate, p);
		return;
	case IPPROTO_UDP:
		udp_datagram(&w->udp, p);
		return;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		echo_packet(&w->echo, p);
		return;
	default:
		if (!addr_is_multicast(&p->dst))
			tun_put(&w->tun, packet_put_unreach(tun_room(&w->tun),
							    PACKET_MAX,
							    UNREACH_ADMIN, p));
	}
}

static void worker_answer(void *ctx, const struct addr *from,
			  const struct addr *to, const void *msg, size_t len)
{
	struct worker *w = ctx;

	tun_put(&w->tun, packet_put_udp(tun_room(&w->tun), PACKET_MAX, from, to,
					msg, len));
}

int worker_server_dest(void *ctx, struct dest *d, struct server_lead *lead)
{
	struct worker *w = ctx;
	const struct addr *alias;
	struct addr at = d->addr;

	(void)lead;
	if (d->name[0] != '\0' && !route_name_ok(d->name))
		return -EHOSTUNREACH;
	if (d->name[0] != '\0')
		return route_may_leave(&w->plan, d) ? 0 : -EACCES;
	/* Who asks a proxy for port 53 means that server and no other. */
	if (at.port == 53)
		at.port = 7;
	if (route_decide(&w->plan, &at, true).verdict != ROUTE_WAY)
		return -EHOSTUNREACH;
	alias = route_alias(&w->plan, &d->addr);
	if (alias)
		d->addr = *alias;
	else if (names_is_leasable(&d->addr) &&
		 !names_of_lease(w->names, &d->addr, d->name))
		return -EHOSTUNREACH;
	return route_may_leave(&w->plan, d) ? 0 : -EACCES;
}

/** worker_lead() - A TCP client of port 53 goes to the program inside */
static void worker_lead(void *ctx, int fd)
{
	struct worker *w = ctx;

	doors_lead(&w->doors, fd);
}

/** worker_unled() - Nobody was there: it hears so from us */
static void worker_unled(void *ctx, int fd)
{
	struct worker *w = ctx;

	names_serve(w->names, fd);
}

/** worker_flow_max() - What the plan allows, and the fds we may have carry */
static unsigned int worker_flow_max(const struct worker *w)
{
	struct rlimit files = { .rlim_cur = 1024 };
	unsigned long most;

	(void)getrlimit(RLIMIT_NOFILE, &files); /* cannot fail */
	most = files.rlim_cur > 2 * WORKER_SPARE_FDS
		       ? (files.rlim_cur - WORKER_SPARE_FDS) / 2
		       : files.rlim_cur / 4;
	if (w->plan.flow_max > 0 && w->plan.flow_max < most)
		most = w->plan.flow_max;
	return most < WORKER_FLOWS_MAX ? (unsigned int)most : WORKER_FLOWS_MAX;
}

/** worker_ways() - What leads out, for sandbox and server alike */
static int worker_ways(struct worker *w, struct fault *f)
{
	const int ask = worker_fd(w, PLAN_FD_RESOLVE);
	const int rc = way_init(&w->way, &w->loop, &w->plan);

	if (rc == -ENOENT)
		return fault_plain(f, rc,
				   "an https proxy needs trust anchors, and "
				   "none could be read (install "
				   "ca-certificates)");
	if (rc == -ELIBACC)
		return fault_plain(f, rc,
				   "an https proxy needs OpenSSL, and it could "
				   "not be loaded (install libssl3)");
	if (rc < 0)
		return fault(f, rc, "prepare the way out");
	way_init_direct(&w->direct, &w->loop);
	w->way.connector = w->direct.connector = w->connector;
	if (ask >= 0) {
		w->resolver = resolver_new(&w->loop, ask);
		w->way.resolver = w->resolver;
	}
	w->pool = relay_pool_new(&w->loop);
	if (!w->pool || (ask >= 0 && !w->resolver))
		return fault(f, -ENOMEM, "prepare the relay");
	return 0;
}

/** worker_listen() - Hand each fd of the plan to the room it is for */
static int worker_listen(struct worker *w, const struct plan_fd *pf)
{
	switch (pf->kind) {
	case PLAN_FD_GATE:
		return gate_listen(&w->gate, pf->fd);
	case PLAN_FD_NAMES_UDP:
		return names_listen_udp(w->names, pf->fd);
	case PLAN_FD_NAMES_TCP:
		return names_listen_tcp(w->names, pf->fd);
	case PLAN_FD_EXPOSE:
		return doors_listen(&w->doors, pf->fd, pf->index, false);
	case PLAN_FD_EXPOSE_UDP:
		return udp_listen(&w->udp, pf->fd, pf->index);
	case PLAN_FD_PUBLISH:
		return doors_listen(&w->doors, pf->fd, pf->index, true);
	case PLAN_FD_SERVE:
		return server_listen(w->server, pf->fd);
	case PLAN_FD_PROGRAM:
		return names_lead(w->names, worker_lead, w, pf->fd);
	case PLAN_FD_FRONT:
		return server_listen(w->engine, pf->fd);
	case PLAN_FD_FRONT_UDP:
		return front_listen(w->front, pf->fd);
	case PLAN_FD_TUN:
		return tun_start(&w->tun, &w->loop, pf->fd, worker_packet, w);
	case PLAN_FD_MINT:
	case PLAN_FD_RESOLVE:
	case PLAN_FD_LOG:
	case PLAN_FD_LEASES:
		return 0;
	case PLAN_FD_ENGINE_TUN:
	case PLAN_FD_ENGINE_NET:
	case PLAN_FD_BOX_NET:
	case PLAN_FD_BOX_MNT:
	case PLAN_FD_BOX_USER:
	case PLAN_FD_KINDS:
		break; /* none of ours */
	}
	return -EPROTO;
}

static int worker_sandbox(struct worker *w, struct fault *f)
{
	const int leases = worker_fd(w, PLAN_FD_LEASES);
	int rc;

	if (w->plan.engine == ENGINE_NONE)
		relay_pool_widen(w->pool);
	rc = names_new(&w->loop, &w->way, &w->plan, worker_answer, w,
		       &w->names);
	if (rc < 0)
		return fault(f, rc, "start the resolver");
	/* Without it, names are lent anew. */
	if (leases >= 0 && names_remember(w->names, leases) < 0)
		log_warn("what the last worker has lent is not remembered");
	/* The gateway speaks both, to whoever is inside. */
	w->plan.serve = (struct plan_serve){ .socks = true, .http = true };
	w->server = server_new(&w->loop, &w->way, w->pool, &w->plan.serve,
			       w->plan.flow_max, worker_server_dest, w);
	if (!w->server)
		return fault(f, -ENOMEM, "start the gateway's proxy");
	w->gate = (struct gate){
		.loop = &w->loop,
		.plan = &w->plan,
		.tun = &w->tun,
		.way = &w->way,
		.direct = &w->direct,
		.names = w->names,
		.pool = w->pool,
		.server = w->server,
		.flow_max = w->plan.flow_max,
	};
	w->udp = (struct udp){
		.loop = &w->loop,
		.plan = &w->plan,
		.tun = &w->tun,
		.way = &w->way,
		.direct = &w->direct,
		.names = w->names,
	};
	w->echo = (struct echo){
		.loop = &w->loop,
		.plan = &w->plan,
		.tun = &w->tun,
		.way = &w->way,
	};
	w->doors = (struct doors){
		.loop = &w->loop,
		.plan = &w->plan,
		.pool = w->pool,
		.direct = &w->direct,
		.mint = worker_fd(w, PLAN_FD_MINT),
		.over = worker_over,
		.unled = worker_unled,
		.ctx = w,
	};
	rc = gate_start(&w->gate);
	if (rc == 0)
		rc = udp_start(&w->udp);
	if (rc == 0)
		rc = doors_start(&w->doors);
	if (rc < 0)
		return fault(f, rc, "start the gate");
	return w->plan.engine != ENGINE_NONE ? engine_start(w, f) : 0;
}

static int worker_build(struct worker *w, struct fault *f)
{
	int rc = worker_ways(w, f);

	if (rc < 0)
		return rc;
	w->plan.flow_max = worker_flow_max(w);
	if (worker_has_sandbox(w))
		rc = worker_sandbox(w, f);
	else
		w->server =
			server_new(&w->loop, &w->way, w->pool, &w->plan.serve,
				   w->plan.flow_max, NULL, NULL);
	if (rc < 0)
		return rc;
	if (!w->server)
		return fault(f, -ENOMEM, "start the proxy server");
	for (unsigned int i = 0; i < w->fd_count; i++) {
		rc = worker_listen(w, &w->fd[i]);
		if (rc < 0)
			return fault(f, rc, "use the plan's fd of kind %d",
				     (int)w->fd[i].kind);
	}
	return 0;
}

/**
 * worker_take_log() - From here on speak to whoever keeps the sandbox
 *
 * Non-blocking, whatever the worker before us did to it.
 */
static int worker_take_log(struct worker *w, struct fault *f)
{
	const int log = worker_fd(w, PLAN_FD_LOG);

	if (log < 0)
		return 0;
	w->has_log = true;
	if (fd_nonblock(log) < 0 || dup2(log, STDERR_FILENO) < 0)
		return fault(f, -errno, "take the sandbox's log");
	return 0;
}

static int worker_init(struct worker *w, struct fault *f)
{
	struct connector_line line;
	int rc = loop_init(&w->loop);

	if (rc < 0)
		return fault(f, rc, "start the worker's loop");
	rc = plan_recv(w->chan, &w->plan, w->fd, &w->fd_count);
	if (rc < 0)
		return fault(f, rc, "take the plan");
	log_init("", (enum log_level)w->plan.log_level);
	rc = worker_take_log(w, f);
	if (rc == 0)
		rc = lockdown_early(f);
	if (rc < 0)
		return rc;
	w->devnull = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (w->devnull < 0)
		return fault(f, -errno, "open '/dev/null'");
	rc = worker_find_socket(w, f);
	if (rc == 0 && worker_has_sandbox(w))
		rc = worker_start_connector(w, &line, f);
	/* A proxy that is ours often stands beside a worker, on the same few
	 * processors: of two that answer each other one stays awake. */
	if (worker_has_sandbox(w))
		loop_may_spin(&w->loop);
	if (rc == 0 && w->has_log) /* a named one: others may replace us */
		rc = retire_listen(w, f);
	if (rc == 0)
		rc = worker_build(w, f);
	if (rc == 0)
		rc = worker_lock(w, &line, f);
	if (rc < 0)
		return rc;
	return loop_watch(&w->loop, &w->chan_watch, w->chan, EPOLLIN,
			  worker_left);
}

static void worker_fini(struct worker *w)
{
	doors_stop(&w->doors);
	gate_stop(&w->gate);
	udp_stop(&w->udp);
	echo_stop(&w->echo);
	server_free(w->engine);
	server_free(w->server);
	front_free(w->front);
	names_free(w->names);
	tun_stop(&w->tun, &w->loop);
	relay_pool_free(w->pool);
	resolver_free(w->resolver);
	way_fini(&w->way);
	way_fini(&w->direct);
	connector_free(w->connector);
	loop_fini(&w->loop);
}

int worker_main(int chan)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct fault word = { 0 };
	int rc;

	if (!w)
		return 1;
	(void)prctl(PR_SET_NAME, "nsproxy-worker");
	w->chan = chan;
	w->chan_watch.fd = w->signal_watch.fd = w->signals = -1;
	w->tun.watch.fd = -1;
	rc = worker_init(w, &word);
	if (rc < 0 && word.code == 0)
		(void)fault(&word, rc, "start the worker");
	if (channel_send(chan, &word, sizeof(word), NULL, 0) < 0)
		rc = -EPIPE;
	if (rc == 0)
		rc = loop_run(&w->loop);
	worker_fini(w);
	free(w);
	return rc < 0 ? 1 : 0;
}
