// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * requests.c - what may be asked of a daemon, and by whom
 *
 * One table. Names, flags and nothing else come from the asker; the rest is
 * the configuration's. doc/org.nsproxy.varlink describes the same for people
 * and tools.
 */
#include "daemon/requests_own.h"

#include "base/log.h"
#include "bus/control.h"
#include "org_nsproxy_varlink.h"

#include <errno.h>
#include <string.h>

#define SERVICE "org.varlink.service"

/** requests_bad_name() - Answer that nothing can be called so */
static void requests_bad_name(struct caller *c)
{
	struct fault f = { 0 };

	(void)fault_plain(&f, -EINVAL, "no sandbox can be called so");
	(void)fault_hint(&f,
			 "letters, digits and _ . - only, at most %d of "
			 "them",
			 STORE_NAME - 1);
	caller_fail(c, &f);
}

void request_collect(struct requests *r, struct caller *c, struct sandbox *s,
		     const json_t *p)
{
	const bool is_dry = json_is_true(json_object_get(p, "dry_run"));

	(void)s;
	caller_reply(
		c, NULL,
		json_pack("{s:o}", "removed", fleet_collect(r->fleet, is_dry)),
		NULL, 0);
}

void requests_end(struct requests *r)
{
	struct list *at;
	struct list *next;

	list_each_safe (at, next, &r->callers->list) {
		struct caller *c = container_of(at, struct caller, node);

		if (c->wait == CALLER_STOP)
			caller_reply(c, NULL, NULL, NULL, 0);
	}
	loop_stop(r->loop);
}

void request_stop(struct requests *r, struct caller *c, struct sandbox *s,
		  const json_t *p)
{
	struct list *at;
	struct list *next;

	(void)s;
	c->wait = CALLER_STOP;
	if (json_is_true(json_object_get(p, "keep"))) {
		requests_end(r);
		return;
	}
	r->is_stopping = true;
	list_each_safe (at, next, &r->fleet->all)
		sandbox_down(container_of(at, struct sandbox, node));
	if (fleet_is_down(r->fleet))
		requests_end(r);
}

static void request_info(struct requests *r, struct caller *c,
			 struct sandbox *s, const json_t *p)
{
	(void)s;
	(void)r;
	(void)p;
	caller_reply(c, NULL,
		     json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor",
			       "nsproxy", "product", "nsproxy", "version",
			       NSPROXY_VERSION, "url", "", "interfaces",
			       SERVICE, CONTROL_INTERFACE),
		     NULL, 0);
}

static void request_describe(struct requests *r, struct caller *c,
			     struct sandbox *s, const json_t *p)
{
	const char *which = varlink_get_string(p, "interface");

	(void)r;
	(void)s;
	if (!strcmp(which, CONTROL_INTERFACE))
		caller_reply(
			c, NULL,
			json_pack("{s:s}", "description", org_nsproxy_varlink),
			NULL, 0);
	else
		caller_reply(c, SERVICE ".InterfaceNotFound",
			     json_pack("{s:s}", "interface", which), NULL, 0);
}

enum param_type {
	PARAM_NONE,
	PARAM_NAME, /* of a sandbox or a profile */
	PARAM_TEXT,
	PARAM_FLAG,
	PARAM_COUNT, /* 0 or more */
};

#define PARAMS_MAX 3

/**
 * requests - who may ask what
 * @right:  What the caller must have; to the sandbox called "name" if there is
 *          one, else in general
 * @wants_box:  The sandbox must be there
 * @param:  All that may be given
 */
