// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wireguard_file.c - the file that a WireGuard interface is made of
 */
#include "conf/wireguard.h"

#include "base/fd.h"
#include "base/text.h"
#include "conf/owner.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIREGUARD_FILE	65536
#define WIREGUARD_SHOWN 80

const char *wireguard_link(const char *path, char *ret)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const size_t len = strlen(base);

	if (len < sizeof(".conf") || strcmp(base + len - 5, ".conf") != 0)
		return "its name must end in .conf, after that of the "
		       "interface";
	if (len - 5 >= IFNAMSIZ)
		return "an interface's name has at most 15 characters";
	for (size_t i = 0; i < len - 5; i++)
		if (!isalnum((unsigned char)base[i]) &&
		    !strchr("_=+.-", base[i]))
			return "an interface's name has letters, digits and "
			       "_ = + . - only";
	(void)text_copy_n(ret, IFNAMSIZ, base, len - 5); /* it fits */
	return NULL;
}

/** wg_slurp() - Return: bytes, or -errno with the fault filled */
static ssize_t wg_slurp(int fd, char *text, const char *path, struct fault *f)
{
	char shown[WIREGUARD_SHOWN];
	size_t used = 0;
	ssize_t n;

	text_quote(shown, sizeof(shown), path, strlen(path));
	do {
		n = read(fd, text + used, WIREGUARD_FILE - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0 && used < WIREGUARD_FILE);
	if (n < 0)
		return fault(f, -errno, "read '%s'", shown);
	if (used == WIREGUARD_FILE || memchr(text, '\0', used))
		return fault_plain(f, -EINVAL,
				   "'%s' is no WireGuard "
				   "configuration",
				   shown);
	text[used] = '\0';
	return (ssize_t)used;
}

int wireguard_read(const char *path, enum conf_layer layer, uid_t uid,
		   struct wireguard *ret, struct fault *f)
{
	auto_free char *text = malloc(WIREGUARD_FILE + 1);
	auto_fd fd = -1;
	const char *why;
	ssize_t n = -1;
	int rc;

	memset(ret, 0, sizeof(*ret));
	why = wireguard_link(path, ret->link);
	if (why || !text)
		return fault_plain(f, why ? -EINVAL : -ENOMEM, "'%s': %s", path,
				   why ? why : "no memory");
	rc = secret_open(path, layer, uid, &fd, f);
	if (rc == 0) {
		n = wg_slurp(fd, text, path, f);
		rc = n < 0 ? (int)n : wireguard_parse(text, path, ret, f);
	}
	explicit_bzero(text, WIREGUARD_FILE + 1);
	return rc;
}
