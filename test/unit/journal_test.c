// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * journal_test.c - lines, rings of them, and those who speak
 */
#include "daemon/journal.h"

#include "base/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/** hear() - line_hear() of bytes in a block of just their size */
static struct line *hear(const char *text, size_t len)
{
	char *block = malloc(len ? len : 1);
	struct line *l;

	memcpy(block, text, len);
	l = line_hear(block, len, "work");
	free(block);
	return l;
}

static void expect_heard(const char *text, enum log_level level,
			 const char *said)
{
	struct line *l = hear(text, strlen(text));

	assert_non_null(l);
	assert_int_equal(l->level, level);
	assert_string_equal(l->text, said);
	assert_string_equal(l->from, "work");
	assert_int_equal(l->len, strlen(said));
	line_put(l);
}

static void prefix_and_mark_become_a_level(void **state)
{
	(void)state;
	expect_heard("nsproxy: warning: x y\n", LOG_LEVEL_WARN, "x y");
	expect_heard("nsproxy: error: x", LOG_LEVEL_ERR, "x");
	expect_heard("nsproxy: x\n", LOG_LEVEL_INFO, "x");
	expect_heard("nsproxy: debug: x\n\n", LOG_LEVEL_DEBUG, "x");
	expect_heard("nsproxy: trace: x\n", LOG_LEVEL_TRACE, "x");
	/* One mark alone, and one prefix alone, are taken off. */
	expect_heard("nsproxy: debug: error: x", LOG_LEVEL_DEBUG, "error: x");
	expect_heard("nsproxy: nsproxy: x", LOG_LEVEL_INFO, "nsproxy: x");
	expect_heard("error: x", LOG_LEVEL_WARN, "error: x");
	expect_heard("==1==ERROR: Sanitizer", LOG_LEVEL_WARN,
		     "==1==ERROR: Sanitizer");
}

static void nothing_is_no_line(void **state)
{
	static const char *const empty[] = { "", "\n", "\n\n", "nsproxy: ",
					     "nsproxy: error: \n" };

	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		assert_null(hear(empty[i], strlen(empty[i])));
	assert_null(hear("\0\0\n\0", 4));
}

static void any_bytes_become_printable_and_short(void **state)
{
	char big[4 * LINE_MAX];
	struct line *l;

	(void)state;
	expect_heard("nsproxy: a\nb\033[\\x1b\x9b\xe2\x80\xae\x7f",
		     LOG_LEVEL_INFO,
		     "a\\x0ab\\x1b[\\x1b\\x9b\\xe2\\x80\\xae\\x7f");
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + 1);
	for (size_t len = 0; len < sizeof(big); len += 13) {
		l = hear(big, len);
		if (!l)
			continue;
		assert_true(l->len < LINE_MAX && l->len == strlen(l->text));
		for (size_t i = 0; i < l->len; i++)
			assert_true(l->text[i] >= ' ' && l->text[i] < 0x7f);
		line_put(l);
	}
	memset(big, 'x', sizeof(big));
	l = hear(big, sizeof(big));
	assert_non_null(l);
	assert_string_equal(l->text + l->len - 4, "x...");
	line_put(l);
}

static void expect_own(const char *text, const char *from, const char *said)
{
	struct line *l = line_own(LOG_LEVEL_INFO, text);

	assert_non_null(l);
	assert_string_equal(l->from, from);
	assert_string_equal(l->text, said);
	line_put(l);
}

static void own_lines_are_about_whom_they_name_first(void **state)
{
	const char *longest = "n123456789012345678901234567890";
	char text[200];

	(void)state;
	expect_own("sandbox 'work': it died", "work", "it died");
	expect_own("sandbox 'a.b' is up", "a.b", "is up");
	expect_own("sandbox 'work', or another", "",
		   "sandbox 'work', or another");
	expect_own("sandbox 'work", "", "sandbox 'work");
	/* No sandbox is called so, and a terminal would be told to. */
	expect_own("sandbox 'w\bk': x", "", "sandbox 'w\\x08k': x");
	expect_own("the sandbox 'work': x", "", "the sandbox 'work': x");
	(void)snprintf(text, sizeof(text), "sandbox '%s': x", longest);
	expect_own(text, longest, "x");
	(void)snprintf(text, sizeof(text), "sandbox '%sn': x", longest);
	expect_own(text, "", text);
}

static void lines_are_shown_with_a_priority_for_systemd(void **state)
{
	struct line *l = line_hear("nsproxy: error: bad", 19, "work");
	struct line *own = line_own(LOG_LEVEL_WARN, "hot");
	char text[LINE_MAX + 200];

	(void)state;
	assert_int_equal(line_show(l, false, text, sizeof(text)),
			 strlen("nsproxy: sandbox 'work': error: bad\n"));
	assert_string_equal(text, "nsproxy: sandbox 'work': error: bad\n");
	assert_true(line_show(l, true, text, sizeof(text)) > 0);
	assert_string_equal(text, "<3>nsproxy: sandbox 'work': error: bad\n");
	assert_true(line_show(own, true, text, sizeof(text)) > 0);
	assert_string_equal(text, "<4>nsproxy: daemon: warning: hot\n");
	line_put(l);
	line_put(own);
}

