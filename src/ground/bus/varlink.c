// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * varlink.c - the control protocol's messages, as JSON
 *
 * Pure: text in, values out. What a method's parameters mean is known to those
 * who serve it; here only the envelope is opened and closed.
 */
#include "bus/varlink.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** varlink_parse() - An object, or NULL with the fault filled */
static json_t *varlink_parse(const char *text, size_t len, struct fault *f)
{
	json_error_t why;
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	char shown[120];

	if (all && json_is_object(all))
		return all;
	if (all)
		(void)fault_plain(f, -EPROTO, "the message is no JSON object");
	else
		(void)fault_plain(f, -EPROTO, "the message is no JSON: %s",
				  text_quote(shown, sizeof(shown), why.text,
					     strlen(why.text)));
	json_decref(all);
	return NULL;
}

/** varlink_is_name() - "org.example.Word": letters, digits, dots, dashes */
static bool varlink_is_name(const char *name)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return strchr(name, '.') && name[strspn(name, may)] == '\0';
}

/** varlink_take_name() - A member that names a method or an error */
static bool varlink_take_name(const json_t *value, char *ret)
{
	const char *name = json_string_value(value);

	return name && varlink_is_name(name) &&
	       text_copy(ret, VARLINK_NAME_MAX, name);
}

/** varlink_take_call() - One member of a call; false: it does not belong */
static bool varlink_take_call(const char *key, json_t *value,
			      struct varlink_call *c)
{
	if (!strcmp(key, "method"))
		return varlink_take_name(value, c->method);
	if (!strcmp(key, "parameters") && json_is_object(value)) {
		c->parameters = json_incref(value);
		return true;
	}
	if (!strcmp(key, "oneway") && json_is_boolean(value)) {
		c->oneway = json_is_true(value);
		return true;
	}
	if (!strcmp(key, "more") && json_is_boolean(value)) {
		c->more = json_is_true(value);
		return true;
	}
	/* Clients write this even when they do not mean it. */
	return !strcmp(key, "upgrade") && json_is_false(value);
}

int varlink_call_get(const char *text, size_t len, struct varlink_call *ret,
		     struct fault *f)
{
	json_t *all = varlink_parse(text, len, f);
	struct varlink_call c = { 0 };
	const char *key;
	json_t *value;
	char shown[40];
	int rc = 0;

	if (!all)
		return -EPROTO;
	json_object_foreach (all, key, value) {
		if (varlink_take_call(key, value, &c))
			continue;
		rc = fault_plain(
			f, -EPROTO, "the call's member '%s' makes no sense",
			text_quote(shown, sizeof(shown), key, strlen(key)));
		break;
	}
	if (rc == 0 && c.method[0] == '\0')
		rc = fault_plain(f, -EPROTO, "the call names no method");
	if (rc == 0 && c.oneway && c.more)
		rc = fault_plain(f, -EPROTO,
				 "the call wants no reply and several");
	if (rc == 0 && !c.parameters && !(c.parameters = json_object()))
		rc = fault(f, -EPROTO, "read the call");
	json_decref(all);
	if (rc < 0)
		varlink_call_fini(&c);
	else
		*ret = c;
	return rc;
}

void varlink_call_fini(struct varlink_call *c)
{
	json_decref(c->parameters);
	*c = (struct varlink_call){ 0 };
}

int varlink_reply_get(const char *text, size_t len, struct varlink_reply *ret,
		      struct fault *f)
{
	json_t *all = varlink_parse(text, len, f);
	struct varlink_reply r = { 0 };
	json_t *error;
	int rc = 0;

	if (!all)
		return -EPROTO;
	error = json_object_get(all, "error");
	if (error && !json_is_null(error) && !varlink_take_name(error, r.error))
		rc = fault_plain(f, -EPROTO, "the reply's error has no name");
	r.continues = json_is_true(json_object_get(all, "continues"));
	r.parameters = json_incref(json_object_get(all, "parameters"));
	if (rc == 0 && !r.parameters)
		r.parameters = json_object();
	if (rc == 0 && !json_is_object(r.parameters))
		rc = fault_plain(f, -EPROTO, "the reply has no parameters");
	json_decref(all);
	if (rc < 0)
		varlink_reply_fini(&r);
	else
		*ret = r;
	return rc;
}

void varlink_reply_fini(struct varlink_reply *r)
{
	json_decref(r->parameters);
	*r = (struct varlink_reply){ 0 };
}

/** varlink_text() - Takes @all, which may be NULL; NULL if it is too long */
static char *varlink_text(json_t *all, size_t max)
{
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;

	json_decref(all);
	if (text && strlen(text) >= max) {
		free(text);
		text = NULL;
	}
	return text;
}

/** varlink_put() - {@key: @what, "parameters": @parameters}; takes both; no
 * @key, no @what */
static char *varlink_put(const char *key, json_t *what, json_t *parameters,
			 size_t max)
{
	json_t *all = json_object();

	if (!parameters)
		parameters = json_object();
	/* A set of NULL fails; so does one that has no memory. */
	if (key && json_object_set_new(all, key, what) < 0) {
		json_decref(parameters);
		json_decref(all);
		return NULL;
	}
	if (json_object_set_new(all, "parameters", parameters) < 0) {
		json_decref(all);
		return NULL;
	}
	return varlink_text(all, max);
}

char *varlink_call_put(const char *method, json_t *parameters)
{
	return varlink_put("method", json_string(method), parameters,
			   VARLINK_CALL_MAX);
}

char *varlink_call_put_more(const char *method, json_t *parameters)
{
	return varlink_text(json_pack("{s:s, s:b, s:o}", "method", method,
				      "more", 1, "parameters",
				      parameters ? parameters : json_object()),
			    VARLINK_CALL_MAX);
}

char *varlink_reply_put(const char *error, json_t *parameters)
{
	return varlink_put(error ? "error" : NULL,
			   error ? json_string(error) : NULL, parameters,
			   VARLINK_REPLY_MAX);
}

char *varlink_part_put(json_t *parameters)
{
	return varlink_put("continues", json_true(), parameters,
			   VARLINK_REPLY_MAX);
}

const char *varlink_get_string(const json_t *parameters, const char *key)
{
	const char *text = json_string_value(json_object_get(parameters, key));

	return text ? text : "";
}
