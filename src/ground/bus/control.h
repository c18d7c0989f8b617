/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * control.h - the caller's side of the control protocol
 */
#include "base/fault.h"
#include "bus/frame.h"
#include "bus/varlink.h"

/** CONTROL_INTERFACE - prefix of our methods and errors */
#define CONTROL_INTERFACE "org.nsproxy"

/** CONTROL_FDS - fds that may go with a call */
#define CONTROL_FDS	  2

/**
 * struct control - a connection to a daemon
 * @is_system:  Root listens there, for all
 * @give:       Go with the next call, @give_count of them; taken then
 */
struct control {
	bool is_system;
	int fd;
	int give[CONTROL_FDS];
	unsigned int give_count;
	struct frame_in in;
};

/**
 * control_open() - Connect to a daemon
 * @path:       Its socket
 * @is_system:  Root's daemon is meant, else the caller's
 * @c:          Result; control_close() takes it
 * @f:          Why not: -ENOENT or -ECONNREFUSED when no daemon runs
 *
 * Another user's daemon, or one that lives in another network namespace, is
 * refused; so is the caller's own where root's is meant.
 *
 * Return: 0 or -errno
 */
int control_open(const char *path, bool is_system, struct control *c,
		 struct fault *f);
void control_close(struct control *c);

/**
 * control_call() - Ask, and wait for the reply
 * @c:           Connection
 * @method:      Without the interface's name, which is CONTROL_INTERFACE; or
 *               a whole name with dots
 * @parameters:  Object, taken over; NULL for none
 * @wait_ms:     Patience
 * @ret:         Reply, whose error is empty or not
 * @f:           Why there is none
 *
 * Fds that come with it are in @c->in.
 *
 * Return: 0 or -errno
 */
int control_call(struct control *c, const char *method, json_t *parameters,
		 int wait_ms, struct varlink_reply *ret, struct fault *f);

/**
 * control_follow() - Ask for what has several replies; control_next() has them
 * @c:           Connection
 * @method:      As for control_call()
 * @parameters:  Object, taken over; NULL for none
 * @f:           Why not
 *
 * Return: 0 or -errno
 */
int control_follow(struct control *c, const char *method, json_t *parameters,
		   struct fault *f);

/**
 * control_next() - Take one reply, if there is a whole one
 * @c:    Connection
 * @ret:  Reply, whose error is empty or not
 * @f:    Why there is none: -EAGAIN, and @c->fd is to be waited for; -EPIPE
 *        when the daemon hung up
 *
 * Return: 0 or -errno
 */
int control_next(struct control *c, struct varlink_reply *ret, struct fault *f);
