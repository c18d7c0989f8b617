// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * job_test.c - what is run, when again, and how it is told
 */
#include "box/board.h"
#include "box/job.h"
#include "box/listening.h"

#include "base/fd.h"
#include "bus/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct jobs *some_jobs(void)
{
	static const char *const one[] = { "/bin/true", NULL };
	static const char *const two[] = { "a", "", "b c", NULL };
	struct jobs *j = calloc(1, sizeof(*j));

	assert_non_null(j);
	j->count = 2;
	j->job[0].uid = j->job[1].uid = 1;
	assert_true(job_pack(&j->job[0], one));
	assert_true(job_pack(&j->job[1], two));
	return j;
}

/* --- words */

static void words_come_out_as_they_went_in(void **state)
{
	struct jobs *j = some_jobs();
	const char *argv[JOB_WORDS + 1];

	(void)state;
	job_argv(&j->job[1], argv);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[1], "");
	assert_string_equal(argv[2], "b c");
	assert_null(argv[3]);
	free(j);
}

static void too_many_words_do_not_fit(void **state)
{
	static const char *argv[JOB_WORDS + 2];
	static char big[JOB_BYTES + 1];
	struct job *j = calloc(1, sizeof(*j));

	(void)state;
	assert_non_null(j);
	assert_false(job_pack(j, argv)); /* no word at all */
	for (int i = 0; i <= JOB_WORDS; i++)
		argv[i] = "x";
	assert_false(job_pack(j, argv));
	argv[JOB_WORDS] = NULL;
	assert_true(job_pack(j, argv));
	assert_int_equal(j->word_count, JOB_WORDS);
	memset(big, 'x', JOB_BYTES);
	argv[0] = big;
	argv[1] = NULL;
	assert_false(job_pack(j, argv));
	big[JOB_BYTES - 1] = '\0';
	assert_true(job_pack(j, argv));
	argv[1] = "";
	argv[2] = NULL;
	assert_false(job_pack(j, argv));
	free(j);
}

static void programs_are_found_in_fixed_places(void **state)
{
	char path[PATH_MAX];

	(void)state;
	(void)setenv("PATH", "/nowhere", 1);
	assert_int_equal(job_find("sh", path, sizeof(path)), 0);
	assert_non_null(strstr(path, "/bin/sh"));
	assert_int_equal(job_find("/bin/sh", path, sizeof(path)), 0);
	assert_string_equal(path, "/bin/sh");
	assert_int_equal(job_find("no-such-thing", path, sizeof(path)),
			 -ENOENT);
	assert_int_equal(job_find("/no/such", path, sizeof(path)), -ENOENT);
	assert_int_equal(job_find("/etc/passwd", path, sizeof(path)), -EACCES);
	assert_int_equal(job_find("/usr/bin", path, sizeof(path)), -EACCES);
	assert_int_equal(job_find("./sh", path, sizeof(path)), -EINVAL);
	assert_int_equal(job_find("bin/sh", path, sizeof(path)), -EINVAL);
	assert_int_equal(job_find("", path, sizeof(path)), -ENOENT);
	assert_int_equal(job_find("/bin/sh", path, 5), -ENAMETOOLONG);
}

/* --- sealed */

static void sealed_jobs_come_back(void **state)
{
	struct jobs *j = some_jobs();
	struct jobs *got = calloc(1, sizeof(*got));
	auto_fd fd = -1;
	auto_fd none = -1;

	(void)state;
	assert_non_null(got);
	assert_int_equal(jobs_seal(j, &fd), 0);
	assert_int_equal(jobs_read(fd, got), 0);
	assert_int_equal(got->count, 2);
	assert_memory_equal(got->job, j->job, 2 * sizeof(struct job));
	j->count = 0;
	assert_int_equal(jobs_seal(j, &none), 0);
	assert_int_equal(jobs_read(none, got), 0);
	assert_int_equal(got->count, 0);
	j->count = JOBS_MAX + 1;
	assert_int_equal(jobs_seal(j, &none), -E2BIG);
	free(j);
	free(got);
}

