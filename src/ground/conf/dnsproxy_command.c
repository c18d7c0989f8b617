// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dnsproxy_command.c - the command that dnsproxy is run by
 *
 * Servers go into it as they were written, but for plain ones: at port 53 they
 * get an alias, and where the way out has no UDP they are asked by TCP.
 */
#include "conf/dnsproxy.h"

#include "base/text.h"
#include "conf/hop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DNS_PORT      53
#define COMMAND_SHOWN 100

/** struct making - a command while it is made */
struct making {
	struct plan *p;
	bool has_udp;
	struct dnsproxy_command *to;
	struct fault *f;
};

/** making_alias() - The port of the gateway that leads to @real; or -E2BIG */
static int making_alias(struct making *m, const struct addr *real)
{
	struct plan *p = m->p;
	unsigned int i = 0;

	while (i < p->alias_count && !addr_equal(&p->alias[i], real))
		i++;
	if (i == PLAN_ALIASES)
		return fault_plain(m->f, -E2BIG,
				   "dnsproxy has more than %d plain servers",
				   PLAN_ALIASES);
	if (i == p->alias_count)
		p->alias[p->alias_count++] = *real;
	return ALIAS_PORT + (int)i;
}

/** making_server() - Append one server to @to; Return: 0 or -errno */
static int making_server(struct making *m, const char *text, char *to,
			 size_t size)
{
	struct dns_place p = { 0 };
	const bool is_server = strcmp(text, "#") != 0;
	char shown[COMMAND_SHOWN];
	char at[ADDR_TEXT];
	const char *by;
	int port;
	int n;

	if (is_server && dnsproxy_place(text, &p))
		return fault_plain(m->f, -EINVAL, "a server made no sense");
	if (p.needs_udp && !m->has_udp)
		return fault_plain(
			m->f, -EOPNOTSUPP,
			"dnsproxy's server '%s' needs UDP, which "
			"the way out does not carry",
			text_quote(shown, sizeof(shown), text, strlen(text)));
	by = p.is_tcp || !m->has_udp ? "tcp" : "udp";
	if (p.is_plain && p.port == DNS_PORT) {
		port = making_alias(m, &p.addr);
		if (port < 0)
			return port;
		n = snprintf(to, size, "%s://" GATEWAY_IP4 ":%d", by, port);
	} else if (p.is_plain && !m->has_udp && !p.is_tcp &&
		   !addr_is_loopback(&p.addr)) {
		const struct dest d = { .addr = { .port = p.port } };

		n = p.has_name ? snprintf(to, size, "tcp://%s:%u", p.host,
					  d.addr.port)
			       : snprintf(to, size, "tcp://%s",
					  addr_text(&p.addr, at));
	} else {
		n = snprintf(to, size, "%s", text);
	}
	return n > 0 && (size_t)n < size
		       ? n
		       : fault_plain(m->f, -E2BIG,
				     "dnsproxy's servers are too long");
}

/** making_room() - Room for one more word */
static char *making_room(struct making *m, const char *begin, size_t *size)
{
	char *to = m->to->text[m->to->texts++];

	*size = sizeof(m->to->text[0]);
	m->to->argv[m->to->argc++] = to;
	(void)text_copy(to, *size, begin);
	*size -= strlen(begin);
	return to + strlen(begin);
}

/** making_servers() - "--upstream=", and all that one word says */
static int making_servers(struct making *m, const char *flag, const char *word)
{
	const char *end = text_starts(word, "[/") ? strstr(word, "/]") : NULL;
	size_t size;
	char *to = making_room(m, flag, &size);

	if (end) {
		const size_t len = (size_t)(end + 2 - word);

		if (!text_copy_n(to, size, word, len))
			return fault_plain(m->f, -E2BIG,
					   "dnsproxy's servers are too long");
		to += len;
		size -= len;
		word = end + 2;
	}
	for (;;) {
		const size_t len = strcspn(word, " ");
		char one[DNSPROXY_WORD];
		int n;

		(void)text_copy_n(one, sizeof(one), word, len); /* a part */
		n = making_server(m, one, to, size);
		if (n < 0)
			return n;
		to += n;
		size -= (size_t)n;
		if (word[len] == '\0')
			return 0;
		word += len + 1;
		if (size < 2)
			return fault_plain(m->f, -E2BIG,
					   "dnsproxy's servers are too long");
		*to++ = ' ';
		*to = '\0';
		size--;
	}
}

int dnsproxy_command(const struct dnsproxy_wish *w, struct plan *p,
		     struct dnsproxy_command *ret, struct fault *f)
{
	struct making m = {
		.p = p,
		.has_udp = chain_has_udp(p),
		.to = ret,
		.f = f,
	};
	int rc = 0;

	*ret = (struct dnsproxy_command){ .argc = 0 };
	p->alias_count = 0;
	ret->argv[ret->argc++] = w->program;
	ret->argv[ret->argc++] = "--listen=127.0.0.1";
	ret->argv[ret->argc++] = "--port=" DNSPROXY_PORT_TEXT;
	for (unsigned int i = 0; i < w->option.count; i++)
		ret->argv[ret->argc++] = w->option.word[i];
	for (unsigned int i = 0; rc == 0 && i < w->bootstrap.count; i++)
		rc = making_servers(&m, "--bootstrap=", w->bootstrap.word[i]);
	for (unsigned int i = 0; rc == 0 && i < w->server.count; i++)
		rc = making_servers(&m, "--upstream=", w->server.word[i]);
	ret->argv[ret->argc] = NULL;
	return rc < 0 ? rc : 0;
}
