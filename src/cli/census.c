// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * census.c - `nsproxy pids` and `nsproxy id`: who is in which sandbox?
 *
 * A process's network namespace is a number that /proc tells. `id` also works
 * inside, where the daemon answers nobody: it reads the state file and the
 * names in /run/netns.
 */
#include "census.h"

#include "base/fd.h"
#include "base/text.h"
#include "box/sandbox.h"
#include "box/store.h"
#include "call.h"
#include "daemon/state.h"
#include "daemon/where.h"
#include "verb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_OF_PROCESS 64

/** census_netns() - Of a process, or of the caller for 0; 0: not to be told */
static uint64_t census_netns(pid_t pid)
{
	char path[48] = "/proc/self/ns/net";
	struct stat st;

	if (pid > 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static int census_by_number(const void *a, const void *b)
{
	const pid_t x = *(const pid_t *)a;
	const pid_t y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

size_t census_take(uint64_t netns, pid_t but, pid_t **ret)
{
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	pid_t *found = NULL;
	size_t count = 0;
	size_t room = 0;

	*ret = NULL;
	while (dir && netns != 0 && (e = readdir(dir))) {
		uint32_t pid;

		if (!text_uint(e->d_name, INT_MAX, &pid) || (pid_t)pid == but ||
		    census_netns((pid_t)pid) != netns)
			continue;
		if (count == room) {
			pid_t *more = reallocarray(found, room = room * 2 + 16,
						   sizeof(*more));

			if (!more)
				break;
			found = more;
		}
		found[count++] = (pid_t)pid;
	}
	if (dir)
		(void)closedir(dir);
	if (count > 0)
		qsort(found, count, sizeof(*found), census_by_number);
	*ret = found;
	return count;
}

static int census_by_netns(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

size_t census_all(uint64_t **ret)
{
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	uint64_t *found = NULL;
	size_t count = 0;
	size_t room = 0;

	while (dir && (e = readdir(dir))) {
		uint32_t pid;

		if (!text_uint(e->d_name, INT_MAX, &pid))
			continue;
		if (count == room) {
			uint64_t *more = reallocarray(
				found, room = room * 2 + 64, sizeof(*more));

			if (!more)
				break;
			found = more;
		}
		found[count++] = census_netns((pid_t)pid);
	}
	if (dir)
		(void)closedir(dir);
	if (count > 0)
		qsort(found, count, sizeof(*found), census_by_netns);
	*ret = found;
	return count;
}

size_t census_count(const uint64_t *all, size_t count, uint64_t netns,
		    pid_t but)
{
	size_t from = 0;
	size_t n = 0;

	for (size_t to = count; from < to;) {
		const size_t mid = from + (to - from) / 2;

		if (all[mid] < netns)
			from = mid + 1;
		else
			to = mid;
	}
	while (netns != 0 && from + n < count && all[from + n] == netns)
		n++;
	/* A user cannot see where the keeper is. */
	return n > 0 && but > 0 && census_netns(but) == netns ? n - 1 : n;
}

/** census_name() - What a process calls itself, made printable */
static void census_name(pid_t pid, char to[static NAME_OF_PROCESS])
{
	char path[48];
	char raw[32] = "";
	auto_fd fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, raw, sizeof(raw));
	if (n > 0 && raw[n - 1] == '\n')
		n--;
	text_quote(to, NAME_OF_PROCESS, raw, n > 0 ? (size_t)n : 0);
}

static int take_json(void *ctx, const char *value, struct fault *f)
{
	bool *as_json = ctx;

	(void)value;
	(void)f;
	*as_json = true;
	return 0;
}

static const struct opt pids_opts[] = {
	{ 0, "json", NULL, false, "as JSON (nsproxy.pids/1)", take_json },
};

static const struct opt id_opts[] = {
	{ 0, "json", NULL, false, "as JSON (nsproxy.id/1)", take_json },
};

/** census_dump() - Write JSON, and forget it; Return: what to exit with */
static int census_dump(json_t *all)
{
	const bool is_out = all &&
			    json_dumpf(all, stdout, JSON_INDENT(2)) == 0 &&
			    putchar('\n') == '\n';

	json_decref(all);
	return is_out ? STATUS_DONE : STATUS_FAILED;
}

static int pids_print(const char *name, const pid_t *pid, size_t count,
		      bool as_json)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		char comm[NAME_OF_PROCESS];

		census_name(pid[i], comm);
		if (as_json)
			(void)json_array_append_new(
				list, json_pack("{s:i, s:s}", "pid",
						(int)pid[i], "command", comm));
		else
			(void)printf("%7d  %s\n", pid[i], comm);
	}
	if (!as_json) {
		json_decref(list);
		return STATUS_DONE;
	}
	return census_dump(json_pack("{s:s, s:s, s:o}", "schema",
				     "nsproxy.pids/1", "name", name,
				     "processes", list));
}

static int pids_verb(const struct verb *v, char **argv)
{
	struct varlink_reply r = { 0 };
	struct fault f = { 0 };
	bool as_json = false;
	int status = STATUS_DONE;
	const json_t *box;
	pid_t *pid;
	size_t count;

	if (!verb_words(v, argv, &as_json, &status))
		return status;
	if (!argv[0] || argv[1]) {
		(void)fault_plain(&f, -EINVAL,
				  "it takes the name of one "
				  "sandbox");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	status = call_once(v, "Status", "name", json_string(argv[0]), &r);
	if (status != STATUS_DONE)
		return status;
	box = json_object_get(r.parameters, "sandbox");
	count = census_take(
		(uint64_t)json_integer_value(json_object_get(box, "netns")),
		(pid_t)json_integer_value(json_object_get(box, "keeper")),
		&pid);
	status = pids_print(argv[0], pid, count, as_json);
	free(pid);
	varlink_reply_fini(&r);
	return status;
}

/** id_has_keeper() - Does anybody listen there? Inside, more is not told */
static bool id_has_keeper(const char *path)
{
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	return fd >= 0 && text_copy(to.sun_path, sizeof(to.sun_path), path) &&
	       connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/** id_of_state() - Look in the state; a number may be another's by now */
static bool id_of_state(uint64_t netns, char to[static STORE_NAME])
{
	struct state st = { 0 };
	struct where w;
	bool found = false;

	if (where_find(&w, geteuid() == 0, NULL) < 0 ||
	    state_load(w.state, &st, NULL) < 0)
		return false;
	for (size_t i = 0; i < st.count && !found; i++) {
		char path[WHERE_MAX];

		found = st.box[i].netns == netns &&
			sandbox_path(w.boxes, st.box[i].name, path,
				     sizeof(path)) &&
			id_has_keeper(path);
		if (found)
			memcpy(to, st.box[i].name, STORE_NAME);
	}
	state_fini(&st);
	return found;
}

/** id_of_pins() - Look at the names that anybody may see */
static bool id_of_pins(uint64_t netns, char to[static NAME_MAX + 1])
{
	DIR *dir = opendir(WHERE_PINS);
	const struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		struct stat st;

		found = e->d_name[0] != '.' &&
			fstatat(dirfd(dir), e->d_name, &st, 0) == 0 &&
			st.st_ino == netns;
		if (found)
			(void)text_copy(to, NAME_MAX + 1, e->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/** id_is_ours() - Does the namespace have our device? A one-shot's then */
static bool id_is_ours(pid_t pid)
{
	char path[48] = "/proc/self/net/dev";
	char line[256];
	bool found = false;
	FILE *in;

	if (pid > 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	in = fopen(path, "re");
	while (in && !found && fgets(line, sizeof(line), in))
		found = strstr(line, " nsp0:") != NULL;
	if (in)
		(void)fclose(in);
	return found;
}

static int id_tell(const struct verb *v, pid_t pid, bool as_json)
{
	const uint64_t netns = census_netns(pid);
	char name[NAME_MAX + 1] = "";
	struct fault f = { 0 };
	const char *kind = "other";

	if (netns == 0) {
		(void)fault(&f, errno ? -errno : -EPERM,
			    "look at process %d's network namespace", pid);
		return verb_say(v, &f, STATUS_FAILED);
	}
	if (id_of_state(netns, name))
		kind = "sandbox";
	else if (id_of_pins(netns, name))
		kind = id_is_ours(pid) ? "sandbox" : "netns";
	else if (id_is_ours(pid))
		kind = "run";
	if (as_json)
		return census_dump(json_pack("{s:s, s:s, s:s, s:I}", "schema",
					     "nsproxy.id/1", "kind", kind,
					     "name", name, "netns",
					     (json_int_t)netns));
	if (name[0])
		return printf("%s\n", name) < 0 ? STATUS_FAILED : STATUS_DONE;
	(void)fault_plain(&f, -ENOENT, "%s",
			  !strcmp(kind, "run")
				  ? "a sandbox without a name ('nsproxy run')"
				  : "no sandbox of nsproxy");
	return verb_say(v, &f, STATUS_FAILED);
}

static int id_verb(const struct verb *v, char **argv)
{
	struct fault f = { 0 };
	bool as_json = false;
	int status = STATUS_DONE;
	uint32_t pid = 0;

	if (!verb_words(v, argv, &as_json, &status))
		return status;
	if (argv[0] &&
	    (argv[1] || !text_uint(argv[0], INT_MAX, &pid) || pid == 0)) {
		(void)fault_plain(&f, -EINVAL,
				  "it takes the number of one "
				  "process");
		return verb_say(v, &f, STATUS_MISUSED);
	}
	return id_tell(v, (pid_t)pid, as_json);
}

const struct verb verb_pids = {
	.name = "pids",
	.args = "[--json] NAME",
	.line = "List the processes in a sandbox.",
	.opts = pids_opts,
	.opt_count = sizeof(pids_opts) / sizeof(pids_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = pids_verb,
};

const struct verb verb_id = {
	.name = "id",
	.args = "[PID]",
	.line = "Tell in which sandbox the caller, or a process, is.",
	.opts = id_opts,
	.opt_count = sizeof(id_opts) / sizeof(id_opts[0]),
	.misuse = STATUS_MISUSED,
	.fn = id_verb,
};
