// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proof.c - is a program the one it is taken for?
 *
 * Two programs are called dnsproxy. AdGuard's says "dnsproxy version", and a
 * number unless it was built without; Debian's, much older, knows no long
 * option and tells how it is used.
 */
#include "box/proof.h"

#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define PROOF_SHOWN  160
#define PROOF_WORDS  "dnsproxy version"
#define PROOF_DEBIAN "[-c file] [-dhV]"

static const char proof_remedy[] =
	"go install github.com/AdguardTeam/dnsproxy@latest, and name it: "
	"dnsproxy=/PATH (or put it into /usr/local/bin)";

void proof_job(const struct job *j, struct job *ret)
{
	const char *argv[] = { j->words, "--version", NULL };

	*ret = *j;
	ret->restart = RESTART_NEVER;
	ret->ready = (struct addr){ 0 };
	(void)job_pack(ret, argv); /* less than it was */
}

/** proof_program() - For people: where it is */
static const char *proof_program(const struct job *j,
				 char to[static PROOF_SHOWN])
{
	char path[PATH_MAX];

	if (job_find(j->words, path, sizeof(path)) < 0)
		return text_quote(to, PROOF_SHOWN, j->words, strlen(j->words));
	return text_quote(to, PROOF_SHOWN, path, strlen(path));
}

int proof_judge(const struct job *j, int status, const struct job_card *said,
		struct fault *f)
{
	char words[BOARD_WORDS + 1];
	char shown[PROOF_SHOWN];

	card_words(said, words);
	if (status == 0 && strstr(words, PROOF_WORDS))
		return 0;
	proof_program(j, shown);
	if (strstr(words, PROOF_DEBIAN))
		(void)fault_plain(f, -ENOEXEC,
				  "'%s' is another program of that name "
				  "(Debian's package dnsproxy), not AdGuard's",
				  shown);
	else
		(void)fault_plain(
			f, -ENOEXEC,
			"'%s' is not AdGuard's dnsproxy, or does not "
			"work: asked for its --version, it ended with "
			"status %d%s%s",
			shown, status, words[0] ? " and said: " : "", words);
	return fault_hint(f, "%s", proof_remedy);
}

void proof_late(const struct job *j, struct fault *f)
{
	char shown[PROOF_SHOWN];

	(void)fault_plain(f, -ETIMEDOUT,
			  "'%s' did not say in %d s what program it is "
			  "(--version)",
			  proof_program(j, shown), PROOF_MS / 1000);
	(void)fault_hint(f, "%s", proof_remedy);
}
