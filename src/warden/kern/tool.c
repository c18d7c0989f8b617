// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tool.c - run another program that knows a kernel facility better
 *
 * It gets a bare environment, a session of its own and no files but the three;
 * what it leaves running in the background is on its own.
 */
#include "kern/tool.h"

#include "base/fd.h"
#include "base/text.h"
#include "kern/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOOL_SAID 160

/** tool_find() - Return: whether it is there */
static bool tool_find(const char *name, char path[static PATH_MAX])
{
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin",
					    "/usr/sbin",       "/usr/bin",
					    "/sbin",	       "/bin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)snprintf(path, PATH_MAX, "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void __attribute__((noreturn))
tool_child(const char *path, const char *const argv[], int input, uint64_t caps,
	   int said)
{
	static char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
		"/bin",
		NULL
	};
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (dup2(input >= 0 ? input : null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(126);
	(void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	(void)setsid();
	if (guard_shed(caps, NULL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(126);
	/* The kernel copies the words and changes none. */
	(void)execve(path, (char *const *)(uintptr_t)argv, env);
	_exit(126);
}

/** tool_hear() - The first line, and nothing held up by what follows */
static void tool_hear(int from, char *line, size_t size)
{
	char dust[512];
	size_t used = 0;
	ssize_t n;

	do {
		n = read(from, line + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 && used < size - 1);
	while (n > 0)
		n = read(from, dust, sizeof(dust));
	line[used] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

int tool_run(const char *const argv[], int input, uint64_t caps,
	     struct fault *f)
{
	char path[PATH_MAX];
	char line[TOOL_SAID];
	char shown[TOOL_SAID * 2];
	int status = -1;
	int said[2];
	pid_t pid;

	if (!tool_find(argv[0], path)) {
		(void)fault_plain(f, -ENOENT, "there is no program '%s'",
				  argv[0]);
		return -ENOENT;
	}
	if (pipe2(said, O_CLOEXEC) < 0)
		return fault(f, -errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		tool_child(path, argv, input, caps, said[1]);
	fd_close(&said[1]);
	if (pid < 0) {
		const int rc = fault(f, -errno, "start '%s'", argv[0]);

		fd_close(&said[0]);
		return rc;
	}
	tool_hear(said[0], line, sizeof(line));
	fd_close(&said[0]);
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return fault_plain(
		f, -EIO, "'%s' failed: %s", argv[0],
		text_plain(shown, sizeof(shown), line, strlen(line)));
}
