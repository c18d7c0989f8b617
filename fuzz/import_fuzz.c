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
#include <stdbool.h>
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

static void judge(struct conf *c)
{
	const int rc = conf_finish(c);

	for (const struct problem *p = c->problems.first; p; p = p->next)
		(void)fprintf(stderr, "%s\n", p->text);
	assert(rc == 0 && c->problems.count == 0);
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
		judge(&c);
		conf_fini(&c);
	}
	free(text);
	return 0;
}
