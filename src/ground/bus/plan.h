/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * plan.h - what a worker is told: ways out, names, doors
 *
 * A plan is a flat value: no pointers, so that it crosses a socket as it is.
 * Both ends are the same binary (a role is a re-exec of itself); the magic
 * catches a binary that was replaced between the two.
 */
#include "base/addr.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define PLAN_MAGIC	   0x6e737037u
#define PLAN_HOPS	   8  /* longest chain */
#define PLAN_ADDRS	   8  /* addresses kept of a proxy's name */
#define PLAN_EXPOSE	   32 /* -e */
#define PLAN_PUBLISH	   32 /* -p */
#define PLAN_SERVERS	   4  /* -d */
#define PLAN_ONLY	   16 /* --only */
#define PLAN_ALIASES	   32 /* plain servers of NAMES_PROGRAM */

/* The sandbox's own addresses. Both lie in ranges set aside for benchmarks
 * (RFC 2544 and RFC 5180), the same that leases come from; leases start
 * behind the first 256. */
#define SANDBOX_IP4	   "198.18.0.1"
#define GATEWAY_IP4	   "198.18.0.2"
#define SANDBOX_IP6	   "2001:2::1"
#define GATEWAY_IP6	   "2001:2::2"
#define GATEWAY_PORT	   1080

/* NAMES_PROGRAM: where the program listens inside, and from which port of the
 * gateway on its plain servers have their aliases. */
#define DNSPROXY_PORT	   5399
#define DNSPROXY_PORT_TEXT "5399"
#define ALIAS_PORT	   5300

enum hop_kind {
	HOP_SOCKS5,
	HOP_SOCKS4A,
	HOP_HTTP,
	HOP_HTTPS,
	HOP_DIRECT, /* last or only hop: no proxy, connect from the host */
	HOP_BLOCK,  /* only hop: refuse everything */
	HOP_KINDS
};

/**
 * struct hop - one proxy of a chain
 * @kind:        Protocol
 * @host:        Name or IP literal as written (no brackets); empty for a path
 * @port:        1..65535; 0 with @path, HOP_DIRECT and HOP_BLOCK
 * @path:        Unix socket instead of host and port; else empty
 * @user, @pass: Credentials; @has_auth tells empty from absent
 * @insecure:    HOP_HTTPS: do not check the certificate
 * @no_udp:      HOP_SOCKS5: do not ask it for UDP
 * @eager:       HOP_SOCKS5: send the request with what comes before it
 * @fresh:       Keep no connection ready for the next dial
 * @forward:     HOP_HTTP and HOP_HTTPS, last hop: names at port 80 are not
 * asked for by CONNECT, requests are sent to the proxy as they come
 * @dev:         HOP_DIRECT: bind outer sockets to this interface; else empty
 * @dial_s:      Seconds a whole dial may take, if this hop has its say; 0 =
 *               the default (DIAL_MS)
 * @addr:        First hop: addresses of @host, resolved on the host before
 *               the start, with @port; other hops: none
 * @addr_count:  Of @addr
 * @label:       "socks5 10.0.0.1:1080", for messages; no secrets
 */
struct hop {
	enum hop_kind kind;
	char host[NAME_MAX_LEN + 1];
	uint16_t port;
	char path[108];
	bool has_auth;
	char user[256];
	char pass[256];
	bool insecure;
	bool no_udp;
	bool eager;
	bool fresh;
	bool forward;
	char dev[IFNAMSIZ];
	uint32_t dial_s;
	struct addr addr[PLAN_ADDRS];
	unsigned int addr_count;
	char label[NAME_MAX_LEN + 32];
};

enum names_mode {
	NAMES_FAKE,    /* a name gets a lease, the proxy gets the name */
	NAMES_FORWARD, /* real answers from @server, through the way out */
	NAMES_OFF,     /* port 53 is ordinary traffic */
	NAMES_RESOLVE, /* real answers from the last proxy: Tor's RESOLVE */
	NAMES_PROGRAM, /* whatever a program inside answers: dnsproxy */
};

