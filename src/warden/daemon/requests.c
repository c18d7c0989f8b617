// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * requests.c - what may be asked of a daemon
 *
 * One table. Names, flags and nothing else come from the asker; the rest is
 * the configuration's. doc/org.nsproxy.varlink describes the same for people
 * and tools.
 */
#include "daemon/requests.h"

#include "base/fd.h"
#include "base/log.h"
#include "bus/control.h"
#include "org_nsproxy_varlink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SERVICE "org.varlink.service"

static void requests_no_name(struct caller *c, const char *name)
{
	struct fault f = { 0 };

	if (name[0] == '\0') {
		caller_reply(c, SERVICE ".InvalidParameter",
			     json_pack("{s:s}", "parameter", "name"), NULL, 0);
		return;
	}
	(void)fault_plain(&f, -EINVAL, "no sandbox can be called so");
	(void)fault_hint(&f,
			 "letters, digits and _ . - only, at most %d of "
			 "them",
			 STORE_NAME - 1);
	caller_fail(c, &f);
}

/** requests_name() - The name that is asked about; NULL: answered already */
static const char *requests_name(struct caller *c, const json_t *parameters)
{
	const char *name = varlink_get_string(parameters, "name");

	if (store_name_ok(name))
		return name;
	requests_no_name(c, name);
	return NULL;
}

/** requests_find() - The sandbox that is asked about; NULL: answered already */
static struct sandbox *requests_find(const struct requests *r, struct caller *c,
				     const json_t *parameters)
{
	const char *name = requests_name(c, parameters);
	struct sandbox *s = name ? fleet_find(r->fleet, name) : NULL;

	if (name && !s)
		caller_reply(c, CONTROL_INTERFACE ".NoSuchSandbox",
			     json_pack("{s:s}", "name", name), NULL, 0);
	return s;
}

/** requests_wait() - The caller hears when the sandbox is so far */
static void requests_wait(struct caller *c, enum caller_wait wait,
			  const char *name)
{
	c->wait = wait;
	memcpy(c->name, name, strlen(name) + 1); /* it is a sandbox's */
}

static json_t *requests_show(const struct sandbox *s)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:I, s:i, s:s}",
			 "name", s->name, "state", sandbox_state_name(s), "way",
			 s->way, "since", (json_int_t)s->since_s, "keeper",
			 (int)s->keeper.pid, "worker", (int)s->worker.pid,
			 "netns", (json_int_t)s->netns, "restarts",
			 (int)s->restarts, "trouble",
			 s->state == SANDBOX_UP ? "" : s->trouble.text);
}

static void requests_reply_sandbox(struct caller *c, const struct sandbox *s)
{
	caller_reply(c, NULL, json_pack("{s:o}", "sandbox", requests_show(s)),
		     NULL, 0);
}

static void requests_not_running(struct caller *c, const struct sandbox *s)
{
	caller_reply(c, CONTROL_INTERFACE ".NotRunning",
		     json_pack("{s:s, s:s}", "name", s->name, "state",
			       sandbox_state_name(s)),
		     NULL, 0);
}

static void requests_busy(struct caller *c, const char *message)
{
	caller_reply(c, CONTROL_INTERFACE ".Busy",
		     json_pack("{s:s}", "message", message), NULL, 0);
}

/**
 * requests_give() - The namespaces, to enter them
 *
 * Safe though the asker may be any process of the same uid on the host: it
 * could have the same from the keeper. One from inside was refused before.
 */
static void requests_give(struct caller *c, const struct sandbox *s)
{
	static const enum build_fd what[] = { BUILD_FD_NET, BUILD_FD_MNT,
					      BUILD_FD_USER };
	int fds[3];
	unsigned int count = 0;

	for (unsigned int i = 0; i < (s->is_root ? 2 : 3); i++) {
		fds[count] = fcntl(s->ns[what[i]], F_DUPFD_CLOEXEC, 0);
		if (fds[count] < 0) {
			struct fault f = { 0 };

			(void)fault(&f, -errno, "give the namespaces");
			while (count > 0)
				fd_close(&fds[--count]);
			caller_fail(c, &f);
			return;
		}
		count++;
	}
	caller_reply(c, NULL, json_pack("{s:b}", "own_user", !s->is_root), fds,
		     count);
}