/** put() - A line of @len characters in a ring */
static void put(struct ring *r, uint64_t seq, size_t len)
{
	char text[LINE_MAX];
	struct line *l;

	memset(text, 'x', sizeof(text));
	l = line_new(LOG_LEVEL_INFO, "work", text, len);
	assert_non_null(l);
	l->seq = seq;
	ring_add(r, l);
	line_put(l);
}

static void ring_keeps_the_last_lines(void **state)
{
	struct ring r = { 0 };

	(void)state;
	assert_null(ring_after(&r, 0));
	assert_null(ring_before(&r, 9));
	for (uint64_t seq = 2; seq <= 2000; seq += 2)
		put(&r, seq, 1);
	assert_int_equal(r.count, RING_LINES);
	assert_int_equal(r.gone, 2000 - 2 * RING_LINES);
	assert_int_equal(ring_after(&r, 0)->seq, r.gone + 2);
	assert_int_equal(ring_after(&r, 1900)->seq, 1902);
	assert_int_equal(ring_after(&r, 1901)->seq, 1902);
	assert_null(ring_after(&r, 2000));
	assert_int_equal(ring_before(&r, 1902)->seq, 1900);
	assert_int_equal(ring_before(&r, UINT64_MAX)->seq, 2000);
	assert_null(ring_before(&r, r.gone + 2));
	assert_null(ring_before(&r, 0));
	ring_fini(&r);
	assert_null(r.slot);
}

static void ring_keeps_no_more_bytes_than_its_cap(void **state)
{
	struct ring r = { 0 };

	(void)state;
	for (uint64_t seq = 1; seq <= 300; seq++) {
		put(&r, seq, seq * 37 % 900);
		assert_true(r.bytes <= RING_BYTES);
	}
	assert_true(r.count > 40 && r.count < 90);
	assert_int_equal(ring_before(&r, UINT64_MAX)->seq, 300);
	assert_int_equal(r.gone, 300 - r.count);
	ring_fini(&r);
}

/** struct scene - a journal, a sandbox that speaks, and no standard error */
struct scene {
	struct loop loop;
	struct journal j;
	unsigned int news;
	int say;
	int err;
};

static void scene_news(void *ctx)
{
	((struct scene *)ctx)->news++;
}

/** scene_voice() - Return: the end to write to */
static int scene_voice(struct scene *s, const char *name)
{
	const int on = 1;
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX,
			   SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			   pair),
		0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_TIMESTAMPNS, &on,
				    sizeof(on)),
			 0);
	journal_hear(&s->j, name, pair[0]);
	return pair[1];
}

static void scene_begin(struct scene *s)
{
	auto_fd null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	*s = (struct scene){ 0 };
	s->err = dup(STDERR_FILENO);
	assert_true(null >= 0 && dup2(null, STDERR_FILENO) == STDERR_FILENO);
	assert_int_equal(loop_init(&s->loop), 0);
	journal_init(&s->j);
	s->j.news = scene_news;
	s->j.ctx = s;
	journal_start(&s->j, &s->loop, LOG_LEVEL_WARN);
	journal_add(&s->j, "work");
	s->say = scene_voice(s, "work");
}

static void scene_end(struct scene *s)
{
	journal_stop(&s->j);
	loop_fini(&s->loop);
	fd_close(&s->say);
	(void)dup2(s->err, STDERR_FILENO);
	fd_close(&s->err);
}

static void scene_say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect_next(const struct journal *j, const char *name,
			uint64_t *seq, const char *text)
{
	const struct line *l = journal_next(j, name, *seq);

	assert_non_null(l);
	assert_string_equal(l->text, text);
	assert_true(l->seq > *seq && l->time_ms > 0);
	*seq = l->seq;
}

static void everything_said_is_kept_in_order(void **state)
{
	struct scene s;
	uint64_t seq = 0;

	(void)state;
	scene_begin(&s);
	log_info("sandbox 'work' is up");
	scene_say(s.say, "nsproxy: warning: one\n");
	assert_int_equal(loop_turn(&s.loop, 0), 0);
	log_warn("two");
	log_debug("not even kept");
	expect_next(&s.j, "", &seq, "is up");
	expect_next(&s.j, "", &seq, "one");
	expect_next(&s.j, "", &seq, "two");
	assert_null(journal_next(&s.j, "", seq));
	seq = 0;
	expect_next(&s.j, "work", &seq, "is up");
	expect_next(&s.j, "work", &seq, "one");
	assert_null(journal_next(&s.j, "work", seq));
	assert_null(journal_next(&s.j, "other", 0));
	assert_int_equal(s.news, 1); /* a turn's lines are told at once */
	assert_int_equal(loop_turn(&s.loop, 0), 0);
	assert_int_equal(s.news, 2);
	scene_end(&s);
}

