// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_forward.c - a request for a server becomes one for a proxy
 *
 * relay_http comes in with http_forward_request() for what the program says;
 * what the proxy answers is for http_forward_answer.c.
 */
#include "wire/http_forward.h"

#include "base/text.h"
#include "wire/head.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define HTTP_PORT     80
#define METHOD_MAX    32 /* IANA's longest has 17 octets */
#define LOOKS_OCTETS  64 /* enough to tell text from TLS and kin */
#define LENGTH_DIGITS 18

static const char why_foreign[] = "This is no HTTP/1.1 request.";
static const char why_length[] =
	"The length of the body is not said in one clear way.";

/**
 * struct reading - what is known of a head
 * @method, @target, @version:  Of the request line
 * @head:      All field lines
 * @has_len, @has_chunks:  How the body is framed
 */
struct reading {
	struct rd method;
	struct rd target;
	struct rd version;
	struct rd head;
	bool has_len;
	bool has_chunks;
	uint64_t len;
};

/** looks_like_text() - Would whoever says this understand an answer in text?
 * The first line tells */
static bool looks_like_text(const struct rd *r)
{
	struct rd in = *r;

	for (int i = 0; i < LOOKS_OCTETS && rd_left(&in) > 0; i++) {
		const uint8_t c = rd_u8(&in);

		if (c == '\n')
			break;
		if ((c < 0x20 && c != '\t' && c != '\r') || c > 0x7e)
			return false;
	}
	return true;
}

/** may_become_request() - Does what is here of a first line begin like one? */
static bool may_become_request(const struct rd *r)
{
	struct rd in = *r;
	struct rd method;
	size_t len = rd_left(r);

	if (len > 0 && head_until(&in, ' ', &method))
		len = rd_left(&method);
	method = rd_of(r->at, len);
	return len <= METHOD_MAX && (len == 0 || head_is_token(&method));
}

