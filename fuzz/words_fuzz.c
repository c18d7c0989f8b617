// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * words_fuzz.c - any octets as what our processes say to each other
 *
 * Plans, words of a keeper's store, terms, jobs and boards. The first octet
 * says which, and whether the rest is the message itself or changes to a good
 * one (offset, length, octets). Whatever was not understood leaves nothing
 * open, and what was lies within its bounds.
 */
#include "base/fd.h"
#include "box/board.h"
#include "box/mint.h"
#include "box/store.h"
#include "box/terms.h"
#include "bus/channel.h"
#include "bus/plan_file.h"
#include "bus/sealed.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW 0x80 /* of the first octet */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** struct input - the octets that are left */
struct input {
	const uint8_t *at;
	size_t left;
	bool is_raw;
};

/** change() - Write the changes over @size octets */
static void change(struct input *in, void *over, size_t size)
{
	while (in->left >= 3) {
		const size_t offset = (size_t)in->at[0] << 8 | in->at[1];
		size_t count = in->at[2];

		in->at += 3;
		in->left -= 3;
		count = count < in->left ? count : in->left;
		/* Most of the fields that matter lie at the two ends. */
		for (size_t i = 0; i < count; i++)
			((uint8_t *)over)[(offset + i) % size] = in->at[i];
		in->at += count;
		in->left -= count;
	}
}

/** lowest_fd() - The next one; the same before and after: nothing leaked */
static int lowest_fd(void)
{
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert(fd >= 0 && close(fd) == 0);
	return fd;
}

/** say() - A channel on which the message waits; Return: its end */
static int say(struct input *in, void *good, size_t size, unsigned int fds)
{
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int all[CHANNEL_FDS];
	int pair[2];

	for (int i = 0; i < CHANNEL_FDS; i++)
		all[i] = null;
	assert(null >= 0 && channel_pair(pair) == 0);
	if (!in->is_raw)
		change(in, good, size);
	else if (in->left == 0)
		fds = 0; /* an empty message is the end */
	(void)channel_send(pair[1], in->is_raw ? (const void *)in->at : good,
			   in->is_raw ? in->left : size, all, fds);
	fd_close(&pair[1]);
	(void)close(null);
	return pair[0];
}

static void close_all(int *fds, unsigned int count)
{
	while (count > 0)
		fd_close(&fds[--count]);
}

static void try_plan(struct input *in, unsigned int tags)
{
	static struct {
		struct plan plan;
		struct plan_fd tag[PLAN_FDS];
	} good;
	static struct plan got;
	struct plan_fd fds[PLAN_FDS];
	unsigned int count = 0;
	int chan;

	memset(&good, 0, sizeof(good));
	good.plan.magic = PLAN_MAGIC;
	good.plan.size = sizeof(good);
	chan = say(in, &good, sizeof(good), tags);
	if (plan_recv(chan, &got, fds, &count) == 0) {
		assert(got.magic == PLAN_MAGIC && count == tags);
		for (unsigned int i = 0; i < count; i++)
			fd_close(&fds[i].fd);
	}
	fd_close(&chan);
}

static void try_store(struct input *in, unsigned int tags)
{
	static struct store_word good;
	static struct store_word got;
	int fds[STORE_FDS];
	unsigned int count = 0;
	int chan;

	memset(&good, 0, sizeof(good));
	good.magic = STORE_MAGIC;
	good.size = sizeof(good);
	good.kind = STORE_GIVEN;
	good.tag_count = tags;
	(void)strcpy(good.name, "work");
	chan = say(in, &good, sizeof(good), STORE_FD_TAGS + tags);
	if (store_recv(chan, &got, fds, &count) == 0) {
		assert(memchr(got.name, '\0', sizeof(got.name)));
		assert(got.tag_count <= PLAN_FDS);
		if (got.kind == STORE_GIVEN)
			assert(count == STORE_FD_TAGS + got.tag_count);
		close_all(fds, count);
	}
	fd_close(&chan);
}

static void try_mint(struct input *in)
{
	uint8_t good = 4;
	int chan = say(in, &good, sizeof(good), 0);

	mint_answer(&chan, true);
	fd_close(&chan);
}

