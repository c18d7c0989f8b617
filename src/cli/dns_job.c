// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_job.c - from "dnsproxy" in a list of `dns` to what a minder runs
 *
 * It runs inside as an ordinary user: the caller, or nobody for root.
 */
#include "dns_job.h"

#include "base/text.h"
#include "conf/account.h"
#include "named_jobs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DNS_USER  "nobody"
#define DNS_UID	  65534
#define DNS_SHOWN 160

static const char dns_remedy[] =
	"go install github.com/AdguardTeam/dnsproxy@latest, and name it: "
	"dnsproxy=/PATH (or put it into /usr/local/bin); or leave dnsproxy "
	"out: udp://IP and tcp://IP need no program";

/** dns_find() - Is there anything to run? */
static int dns_find(const char *program, struct fault *f)
{
	char path[PATH_MAX];
	char shown[DNS_SHOWN];
	const int rc = job_find(program, path, sizeof(path));

	if (rc == 0)
		return 0;
	text_quote(shown, sizeof(shown), program, strlen(program));
	if (rc == -ENOENT && program[0] != '/')
		(void)fault_plain(f, rc, "there is no program '%s' in %s",
				  shown, JOB_PATH);
	else
		(void)fault(f, rc, "find program '%s'", shown);
	return fault_hint(f, "%s", dns_remedy);
}

static void dns_account(struct account *ret)
{
	if (geteuid() != 0)
		named_caller(ret);
	else if (account_user(DNS_USER, ret, NULL) < 0 || ret->uid == 0)
		*ret = (struct account){ .uid = DNS_UID, .gid = DNS_UID };
}

static int dns_pack(const struct dnsproxy_command *c, struct job *to,
		    struct fault *f)
{
	const uint8_t ip[4] = { 127, 0, 0, 1 };
	struct account who;

	dns_account(&who);
	if (!job_pack(to, c->argv))
		return fault_plain(f, -E2BIG,
				   "dnsproxy's servers are too long: its "
				   "command has room for %d bytes",
				   JOB_BYTES);
	(void)text_copy(to->name, sizeof(to->name), DNSPROXY_NAME); /* short */
	to->restart = RESTART_ALWAYS;
	to->where = WHERE_SANDBOX;
	to->proof = PROOF_DNSPROXY;
	to->ready = addr_from_ip4(ip, DNSPROXY_PORT);
	to->uid = who.uid;
	to->gid = who.gid;
	memcpy(to->user, who.name, sizeof(who.name));
	memcpy(to->home, who.home, sizeof(who.home));
	return 0;
}

int dns_job(struct plan *p, const struct dns_wish *w, struct jobs *j,
	    struct fault *f)
{
	struct dnsproxy_command *c;
	int rc;

	if (p->names != NAMES_PROGRAM)
		return 0;
	rc = dns_find(w->program.program, f);
	if (rc < 0)
		return rc;
	c = calloc(1, sizeof(*c));
	if (!c)
		return fault(f, -ENOMEM, "make dnsproxy's command");
	rc = dnsproxy_command(&w->program, p, c, f);
	if (rc == 0)
		rc = dns_pack(c, &j->job[j->count], f);
	if (rc == 0)
		j->count++;
	free(c);
	return rc;
}
