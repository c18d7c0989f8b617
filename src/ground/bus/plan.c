// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * plan.c - carry a plan to a worker
 *
 * One message: the plan, then the tags of the fds that come with it.
 */
#include "bus/plan.h"

#include "bus/channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct plan_message {
	struct plan plan;
	struct plan_fd tag[PLAN_FDS];
};

_Static_assert(PLAN_FDS <= CHANNEL_FDS, "a plan's fds fit one message");
/* A unix message is limited by net.core.wmem_default, 212992 by default. */
_Static_assert(sizeof(struct plan_message) < 128 * 1024, "fits one message");

int plan_send(int chan, const struct plan *p, const struct plan_fd *fds,
	      unsigned int count)
{
	struct plan_message msg;
	int raw[PLAN_FDS];

	if (count > PLAN_FDS)
		return -E2BIG;
	memset(&msg, 0, sizeof(msg));
	msg.plan = *p;
	msg.plan.magic = PLAN_MAGIC;
	msg.plan.size = sizeof(msg);
	for (unsigned int i = 0; i < count; i++) {
		msg.tag[i] = fds[i];
		raw[i] = fds[i].fd;
	}
	return channel_send(chan, &msg, sizeof(msg), raw, count);
}

const char *plan_nameservers(const struct plan *p,
			     char ret[static PLAN_NAMESERVERS])
{
	size_t used = 0;

	if (p->names != NAMES_OFF)
		return GATEWAY_IP4;
	ret[0] = '\0';
	for (unsigned int i = 0; p->device[0] && i < p->server_count; i++) {
		const struct addr *a = &p->server[i].addr;

		if (used > 0)
			ret[used++] = ' ';
		if (inet_ntop(a->family, a->ip, ret + used, ADDR_TEXT))
			used += strlen(ret + used);
	}
	return used > 0 ? ret : NULL;
}

int plan_recv(int chan, struct plan *p, struct plan_fd *fds,
	      unsigned int *ret_count)
{
	struct plan_message msg;
	int raw[PLAN_FDS];
	unsigned int count = 0;
	const ssize_t n =
		channel_recv(chan, &msg, sizeof(msg), raw, PLAN_FDS, &count);

	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	if ((size_t)n != sizeof(msg) || msg.plan.magic != PLAN_MAGIC ||
	    msg.plan.size != sizeof(msg)) {
		while (count > 0)
			(void)close(raw[--count]);
		return -EPROTO;
	}
	for (unsigned int i = 0; i < count; i++) {
		fds[i] = msg.tag[i];
		fds[i].fd = raw[i];
	}
	*p = msg.plan;
	*ret_count = count;
	return 0;
}
