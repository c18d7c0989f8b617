// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * version.c - `nsproxy version`
 */
#include "verb.h"

#include "base/broken.h"

static int version_verb(const struct verb *v, char **argv)
{
	int status = STATUS_DONE;

	if (!verb_words(v, argv, NULL, &status))
		return status;
	status = verb_no_words(v, argv);
	if (status != STATUS_DONE)
		return status;
	return printf("nsproxy %s\n", NSPROXY_VERSION NSPROXY_BROKEN_MARK) < 0
		       ? STATUS_FAILED
		       : STATUS_DONE;
}

const struct verb verb_version = {
	.name = "version",
	.args = "",
	.line = "Tell which nsproxy this is.",
	.misuse = STATUS_MISUSED,
	.fn = version_verb,
};
