// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_forward_answer.c - the head of an answer says that it is the only one
 *
 * relay_http comes in with http_forward_answer() for what the proxy answers.
 */
#include "wire/http_forward.h"

#include "wire/head.h"

#include <errno.h>

/** answer_put() - A final head, without its word on this connection */
static bool answer_put(struct wr *w, struct rd head)
{
	static const char *const dropped[] = { "Connection", "Keep-Alive",
					       "Proxy-Connection" };
	struct rd line;
	struct rd whole;
	struct rd name;
	struct rd value;

	if (!head_line(&head, &line, &whole))
		return false;
	wr_bytes(w, whole.at, rd_left(&whole));
	wr_text(w, "Connection: close\r\n");
	while (head_line(&head, &line, &whole)) {
		bool is_ours = false;

		if (head_field(line, &name, &value))
			for (size_t i = 0; i < 3; i++)
				is_ours |= head_is(&name, dropped[i]);
		if (!is_ours)
			wr_bytes(w, whole.at, rd_left(&whole));
	}
	wr_text(w, "\r\n");
	return !w->ran_out;
}

int http_forward_answer(struct rd *r, struct wr *w, bool *is_final)
{
	const long len = head_find(r, HTTP_HEAD_MAX);
	struct wr out = *w;
	unsigned int status;
	struct rd head;

	if (len == -EAGAIN && head_may_be_answer(r))
		return -EAGAIN;
	if (len < 0)
		return -EPROTO;
	head = rd_of(r->at, (size_t)len);
	status = head_status(head);
	if (status == 0)
		return -EPROTO;
	if (status < 200 && status != 101)
		wr_bytes(&out, head.at, (size_t)len);
	else if (!answer_put(&out, head))
		return -EPROTO;
	if (out.ran_out)
		return -EPROTO;
	*is_final = status >= 200 || status == 101;
	*w = out;
	rd_skip(r, (size_t)len);
	return 0;
}
