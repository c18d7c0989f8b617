// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * state.c - which sandboxes shall be up, on disk
 *
 * Only wishes: what lives is found out by asking the keepers. No secrets, no
 * plans; those are the configuration's.
 */
#include "daemon/state.h"

#include "base/broken.h"
#include "base/fd.h"
#include "base/text.h"
#include "conf/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_SCHEMA   "nsproxy.state/1"
#define STATE_FILE_MAX (256 * 1024)

/** state_take_name() - A name that can be one */
static bool state_take_name(const json_t *from, char ret[static STORE_NAME])
{
	const char *name = json_string_value(from);

	return name && store_name_ok(name) && text_copy(ret, STORE_NAME, name);
}

/** state_take() - One member of the list
 *
 * The first version knew no profiles and no owners: a sandbox was called as its
 * profile, and was the daemon's own.
 */
static bool state_take(const json_t *from, int version, struct state_box *ret)
{
	const json_t *profile =
		json_object_get(from, version > 1 ? "profile" : "name");
	const json_t *owner = json_object_get(from, "owner");
	const json_t *netns = json_object_get(from, "netns");

	if (!state_take_name(json_object_get(from, "name"), ret->name) ||
	    !state_take_name(profile, ret->profile) || !json_is_integer(netns))
		return false;
	ret->netns = (uint64_t)json_integer_value(netns);
	ret->owner = geteuid();
	if (version < 2)
		return true;
	if (!json_is_integer(owner) || json_integer_value(owner) < 0 ||
	    json_integer_value(owner) >= (json_int_t)UINT32_MAX)
		return false;
	ret->owner = (uid_t)json_integer_value(owner);
	return true;
}

static int state_read(const json_t *all, struct state *ret, struct fault *f)
{
	const json_t *version = json_object_get(all, "version");
	const json_t *list = json_object_get(all, "sandboxes");
	struct state s = { 0 };

	if (!json_is_integer(version) || !json_is_array(list) ||
	    json_array_size(list) > STATE_MAX ||
	    json_integer_value(version) < 1)
		return fault_plain(f, -EPROTO, "the state makes no sense");
	if (json_integer_value(version) > STATE_VERSION)
		return fault_plain(f, -ENOTSUP,
				   "the state was written by a newer nsproxy "
				   "(version %lld, this one knows %d)",
				   (long long)json_integer_value(version),
				   STATE_VERSION);
	s.box = calloc(json_array_size(list) + 1, sizeof(*s.box));
	if (!s.box)
		return fault(f, -ENOMEM, "read the state");
	for (s.count = 0; s.count < json_array_size(list); s.count++)
		if (!state_take(json_array_get(list, s.count),
				(int)json_integer_value(version),
				&s.box[s.count])) {
			state_fini(&s);
			return fault_plain(f, -EPROTO,
					   "a sandbox of the state makes no "
					   "sense");
		}
	*ret = s;
	return 0;
}

int state_parse(const char *text, size_t len, struct state *ret,
		struct fault *f)
{
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const int rc = all ? state_read(all, ret, f)
			   : fault_plain(f, -EPROTO, "the state is no JSON");

	json_decref(all);
	return rc;
}

/**
 * state_open() - The file, if only we and root can have written it
 *
 * @ret_fd stays as it is when there is none.
 */
static int state_open(const char *path, int *ret_fd, struct fault *f)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
					O_NONBLOCK);
	struct fault why = { 0 };
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault(f, -errno, "open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return fault_plain(f, -EINVAL, "'%s' is no ordinary file",
				   path);
	if (owner_check(&st, LAYER_NAMED, geteuid(), &why) < 0)
		return fault_plain(f, -EPERM, "'%s': %s", path, why.text);
	*ret_fd = fd_take(&fd);
	return 0;
}

int state_load(const char *path, struct state *ret, struct fault *f)
{
	auto_fd fd = -1;
	auto_free char *text = malloc(STATE_FILE_MAX);
	size_t used = 0;
	ssize_t n;
	int rc = text ? state_open(path, &fd, f)
		      : fault(f, -ENOMEM, "read '%s'", path);

	if (rc < 0)
		return rc;
	if (fd < 0) {
		*ret = (struct state){ 0 };
		return 0;
	}
	do {
		n = read(fd, text + used, STATE_FILE_MAX - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	if (n < 0)
		return fault(f, -errno, "read '%s'", path);
	rc = state_parse(text, used, ret, f);
	if (rc < 0)
		(void)fault_hint(f,
				 "the file is %s; without it, no sandbox is "
				 "brought up by itself",
				 path);
	return rc;
}

/** state_text() - As JSON, to be freed; NULL without memory */
static char *state_text(const struct state *s)
{
	json_t *list = json_array();
	json_t *all;
	char *text;

	for (size_t i = 0; i < s->count; i++)
		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:I}", "name",
				  s->box[i].name, "profile", s->box[i].profile,
				  "owner", (json_int_t)s->box[i].owner, "netns",
				  (json_int_t)s->box[i].netns));
	if (!list || json_array_size(list) != s->count) {
		json_decref(list);
		return NULL;
	}
	all = json_pack("{s:s, s:i, s:o}", "schema", STATE_SCHEMA, "version",
			STATE_VERSION, "sandboxes", list);
	text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
	json_decref(all);
	return text;
}

/** state_write() - A new file, on the disk when we return */
static int state_write(const char *path, const char *text)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	auto_fd fd = open(path, flags, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fd_write_all(fd, text, strlen(text));
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

int state_save(const char *dir, const char *path, const struct state *s,
	       struct fault *f)
{
	auto_free char *text = state_text(s);
	auto_fd dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char fresh[4096 + 32];
	int rc;

	if (!text)
		return fault(f, -ENOMEM, "write the state");
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	rc = dir_fd < 0 ? -errno : state_write(fresh, text);
	if (rc == 0 && rename(fresh, path) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlink(fresh);
		return fault(f, rc, "write '%s'", path);
	}
	if (!broken(BROKEN_FSYNC) && fsync(dir_fd) < 0)
		return fault(f, -errno, "make '%s' durable", path);
	return 0;
}

void state_fini(struct state *s)
{
	free(s->box);
	*s = (struct state){ 0 };
}
