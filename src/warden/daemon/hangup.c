// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/hangup.h"

#include "kern/signals.h"

#include <errno.h>
#include <unistd.h>

/** hangup_become() - In the child: run the verb, heard where our log is */
static _Noreturn void hangup_become(bool is_system)
{
	char *argv[] = { (char[]){ "nsproxy" },
			 is_system ? (char[]){ "--system" }
				   : (char[]){ "--user" },
			 (char[]){ "reload" }, NULL };

	signals_default();
	if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		(void)execv("/proc/self/exe", argv);
	_exit(1); /* the daemon tells that it failed */
}

int hangup_begin(bool is_system, pid_t *ret, struct fault *f)
{
	const pid_t pid = fork();

	if (pid < 0)
		return fault(f, -errno, "fork for a reload");
	if (pid == 0)
		hangup_become(is_system);
	*ret = pid;
	return 0;
}