/** read_after() - What reading says after a change of the second job */
static int read_after(void (*change)(struct job *j))
{
	struct jobs *j = some_jobs();
	auto_fd fd = -1;
	int rc;

	change(&j->job[1]);
	assert_int_equal(jobs_seal(j, &fd), 0);
	rc = jobs_read(fd, j);
	free(j);
	return rc;
}

static void nothing(struct job *j)
{
	(void)j;
}

static void as_root(struct job *j)
{
	j->uid = 0;
}

static void endless_name(struct job *j)
{
	memset(j->name, 'x', sizeof(j->name));
}

static void endless_home(struct job *j)
{
	memset(j->home, 'x', sizeof(j->home));
}

static void endless_words(struct job *j)
{
	memset(j->words, 'x', sizeof(j->words));
}

static void no_words(struct job *j)
{
	j->word_count = 0;
}

static void empty_program(struct job *j)
{
	j->words[0] = '\0';
}

static void many_words(struct job *j)
{
	j->word_count = JOB_WORDS + 1;
}

static void strange_policy(struct job *j)
{
	j->restart = (enum restart_word)77;
}

static void strange_place(struct job *j)
{
	j->where = (enum where_word)77;
}

static void jobs_that_make_no_sense_are_refused(void **state)
{
	static void (*const bad[])(struct job * j) = {
		as_root,       endless_name,   endless_home,
		endless_words, no_words,       empty_program,
		many_words,    strange_policy, strange_place,
	};

	(void)state;
	assert_int_equal(read_after(nothing), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_after(bad[i]) != -EPROTO)
			fail_msg("change %zu was taken", i);
}

static void jobs_of_another_size_are_refused(void **state)
{
	static const char text[sizeof(struct jobs) + 1];
	struct jobs *j = some_jobs();
	const size_t sizes[] = { 1, sizeof(*j) - 1, sizeof(*j) + 1,
				 offsetof(struct jobs, job) + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		auto_fd fd = -1;

		assert_int_equal(sealed_put("x", text, sizes[i], &fd), 0);
		assert_int_equal(jobs_read(fd, j), -EPROTO);
	}
	free(j);
}

static void unsealed_jobs_are_refused(void **state)
{
	struct jobs *j = some_jobs();
	auto_fd fd = memfd_create("x", MFD_CLOEXEC);

	(void)state;
	j->magic = JOBS_MAGIC;
	assert_int_equal(fd_write_all(fd, j,
				      offsetof(struct jobs, job) +
					      2 * sizeof(struct job)),
			 0);
	assert_int_equal(jobs_read(fd, j), -EPROTO);
	free(j);
}

/* --- again */

static void policies(void **state)
{
	(void)state;
	assert_false(job_is_again(RESTART_NEVER, 0));
	assert_false(job_is_again(RESTART_NEVER, 1));
	assert_false(job_is_again(RESTART_ON_FAILURE, 0));
	assert_true(job_is_again(RESTART_ON_FAILURE, 137));
	assert_true(job_is_again(RESTART_ALWAYS, 0));
	assert_true(job_is_again(RESTART_ALWAYS, 1));
}

static void gaps_double_up_to_ten_seconds(void **state)
{
	static const uint64_t want[] = { 100,  200,  400,   800,   1600,
					 3200, 6400, 10000, 10000, 10000 };
	uint64_t gap = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		gap = job_gap_ms(gap, 9999);
		assert_int_equal(gap, want[i]);
	}
	assert_int_equal(job_gap_ms(gap, 10000), 100);
}

static void statuses_are_a_shells(void **state)
{
	(void)state;
	assert_int_equal(job_status(0), 0);
	assert_int_equal(job_status(W_EXITCODE(7, 0)), 7);
	assert_int_equal(job_status(W_EXITCODE(0, 9)), 137);
	assert_int_equal(job_status(W_EXITCODE(0, 11) | WCOREFLAG), 139);
}

/* --- board */

