// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * call.c - ask the daemon, and say what went wrong
 *
 * The verbs have no other way to a daemon than other programs have.
 */
#include "call.h"

#include "base/log.h"
#include "base/text.h"
#include "daemon/where.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CALL_GLANCE_MS	 2000
/* Who it is a daemon tells at once, whatever else it does. */
#define CALL_GREETING_MS 10000

/** call_check_version() - Tell when the daemon is of another version */
static int call_check_version(const struct verb *v, struct control *c)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	char theirs[40];
	const char *version;

	if (control_call(c, "org.varlink.service.GetInfo", NULL,
			 CALL_GREETING_MS, &r, &f) < 0) {
		if (f.code == -EPIPE || f.code == -ECONNRESET)
			(void)fault_hint(&f, "it does so with callers from "
					     "inside a sandbox, and with too "
					     "many at a time");
		return verb_say(v, &f,
				f.hint[0] ? STATUS_DENIED : STATUS_FAILED);
	}
	version = varlink_get_string(r.parameters, "version");
	if (strcmp(version, NSPROXY_VERSION) != 0)
		log_warn("the daemon is version %s and this is %s; restart it "
			 "('nsproxy stop --keep' leaves its sandboxes alive)",
			 text_quote(theirs, sizeof(theirs), version,
				    strlen(version)),
			 NSPROXY_VERSION);
	varlink_reply_fini(&r);
	return STATUS_DONE;
}

static enum call_whose call_whose = CALL_ANY;

void call_choose(enum call_whose whose)
{
	call_whose = whose;
}

enum call_whose call_chosen(void)
{
	return call_whose;
}

/** call_is_absent() - Is there no daemon, or no place for one? */
static bool call_is_absent(const struct fault *f)
{
	return f->code == -ENOENT || f->code == -ECONNREFUSED;
}

static int call_connect(bool is_system, struct control *c, struct fault *f)
{
	struct where w;
	const int rc = where_find(&w, is_system, f);

	return rc < 0 ? rc : control_open(w.socket, is_system, c, f);
}

bool call_open_system(struct control *c)
{
	return geteuid() != 0 && call_whose == CALL_ANY &&
	       call_connect(true, c, NULL) == 0;
}

bool call_open_quietly(struct control *c)
{
	const bool is_system = call_whose == CALL_SYSTEM || geteuid() == 0;

	return call_connect(is_system, c, NULL) == 0;
}

bool call_is_shared(const struct control *c)
{
	return c->is_system && geteuid() != 0;
}

int call_open(const struct verb *v, struct control *c)
{
	const bool is_system = call_whose == CALL_SYSTEM || geteuid() == 0;
	struct fault f = { 0 };
	int rc = call_connect(is_system, c, &f);
	int status;

	if (rc < 0 && call_is_absent(&f) && call_whose == CALL_ANY &&
	    !is_system)
		rc = call_connect(true, c, &f);
	if (rc < 0 && call_is_absent(&f)) {
		(void)fault_plain(&f, f.code, "no daemon is running");
		(void)fault_hint(&f, "start one: nsproxy daemon");
	}
	if (rc < 0)
		return verb_say(v, &f,
				f.code == -EPERM ? STATUS_DENIED
						 : STATUS_FAILED);
	status = call_check_version(v, c);
	if (status != STATUS_DONE)
		control_close(c);
	return status;
}

/** struct call_error - an error of the daemon's, as people hear it
 * @key:   Parameter that goes into @text
 * @hint:  What to do; @text's parameter goes into it, too
 */
static const struct call_error {
	const char *name;
	int status;
	const char *key;
	const char *text;
	const char *hint;
} call_errors[] = {
	{ "NoSuchSandbox", STATUS_UNKNOWN, "name", "'%s' is not up",
	  "nsproxy up %s" },
	{ "NoSuchProfile", STATUS_UNKNOWN, "message", "%s", NULL },
	{ "NotRunning", STATUS_NOT_RUNNING, "state", "it is %s at the moment",
	  NULL },
	{ "Denied", STATUS_DENIED, "message", "%s", NULL },
	{ "Busy", STATUS_FAILED, "message", "%s", NULL },
	{ "Failed", STATUS_FAILED, "message", "%s", NULL },
};

int call_say(const struct verb *v, const struct varlink_reply *r)
{
	static const struct call_error other = { "", STATUS_FAILED, "parameter",
						 "the daemon refused: %s",
						 NULL };
	const struct call_error *e = &other;
	const char *name = strrchr(r->error, '.') + 1;
	struct fault f = { .code = -EPROTO };
	const char *value;

	for (size_t i = 0; i < sizeof(call_errors) / sizeof(*call_errors); i++)
		if (!strcmp(name, call_errors[i].name))
			e = &call_errors[i];
	value = varlink_get_string(r->parameters, e->key);
	if (e == &other && value[0] == '\0')
		value = name;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)fault_plain(&f, -EPROTO, e->text, value);
	if (e->hint)
		(void)fault_hint(&f, e->hint, value);
#pragma GCC diagnostic pop
	value = varlink_get_string(r->parameters, "hint");
	if (value[0] != '\0')
		(void)fault_hint(&f, "%s", value);
	return verb_say(v, &f, e->status);
}

int call_ask(const struct verb *v, struct control *c, const char *method,
	     const char *key, json_t *value, struct varlink_reply *ret)
{
	json_t *parameters = json_object();
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	int status;

	/* Fails only without memory; then the daemon misses it. */
	if (key)
		(void)json_object_set_new(parameters, key, value);
	if (control_call(c, method, parameters, CALL_PATIENCE_MS, &r, &f) < 0)
		return verb_say(v, &f, STATUS_FAILED);
	if (r.error[0] == '\0') {
		*ret = r;
		return STATUS_DONE;
	}
	status = call_say(v, &r);
	varlink_reply_fini(&r);
	return status;
}

int call_next(const struct verb *v, struct control *c,
	      struct varlink_reply *ret, struct fault *f)
{
	struct varlink_reply r = { 0 };
	int status;

	*f = (struct fault){ 0 };
	if (control_next(c, &r, f) < 0)
		return STATUS_FAILED;
	if (r.error[0] == '\0') {
		*ret = r;
		return STATUS_DONE;
	}
	status = call_say(v, &r);
	varlink_reply_fini(&r);
	return status;
}

bool call_is_there(void)
{
	struct varlink_reply r = { 0 };
	struct control c;
	bool answers;

	if (!call_open_quietly(&c) && !call_open_system(&c))
		return false;
	/* One that is being killed may still be connected to. */
	answers = control_call(&c, "org.varlink.service.GetInfo", NULL,
			       CALL_GLANCE_MS, &r, NULL) == 0;
	varlink_reply_fini(&r);
	control_close(&c);
	return answers;
}

int call_once(const struct verb *v, const char *method, const char *key,
	      json_t *value, struct varlink_reply *ret)
{
	struct control c;
	int status = call_open(v, &c);

	if (status != STATUS_DONE) {
		json_decref(value);
		return status;
	}
	status = call_ask(v, &c, method, key, value, ret);
	control_close(&c);
	return status;
}