static void do_up(struct requests *r, struct caller *c, const json_t *p)
{
	const char *name = requests_name(c, p);
	struct sandbox *s = name ? fleet_find(r->fleet, name) : NULL;
	struct fault f = { 0 };

	if (!name)
		return;
	if (r->is_stopping || (s && s->state == SANDBOX_ENDING))
		requests_busy(c, "it is being taken down");
	else if (s && s->state == SANDBOX_UP)
		requests_reply_sandbox(c, s);
	else if (s && s->state != SANDBOX_DOWN)
		requests_wait(c, CALLER_UP, name);
	else if (s) {
		/* Its keeper may live: ask it again. */
		requests_wait(c, CALLER_UP, name);
		sandbox_adopt(s);
	} else if (fleet_up(r->fleet, name, &s, &f) < 0)
		caller_fail(c, &f);
	else
		requests_wait(c, CALLER_UP, name);
}

static void do_down(struct requests *r, struct caller *c, const json_t *p)
{
	struct sandbox *s = requests_find(r, c, p);

	if (!s)
		return;
	if (s->state == SANDBOX_DOWN) {
		caller_fail(c, &s->trouble);
		return;
	}
	requests_wait(c, CALLER_DOWN, s->name);
	sandbox_down(s); /* and is perhaps gone */
}

static void do_list(struct requests *r, struct caller *c, const json_t *p)
{
	json_t *all = json_array();
	struct list *at;

	(void)p;
	list_each (at, &r->fleet->all)
		(void)json_array_append_new(
			all,
			requests_show(container_of(at, struct sandbox, node)));
	caller_reply(c, NULL, json_pack("{s:o}", "sandboxes", all), NULL, 0);
}

static void do_status(struct requests *r, struct caller *c, const json_t *p)
{
	const struct sandbox *s = requests_find(r, c, p);

	if (s)
		requests_reply_sandbox(c, s);
}

static void do_exec(struct requests *r, struct caller *c, const json_t *p)
{
	struct sandbox *s = requests_find(r, c, p);

	if (!s)
		return;
	switch (s->state) {
	case SANDBOX_UP:
	case SANDBOX_HATCHING:
		requests_give(c, s);
		return;
	case SANDBOX_WAITING:
		if (sandbox_has_keeper(s))
			requests_give(c, s); /* its network waits, too */
		else
			requests_not_running(c, s);
		return;
	case SANDBOX_BUILDING:
	case SANDBOX_ADOPTING:
		requests_wait(c, CALLER_EXEC, s->name);
		return;
	case SANDBOX_DOWN:
	case SANDBOX_ENDING:
	case SANDBOX_STATES:
		requests_not_running(c, s);
	}
}

static void do_collect(struct requests *r, struct caller *c, const json_t *p)
{
	const bool is_dry = json_is_true(json_object_get(p, "dry_run"));

	caller_reply(
		c, NULL,
		json_pack("{s:o}", "removed", fleet_collect(r->fleet, is_dry)),
		NULL, 0);
}

/** requests_end() - All is down: tell those who wait, and leave */
static void requests_end(struct requests *r)
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

static void do_stop(struct requests *r, struct caller *c, const json_t *p)
{
	struct list *at;
	struct list *next;

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

static void do_info(struct requests *r, struct caller *c, const json_t *p)
{
	(void)r;
	(void)p;
	caller_reply(c, NULL,
		     json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor",
			       "nsproxy", "product", "nsproxy", "version",
			       NSPROXY_VERSION, "url", "", "interfaces",
			       SERVICE, CONTROL_INTERFACE),
		     NULL, 0);
}