/**
 * enum plan_engine - who turns packets into connections
 * @ENGINE_NONE:  The worker, by the gate
 * @ENGINE_FD:    Another program, in a network namespace of its own, which has
 *                the TUN's fd
 * @ENGINE_NAME:  Another program, inside, which opens the TUN by its name
 */
enum plan_engine {
	ENGINE_NONE,
	ENGINE_FD,
	ENGINE_NAME,
};

/* Where the worker's front listens for an engine, and the MTU of the TUN. In
 * the sandbox itself the front stands aside of the programs' 127.0.0.1. */
#define ENGINE_FRONT	  "127.0.0.1"
#define ENGINE_FRONT_NAME "127.198.18.2"
#define ENGINE_FRONT_PORT 1080
#define ENGINE_PORT_NAME  61080
#define ENGINE_MTU	  16384
/* Under this number its program finds the TUN. */
#define ENGINE_TUN_FD	  4

/** struct plan_server - an upstream of NAMES_FORWARD; @is_here: it stands on
 * the host's loopback and is asked there, whatever the way out is bound to */
struct plan_server {
	bool is_tcp;
	struct addr addr;
	bool is_here;
};

/**
 * struct plan_expose - a host address reachable at the same address inside
 * @addr:  IP and port on the host (TCP and UDP)
 * @name:  When it was written as a name: answers with @addr inside; or empty
 */
struct plan_expose {
	struct addr addr;
	char name[NAME_MAX_LEN + 1];
};

/** struct plan_publish - a host port that leads to a port inside */
struct plan_publish {
	struct addr host;
	uint16_t inner_port;
};

/**
 * struct plan_serve - for `nsproxy serve` and the embedded proxy
 * @socks, @http:  Which protocols the listener speaks
 * @user, @pass:   Demanded from clients when @has_auth
 */
struct plan_serve {
	bool socks;
	bool http;
	bool has_auth;
	char user[256];
	char pass[256];
};

/**
 * struct plan_only - names that may leave
 * @name:   A domain in lower case, without the last dot
 * @below:  Names below it alone; else itself as well
 */
struct plan_only {
	char name[NAME_MAX_LEN + 1];
	bool below;
};

/**
 * struct plan - everything a worker is told before it is locked down
 * @alias:  GATEWAY_IP4 at ALIAS_PORT and on leads to these by the way out;
 *          @alias_count of them
 * struct plan - everything a worker is told before it is locked down
 * @device:  The network inside is this interface and nothing of ours; @server
 *           are then for resolv.conf alone. Empty: as ever
 */
struct plan {
	uint32_t magic;
	uint32_t size;
	char device[IFNAMSIZ];
	struct hop hop[PLAN_HOPS];
	unsigned int hop_count;
	enum names_mode names;
	struct plan_server server[PLAN_SERVERS];
	unsigned int server_count;
	struct addr alias[PLAN_ALIASES];
	unsigned int alias_count;
	bool want_v4;
	bool want_v6;
	struct plan_expose expose[PLAN_EXPOSE];
	unsigned int expose_count;
	struct plan_publish publish[PLAN_PUBLISH];
	unsigned int publish_count;
	struct plan_only only[PLAN_ONLY];
	unsigned int only_count; /* 0: all names, and addresses as well */
	struct plan_serve serve;
	enum plan_engine engine;
	uint32_t engine_uid; /* ENGINE_NAME: whose the TUN is */
	int log_level;
	unsigned int flow_max; /* 0: as many as the fd limit carries */
};

