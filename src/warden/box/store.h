/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * store.h - what a named sandbox's keeper says to those outside
 *
 * The keeper of a sandbox that stands by itself holds everything that must
 * outlive its worker and its daemon, and gives copies of it to whoever may
 * open its socket. SOCK_SEQPACKET, both ends the same binary.
 */
#include "base/fault.h"
#include "bus/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_MAGIC 0x6e737333u
#define STORE_NAME  32 /* a sandbox's name with its NUL */

enum store_kind {
	STORE_BUILD,  /* to the keeper, first of all: @name; enum store_task */
	STORE_FAILED, /* from it: @fault; it is gone */
	STORE_GIVE,   /* to it: what have you got? */
	STORE_GIVEN,  /* from it: this, with fds */
	STORE_SWITCH, /* to it: another plan and terms, and @worker's pidfd if
			 there is a new one */
	STORE_KEEP,   /* to it: pidfds of @worker and @minder, if new; begin to
		       * stand */
};

/* What comes with STORE_BUILD, in this order; then one for each tag. */
enum store_task {
	STORE_TASK_LISTENER,
	STORE_TASK_PLAN,  /* sealed, see bus/plan_file.h */
	STORE_TASK_TERMS, /* sealed, see box/terms.h */
	STORE_TASK_JOBS,  /* sealed, see box/job.h */
	STORE_TASK_BOARD, /* see box/board.h */
	STORE_TASK_TAGS,
};

/* What comes with STORE_GIVEN, in this order; then one for each tag. */
enum store_fd {
	STORE_FD_KEEPER, /* its pidfd */
	STORE_FD_NET,	 /* namespaces ... */
	STORE_FD_MNT,
	STORE_FD_PID,
	STORE_FD_USER,
	STORE_FD_PLAN,	 /* sealed, see bus/plan_file.h */
	STORE_FD_TERMS,	 /* sealed, see box/terms.h */
	STORE_FD_JOBS,	 /* sealed, see box/job.h */
	STORE_FD_BOARD,	 /* see box/board.h */
	STORE_FD_LEADER, /* as STORE_FD_WORKER */
	STORE_FD_MINDER, /* as STORE_FD_WORKER */
	STORE_FD_LOG,	 /* what its processes say is read here */
	STORE_FD_WORKER, /* its pidfd, or the keeper's again if @worker is 0 */
	STORE_FD_TAGS,
};

#define STORE_FDS (STORE_FD_TAGS + PLAN_FDS)

/**
 * struct store_word - a message
 * @magic, @size:  Of this very binary
 * @since_s:       When it was built, seconds since 1970
 * @keeper:        Its pid
 * @worker, @minder:  Pids of the last ones; 0 for none. STORE_KEEP: new ones
 * @is_root:       STORE_FD_USER is not the sandbox's own
 * @is_attached:   The network namespace is another's. STORE_BUILD: it comes
 *                 last but for @leader
 * @leader:        With whose end an attached one ends; 0 for nobody.
 *                 STORE_BUILD: its pidfd comes last
 * @is_blind:      STORE_BUILD: there are many; make no inotify instance
 * @netns:         Inode of its network namespace
 * @tag:           What the worker gets; @tag_count of them. STORE_BUILD: the
 *                 published listeners
 */
struct store_word {
	uint32_t magic;
	uint32_t size;
	enum store_kind kind;
	char name[STORE_NAME];
	int64_t since_s;
	pid_t keeper;
	pid_t worker;
	pid_t minder;
	bool is_root;
	bool is_attached;
	pid_t leader;
	bool is_blind;
	uint64_t netns;
	struct plan_fd tag[PLAN_FDS];
	unsigned int tag_count;
	struct fault fault;
};

/** store_name_ok() - May a sandbox be called so? Letters, digits and _ . - ; no
 * dot or dash first; at most STORE_NAME - 1 */
bool store_name_ok(const char *name);

/**
 * store_send() - Say something
 * @chan:   Connection or channel
 * @w:      Message; magic and size are filled in on the way
 * @fds:    Stay the caller's
 * @count:  At most STORE_FDS
 *
 * Return: 0 or -errno
 */
int store_send(int chan, const struct store_word *w, const int *fds,
	       unsigned int count);

/**
 * store_recv() - Hear something
 * @chan:       Connection or channel
 * @w:          Result
 * @fds:        Room for STORE_FDS; the caller's
 * @ret_count:  How many came
 *
 * Return: 0; -EPIPE at the end; -EPROTO for what this binary does not
 * understand; or -errno. Nothing is left open on failure.
 */
int store_recv(int chan, struct store_word *w, int *fds,
	       unsigned int *ret_count);

/**
 * store_listen() - Make the socket of a keeper
 * @path:    Where; what a dead keeper left there is replaced
 * @ret_fd:  Listening, owned by the caller
 * @f:       Why not
 *
 * Return: 0 or -errno
 */
int store_listen(const char *path, int *ret_fd, struct fault *f);

/**
 * store_open() - Call a keeper
 * @path:    Its socket
 * @ret_fd:  Connection, which waits no longer than some seconds
 * @f:       Why not: -ECONNREFUSED or -ENOENT when it is dead, -EPERM when what
 *           listens there was made inside a sandbox
 *
 * Return: 0 or -errno
 */
int store_open(const char *path, int *ret_fd, struct fault *f);

/**
 * store_ask() - Ask a keeper for all it has
 * @chan:       Connection
 * @ret:        Answer; its fds are open in the order of enum store_fd
 * @fds:        Room for STORE_FDS; the caller's
 * @ret_count:  How many came: STORE_FD_TAGS and @ret->tag_count
 * @f:          Why not
 *
 * Return: 0 or -errno
 */
int store_ask(int chan, struct store_word *ret, int *fds,
	      unsigned int *ret_count, struct fault *f);
