// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_request.c - read a client's request as a proxy does
 *
 * The server comes in with http_request_get() for each client that speaks
 * HTTP; for anything but CONNECT it then passes the head through
 * http_request_rewrite() on to the origin.
 */
#include "wire/http.h"

#include "base/text.h"
#include "wire/head.h"
#include "wire/host.h"

#include <errno.h>
#include <strings.h>

#define HTTP_PORT   80
#define HTTP_SCHEME "http://"

/**
 * authority_get() - host[:port] (RFC 3986, 3.2, without user information)
 * @a:     Octets
 * @port:  When none is written; 0 if one must be
 * @to:    Result
 *
 * Return: whether it was one
 */
static bool authority_get(struct rd a, uint32_t port, struct dest *to)
{
	const uint8_t *const host = a.at;
	size_t host_len = rd_left(&a);
	char digits[8];
	struct rd part;

	if (host_len > 0 && host[0] == '[') {
		if (!head_until(&a, ']', &part))
			return false;
		host_len = rd_left(&part) + 1;
		if (rd_left(&a) > 0 && rd_u8(&a) != ':')
			return false;
	} else if (head_until(&a, ':', &part)) {
		host_len = rd_left(&part);
	} else {
		rd_skip(&a, host_len);
	}
	if (rd_left(&a) > 0 && (!text_copy_n(digits, sizeof(digits),
					     (const char *)a.at, rd_left(&a)) ||
				!text_uint(digits, UINT16_MAX, &port)))
		return false;
	return port > 0 && host_get(host, host_len, (uint16_t)port, to);
}

/**
 * absolute_get() - Split http://authority/path?query
 * @target:     Becomes what follows the authority
 * @authority:  Set to the authority
 *
 * Return: whether the scheme was right
 */
static bool absolute_get(struct rd *target, struct rd *authority)
{
	const size_t scheme_len = strlen(HTTP_SCHEME);
	size_t len = 0;

	if (rd_left(target) < scheme_len ||
	    strncasecmp((const char *)target->at, HTTP_SCHEME, scheme_len) != 0)
		return false;
	rd_skip(target, scheme_len);
	while (len < rd_left(target) && !strchr("/?#", target->at[len]))
		len++;
	*authority = rd_of(rd_bytes(target, len), len);
	return true;
}

bool http_absolute_get(struct rd *target, struct dest *to)
{
	struct rd authority;

	return absolute_get(target, &authority) &&
	       authority_get(authority, HTTP_PORT, to);
}

/** line_get() - The request line. Return: 0, -EPROTO, -EOPNOTSUPP */
static int line_get(struct rd line, struct http_request *ret)
{
	struct rd method;
	struct rd target;

	if (!head_until(&line, ' ', &method) || !head_is_token(&method) ||
	    !head_until(&line, ' ', &target) || !head_is_version(&line))
		return -EPROTO;
	ret->method_len = rd_left(&method);
	ret->is_connect = ret->method_len == strlen("CONNECT") &&
			  !memcmp(method.at, "CONNECT", ret->method_len);
	if (ret->is_connect)
		return authority_get(target, 0, &ret->to) ? 0 : -EOPNOTSUPP;
	if (!http_absolute_get(&target, &ret->to))
		return -EOPNOTSUPP;
	ret->target = target.at;
	ret->target_len = rd_left(&target);
	return 0;
}

/** credentials_get() - Fill user and password from "Basic XXXX" */
static void credentials_get(struct rd value, struct http_request *ret)
{
	char plain[HTTP_CREDENTIALS_MAX];
	struct rd scheme;
	struct rd user;
	struct rd pass;
	long len;

	if (!head_until(&value, ' ', &scheme) || !head_is(&scheme, "Basic"))
		return;
	while (rd_left(&value) > 0 && value.at[0] == ' ')
		rd_skip(&value, 1);
	len = base64_get((const char *)value.at, rd_left(&value), plain,
			 sizeof(plain));
	if (len < 0 || memchr(plain, '\0', (size_t)len))
		return;
	pass = rd_of(plain, (size_t)len);
	if (!head_until(&pass, ':', &user))
		return;
	ret->has_auth = text_copy_n(ret->user, sizeof(ret->user),
				    (const char *)user.at, rd_left(&user)) &&
			text_copy_n(ret->pass, sizeof(ret->pass),
				    (const char *)pass.at, rd_left(&pass));
	if (!ret->has_auth)
		ret->user[0] = '\0';
}

int http_request_get(struct rd *r, struct http_request *ret)
{
	struct http_request got = { 0 };
	const long len = head_find(r, HTTP_HEAD_MAX);
	struct rd head;
	struct rd line;
	struct rd name;
	struct rd value;
	int err;

	if (len < 0)
		return (int)len;
	head = rd_of(r->at, (size_t)len);
	if (!head_line(&head, &line, NULL))
		return -EPROTO;
	err = line_get(line, &got);
	if (err < 0)
		return err;
	while (head_line(&head, &line, NULL)) {
		if (!head_field(line, &name, &value))
			return -EPROTO;
		if (head_is(&name, "Proxy-Authorization") && !got.has_auth)
			credentials_get(value, &got);
	}
	rd_skip(r, (size_t)len);
	*ret = got;
	return 0;
}

/** is_dropped() - A field that goes no further than this proxy? */
static bool is_dropped(struct rd line)
{
	static const char *const dropped[] = {
		"Proxy-Authorization",
		"Proxy-Connection",
		"Connection",
		"Keep-Alive",
		"Host", /* made anew */
	};
	struct rd value;
	struct rd name;

	if (!head_field(line, &name, &value))
		return true;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (head_is(&name, dropped[i]))
			return true;
	return false;
}

bool http_request_rewrite(struct wr *w, const uint8_t *head, size_t len,
			  const struct http_request *req)
{
	struct rd in = rd_of(head, len);
	struct rd authority;
	struct rd method;
	struct rd target;
	struct rd line;
	struct rd whole;

	if (req->is_connect || !head_line(&in, &line, NULL) ||
	    !head_until(&line, ' ', &method) ||
	    !head_until(&line, ' ', &target) ||
	    !absolute_get(&target, &authority))
		return false;
	wr_bytes(w, method.at, rd_left(&method));
	wr_u8(w, ' ');
	if (rd_left(&target) == 0 || target.at[0] != '/')
		wr_u8(w, '/');
	wr_bytes(w, target.at, rd_left(&target));
	wr_u8(w, ' ');
	wr_bytes(w, line.at, rd_left(&line));
	wr_text(w, "\r\nHost: ");
	wr_bytes(w, authority.at, rd_left(&authority));
	wr_text(w, "\r\n");
	while (head_line(&in, &line, &whole))
		if (!is_dropped(line))
			wr_bytes(w, whole.at, rd_left(&whole));
	wr_text(w, "Connection: close\r\n\r\n");
	return !w->ran_out;
}