/* What an fd that comes with a plan is for. */
enum plan_fd_kind {
	PLAN_FD_TUN,	    /* nsp0, non-blocking, IFF_NO_PI, no vnet header */
	PLAN_FD_GATE,	    /* TCP listener for given-back SYNs (v4 or v6) */
	PLAN_FD_NAMES_UDP,  /* port 53 inside, IP_PKTINFO or its v6 kin set */
	PLAN_FD_NAMES_TCP,  /* port 53 inside, listening */
	PLAN_FD_EXPOSE,	    /* inside, listening on [::1]: @index in .expose */
	PLAN_FD_EXPOSE_UDP, /* inside, UDP, bound to [::1]: the same */
	PLAN_FD_PUBLISH,    /* on the host, listening: @index in .publish */
	PLAN_FD_MINT,	    /* SOCK_SEQPACKET to the keeper; its end is ours */
	PLAN_FD_SERVE,	    /* on the host, listening: `nsproxy serve` */
	PLAN_FD_RESOLVE,    /* SOCK_SEQPACKET to resolver processes */
	PLAN_FD_LOG,	    /* SOCK_SEQPACKET: standard error of the worker */
	PLAN_FD_LEASES,	   /* memfd: what former workers have lent, see names */
	PLAN_FD_PROGRAM,   /* UDP, inside, connected: to NAMES_PROGRAM's */
	PLAN_FD_FRONT,	   /* listening where the engine is: SOCKS5 for it */
	PLAN_FD_FRONT_UDP, /* UDP there, IP_PKTINFO set: its associations */
	/* Not for the worker: */
	PLAN_FD_ENGINE_TUN, /* as PLAN_FD_TUN; ENGINE_FD */
	PLAN_FD_ENGINE_NET, /* network namespace of the engine; ENGINE_FD */
	PLAN_FD_BOX_NET,    /* of a one-shot with jobs: its network ... */
	PLAN_FD_BOX_MNT,    /* ... mount ... */
	PLAN_FD_BOX_USER,   /* ... and user namespace */
	PLAN_FD_KINDS
};

/** struct plan_fd - tag of one fd; they travel beside the plan, in order */
struct plan_fd {
	enum plan_fd_kind kind;
	unsigned int index;
	int fd; /* meaningless on the wire; the receiver writes its own */
};

/* 15 fixed ones, an exposed (TCP and UDP) and a published list, some room. */
#define PLAN_FDS (16 + 2 * PLAN_EXPOSE + PLAN_PUBLISH)

/** plan_fd_is_outside() - Is it kept from the worker? */
static inline bool plan_fd_is_outside(const struct plan_fd *f)
{
	return f->kind >= PLAN_FD_ENGINE_TUN;
}

/** hop_can_name() - Does this kind of hop take host names? */
static inline bool hop_can_name(const struct hop *h)
{
	return h->kind != HOP_DIRECT && h->kind != HOP_BLOCK;
}

#define PLAN_NAMESERVERS (PLAN_SERVERS * ADDR_TEXT)

/**
 * plan_nameservers() - What resolv.conf inside shall name
 * @p:    Plan
 * @ret:  Room for addresses with blanks between them
 *
 * Return: @ret; NULL if that file shall stay as the host has it
 */
const char *plan_nameservers(const struct plan *p,
			     char ret[static PLAN_NAMESERVERS]);

/** plan_last() - The hop that reaches the far end */
static inline const struct hop *plan_last(const struct plan *p)
{
	return &p->hop[p->hop_count - 1];
}

/**
 * plan_send() - Hand a plan and its fds to a worker
 * @chan:   SOCK_SEQPACKET socket, blocking
 * @p:      Plan; magic and size are filled in on the way
 * @fds:    Tags with open fds; stay the caller's
 * @count:  At most PLAN_FDS
 *
 * Return: 0 or -errno
 */
int plan_send(int chan, const struct plan *p, const struct plan_fd *fds,
	      unsigned int count);

/**
 * plan_recv() - Take a plan and its fds
 * @chan:       SOCK_SEQPACKET socket, blocking
 * @p:          Result
 * @fds:        Room for PLAN_FDS; the fds become the caller's (CLOEXEC)
 * @ret_count:  How many came
 *
 * Return: 0; -EPROTO if it is no plan of this very binary; -EPIPE at the end;
 * or -errno. Nothing is left open on failure.
 */
int plan_recv(int chan, struct plan *p, struct plan_fd *fds,
	      unsigned int *ret_count);
