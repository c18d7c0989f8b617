// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * board.c - how a sandbox's jobs are: written by its minder, read by a daemon
 */
#include "box/board.h"

#include "base/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BOARD_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)
/* A reader looks until it sees the same twice, but not for ever. */
#define BOARD_LOOKS 8

static const char *const state_name[] = {
	[JOB_STARTING] = "starting", [JOB_RUNNING] = "running",
	[JOB_WAITING] = "waiting",   [JOB_ENDED] = "ended",
	[JOB_FAILED] = "failed",
};

static_assert(sizeof(state_name) / sizeof(state_name[0]) == JOB_STATES,
	      "each state has a name");

const char *job_state_name(enum job_state state)
{
	return state_name[state];
}

int board_make(int *ret_fd)
{
	struct job_board none = { 0 };
	auto_fd fd =
		memfd_create("nsproxy-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0)
		return -errno;
	rc = board_write(fd, &none);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, BOARD_SEALS) < 0)
		rc = -errno;
	if (rc == 0)
		*ret_fd = fd_take(&fd);
	return rc;
}

int board_write(int fd, struct job_board *b)
{
	const ssize_t size = sizeof(*b);

	b->magic = BOARD_MAGIC;
	b->size = sizeof(*b);
	return pwrite(fd, b, sizeof(*b), 0) == size ? 0 : -EIO;
}

static bool board_is_sound(const struct job_board *b)
{
	if (b->magic != BOARD_MAGIC || b->size != sizeof(*b) ||
	    b->count > JOBS_MAX)
		return false;
	for (unsigned int i = 0; i < b->count; i++) {
		const struct job_card *c = &b->card[i];

		if (!memchr(c->name, '\0', sizeof(c->name)) ||
		    (unsigned int)c->state >= JOB_STATES ||
		    c->words_len > BOARD_WORDS)
			return false;
	}
	return true;
}

int board_read(int fd, struct job_board *ret)
{
	const ssize_t size = sizeof(*ret);
	struct job_board before;

	memset(ret, 0, sizeof(*ret));
	/* It may be written to meanwhile. */
	for (int i = 0; i < BOARD_LOOKS; i++) {
		memcpy(&before, ret, sizeof(before));
		if (pread(fd, ret, sizeof(*ret), 0) != size)
			return -EPROTO;
		if (memcmp(&before, ret, sizeof(before)) == 0)
			break;
	}
	return board_is_sound(ret) ? 0 : -EPROTO;
}

void card_add(struct job_card *c, const char *said, size_t len)
{
	size_t keep = c->words_len;

	if (len > BOARD_WORDS) {
		said += len - BOARD_WORDS;
		len = BOARD_WORDS;
	}
	if (keep > BOARD_WORDS - len)
		keep = BOARD_WORDS - len;
	memmove(c->words, c->words + c->words_len - keep, keep);
	memcpy(c->words + keep, said, len);
	c->words_len = (unsigned int)(keep + len);
}

const char *card_words(const struct job_card *c,
		       char to[static BOARD_WORDS + 1])
{
	size_t used = 0;

	for (unsigned int i = 0; i < c->words_len; i++) {
		const unsigned char byte = (unsigned char)c->words[i];
		const bool is_space = byte == '\n' || byte == '\t' ||
				      byte == '\r' || byte == ' ';

		if (is_space && (used == 0 || to[used - 1] == ' '))
			continue;
		to[used++] = is_space			   ? ' '
			     : byte < 0x20 || byte >= 0x7f ? '?'
							   : (char)byte;
	}
	while (used > 0 && to[used - 1] == ' ')
		used--;
	to[used] = '\0';
	return to;
}