static const struct request {
	const char *method;
	enum right right;
	bool wants_box;
	struct request_param {
		const char *key;
		enum param_type type;
		bool is_needed;
	} param[PARAMS_MAX];
	request_fn *fn;
} requests[] = {
	{ CONTROL_INTERFACE ".Up",
	  RIGHT_OWN,
	  false,
	  { { "name", PARAM_NAME, true }, { "profile", PARAM_NAME, false } },
	  request_up },
	{ CONTROL_INTERFACE ".Down",
	  RIGHT_OWN,
	  true,
	  { { "name", PARAM_NAME, true } },
	  request_down },
	{ CONTROL_INTERFACE ".Switch",
	  RIGHT_OWN,
	  true,
	  { { "name", PARAM_NAME, true },
	    { "profile", PARAM_NAME, true },
	    { "close", PARAM_FLAG, false } },
	  request_switch },
	{ CONTROL_INTERFACE ".Reload",
	  RIGHT_MANAGE,
	  false,
	  {},
	  request_reload },
	{ CONTROL_INTERFACE ".Attach",
	  RIGHT_MANAGE,
	  false,
	  { { "name", PARAM_NAME, true }, { "profile", PARAM_NAME, false } },
	  request_attach },
	{ CONTROL_INTERFACE ".List", RIGHT_NONE, false, {}, request_list },
	{ CONTROL_INTERFACE ".Status",
	  RIGHT_ENTER,
	  true,
	  { { "name", PARAM_NAME, true } },
	  request_status },
	{ CONTROL_INTERFACE ".Exec",
	  RIGHT_ENTER,
	  true,
	  { { "name", PARAM_NAME, true } },
	  request_exec },
	{ CONTROL_INTERFACE ".Collect",
	  RIGHT_MANAGE,
	  false,
	  { { "dry_run", PARAM_FLAG, false } },
	  request_collect },
	{ CONTROL_INTERFACE ".Stop",
	  RIGHT_MANAGE,
	  false,
	  { { "keep", PARAM_FLAG, false } },
	  request_stop },
	{ CONTROL_INTERFACE ".Logs",
	  RIGHT_OWN,
	  false,
	  { { "name", PARAM_NAME, false },
	    { "lines", PARAM_COUNT, false },
	    { "follow", PARAM_FLAG, false } },
	  request_logs },
	{ SERVICE ".GetInfo", RIGHT_NONE, false, {}, request_info },
	{ SERVICE ".GetInterfaceDescription",
	  RIGHT_NONE,
	  false,
	  { { "interface", PARAM_TEXT, true } },
	  request_describe },
};

static const struct request_param *request_param(const struct request *q,
						 const char *key)
{
	for (size_t i = 0; i < PARAMS_MAX && q->param[i].key; i++)
		if (!strcmp(q->param[i].key, key))
			return &q->param[i];
	return NULL;
}

static bool param_is_sound(const struct request_param *p, const json_t *value)
{
	if (p->type == PARAM_COUNT)
		return json_is_integer(value) && json_integer_value(value) >= 0;
	return p->type == PARAM_FLAG ? json_is_boolean(value)
				     : json_is_string(value);
}

/** request_odd() - The parameter that does not belong, or is missing; or NULL
 */
static const char *request_odd(const struct request *q, json_t *p)
{
	void *at;

	for (at = json_object_iter(p); at; at = json_object_iter_next(p, at)) {
		const char *key = json_object_iter_key(at);
		const struct request_param *want = request_param(q, key);

		if (!want || !param_is_sound(want, json_object_iter_value(at)))
			return key;
	}
	for (size_t i = 0; i < PARAMS_MAX && q->param[i].key; i++)
		if (q->param[i].is_needed &&
		    varlink_get_string(p, q->param[i].key)[0] == '\0')
			return q->param[i].key;
	return NULL;
}

/** request_names_ok() - Can everything that is named be called so? */
static bool request_names_ok(const struct request *q, const json_t *p)
{
	for (size_t i = 0; i < PARAMS_MAX && q->param[i].key; i++) {
		const char *text = varlink_get_string(p, q->param[i].key);

		if (q->param[i].type == PARAM_NAME && text[0] != '\0' &&
		    !store_name_ok(text))
			return false;
	}
	return true;
}

void requests_denied(const struct requests *r, struct caller *c)
{
	caller_reply(c, CONTROL_INTERFACE ".Denied",
		     json_pack("{s:s}", "message",
			       r->access.is_system
				       ? "only root, group '" ACCESS_GROUP
					 "', the sandbox's owner and, to enter "
					 "it, its profile's users may do that"
				       : "this is another user's daemon"),
		     NULL, 0);
}

/** requests_is_unknown() - Is it not known who may enter? Nobody can, then: it
 * is waited for, or told that it is not up */
