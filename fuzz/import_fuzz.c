// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * import_fuzz.c - any octets as a netns-proxy file
 *
 * What `config import` makes of it is a configuration that is taken, or it
 * says why there is none. But for what a file of theirs may hold and ours may
 * not, which is told when it is read: see is_theirs().
 */
#include "config_words.h"

#include "base/text.h"
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

/** is_theirs() - Was it wrong before? Syntax, names and chains are ours */
static bool is_theirs(const char *problem)
{
	return text_starts(problem, "'user': ") ||
	       text_starts(problem, "'command' takes at most ") ||
	       text_starts(problem, "'command' holds more than ") ||
	       /* once in "profiles", once in "params" */
	       strstr(problem, " is defined twice; ");
}

static void judge(struct conf *c)
{
	const int rc = conf_finish(c);

	assert((rc < 0) == (c->problems.count > 0));
	for (const struct problem *p = c->problems.first; p; p = p->next) {
		if (is_theirs(p->text))
			continue;
		(void)fprintf(stderr, "%s\n", p->text);
		assert(!"a problem of the import's own");
	}
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
