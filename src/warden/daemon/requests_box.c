// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * requests_box.c - requests about sandboxes: up, down, how are they, enter
 *
 * Rights have been checked and parameters are of their types when we are
 * called; see the table in requests.c.
 */
#include "daemon/requests_own.h"

#include "base/fd.h"
#include "box/board.h"
#include "bus/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

void requests_wait(struct caller *c, enum caller_wait wait, const char *name)
{
	c->wait = wait;
	memcpy(c->name, name, strlen(name) + 1); /* it is a sandbox's */
}

static json_t *requests_show_helper(const struct job_card *c)
{
	char words[BOARD_WORDS + 1];

	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:I, s:s}", "name", c->name,
			 "state", job_state_name(c->state), "pid", (int)c->pid,
			 "restarts", (int)c->restarts, "status", c->status,
			 "since", (json_int_t)c->since_s, "last_words",
			 card_words(c, words));
}

/** requests_show_jobs() - As their minder has written it down */
static void requests_show_jobs(const struct sandbox *s, json_t *box)
{
	json_t *helpers = json_object_get(box, "helpers");
	struct job_board b;

	/* Before a sandbox is up there is no board. */
	if (s->ns[BUILD_FD_BOARD] < 0 ||
	    board_read(s->ns[BUILD_FD_BOARD], &b) < 0)
		return;
	for (unsigned int i = 0; i < b.count; i++) {
		/* Without a minder there is none; it could not write so. */
		if (s->minder.pidfd < 0) {
			b.card[i].state = JOB_WAITING;
			b.card[i].pid = 0;
		}
		if (b.card[i].is_engine)
			(void)json_object_set_new(
				box, "engine",
				requests_show_helper(&b.card[i]));
		else
			(void)json_array_append_new(
				helpers, requests_show_helper(&b.card[i]));
	}
}

/** requests_show_veth() - Its link to the host */
static json_t *requests_show_veth(const struct veth *v)
{
	json_t *ports = json_array();
	char host[INET_ADDRSTRLEN];
	char inside[INET_ADDRSTRLEN];

	for (unsigned int i = 0; i < v->port_count; i++)
		(void)json_array_append_new(
			ports,
			json_sprintf("%s:%u",
				     v->port[i].proto == IPPROTO_TCP ? "tcp"
								     : "udp",
				     v->port[i].port));
	return json_pack("{s:s, s:s, s:s, s:o}", "link", v->link, "host",
			 inet_ntop(AF_INET, v->host, host, sizeof(host)),
			 "inside",
			 inet_ntop(AF_INET, v->inside, inside, sizeof(inside)),
			 "ports", ports);
}

static json_t *requests_show(const struct sandbox *s)
{
	json_t *all = json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:i, s:I, s:i, "
		"s:s, s:b, s:i, s:s, s:o}",
		"name", s->name, "profile", s->profile, "state",
		sandbox_state_name(s), "way", s->way, "owner",
		(json_int_t)s->owner, "since", (json_int_t)s->since_s, "keeper",
		(int)s->keeper.pid, "worker", (int)s->worker.pid, "netns",
		(json_int_t)s->netns, "restarts", (int)s->restarts, "trouble",
		s->state == SANDBOX_UP || s->state == SANDBOX_SWITCHING
			? ""
			: s->trouble.text,
		"attached", s->is_attached, "leader", (int)s->leader_pid, "dns",
		s->has_names ? GATEWAY_IP4 : "", "helpers", json_array());

	requests_show_jobs(s, all);
	if (s->link.is_wished && sandbox_has_keeper(s))
		(void)json_object_set_new(all, "veth",
					  requests_show_veth(&s->link));
	return all;
}

void requests_reply_sandbox(struct caller *c, const struct sandbox *s)
{
	caller_reply(c, NULL, json_pack("{s:o}", "sandbox", requests_show(s)),
		     NULL, 0);
}

void requests_not_running(struct caller *c, const struct sandbox *s)
{
	caller_reply(c, CONTROL_INTERFACE ".NotRunning",
		     json_pack("{s:s, s:s}", "name", s->name, "state",
			       sandbox_state_name(s)),
		     NULL, 0);
}

