/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * call.h - ask the daemon, and say what went wrong
 */
#include "bus/control.h"
#include "verb.h"

/* Building a sandbox may have to wait for a name server. */
#define CALL_PATIENCE_MS 90000

/* Whose daemon is meant. */
enum call_whose {
	CALL_ANY, /* the caller's own, or root's where that does not run */
	CALL_OWN,
	CALL_SYSTEM,
};

/** call_choose() - Say whose daemon all later calls mean; CALL_ANY at first */
void call_choose(enum call_whose whose);

/** call_chosen() - Return: what call_choose() was told */
enum call_whose call_chosen(void);

/**
 * call_open_system() - Connect to root's daemon if it runs, whatever was chosen
 * @c:  Result; control_close() takes it
 *
 * Return: whether it runs and is not the one that call_open() takes
 */
bool call_open_system(struct control *c);

/**
 * call_open() - Connect to the daemon that is meant: root's for root
 * @v:  Who says what goes wrong
 * @c:  Result; control_close() takes it
 *
 * Return: STATUS_DONE; or what to exit with, and it has been said
 */
int call_open(const struct verb *v, struct control *c);

/** call_open_quietly() - The chosen daemon, or nothing is said; Return: whether
 * it is there */
bool call_open_quietly(struct control *c);

/** call_is_shared() - Is this root's daemon, and the caller not root? What is
 * not listed may be others' then */
bool call_is_shared(const struct control *c);

/** call_say() - Tell an error of the daemon's; Return: what to exit with */
int call_say(const struct verb *v, const struct varlink_reply *r);

/**
 * call_ask() - Ask, and take a reply that is no error
 * @v:       Who says what goes wrong
 * @c:       Connection
 * @method:  Without the interface's name
 * @key:     The one parameter, or NULL
 * @value:   Of @key; taken over
 * @ret:     Reply, to be freed by varlink_reply_fini()
 *
 * Return: STATUS_DONE; or what to exit with, and it has been said
 */
int call_ask(const struct verb *v, struct control *c, const char *method,
	     const char *key, json_t *value, struct varlink_reply *ret);

/**
 * call_next() - Take one of several replies, that is no error, if it has come
 * @v:    Who says what goes wrong
 * @c:    Connection on which control_follow() has asked
 * @ret:  Reply, to be freed by varlink_reply_fini()
 * @f:    Why there is none, if it is not said: -EAGAIN for not yet, or -EPIPE
 *        when the daemon hung up
 *
 * Return: STATUS_DONE; or what to exit with, and it has been said unless @f has
 * a code
 */
int call_next(const struct verb *v, struct control *c,
	      struct varlink_reply *ret, struct fault *f);

/** call_is_there() - Does the caller's daemon answer? */
bool call_is_there(void);

/** call_once() - call_open(), call_ask() and control_close() */
int call_once(const struct verb *v, const char *method, const char *key,
	      json_t *value, struct varlink_reply *ret);
