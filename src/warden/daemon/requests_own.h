/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * requests_own.h - what the requests' handlers share; for requests*.c alone
 */
#include "daemon/requests.h"

/**
 * request_fn - do what is asked
 * @s:  The sandbox that is named, if the request wants one to be there
 * @p:  Parameters, of the types that the table tells
 *
 * It answers, or notes in @c what the caller waits for.
 */
typedef void request_fn(struct requests *r, struct caller *c, struct sandbox *s,
			const json_t *p);

request_fn request_up;
request_fn request_down;
request_fn request_attach;
request_fn request_list;
request_fn request_status;
request_fn request_exec;
request_fn request_collect;
request_fn request_switch;
request_fn request_reload;
request_fn request_stop;
request_fn request_logs;

/** requests_wait() - The caller hears when the sandbox is so far */
void requests_wait(struct caller *c, enum caller_wait wait, const char *name);

/** requests_reply_sandbox() - Answer with how a sandbox is */
void requests_reply_sandbox(struct caller *c, const struct sandbox *s);

/** requests_give() - Answer with a sandbox's namespaces, to enter them */
void requests_give(struct caller *c, const struct sandbox *s);

/** requests_not_running() - Answer that a sandbox is there and not up */
void requests_not_running(struct caller *c, const struct sandbox *s);

/** requests_busy() - Answer that it cannot be now */
void requests_busy(struct caller *c, const char *message);

/** requests_denied() - Answer that it may not be */
void requests_denied(const struct requests *r, struct caller *c);

/** requests_last_lines() - The sandbox that a caller follows is no more: send
 * the rest, and the end */
void requests_last_lines(const struct requests *r, struct caller *c);

/** requests_settled() - A sandbox is what it will be for now: what has that to
 * do with a reload? */
void requests_settled(struct requests *r, struct sandbox *s);

/** requests_end() - All is down: tell those who wait, and leave */
void requests_end(struct requests *r);
