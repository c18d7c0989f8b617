// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * where.c - the places of a daemon
 *
 * A user's lie in directories that belong to that user alone; nothing is ever
 * put where others may write.
 */
#include "daemon/where.h"

#include "kern/netns_etc.h"
#include "kern/pin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_RUN   "/run/nsproxy"
#define SYSTEM_STATE "/var/lib/nsproxy"

_Static_assert(!__builtin_strcmp(NETNS_ETC_DIR, SYSTEM_RUN "/etc"),
	       "one place");
_Static_assert(!__builtin_strcmp(PIN_NOTES, SYSTEM_RUN "/pins"), "one place");
_Static_assert(!__builtin_strcmp(WHERE_PINS, PIN_DIR), "one place");

/** where_join() - @dir/@name; false: no room */
static bool where_join(char *to, size_t size, const char *dir, const char *name)
{
	const int n = snprintf(to, size, "%s/%s", dir, name);

	return n > 0 && (size_t)n < size;
}

/** where_var() - A variable that holds an absolute path, or NULL */
static const char *where_var(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

static int where_find_user(struct where *w, struct fault *f)
{
	const char *run = where_var("XDG_RUNTIME_DIR");
	const char *state = where_var("XDG_STATE_HOME");
	const char *home = where_var("HOME");

	if (!run) {
		(void)fault_plain(f, -ENOENT, "XDG_RUNTIME_DIR is not set");
		return fault_hint(f,
				  "it names a directory of your own for "
				  "sockets; a login session sets it, often "
				  "to /run/user/%u",
				  geteuid());
	}
	if (!state && !home)
		return fault_plain(f, -ENOENT, "HOME is not set");
	if (!where_join(w->run, sizeof(w->run), run, "nsproxy") ||
	    !where_join(w->state_dir, sizeof(w->state_dir),
			state ? state : home,
			state ? "nsproxy" : ".local/state/nsproxy"))
		return fault_plain(f, -ENAMETOOLONG,
				   "XDG_RUNTIME_DIR is too long a path");
	return 0;
}

int where_find(struct where *ret, bool is_system, struct fault *f)
{
	struct where w = { .is_system = is_system };
	int rc = 0;

	if (w.is_system) {
		strcpy(w.run, SYSTEM_RUN);
		strcpy(w.state_dir, SYSTEM_STATE);
	} else {
		rc = where_find_user(&w, f);
	}
	if (rc < 0)
		return rc;
	if (!where_join(w.socket, sizeof(w.socket), w.run, "ctl.sock") ||
	    !where_join(w.lock, sizeof(w.lock), w.run, "lock") ||
	    !where_join(w.boxes, sizeof(w.boxes), w.run, "box") ||
	    !where_join(w.state, sizeof(w.state), w.state_dir, "state.json"))
		return fault_plain(f, -ENAMETOOLONG,
				   "XDG_RUNTIME_DIR is too long a path");
	*ret = w;
	return 0;
}

/** where_make_dir() - One directory, ours alone to write */
static int where_make_dir(const char *path, mode_t mode, struct fault *f)
{
	struct stat st;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return fault(f, -errno, "make '%s'", path);
	if (lstat(path, &st) < 0)
		return fault(f, -errno, "look at '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return fault(f, -ENOTDIR, "use '%s'", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return fault_plain(f, -EPERM,
				   "'%s' must belong to user %u, and nobody "
				   "else may write to it",
				   path, geteuid());
	/* What the umask took away, or somebody widened. */
	if ((st.st_mode & 07777) != mode && chmod(path, mode) < 0)
		return fault(f, -errno, "change the mode of '%s'", path);
	return 0;
}

/** where_make_parents() - The directories above @path, as a shell would */
static void where_make_parents(const char *path)
{
	char part[4096];

	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(part, 0700); /* the last one's maker tells */
		*at = '/';
	}
}

int where_make(const struct where *w, struct fault *f)
{
	int rc = where_make_dir(w->run, w->is_system ? 0755 : 0700, f);

	if (rc == 0)
		rc = where_make_dir(w->boxes, 0700, f);
	if (rc == 0 && w->is_system)
		rc = where_make_dir(NETNS_ETC_DIR, 0755, f);
	if (rc == 0 && w->is_system)
		rc = where_make_dir(PIN_NOTES, 0700, f);
	if (rc < 0)
		return rc;
	where_make_parents(w->state_dir);
	return where_make_dir(w->state_dir, 0700, f);
}