static void last_lines_are_found(void **state)
{
	struct scene s;
	uint64_t seq;

	(void)state;
	scene_begin(&s);
	for (int i = 0; i < 5; i++) {
		log_warn("own");
		log_warn("sandbox 'work': its");
	}
	seq = journal_last(&s.j, "work", 2);
	expect_next(&s.j, "work", &seq, "its");
	expect_next(&s.j, "work", &seq, "its");
	assert_null(journal_next(&s.j, "work", seq));
	seq = journal_last(&s.j, "", 3);
	expect_next(&s.j, "", &seq, "its");
	expect_next(&s.j, "", &seq, "own");
	expect_next(&s.j, "", &seq, "its");
	assert_null(journal_next(&s.j, "", journal_last(&s.j, "", 0)));
	assert_int_equal(journal_last(&s.j, "", 1000), 0);
	scene_end(&s);
}

static void flood_gets_its_share_and_no_more(void **state)
{
	struct scene s;
	int other;

	(void)state;
	scene_begin(&s);
	journal_add(&s.j, "other");
	other = scene_voice(&s, "other");
	for (int i = 0; i < 100; i++)
		scene_say(s.say, "nsproxy: flood\n");
	scene_say(other, "nsproxy: calm\n");
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_turn(&s.loop, 0), 0);
	assert_non_null(journal_next(&s.j, "other", 0));
	assert_int_equal(s.j.seq, 1 + 32);
	/* What waits is not lost: it comes with the next shares. */
	while (s.j.seq < 1 + 100)
		assert_int_equal(loop_turn(&s.loop, 1000), 0);
	scene_end(&s);
	fd_close(&other);
}

static void lost_lines_are_known(void **state)
{
	struct scene s;
	uint64_t seq;

	(void)state;
	scene_begin(&s);
	for (int i = 0; i < 300; i++)
		log_warn("sandbox 'work': x");
	seq = s.j.seq;
	assert_true(journal_has_lost(&s.j, "work", 0));
	assert_false(journal_has_lost(&s.j, "work", seq));
	assert_false(journal_has_lost(&s.j, "work", seq - RING_LINES));
	for (int i = 0; i < RING_LINES; i++)
		log_warn("sandbox 'work': x");
	assert_false(journal_has_lost(&s.j, "work", seq));
	log_warn("sandbox 'work': x");
	assert_true(journal_has_lost(&s.j, "work", seq));
	scene_end(&s);
}

static void end_is_heard_after_the_last_line(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	for (int i = 0; i < 100; i++)
		scene_say(s.say, "nsproxy: last words\n");
	fd_close(&s.say);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_turn(&s.loop, 0), 0);
	assert_int_equal(s.j.seq, 100);
	/* Nothing is watched any more: a turn would not wait. */
	journal_drain(&s.j, "work");
	journal_drop(&s.j, "work");
	assert_null(journal_next(&s.j, "work", 0));
	scene_end(&s);
}

static void empty_message_is_no_end(void **state)
{
	struct scene s;
	uint64_t seq = 0;

	(void)state;
	scene_begin(&s);
	assert_int_equal(send(s.say, "", 0, 0), 0);
	scene_say(s.say, "nsproxy: still here\n");
	assert_int_equal(loop_turn(&s.loop, 0), 0);
	expect_next(&s.j, "work", &seq, "still here");
	scene_end(&s);
}

static void another_socket_takes_the_place_of_the_first(void **state)
{
	struct scene s;
	uint64_t seq = 0;
	int say;

	(void)state;
	scene_begin(&s);
	scene_say(s.say, "nsproxy: old\n");
	say = scene_voice(&s, "work");
	scene_say(say, "nsproxy: new\n");
	assert_int_equal(loop_turn(&s.loop, 0), 0);
	expect_next(&s.j, "work", &seq, "old");
	expect_next(&s.j, "work", &seq, "new");
	assert_true(send(s.say, "x", 1, MSG_NOSIGNAL) < 0);
	scene_end(&s);
	fd_close(&say);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefix_and_mark_become_a_level),
		cmocka_unit_test(nothing_is_no_line),
		cmocka_unit_test(any_bytes_become_printable_and_short),
		cmocka_unit_test(own_lines_are_about_whom_they_name_first),
		cmocka_unit_test(lines_are_shown_with_a_priority_for_systemd),
		cmocka_unit_test(ring_keeps_the_last_lines),
		cmocka_unit_test(ring_keeps_no_more_bytes_than_its_cap),
		cmocka_unit_test(everything_said_is_kept_in_order),
		cmocka_unit_test(last_lines_are_found),
		cmocka_unit_test(flood_gets_its_share_and_no_more),
		cmocka_unit_test(lost_lines_are_known),
		cmocka_unit_test(end_is_heard_after_the_last_line),
		cmocka_unit_test(empty_message_is_no_end),
		cmocka_unit_test(another_socket_takes_the_place_of_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
