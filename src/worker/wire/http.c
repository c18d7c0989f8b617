// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http.c - ask a proxy for a tunnel, read its answer, give answers of our own
 *
 * The dial comes in with the client's half, the server with http_reply_put();
 * requests of clients are read in http_request.c.
 */
#include "wire/http.h"

#include "base/text.h"
#include "wire/head.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

bool http_credentials_put(struct wr *w, const char *user, const char *pass)
{
	uint8_t buf[HTTP_CREDENTIALS_MAX];
	struct wr plain = wr_of(buf, sizeof(buf));

	if (strchr(user, ':') || strlen(user) > 255 || strlen(pass) > 255)
		return false;
	wr_text(&plain, user);
	wr_u8(&plain, ':');
	wr_text(&plain, pass);
	wr_text(w, "Basic ");
	return base64_put(w, buf, wr_used(&plain));
}

bool http_connect_put(struct wr *w, const struct dest *d, bool has_auth,
		      const char *user, const char *pass)
{
	char to[ADDR_TEXT];

	/* A name with a line end in it would be a head of its own. */
	if (d->name[0] != '\0' ? !text_name_ok(d->name) : !addr_size(&d->addr))
		return false;
	(void)dest_text(d, to);
	wr_text(w, "CONNECT ");
	wr_text(w, to);
	wr_text(w, " HTTP/1.1\r\nHost: ");
	wr_text(w, to);
	wr_text(w, "\r\n");
	if (has_auth) {
		wr_text(w, "Proxy-Authorization: ");
		if (!http_credentials_put(w, user, pass))
			return false;
		wr_text(w, "\r\n");
	}
	wr_text(w, "\r\n");
	return !w->ran_out;
}

unsigned int head_status(struct rd head)
{
	unsigned int status = 0;
	struct rd version;
	struct rd line;

	if (!head_line(&head, &line, NULL) ||
	    !head_until(&line, ' ', &version) || !head_is_version(&version))
		return 0;
	for (int i = 0; i < 3; i++) {
		const uint8_t c = rd_u8(&line);

		if (!isdigit(c))
			return 0;
		status = status * 10 + (unsigned int)(c - '0');
	}
	if (rd_left(&line) > 0 && rd_u8(&line) != ' ')
		return 0;
	return status >= 100 && status < 600 ? status : 0;
}

bool head_may_be_answer(const struct rd *r)
{
	static const char begin[] = "HTTP/1.";
	const size_t left = rd_left(r);

	if (left == 0)
		return true;
	return !memcmp(r->at, begin,
		       left < strlen(begin) ? left : strlen(begin));
}

int http_answer_get(struct rd *r, unsigned int *status)
{
	size_t room = HTTP_HEAD_MAX;
	struct rd in = *r;
	unsigned int got;

	do {
		const long len = head_find(&in, room);

		if (len == -EAGAIN && head_may_be_answer(&in))
			return -EAGAIN;
		if (len < 0)
			return -EPROTO;
		got = head_status(rd_of(in.at, (size_t)len));
		if (got == 0)
			return -EPROTO;
		rd_skip(&in, (size_t)len);
		room -= (size_t)len;
	} while (got < 200 && got != 101);
	*r = in;
	*status = got;
	return 0;
}

int http_errno(unsigned int status)
{
	if (status >= 200 && status < 300)
		return 0;
	switch (status) {
	case 401:
	case 403:
	case 405:
	case 407:
		return -EACCES;
	case 408:
	case 504:
		return -ETIMEDOUT;
	case 502:
		return -ECONNREFUSED;
	default:
		return -EHOSTUNREACH;
	}
}

unsigned int http_status_of(int err)
{
	switch (err) {
	case 0:
		return 200;
	case -EPROTO:
		return 400;
	case -EACCES:
	case -EPERM:
		return 403;
	case -EMSGSIZE:
		return 431;
	case -EOPNOTSUPP:
		return 501;
	case -ECONNREFUSED:
		return 502;
	case -ETIMEDOUT:
		return 504;
	default:
		return 503;
	}
}

static const char *phrase_of(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "Connection established" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 405, "Method Not Allowed" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 431, "Request Header Fields Too Large" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

bool http_reply_put(struct wr *w, unsigned int status, const char *reason)
{
	const char *phrase = phrase_of(status);
	char text[64];

	(void)snprintf(text, sizeof(text), "HTTP/1.1 %03u ", status % 1000);
	wr_text(w, text);
	wr_text(w, phrase);
	wr_text(w, "\r\n");
	if (status == 200) {
		wr_text(w, "\r\n");
		return !w->ran_out;
	}
	if (!reason)
		reason = phrase;
	if (status == 407)
		wr_text(w, "Proxy-Authenticate: Basic realm=\"nsproxy\"\r\n");
	(void)snprintf(text, sizeof(text), "Content-Length: %zu\r\n",
		       strlen(reason) + 1);
	wr_text(w, text);
	wr_text(w, "Content-Type: text/plain\r\nConnection: close\r\n\r\n");
	wr_text(w, reason);
	wr_text(w, "\n");
	return !w->ran_out;
}