static void do_describe(struct requests *r, struct caller *c, const json_t *p)
{
	const char *which = varlink_get_string(p, "interface");

	(void)r;
	if (!strcmp(which, CONTROL_INTERFACE))
		caller_reply(
			c, NULL,
			json_pack("{s:s}", "description", org_nsproxy_varlink),
			NULL, 0);
	else
		caller_reply(c, SERVICE ".InterfaceNotFound",
			     json_pack("{s:s}", "interface", which), NULL, 0);
}

/**
 * requests - who may ask what
 * @key:      The one parameter it takes; NULL: none
 * @is_flag:  It is a boolean and may be left out; else a string that may not
 * @is_open:  Not only for the daemon's own uid and root
 */
static const struct request {
	const char *method;
	const char *key;
	bool is_flag;
	bool is_open;
	void (*fn)(struct requests *r, struct caller *c, const json_t *p);
} requests[] = {
	{ CONTROL_INTERFACE ".Up", "name", false, false, do_up },
	{ CONTROL_INTERFACE ".Down", "name", false, false, do_down },
	{ CONTROL_INTERFACE ".List", NULL, false, false, do_list },
	{ CONTROL_INTERFACE ".Status", "name", false, false, do_status },
	{ CONTROL_INTERFACE ".Exec", "name", false, false, do_exec },
	{ CONTROL_INTERFACE ".Collect", "dry_run", true, false, do_collect },
	{ CONTROL_INTERFACE ".Stop", "keep", true, false, do_stop },
	{ SERVICE ".GetInfo", NULL, false, true, do_info },
	{ SERVICE ".GetInterfaceDescription", "interface", false, true,
	  do_describe },
};

/** requests_odd() - The parameter that does not belong, or is missing; or NULL
 */
static const char *requests_odd(const struct request *q, json_t *p)
{
	const char *key;
	json_t *value;

	json_object_foreach(
		p, key,
		value) if (!q->key || strcmp(key, q->key) ||
			   !(q->is_flag ? json_is_boolean(value)
					: json_is_string(value))) return key;
	if (q->key && !q->is_flag && json_object_size(p) == 0)
		return q->key;
	return NULL;
}

static void requests_do(struct requests *r, struct caller *c,
			const struct request *q, json_t *p)
{
	const char *odd = requests_odd(q, p);

	if (!q->is_open && c->who.uid != 0 && c->who.uid != geteuid())
		caller_reply(c, CONTROL_INTERFACE ".Denied",
			     json_pack("{s:s}", "message",
				       "only root may ask root's daemon"),
			     NULL, 0);
	else if (odd)
		caller_reply(c, SERVICE ".InvalidParameter",
			     json_pack("{s:s}", "parameter", odd), NULL, 0);
	else
		q->fn(r, c, p);
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

/** requests_answer() - Does what a caller waits for hold now, or never? */
static void requests_answer(struct caller *c, struct sandbox *s,
			    const struct fault *f)
{
	const bool is_building = s->state == SANDBOX_BUILDING ||
				 s->state == SANDBOX_ADOPTING ||
				 s->state == SANDBOX_HATCHING;

	if (c->wait == CALLER_DOWN) {
		if (s->state == SANDBOX_DOWN && f)
			caller_fail(c, f);
		else if (s->state == SANDBOX_DOWN)
			caller_reply(c, NULL, NULL, NULL, 0);
		return;
	}
	if (is_building)
		return;
	if (s->state == SANDBOX_UP && c->wait == CALLER_UP)
		requests_reply_sandbox(c, s);
	else if (s->state == SANDBOX_UP)
		requests_give(c, s);
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
		    !strcmp(c->name, s->name))
			requests_answer(c, s, f);
	}
	if (r->is_stopping && fleet_is_down(r->fleet))
		requests_end(r);
}