static bool requests_is_unknown(const struct request *q,
				const struct sandbox *s)
{
	return q->fn == request_exec && s && !sandbox_has_keeper(s);
}

static void requests_do(struct requests *r, struct caller *c,
			const struct request *q, json_t *p)
{
	const char *odd = request_odd(q, p);
	const char *name = varlink_get_string(p, "name");
	struct sandbox *s;

	if (odd) {
		caller_reply(c, SERVICE ".InvalidParameter",
			     json_pack("{s:s}", "parameter", odd), NULL, 0);
		return;
	}
	if (!request_names_ok(q, p)) {
		requests_bad_name(c);
		return;
	}
	s = fleet_find(r->fleet, name);
	if (q->wants_box && !s)
		caller_reply(c, CONTROL_INTERFACE ".NoSuchSandbox",
			     json_pack("{s:s}", "name", name), NULL, 0);
	else if (!access_may(&r->access, c, q->right, s) &&
		 !requests_is_unknown(q, s))
		requests_denied(r, c);
	else
		q->fn(r, c, s, p);
}

void requests_serve(void *ctx, struct caller *c,
		    const struct varlink_call *call)
{
	struct requests *r = ctx;

	log_debug("uid %u, pid %d: %s", c->who.uid, c->who.pid, call->method);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(requests[i].method, call->method)) {
			requests_do(r, c, &requests[i], call->parameters);
			return;
		}
	caller_reply(c, SERVICE ".MethodNotFound",
		     json_pack("{s:s}", "method", call->method), NULL, 0);
}

/** requests_unwritten() - It was switched, and that did not get onto the disk
 */
static void requests_unwritten(struct caller *c, const struct fault *f)
{
	struct fault told = *f;

	(void)fault_hint(&told, "it was switched all the same; built anew "
				"after a restart, it has the old profile");
	caller_fail(c, &told);
}

/** requests_answer() - Does what a caller waits for hold now, or never? */
static void requests_answer(const struct requests *r, struct caller *c,
			    struct sandbox *s, const struct fault *f)
{
	const bool is_building =
		s->state == SANDBOX_BUILDING || s->state == SANDBOX_ADOPTING ||
		s->state == SANDBOX_HATCHING || s->state == SANDBOX_SWITCHING;

	if (c->wait == CALLER_FOLLOW) {
		if (!fleet_find(r->fleet, s->name))
			requests_last_lines(r, c);
		return;
	}
	if (c->wait == CALLER_DOWN) {
		if (s->state == SANDBOX_DOWN && f)
			caller_fail(c, f);
		else if (s->state == SANDBOX_DOWN)
			caller_reply(c, NULL, NULL, NULL, 0);
		return;
	}
	if (is_building)
		return;
	if (c->wait == CALLER_SWITCH && s->switched < 0)
		caller_fail(c, &s->trouble);
	else if (s->state == SANDBOX_UP && c->wait == CALLER_SWITCH && f)
		requests_unwritten(c, f);
	else if (s->state == SANDBOX_UP && c->wait == CALLER_SWITCH)
		requests_reply_sandbox(c, s);
	else if (s->state == SANDBOX_UP && c->wait == CALLER_UP)
		requests_reply_sandbox(c, s);
	else if (s->state == SANDBOX_UP &&
		 access_may(&r->access, c, RIGHT_ENTER, s))
		requests_give(c, s);
	else if (s->state == SANDBOX_UP)
		requests_denied(r, c);
	else if (c->wait == CALLER_UP && s->trouble.code < 0)
		caller_fail(c, &s->trouble);
	else
		requests_not_running(c, s);
}

void requests_told(void *ctx, struct sandbox *s, const struct fault *f)
{
	struct requests *r = ctx;
	struct list *at;
	struct list *next;

	list_each_safe (at, next, &r->callers->list) {
		struct caller *c = container_of(at, struct caller, node);

		if (c->wait != CALLER_FREE && c->wait != CALLER_STOP &&
		    c->wait != CALLER_RELOAD && !strcmp(c->name, s->name))
			requests_answer(r, c, s, f);
	}
	if (r->reload)
		requests_settled(r, s);
	if (r->is_stopping && fleet_is_down(r->fleet))
		requests_end(r);
}
