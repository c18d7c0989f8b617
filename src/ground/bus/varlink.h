/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * varlink.h - the control protocol's messages, as JSON
 *
 * A call is {"method": "INTERFACE.Method", "parameters": {...}}, a reply
 * {"parameters": {...}} or {"error": "INTERFACE.Error", "parameters": {...}};
 * on the wire each ends with a NUL. No I/O here.
 */
#include "base/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define VARLINK_CALL_MAX  65536	  /* bytes of a call, its NUL included */
#define VARLINK_REPLY_MAX 8388608 /* of a reply: a list may be long */
#define VARLINK_NAME_MAX  96	  /* of a method's or error's name */

/** struct varlink_call - what is asked; varlink_call_fini() takes zeroed ones
 * @parameters:  Object, owned; empty when none were sent
 * @oneway:      No reply is wanted
 * @more:        Several are understood; not with @oneway
 */
struct varlink_call {
	char method[VARLINK_NAME_MAX];
	json_t *parameters;
	bool oneway;
	bool more;
};

/** struct varlink_reply - the answer; @error is empty when all went well
 * @continues:  It is not the last one
 */
struct varlink_reply {
	char error[VARLINK_NAME_MAX];
	json_t *parameters;
	bool continues;
};

/**
 * varlink_call_get() - Read a call
 * @text:  Message without its NUL
 * @len:   Of @text
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * Members that a call does not have are refused, duplicates too.
 *
 * Return: 0 or -EPROTO
 */
int varlink_call_get(const char *text, size_t len, struct varlink_call *ret,
		     struct fault *f);
void varlink_call_fini(struct varlink_call *c);

/**
 * varlink_reply_get() - Read a reply
 * @text:  Message without its NUL
 * @len:   Of @text
 * @ret:   Result; untouched on failure
 * @f:     Why not
 *
 * Return: 0 or -EPROTO
 */
int varlink_reply_get(const char *text, size_t len, struct varlink_reply *ret,
		      struct fault *f);
void varlink_reply_fini(struct varlink_reply *r);

/**
 * varlink_call_put() - Write a call
 * @method:      "INTERFACE.Method"
 * @parameters:  Object, taken over; NULL for none
 *
 * Return: the message, ending with its NUL, to be freed; NULL without memory
 * or if it is longer than VARLINK_CALL_MAX
 */
char *varlink_call_put(const char *method, json_t *parameters);

/** varlink_call_put_more() - The same for a call that takes several replies */
char *varlink_call_put_more(const char *method, json_t *parameters);

/**
 * varlink_reply_put() - Write a reply
 * @error:       "INTERFACE.Error", or NULL
 * @parameters:  Object, taken over; NULL for none
 *
 * Return: as varlink_call_put(), with VARLINK_REPLY_MAX
 */
char *varlink_reply_put(const char *error, json_t *parameters);

/** varlink_part_put() - The same for a reply after which more will come */
char *varlink_part_put(json_t *parameters);

/**
 * varlink_get_string() - One string of a message's parameters
 * @parameters:  Object
 * @key:         Which
 *
 * Return: the string, borrowed; "" when it is not there or no string
 */
const char *varlink_get_string(const json_t *parameters, const char *key);