/** sealed_of() - The message in sealed memory */
static int sealed_of(struct input *in, void *good, size_t size)
{
	int fd = -1;

	if (!in->is_raw)
		change(in, good, size);
	assert(sealed_put("words", in->is_raw ? (const void *)in->at : good,
			  in->is_raw ? in->left : size, &fd) == 0);
	return fd;
}

static void try_plan_file(struct input *in)
{
	static struct plan good;
	static struct plan got;
	int fd;

	memset(&good, 0, sizeof(good));
	good.magic = PLAN_MAGIC;
	good.size = sizeof(good);
	fd = sealed_of(in, &good, sizeof(good));
	if (plan_file_read(fd, &got) == 0)
		assert(got.magic == PLAN_MAGIC && got.size == sizeof(got));
	fd_close(&fd);
}

static void try_terms(struct input *in)
{
	static struct terms good;
	static struct terms got;
	const gid_t groups[] = { 1, 2 };
	int fd;

	memset(&good, 0, sizeof(good));
	good.magic = TERMS_MAGIC;
	good.size = sizeof(good);
	fd = sealed_of(in, &good, sizeof(good));
	if (terms_read(fd, &got) == 0) {
		assert(strlen(got.profile) < sizeof(got.profile));
		assert(strlen(got.device) < sizeof(got.device));
		assert(got.veth.port_count <= VETH_PORTS);
		(void)terms_admit(&got, 1000, groups, 2);
	}
	fd_close(&fd);
}

static void try_jobs(struct input *in, unsigned int count)
{
	static struct jobs good;
	static struct jobs got;
	const char *argv[JOB_WORDS + 1];
	int fd;

	memset(&good, 0, sizeof(good));
	good.magic = JOBS_MAGIC;
	good.count = count;
	for (unsigned int i = 0; i < count; i++) {
		(void)strcpy(good.job[i].name, "helper");
		(void)memcpy(good.job[i].words, "true\0-x", 8);
		good.job[i].word_count = 2;
		good.job[i].uid = 1000;
	}
	fd = sealed_of(in, &good,
		       offsetof(struct jobs, job) + count * sizeof(struct job));
	if (jobs_read(fd, &got) == 0) {
		assert(got.count <= JOBS_MAX);
		(void)jobs_engine(&got);
		for (unsigned int i = 0; i < got.count; i++) {
			job_argv(&got.job[i], argv);
			assert(argv[0][0] && got.job[i].uid != 0);
			for (unsigned int w = 0; argv[w]; w++)
				assert(argv[w] + strlen(argv[w]) <
				       got.job[i].words + JOB_BYTES);
		}
	}
	fd_close(&fd);
}

static void try_board(struct input *in)
{
	static struct job_board good;
	static struct job_board got;
	const int fd = memfd_create("board", MFD_CLOEXEC);
	char words[BOARD_WORDS + 1];

	memset(&good, 0, sizeof(good));
	good.count = 1;
	assert(fd >= 0 && board_write(fd, &good) == 0);
	if (in->is_raw)
		(void)!pwrite(fd, in->at, in->left, 0);
	else
		change(in, &good, sizeof(good));
	if (!in->is_raw)
		(void)!pwrite(fd, &good, sizeof(good), 0);
	if (board_read(fd, &got) == 0)
		for (unsigned int i = 0; i < got.count; i++) {
			(void)job_state_name(got.card[i].state);
			card_words(&got.card[i], words);
		}
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const int before = lowest_fd();
	struct input in = { .at = data + 2, .left = len - 2 };

	if (len < 2)
		return 0;
	in.is_raw = data[0] & RAW;
	switch (data[0] & ~RAW) {
	case 0:
		try_plan(&in, data[1] % PLAN_FDS);
		break;
	case 1:
		try_store(&in, data[1] % PLAN_FDS);
		break;
	case 2:
		try_mint(&in);
		break;
	case 3:
		try_plan_file(&in);
		break;
	case 4:
		try_terms(&in);
		break;
	case 5:
		try_jobs(&in, data[1] % (JOBS_MAX + 1));
		break;
	default:
		try_board(&in);
	}
	assert(lowest_fd() == before);
	return 0;
}
