// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_files.c - find a configuration's files, and refuse strangers'
 *
 * What a file says is read even if its owner or mode is wrong, so that all
 * problems are told in one go; nothing is taken from it then.
 */
#include "conf/conf.h"

#include "base/fd.h"
#include "base/text.h"
#include "conf/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/** files_problem() - About a file as a whole */
static void files_problem(struct conf *c, const struct conf_file *file,
			  const char *text)
{
	problem_add(&c->problems, &(struct origin){ file, 0 }, "%s", text);
}

static void files_missing(struct conf *c, const struct conf_file *file,
			  const char *what, int err)
{
	problem_add(&c->problems, &(struct origin){ file, 0 }, "%s: %s", what,
		    strerror(err));
	c->is_torn = true;
}

/** files_read() - Read what was opened, to its end */
static void files_read(struct conf *c, const struct conf_file *file, int fd)
{
	auto_free char *text = malloc(CONF_FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 0;

	if (!text) {
		files_missing(c, file, "it cannot be read", ENOMEM);
		return;
	}
	while (len <= CONF_FILE_MAX) {
		n = read(fd, text + len, CONF_FILE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		files_missing(c, file, "it cannot be read", errno);
	else if (len > CONF_FILE_MAX)
		files_missing(c, file, "it is over 256 KiB", EFBIG);
	else
		conf_add_text(c, file, text, len);
	explicit_bzero(text, len);
}

/** files_check() - Owner and mode of what was opened */
static void files_check(struct conf *c, struct conf_file *file, int fd,
			mode_t type)
{
	struct fault f = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0) {
		files_missing(c, file, "it cannot be looked at", errno);
		return;
	}
	file->open_to_others = st.st_mode & S_IROTH;
	if ((st.st_mode & S_IFMT) != type)
		files_problem(c, file,
			      type == S_IFDIR ? "it is no directory"
					      : "it is no ordinary file");
	else if (owner_check(&st, file->layer, c->uid, &f) < 0)
		files_problem(c, file, f.text);
	if (type == S_IFREG && S_ISREG(st.st_mode))
		files_read(c, file, fd);
}

static void files_add(struct conf *c, int at, const char *name,
		      const char *path, enum conf_layer layer, bool is_needed)
{
	auto_fd fd = openat(at, name, OPEN_FLAGS);
	const int err = errno;
	struct conf_file *file;

	if (fd < 0 && err == ENOENT && !is_needed)
		return;
	/* Root may keep the system's from a user, who goes without them. */
	if (fd < 0 && err == EACCES && layer <= LAYER_SYSTEM && c->uid != 0) {
		c->hidden++;
		return;
	}
	file = conf_new_file(c, path, layer);
	if (!file) {
		files_problem(c, c->file[0], "there are too many files");
		return;
	}
	if (fd < 0)
		files_missing(c, file, "it cannot be opened", err);
	else
		files_check(c, file, fd, S_IFREG);
}

void conf_add_file(struct conf *c, const char *path, enum conf_layer layer)
{
	files_add(c, AT_FDCWD, path, path, layer, true);
}

void conf_add_presets(struct conf *c, const char *path)
{
	files_add(c, AT_FDCWD, path, path, LAYER_PRESET, false);
}

/** files_open_dir() - Open a directory, if it is there and may be opened */
static int files_open_dir(struct conf *c, const char *path,
			  enum conf_layer layer)
{
	const int fd = open(path, OPEN_FLAGS | O_DIRECTORY);
	struct fault f = { 0 };
	struct conf_file *file;
	struct stat st;

	if (fd < 0 && errno == EACCES && layer == LAYER_SYSTEM && c->uid != 0)
		c->hidden++;
	else if (fd < 0 && errno != ENOENT)
		(void)fault(&f, -errno, "it cannot be opened");
	else if (fd >= 0 && fstat(fd, &st) == 0)
		(void)owner_check(&st, layer, c->uid, &f);
	if (f.code == 0)
		return fd;
	/* Only a directory at fault is noted as a file that was read. */
	file = conf_new_file(c, path, layer);
	if (file)
		files_problem(c, file, f.text);
	return fd;
}

static int files_is_more(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return e->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

static int files_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* in any locale */
}

/** files_add_more() - DIR/conf.d, sorted */
static void files_add_more(struct conf *c, const char *dir,
			   enum conf_layer layer)
{
	struct dirent **found = NULL;
	char path[PATH_MAX];
	auto_fd fd = -1;
	int n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, CONF_MORE_DIR) >=
	    (int)sizeof(path))
		return;
	fd = files_open_dir(c, path, layer);
	if (fd < 0)
		return;
	n = scandirat(fd, ".", &found, files_is_more, files_by_name);
	for (int i = 0; i < n; i++) {
		if (snprintf(path, sizeof(path), "%s/%s/%s", dir, CONF_MORE_DIR,
			     found[i]->d_name) < (int)sizeof(path))
			files_add(c, fd, found[i]->d_name, path, layer, true);
		free(found[i]);
	}
	free(found);
}

void conf_add_dir(struct conf *c, const char *dir, enum conf_layer layer)
{
	auto_fd fd = files_open_dir(c, dir, layer);
	char path[PATH_MAX];

	if (fd < 0 || snprintf(path, sizeof(path), "%s/%s", dir,
			       CONF_MAIN_FILE) >= (int)sizeof(path))
		return;
	files_add(c, fd, CONF_MAIN_FILE, path, layer, false);
	files_add_more(c, dir, layer);
}
