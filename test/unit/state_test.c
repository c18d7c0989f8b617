// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * state_test.c - what a daemon writes down, and names of sandboxes
 */
#include "daemon/state.h"

#include "base/fd.h"
#include "bus/plan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/nsproxy-state-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/state.json", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void put(const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void what_is_saved_is_loaded(void **state)
{
	struct state_box box[] = {
		{ .name = "work",
		  .profile = "office",
		  .owner = 1003,
		  .netns = 4026532188 },
		{ .name = "a.b_c-d", .profile = "a.b_c-d" },
	};
	const struct state s = { .box = box, .count = 2 };
	struct state got = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(state_save(dir, path, &s, NULL), 0);
	assert_int_equal(state_load(path, &got, NULL), 0);
	assert_int_equal(got.count, 2);
	assert_string_equal(got.box[0].name, "work");
	assert_string_equal(got.box[0].profile, "office");
	assert_int_equal(got.box[0].owner, 1003);
	assert_int_equal(got.box[0].netns, 4026532188);
	assert_string_equal(got.box[1].name, "a.b_c-d");
	state_fini(&got);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void first_version_has_the_profiles_name(void **state)
{
	struct state got = { 0 };

	(void)state;
	put("{\"version\":1,\"sandboxes\":[{\"name\":\"work\",\"netns\":7}]}");
	assert_int_equal(state_load(path, &got, NULL), 0);
	assert_int_equal(got.count, 1);
	assert_string_equal(got.box[0].profile, "work");
	assert_int_equal(got.box[0].owner, geteuid());
	state_fini(&got);
}

static void no_file_is_an_empty_state(void **state)
{
	struct state got = { 0 };

	(void)state;
	(void)unlink(path);
	assert_int_equal(state_load(path, &got, NULL), 0);
	assert_int_equal(got.count, 0);
	state_fini(&got);
}

/* row: K16 S03 */
static void nonsense_and_newer_ones_are_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} bad[] = {
		{ "", -EPROTO },
		{ "{", -EPROTO },
		{ "[]", -EPROTO },
		{ "{}", -EPROTO },
		{ "{\"version\":3,\"sandboxes\":[]}", -ENOTSUP },
		{ "{\"version\":0,\"sandboxes\":[]}", -EPROTO },
		{ "{\"version\":2,\"sandboxes\":[{\"name\":\"ok\","
		  "\"netns\":1}]}",
		  -EPROTO },
		{ "{\"version\":2,\"sandboxes\":[{\"name\":\"ok\","
		  "\"profile\":\"../x\",\"owner\":0,\"netns\":1}]}",
		  -EPROTO },
		{ "{\"version\":2,\"sandboxes\":[{\"name\":\"ok\","
		  "\"profile\":\"ok\",\"owner\":-1,\"netns\":1}]}",
		  -EPROTO },
		{ "{\"version\":\"1\",\"sandboxes\":[]}", -EPROTO },
		{ "{\"version\":1,\"sandboxes\":{}}", -EPROTO },
		{ "{\"version\":1,\"sandboxes\":[1]}", -EPROTO },
		{ "{\"version\":1,\"sandboxes\":[{\"name\":\"a/b\","
		  "\"netns\":1}]}",
		  -EPROTO },
		{ "{\"version\":1,\"sandboxes\":[{\"name\":\"ok\"}]}",
		  -EPROTO },
	};
	struct state got = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(bad[i].text);
		assert_int_equal(state_load(path, &got, NULL), bad[i].rc);
		assert_null(got.box);
	}
}

/* row: S03 */
static void what_others_may_write_is_refused(void **state)
{
	static const char text[] = "{\"version\":2,\"sandboxes\":[]}";
	struct state got = { 0 };

	(void)state;
	put(text);
	assert_int_equal(state_load(path, &got, NULL), 0);
	state_fini(&got);
	assert_int_equal(chmod(path, 0606), 0);
	assert_int_equal(state_load(path, &got, NULL), -EPERM);
	assert_null(got.box);
	assert_int_equal(unlink(path), 0);
	/* Nor is anybody waited for to write it. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(state_load(path, &got, NULL), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(state_load(path, &got, NULL), -ELOOP);
	assert_int_equal(unlink(path), 0);
}

/* row: R09 */
static void failed_save_leaves_the_old_one(void **state)
{
	struct state_box box = { .name = "work", .profile = "work" };
	const struct state s = { .box = &box, .count = 1 };
	struct state got = { 0 };
	char fresh[80];

	(void)state;
	assert_int_equal(state_save(dir, path, &s, NULL), 0);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	assert_int_equal(mkdir(fresh, 0700), 0);
	strcpy(box.name, "other");
	assert_true(state_save(dir, path, &s, NULL) < 0);
	assert_int_equal(state_load(path, &got, NULL), 0);
	assert_string_equal(got.box[0].name, "work");
	state_fini(&got);
	assert_int_equal(rmdir(fresh), 0);
}

/* row: U10 */
static void names_of_sandboxes(void **state)
{
	static const char *const good[] = { "a", "work", "A.b-c_9", "_x", "9" };
	static const char *const bad[] = {
		"", ".", "..", ".x", "-x", "a/b", "a b", "a\n", "\xff", "a\x1b"
	};
	char name[STORE_NAME + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(store_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(store_name_ok(bad[i]));
	memset(name, 'n', sizeof(name));
	name[STORE_NAME] = '\0';
	assert_false(store_name_ok(name));
	name[STORE_NAME - 1] = '\0';
	assert_true(store_name_ok(name));
}

static void plan_in_memory_is_sealed(void **state)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct plan *got = calloc(1, sizeof(*got));
	auto_fd fd = -1;
	auto_fd other = memfd_create("other", MFD_CLOEXEC);

	(void)state;
	p->flow_max = 77;
	assert_int_equal(plan_file_seal(p, &fd), 0);
	assert_true(pwrite(fd, "x", 1, 0) < 0);
	assert_true(ftruncate(fd, 0) < 0);
	assert_int_equal(plan_file_read(fd, got), 0);
	assert_int_equal(got->flow_max, 77);
	/* One that is not sealed could change under our eyes. */
	assert_int_equal(ftruncate(other, sizeof(*p)), 0);
	assert_int_equal(plan_file_read(other, got), -EPROTO);
	free(p);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(first_version_has_the_profiles_name),
		cmocka_unit_test(no_file_is_an_empty_state),
		cmocka_unit_test(nonsense_and_newer_ones_are_refused),
		cmocka_unit_test(what_others_may_write_is_refused),
		cmocka_unit_test(failed_save_leaves_the_old_one),
		cmocka_unit_test(names_of_sandboxes),
		cmocka_unit_test(plan_in_memory_is_sealed),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
