// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * import_fuzz.c - any octets as a netns-proxy file
 *
 * What `config import` makes of it is a configuration that is taken, or it
 * says why there is none.
 */
#include "config_words.h"

#include "conf/conf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** import() - Return: exit status; @ret is what it wrote */
static int import(const uint8_t *data, size_t len, char **ret, size_t *ret_len)
{
	const int fd = memfd_create("file", MFD_CLOEXEC);
	FILE *const out = stdout;
	FILE *const err = stderr;
	char path[48];
	const struct config_call call = {
		.verb = &(const struct verb){ .name = "config" },
		.operand = path,
	};
	int status;

	assert(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	stdout = open_memstream(ret, ret_len);
	stderr = fopen("/dev/null", "we");
	assert(stdout && stderr);
	status = config_import(&call);
	(void)fclose(stdout);
	(void)fclose(stderr);
	stdout = out;
	stderr = err;
	(void)close(fd);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t text_len = 0;
	char *text = NULL;
	struct conf c;

	if (import(data, len, &text, &text_len) == STATUS_DONE &&
	    text_len < 65536) {
		conf_init(&c, 0);
		conf_add_text(&c, conf_new_file(&c, "file", LAYER_SYSTEM), text,
			      text_len);
		(void)conf_finish(&c);
		/* A user may be unknown here, as a program may; syntax, names
		 * and chains must be right. */
		conf_fini(&c);
	}
	free(text);
	return 0;
}
