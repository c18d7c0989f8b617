/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * callers.h - connections to the control socket
 */
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "box/store.h"
#include "bus/frame.h"
#include "bus/peer.h"
#include "bus/varlink.h"

#define CALLERS_MAX	    256
#define CALLERS_MAX_PER_UID 32

/* What a caller waits for. */
enum caller_wait {
	CALLER_FREE, /* nothing: it may ask */
	CALLER_UP,
	CALLER_EXEC,
	CALLER_DOWN,
	CALLER_SWITCH,
	CALLER_RELOAD,
	CALLER_STOP,
	CALLER_FOLLOW, /* lines of the journal, as they come */
};

/* What its deadline is for. */
enum caller_patience {
	CALLER_NEW,	/* no deadline has begun */
	CALLER_IDLE,	/* nothing is asked */
	CALLER_HEARING, /* a message has begun */
	CALLER_SENDING, /* an answer is not taken */
	CALLER_WAITING,
};

/**
 * struct caller - one connection
 * @groups:  Of @who, @group_count of them; none when they could not be had
 * @wait:    With @name: which sandbox
 * @oneway:  The call in hand wants no reply
 * @more:    It takes several
 * @seen:    CALLER_FOLLOW: .seq of the last line sent
 * @since:   The last there was when it began
 * @until:   The last one that is wanted
 * @next:    The last reply, when it has to wait for @out
 */
struct caller {
	struct list node;
	struct callers *all;
	struct peer who;
	gid_t *groups;
	size_t group_count;
	int fd;
	struct watch watch;
	struct timer timer;
	enum caller_patience patience;
	struct task again;
	struct frame_in in;
	struct frame_out out;
	struct frame_out next;
	enum caller_wait wait;
	char name[STORE_NAME];
	uint64_t seen;
	uint64_t since;
	uint64_t until;
	bool oneway;
	bool more;
	bool is_over;
};

/**
 * struct callers - all of them
 * @serve:  One call has come; it answers at once, or sets @c->wait and answers
 *          later
 * @fed:    A caller that follows has taken what it was sent
 */
struct callers {
	struct loop *loop;
	int listener;
	struct watch watch;
	struct timer rest;
	struct log_gate refused;
	struct list list;
	unsigned int count;
	void (*serve)(void *ctx, struct caller *c,
		      const struct varlink_call *call);
	void (*fed)(void *ctx, struct caller *c);
	void *ctx;
};

/**
 * callers_start() - Listen
 * @a:     .loop, .serve, .fed and .ctx are set; .listener is -1, or one that
 * was made by others, taken over, and then @path is only for words
 * @path:  Where; what is there is replaced, since the lock is ours
 * @mode:  Of the socket
 * @f:     Why not
 *
 * Return: 0 or -errno
 */
int callers_start(struct callers *a, const char *path, unsigned int mode,
		  struct fault *f);

/** callers_stop() - Hang up on all */
void callers_stop(struct callers *a);

/**
 * caller_reply() - Answer the call in hand; the caller may ask again
 * @c:           Caller
 * @error:       Name of an error, or NULL
 * @parameters:  Object, taken over; may be NULL
 * @fds:         To go with it, taken over
 * @count:       Of @fds
 */
void caller_reply(struct caller *c, const char *error, json_t *parameters,
		  const int *fds, unsigned int count);

/** caller_take_fd() - The first fd that came with the call in hand and has not
 * been taken, now the asker's; or -1 */
int caller_take_fd(struct caller *c);

/**
 * caller_part() - Send one of several replies; it goes on waiting
 * @c:           Caller whose call takes more, with nothing in @c->out
 * @parameters:  Object, taken over
 */
void caller_part(struct caller *c, json_t *parameters);

/** caller_fail() - Answer with org.nsproxy.Failed, or NoSuchProfile for -ENOKEY
 */
void caller_fail(struct caller *c, const struct fault *f);