void requests_busy(struct caller *c, const char *message)
{
	caller_reply(c, CONTROL_INTERFACE ".Busy",
		     json_pack("{s:s}", "message", message), NULL, 0);
}

/** requests_mounts() - Of the daemon: every sandbox's were made from them */
static json_int_t requests_mounts(void)
{
	struct stat st;

	return stat("/proc/self/ns/mnt", &st) < 0 ? 0 : (json_int_t)st.st_ino;
}

/**
 * requests_give() - The namespaces, to enter them
 *
 * Safe though the asker may be any process of a user who may enter: by these
 * alone only root, or the owner of the user namespace, gets in. One from inside
 * a sandbox was refused before.
 */
void requests_give(struct caller *c, const struct sandbox *s)
{
	static const enum build_fd what[] = { BUILD_FD_NET, BUILD_FD_MNT,
					      BUILD_FD_PID, BUILD_FD_USER };
	int fds[4];
	unsigned int count = 0;

	if (s->is_attached) {
		struct fault f = { 0 };

		(void)fault_plain(&f, -EOPNOTSUPP,
				  "it is attached: only its network is ours "
				  "(nsenter enters the rest)");
		caller_fail(c, &f);
		return;
	}
	for (unsigned int i = 0; i < (s->is_root ? 3 : 4); i++) {
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
	caller_reply(c, NULL,
		     json_pack("{s:b, s:s, s:I}", "own_user", !s->is_root,
			       "guard", guard_words[s->terms.guard], "mounts",
			       requests_mounts()),
		     fds, count);
}

void request_up(struct requests *r, struct caller *c, struct sandbox *s,
		const json_t *p)
{
	const char *name = varlink_get_string(p, "name");
	const char *profile = varlink_get_string(p, "profile");
	struct fault f = { 0 };

	if (profile[0] == '\0')
		profile = s ? s->profile : name;
	if (r->is_stopping ||
	    (s && (s->state == SANDBOX_ENDING || s->is_over))) {
		requests_busy(c, "it is being taken down");
	} else if (s && strcmp(s->profile, profile) != 0) {
		requests_busy(c, "it is up with another profile");
	} else if (s && s->state == SANDBOX_UP) {
		requests_reply_sandbox(c, s);
	} else if (s && s->state != SANDBOX_DOWN) {
		requests_wait(c, CALLER_UP, name);
	} else if (s) {
		/* Its keeper may live: ask it again. */
		requests_wait(c, CALLER_UP, name);
		sandbox_adopt(s);
	} else if (fleet_up(r->fleet, name, profile, c->who.uid, &s, &f) < 0) {
		caller_fail(c, &f);
	} else {
		requests_wait(c, CALLER_UP, name);
	}
}

void request_down(struct requests *r, struct caller *c, struct sandbox *s,
		  const json_t *p)
{
	(void)r;
	(void)p;
	if (s->state == SANDBOX_DOWN && !s->is_over) {
		caller_fail(c, &s->trouble);
		return;
	}
	requests_wait(c, CALLER_DOWN, s->name);
	sandbox_down(s); /* and is perhaps gone */
}

/** Those that the caller may enter; of others, not even the names */
void request_list(struct requests *r, struct caller *c, struct sandbox *s,
		  const json_t *p)
{
	json_t *all = json_array();
	struct list *at;

	(void)p;
	list_each (at, &r->fleet->all) {
		s = container_of(at, struct sandbox, node);
		if (access_may(&r->access, c, RIGHT_ENTER, s))
			(void)json_array_append_new(all, requests_show(s));
	}
	caller_reply(c, NULL, json_pack("{s:o}", "sandboxes", all), NULL, 0);
}

void request_status(struct requests *r, struct caller *c, struct sandbox *s,
		    const json_t *p)
{
	(void)r;
	(void)p;
	requests_reply_sandbox(c, s);
}

void request_exec(struct requests *r, struct caller *c, struct sandbox *s,
		  const json_t *p)
{
	(void)r;
	(void)p;
	switch (s->state) {
	case SANDBOX_UP:
	case SANDBOX_HATCHING:
	case SANDBOX_SWITCHING:
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