/** target_is_clean() - No blank and no control in it? */
static bool target_is_clean(const struct rd *target)
{
	struct rd in = *target;

	while (rd_left(&in) > 0) {
		const uint8_t c = rd_u8(&in);

		if (c <= 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

/** target_get() - To origin form, or what is behind an authority */
static const char *target_get(struct rd *target, const struct dest *to)
{
	struct dest other;

	if (rd_left(target) > 0 && target->at[0] == '/')
		return NULL;
	if (!http_absolute_get(target, &other))
		return "The target must be a path.";
	if (strcasecmp(other.name, to->name) != 0 ||
	    other.addr.port != to->addr.port)
		return "The target is at another host than this connection.";
	if (rd_left(target) > 0 && !strchr("/?", target->at[0]))
		return "The target must be a path.";
	return NULL;
}

/** line_get() - The request line. Return: NULL, or why not */
static const char *line_get(struct rd line, const struct dest *to,
			    struct reading *ret)
{
	if (!head_until(&line, ' ', &ret->method) ||
	    !head_is_token(&ret->method) ||
	    rd_left(&ret->method) > METHOD_MAX ||
	    !head_until(&line, ' ', &ret->target))
		return why_foreign;
	ret->version = line;
	if (!head_is(&line, "HTTP/1.1") && !head_is(&line, "HTTP/1.0"))
		return why_foreign;
	if (line.at[0] != 'H' || !head_is_version(&line))
		return why_foreign;
	if (head_is(&ret->method, "CONNECT"))
		return "Plain HTTP is understood here, CONNECT is not.";
	if (!target_is_clean(&ret->target))
		return why_foreign;
	return target_get(&ret->target, to);
}

/** length_get() - Digits and nothing else */
static bool length_get(struct rd value, uint64_t *ret)
{
	uint64_t n = 0;

	if (rd_left(&value) == 0 || rd_left(&value) > LENGTH_DIGITS)
		return false;
	while (rd_left(&value) > 0) {
		const uint8_t c = rd_u8(&value);

		if (!isdigit(c))
			return false;
		n = n * 10 + (uint64_t)(c - '0');
	}
	*ret = n;
	return true;
}

/** framing_get() - Note what a field says about the body */
static const char *framing_get(const struct rd *name, const struct rd *value,
			       struct reading *h)
{
	if (head_is(name, "Content-Length")) {
		if (h->has_len || h->has_chunks || !length_get(*value, &h->len))
			return why_length;
		h->has_len = true;
	}
	if (head_is(name, "Transfer-Encoding")) {
		if (h->has_len || h->has_chunks || !head_is(value, "chunked") ||
		    !head_is(&h->version, "HTTP/1.1"))
			return why_length;
		h->has_chunks = true;
	}
	return NULL;
}

/** has_crlf() - Does a whole line end as it should? */
static bool has_crlf(const struct rd *whole)
{
	const size_t len = rd_left(whole);

	return len >= 2 && whole->at[len - 2] == '\r';
}

/** fields_get() - Check all field lines. Return: NULL, or why not */
static const char *fields_get(struct reading *h)
{
	struct rd in = h->head;
	struct rd line;
	struct rd whole;
	struct rd name;
	struct rd value;
	const char *why = NULL;

	while (!why && head_line(&in, &line, &whole)) {
		if (!has_crlf(&whole) || !head_field(line, &name, &value))
			return "A line of the head is malformed.";
		why = framing_get(&name, &value, h);
	}
	/* What ends the head is an empty line, and that one, too, is whole. */
	if (!why && !(in.at >= h->head.at + 2 && in.at[-2] == '\r'))
		why = "A line of the head is malformed.";
	return why;
}

/** is_nominated() - Does a Connection field name this one? */
static bool is_nominated(struct rd head, const struct rd *field)
{
	struct rd line;
	struct rd name;
	struct rd value;
	struct rd word;
	char text[64];

	if (!text_copy_n(text, sizeof(text), (const char *)field->at,
			 rd_left(field)))
		return false;
	while (head_line(&head, &line, NULL)) {
		if (!head_field(line, &name, &value) ||
		    !head_is(&name, "Connection"))
			continue;
		while (rd_left(&value) > 0) {
			if (!head_until(&value, ',', &word)) {
				word = value;
				rd_skip(&value, rd_left(&value));
			}
			while (rd_left(&word) > 0 && strchr(" \t", word.at[0]))
				rd_skip(&word, 1);
			while (rd_left(&word) > 0 &&
			       strchr(" \t", word.end[-1]))
				word.end--;
			if (head_is(&word, text))
				return true;
		}
	}
	return false;
}

/** is_dropped() - Does this field go no further, or is it made anew? */
static bool is_dropped(const struct rd *head, const struct rd *name)
{
	static const char *const dropped[] = {
		"Connection",	     "Keep-Alive", "TE",
		"Upgrade",	     "Trailer",	   "HTTP2-Settings",
		"Transfer-Encoding", "Host",	   "Content-Length",
	};
	static const char proxy[] = "Proxy-";

	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (head_is(name, dropped[i]))
			return true;
	return (rd_left(name) >= strlen(proxy) &&
		!strncasecmp((const char *)name->at, proxy, strlen(proxy))) ||
	       is_nominated(*head, name);
}

static void authority_put(struct wr *w, const struct dest *to)
{
	char port[8];

	wr_text(w, to->name);
	if (to->addr.port == HTTP_PORT)
		return;
	(void)snprintf(port, sizeof(port), ":%u", to->addr.port);
	wr_text(w, port);
}

/** framing_put() - Say the length once, in our own words */
static void framing_put(struct wr *w, const struct reading *h)
{
	char text[48];

	if (h->has_chunks)
		wr_text(w, "Transfer-Encoding: chunked\r\n");
	if (!h->has_len)
		return;
	(void)snprintf(text, sizeof(text), "Content-Length: %llu\r\n",
		       (unsigned long long)h->len);
	wr_text(w, text);
}

static bool request_put(struct wr *w, const struct http_forward *fwd,
			const struct reading *h)
{
	struct rd in = h->head;
	struct rd line;
	struct rd name;
	struct rd value;

	wr_bytes(w, h->method.at, rd_left(&h->method));
	wr_text(w, " http://");
	authority_put(w, fwd->to);
	if (rd_left(&h->target) == 0 || h->target.at[0] != '/')
		wr_u8(w, '/');
	wr_bytes(w, h->target.at, rd_left(&h->target));
	wr_u8(w, ' ');
	wr_bytes(w, h->version.at, rd_left(&h->version));
	wr_text(w, "\r\nHost: ");
	authority_put(w, fwd->to);
	wr_text(w, "\r\n");
	while (head_line(&in, &line, NULL)) {
		if (!head_field(line, &name, &value) ||
		    is_dropped(&h->head, &name))
			continue;
		wr_bytes(w, line.at, rd_left(&line));
		wr_text(w, "\r\n");
	}
	framing_put(w, h);
	if (fwd->has_auth) {
		wr_text(w, "Proxy-Authorization: ");
		if (!http_credentials_put(w, fwd->user, fwd->pass))
			return false;
		wr_text(w, "\r\n");
	}
	wr_text(w, "Connection: close\r\n\r\n");
	return !w->ran_out;
}

/** request_wait() - What is here is not whole: may it become a request? */
static int request_wait(const struct rd *r, const struct dest *to,
			const char **why)
{
	struct rd in = *r;
	struct reading h = { 0 };
	struct rd line;

	*why = why_foreign;
	if (!may_become_request(r))
		return -EPROTO;
	if (head_line(&in, &line, NULL)) {
		*why = line_get(line, to, &h);
		if (*why)
			return -EPROTO;
	}
	return -EAGAIN;
}

/** request_get() - http_forward_request() for what is text */
static int request_get(struct rd *r, const struct http_forward *fwd,
		       struct wr *w, struct http_body *body, const char **why)
{
	const long len = head_find(r, HTTP_HEAD_MAX);
	struct reading h = { 0 };
	struct rd head;
	struct rd line;
	struct rd whole;
	struct wr out = *w;

	*why = why_foreign;
	if (len == -EMSGSIZE)
		*why = "The head of the request is too long.";
	if (len == -EAGAIN)
		return request_wait(r, fwd->to, why);
	if (len < 0)
		return (int)len;
	head = rd_of(r->at, (size_t)len);
	if (!head_line(&head, &line, &whole) || !has_crlf(&whole))
		return -EPROTO;
	h.head = head;
	*why = line_get(line, fwd->to, &h);
	if (!*why)
		*why = fields_get(&h);
	if (*why)
		return -EPROTO;
	if (!request_put(&out, fwd, &h)) {
		*why = "The head of the request is too long.";
		return -EMSGSIZE;
	}
	*body = h.has_chunks ? http_body_chunked() : http_body_counted(h.len);
	*w = out;
	rd_skip(r, (size_t)len);
	return 0;
}

int http_forward_request(struct rd *r, const struct http_forward *fwd,
			 struct wr *w, struct http_body *body, const char **why)
{
	const int err = request_get(r, fwd, w, body, why);

	return err == -EPROTO && !looks_like_text(r) ? -EBADMSG : err;
}
