// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * owner.c - who may have had a hand in a file
 *
 * Looks at open files only: what was checked is what is read.
 */
#include "conf/owner.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SECRET_ROOM  256 /* a password's 255 bytes are what SOCKS5 can carry */
#define OWNER_SHOWN  120
#define OTHERS_WRITE 0002
#define NOT_ROOTS    0022 /* group or others write */

int owner_check(const struct stat *st, enum conf_layer layer, uid_t uid,
		struct fault *f)
{
	const bool is_roots = st->st_uid == 0;
	const bool is_users = st->st_uid == uid;

	if (layer == LAYER_SYSTEM
		    ? !is_roots
		    : !is_users && (layer == LAYER_USER || !is_roots))
		return fault_plain(
			f, -EPERM, "it belongs to uid %u, and must be %s%s",
			st->st_uid, layer == LAYER_SYSTEM ? "root's" : "yours",
			layer != LAYER_SYSTEM && layer != LAYER_USER && uid != 0
				? " or root's"
				: "");
	if (st->st_mode & OTHERS_WRITE)
		return fault_plain(f, -EPERM,
				   "everybody may write it; chmod o-w it");
	if (is_roots && layer != LAYER_USER && (st->st_mode & NOT_ROOTS))
		return fault_plain(f, -EPERM,
				   "its group may write it; chmod g-w it");
	return 0;
}

int secret_open(const char *path, enum conf_layer layer, uid_t uid, int *ret_fd,
		struct fault *f)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char shown[OWNER_SHOWN];
	struct fault why = { 0 };
	struct stat st;

	text_quote(shown, sizeof(shown), path, strlen(path));
	if (fd < 0)
		return fault(f, -errno, "open '%s'", shown);
	if (fstat(fd, &st) < 0)
		return fault(f, -errno, "look at '%s'", shown);
	if (!S_ISREG(st.st_mode))
		return fault_plain(f, -EINVAL, "'%s' is no ordinary file",
				   shown);
	if (owner_check(&st, layer, uid, &why) < 0)
		return fault_plain(f, -EPERM, "'%s': %s", shown, why.text);
	if (st.st_mode & (st.st_uid == 0 ? 0037 : 0077))
		return fault_plain(f, -EPERM,
				   "'%s': others may open it; chmod 600 it",
				   shown);
	*ret_fd = fd_take(&fd);
	return 0;
}

/** secret_take_line() - Return: NULL, or why this is no password */
static const char *secret_take_line(char *text, size_t len)
{
	if (memchr(text, '\0', len))
		return "it is no text";
	text[len] = '\0';
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len > 0 && text[len - 1] == '\r')
		text[--len] = '\0';
	if (len == 0)
		return "it is empty";
	if (strpbrk(text, "\r\n"))
		return "it has more than one line";
	return len < SECRET_ROOM ? NULL
				 : "the password is longer than 255 bytes";
}

int secret_read(const char *path, enum conf_layer layer, uid_t uid, char *ret,
		struct fault *f)
{
	auto_fd fd = -1;
	char text[SECRET_ROOM + 8];
	char shown[OWNER_SHOWN];
	size_t len = 0;
	const char *why;
	ssize_t n;
	int rc;

	ret[0] = '\0';
	rc = secret_open(path, layer, uid, &fd, f);
	if (rc < 0)
		return rc;
	text_quote(shown, sizeof(shown), path, strlen(path));
	do {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < sizeof(text) - 1);
	if (n < 0)
		return fault(f, -errno, "read '%s'", shown);
	why = secret_take_line(text, len);
	if (!why)
		memcpy(ret, text, strlen(text) + 1);
	explicit_bzero(text, sizeof(text));
	return why ? fault_plain(f, -EINVAL, "'%s': %s", shown, why) : 0;
}