static void board_is_read_as_it_was_written(void **state)
{
	struct job_board b = { .count = 2 };
	struct job_board got;
	auto_fd fd = -1;

	(void)state;
	assert_int_equal(board_make(&fd), 0);
	assert_int_equal(board_read(fd, &got), 0);
	assert_int_equal(got.count, 0);
	strcpy(b.card[1].name, "gost");
	b.card[1].state = JOB_FAILED;
	b.card[1].status = 3;
	assert_int_equal(board_write(fd, &b), 0);
	assert_int_equal(board_read(fd, &got), 0);
	assert_memory_equal(&b, &got, sizeof(b));
}

static void board_keeps_its_size(void **state)
{
	auto_fd fd = -1;

	(void)state;
	assert_int_equal(board_make(&fd), 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static void board_that_makes_no_sense_is_refused(void **state)
{
	struct job_board good = { .count = 1 };
	struct job_board b;
	struct job_board got;
	auto_fd fd = -1;
	auto_fd small = memfd_create("x", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(board_make(&fd), 0);
	assert_int_equal(board_write(fd, &good), 0);
	b = good;
	b.count = JOBS_MAX + 1;
	assert_int_equal(board_write(fd, &b), 0);
	assert_int_equal(board_read(fd, &got), -EPROTO);
	b = good;
	memset(b.card[0].name, 'x', sizeof(b.card[0].name));
	assert_int_equal(board_write(fd, &b), 0);
	assert_int_equal(board_read(fd, &got), -EPROTO);
	b = good;
	b.card[0].state = JOB_STATES;
	assert_int_equal(board_write(fd, &b), 0);
	assert_int_equal(board_read(fd, &got), -EPROTO);
	b = good;
	b.card[0].words_len = BOARD_WORDS + 1;
	assert_int_equal(board_write(fd, &b), 0);
	assert_int_equal(board_read(fd, &got), -EPROTO);
	assert_int_equal(board_write(fd, &good), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(board_read(fd, &got), -EPROTO);
	assert_int_equal(board_write(fd, &good), 0);
	assert_int_equal(board_read(fd, &got), 0);
	assert_int_equal(board_read(small, &got), -EPROTO);
}

static void last_words_are_the_last(void **state)
{
	struct job_card c = { 0 };
	char many[3 * BOARD_WORDS];
	char to[BOARD_WORDS + 1];

	(void)state;
	assert_string_equal(card_words(&c, to), "");
	card_add(&c, "one ", 4);
	card_add(&c, "two", 3);
	assert_string_equal(card_words(&c, to), "one two");
	memset(many, 'x', sizeof(many));
	card_add(&c, many, BOARD_WORDS - 2);
	assert_int_equal(c.words_len, BOARD_WORDS);
	assert_memory_equal(c.words, "wox", 3);
	memset(many, 'y', sizeof(many));
	card_add(&c, many, sizeof(many));
	assert_int_equal(c.words_len, BOARD_WORDS);
	assert_int_equal(c.words[0], 'y');
	card_add(&c, "", 0);
	card_add(&c, "z", 1);
	assert_int_equal(c.words_len, BOARD_WORDS);
	assert_memory_equal(c.words + BOARD_WORDS - 2, "yz", 2);
	assert_int_equal(strlen(card_words(&c, to)), BOARD_WORDS);
}

static void last_words_are_shown_on_one_clean_line(void **state)
{
	static const char said[] = "\r\n  a\tb\x1b[2J\x00\x7f\xc3\xa4\n\n";
	struct job_card c = { 0 };
	char to[BOARD_WORDS + 1];

	(void)state;
	card_add(&c, said, sizeof(said) - 1);
	assert_string_equal(card_words(&c, to), "a b?[2J????");
}

/* --- who listens */

#define TABLE_HEAD "  sl  local_address rem_address   st tx_queue rx_queue\n"
#define TABLE_REST \
	" 00000000:00000000 00:00000000 00000000  1000        0 1 1 x\n"

/* Words of an address lie there as this machine has them in memory. */
static const char *word_of(const char ip[static 4], char to[static 9])
{
	uint32_t word;

	memcpy(&word, ip, sizeof(word));
	(void)snprintf(to, 9, "%08X", word);
	return to;
}

/** is_seen() - One socket of uid 1000, whose address is @zeros and @ip; its
 * @state follows */
static bool is_seen(const char *zeros, const char *ip, const char *state_word,
		    const char *at, uint16_t port, uid_t uid)
{
	auto_fd fd = memfd_create("table", MFD_CLOEXEC);
	char text[1024];
	char word[9];
	struct addr a;
	bool got;

	(void)snprintf(text, sizeof(text),
		       TABLE_HEAD "   0: %s%s:0438 00000000:0000 %s" TABLE_REST,
		       zeros, word_of(ip, word), state_word);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_true(addr_parse_ip(at, &a));
	a.port = port;
	/* A table is read again and again. */
	got = listening_seen(fd, &a, uid);
	assert_int_equal(listening_seen(fd, &a, uid), got);
	return got;
}

static const char lo4[] = { 127, 0, 0, 1 };
static const char any[] = { 0, 0, 0, 0 };
static const char lo6[] = { 0, 0, 0, 1 };

#define NO_IP6 "000000000000000000000000"

static void who_listens_is_seen(void **state)
{
	(void)state;
	assert_true(is_seen("", lo4, "0A", "127.0.0.1", 1080, 1000));
	assert_false(is_seen("", lo4, "0A", "127.0.0.1", 1081, 1000));
	assert_false(is_seen("", lo4, "0A", "127.0.0.2", 1080, 1000));
	assert_false(is_seen("", lo4, "0A", "::1", 1080, 1000));
	assert_false(is_seen("", lo4, "0A", "127.0.0.1", 1080, 1001));
	assert_false(is_seen("", lo4, "01", "127.0.0.1", 1080, 1000));
	assert_true(is_seen("", any, "0A", "127.0.0.1", 1080, 1000));
	assert_false(is_seen("", any, "0A", "::1", 1080, 1000));
}

static void who_listens_by_ip6_is_seen(void **state)
{
	(void)state;
	assert_true(is_seen(NO_IP6, any, "0A", "::1", 1080, 1000));
	assert_true(is_seen(NO_IP6, any, "0A", "127.0.0.1", 1080, 1000));
	assert_true(is_seen(NO_IP6, lo6, "0A", "::1", 1080, 1000));
	assert_false(is_seen(NO_IP6, lo6, "0A", "127.0.0.1", 1080, 1000));
}

static void a_table_without_sense_shows_nobody(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		TABLE_HEAD,
		TABLE_HEAD "\n",
		TABLE_HEAD "   0: 7F:0438 00000000:0000 0A" TABLE_REST,
		TABLE_HEAD "   0: 00000000:0438 00000000:0000 0A\n",
		TABLE_HEAD "   0: 000000000:0438 00000000:0000 0A" TABLE_REST,
	};
	const struct addr at = addr_from_ip4(lo4, 1080);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_fd fd = memfd_create("table", MFD_CLOEXEC);

		assert_int_equal(fd_write_all(fd, bad[i], strlen(bad[i])), 0);
		if (listening_seen(fd, &at, 1000))
			fail_msg("table %zu shows somebody", i);
	}
	assert_false(listening_seen(-1, &at, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_come_out_as_they_went_in),
		cmocka_unit_test(too_many_words_do_not_fit),
		cmocka_unit_test(programs_are_found_in_fixed_places),
		cmocka_unit_test(sealed_jobs_come_back),
		cmocka_unit_test(jobs_that_make_no_sense_are_refused),
		cmocka_unit_test(jobs_of_another_size_are_refused),
		cmocka_unit_test(unsealed_jobs_are_refused),
		cmocka_unit_test(policies),
		cmocka_unit_test(gaps_double_up_to_ten_seconds),
		cmocka_unit_test(statuses_are_a_shells),
		cmocka_unit_test(board_is_read_as_it_was_written),
		cmocka_unit_test(board_keeps_its_size),
		cmocka_unit_test(board_that_makes_no_sense_is_refused),
		cmocka_unit_test(last_words_are_the_last),
		cmocka_unit_test(last_words_are_shown_on_one_clean_line),
		cmocka_unit_test(who_listens_is_seen),
		cmocka_unit_test(who_listens_by_ip6_is_seen),
		cmocka_unit_test(a_table_without_sense_shows_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
