// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * profile_test.c - what a profile becomes
 */
#include "conf/engine.h"
#include "conf/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char secret_path[] = "/tmp/nsproxy-profile-XXXXXX";

static void read_good(struct conf *c, const char *text, enum conf_layer layer)
{
	conf_init(c, getuid());
	conf_add_text(c, conf_new_file(c, "file", layer), text, strlen(text));
	if (conf_finish(c) < 0)
		fail_msg("line %u: %s", c->problems.first->at.line,
			 c->problems.first->text);
}

static struct profile get(struct conf *c, const char *name)
{
	struct profile p;

	assert_int_equal(profile_get(c, name, &p, NULL), 0);
	return p;
}

static void chain_becomes_hops_with_secrets(void **state)
{
	char text[1024];
	struct plan plan = { 0 };
	struct dns_wish dns = { 0 };
	struct profile p;
	struct conf c;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "proxy near { url = 'socks5://10.0.0.1' udp = none }\n"
		       "proxy far { url = \"socks5://far.example\"\n"
		       " username = 'm@:e %%41' password-file = '%s' }\n"
		       "profile inner { chain = near }\n"
		       "profile a { chain = {inner, 'http://u:p@h', far}\n"
		       "dns = {'9.9.9.9', 'tcp://[2620:fe::fe]'}\n"
		       "publish = {'8080:80', '[::1]:81:81'} }\n",
		       secret_path);
	read_good(&c, text, LAYER_NAMED);
	p = get(&c, "a");
	assert_int_equal(profile_to_plan(&c, &p, &plan, &dns, NULL), 0);
	assert_int_equal(plan.hop_count, 3);
	assert_string_equal(plan.hop[0].host, "10.0.0.1");
	assert_true(plan.hop[0].no_udp);
	assert_string_equal(plan.hop[1].pass, "p");
	assert_false(plan.hop[2].no_udp);
	assert_string_equal(plan.hop[2].user, "m@:e %41");
	assert_string_equal(plan.hop[2].pass, "hunter2");
	assert_true(plan.hop[2].has_auth);
	assert_true(dns.is_set);
	assert_int_equal(dns.mode, NAMES_FORWARD);
	assert_int_equal(dns.server_count, 2);
	assert_true(dns.server[1].is_tcp);
	assert_int_equal(plan.publish_count, 2);
	assert_int_equal(plan.publish[0].inner_port, 80);
	conf_fini(&c);
}

static void missing_secret_is_a_fault_without_it(void **state)
{
	char text[256];
	struct plan plan = { 0 };
	struct profile p;
	struct fault f = { 0 };
	struct conf c;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "proxy p { url = 'socks5://h' username = me\n"
		       "password-file = '%s' }\nprofile a { chain = p }\n",
		       secret_path);
	read_good(&c, text, LAYER_NAMED);
	p = get(&c, "a");
	assert_int_equal(chmod(secret_path, 0644), 0);
	assert_int_equal(profile_chain_to_plan(&c, &p, &plan, &f), -EPERM);
	assert_non_null(strstr(f.text, "chmod 600"));
	assert_null(strstr(f.text, "hunter2"));
	assert_int_equal(plan.hop_count, 0);
	assert_int_equal(chmod(secret_path, 0600), 0);
	conf_fini(&c);
}

static void isolation_is_another_user_each_time(void **state)
{
	struct plan one = { 0 };
	struct plan two = { 0 };
	struct profile p;
	struct conf c;

	(void)state;
	read_good(&c,
		  "profile t { chain = {'http://h', 'socks5://t'}\n"
		  "isolate = sandbox }\n",
		  LAYER_SYSTEM);
	p = get(&c, "t");
	assert_int_equal(p.isolate, ISOLATE_SANDBOX);
	assert_int_equal(profile_chain_to_plan(&c, &p, &one, NULL), 0);
	assert_int_equal(profile_chain_to_plan(&c, &p, &two, NULL), 0);
	assert_false(one.hop[0].has_auth);
	assert_true(one.hop[1].has_auth);
	assert_int_equal(strlen(one.hop[1].user), 32);
	assert_string_not_equal(one.hop[1].user, two.hop[1].user);
	conf_fini(&c);
}

static void types_are_ours(void **state)
{
	struct profile p;
	struct conf c;

	(void)state;
	read_good(&c,
		  "defaults { guard = strict users = {root, '@staff'} }\n"
		  "profile a { chain = 'direct://' veth = on\n"
		  "helper one { command = {a, \"b c\", ''}\n"
		  "  restart = always where = host ready = '[::1]:1080' }\n"
		  "helper two { command = x user = me } }\n"
		  "profile b { chain = 'block://' guard = plain users = {}"
		  " autostart = true }\n",
		  LAYER_SYSTEM);
	p = get(&c, "a");
	assert_true(p.veth);
	assert_false(p.autostart);
	assert_int_equal(p.guard, GUARD_STRICT);
	assert_int_equal(p.users->count, 2);
	assert_int_equal(p.helper_count, 2);
	assert_string_equal(p.helper[0].command[1], "b c");
	assert_string_equal(p.helper[0].command[2], "");
	assert_null(p.helper[0].command[3]);
	assert_string_equal(p.helper[0].user, "nobody");
	assert_int_equal(p.helper[0].restart, RESTART_ALWAYS);
	assert_int_equal(p.helper[0].where, WHERE_HOST);
	assert_string_equal(p.helper[1].user, "me");
	assert_int_equal(p.helper[0].ready.family, AF_INET6);
	assert_int_equal(p.helper[0].ready.port, 1080);
	assert_int_equal(p.helper[1].ready.family, AF_UNSPEC);
	assert_int_equal(p.helper[1].restart, RESTART_ON_FAILURE);
	assert_int_equal(p.helper[1].where, WHERE_SANDBOX);
	p = get(&c, "b");
	assert_int_equal(p.guard, GUARD_PLAIN);
	assert_int_equal(p.users->count, 0);
	assert_true(p.autostart);
	assert_int_equal(p.helper_count, 0);
	conf_fini(&c);
}

static void helpers_of_a_user_run_as_the_user(void **state)
{
	struct profile p;
	struct conf c;

	(void)state;
	read_good(&c,
		  "profile a { chain = 'direct://' helper h { command = x }"
		  " }\n",
		  LAYER_USER);
	p = get(&c, "a");
	assert_int_equal(p.helper_count, 1);
	assert_null(p.helper[0].user);
	conf_fini(&c);
}

static void unknown_profile_gets_a_hint(void **state)
{
	struct profile p;
	struct fault f;
	struct conf c;

	(void)state;
	read_good(&c, "profile office { chain = 'direct://' }\n", LAYER_USER);
	assert_int_equal(profile_get(&c, "ofice", &p, &f), -ENOENT);
	assert_string_equal(f.hint, "did you mean 'office'?");
	assert_int_equal(profile_get(&c, "a\033[31m", &p, &f), -ENOENT);
	assert_null(strchr(f.text, '\033'));
	conf_fini(&c);
}

static int make_secret(void **state)
{
	const int fd = mkstemp(secret_path);

	(void)state;
	return fd >= 0 && write(fd, "hunter2\n", 8) == 8 ? close(fd) : -1;
}

static int drop_secret(void **state)
{
	(void)state;
	return unlink(secret_path);
}

static void engine_words(struct conf *c, const char *name,
			 enum plan_engine kind, const char *const *words)
{
	struct engine e;
	unsigned int n = 0;

	assert_int_equal(engine_get(c, name, LAYER_USER, &e, NULL), 0);
	assert_int_equal(e.kind, kind);
	for (; words[n]; n++)
		assert_string_equal(e.command[n], words[n]);
	assert_null(e.command[n]);
}

static void engines_have_their_words_filled_in(void **state)
{
	static const char *const known[] = { "tun2socks",
					     "-device",
					     "fd://4",
					     "-proxy",
					     "socks5://127.0.0.1:1080",
					     "-mtu",
					     "16384",
					     "-loglevel",
					     "warn",
					     NULL };
	static const char *const mine[] = { "/bin/it", "--dev=nsp0,16384",
					    "socks5://127.198.18.2:61080",
					    "{A} {", NULL };
	struct engine e;
	struct fault f;
	struct conf c;

	(void)state;
	read_good(&c,
		  "engine mine { command = {'/bin/it', '--dev={tun},{mtu}',\n"
		  "'{proxy}', '{A} {'} }\n"
		  "profile a { chain = 'direct://' engine = mine }\n",
		  LAYER_USER);
	assert_string_equal(get(&c, "a").engine, "mine");
	engine_words(&c, "mine", ENGINE_NAME, mine);
	engine_words(&c, "tun2socks", ENGINE_FD, known);
	assert_int_equal(engine_get(&c, "min", LAYER_USER, &e, &f), -ENOENT);
	assert_string_equal(f.hint, "did you mean 'mine'?");
	assert_int_equal(engine_get(&c, "mine", LAYER_SYSTEM, &e, &f), -ENOENT);
	conf_fini(&c);
}

static void known_engine_gives_way_to_a_section(void **state)
{
	static const char *const mine[] = { "/opt/t2s", "4", NULL };
	struct conf c;

	(void)state;
	read_good(&c,
		  "engine tun2socks { command = {'/opt/t2s', "
		  "'{tun_fd}'} }\n",
		  LAYER_USER);
	engine_words(&c, "tun2socks", ENGINE_FD, mine);
	conf_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_becomes_hops_with_secrets),
		cmocka_unit_test(missing_secret_is_a_fault_without_it),
		cmocka_unit_test(isolation_is_another_user_each_time),
		cmocka_unit_test(types_are_ours),
		cmocka_unit_test(helpers_of_a_user_run_as_the_user),
		cmocka_unit_test(unknown_profile_gets_a_hint),
		cmocka_unit_test(engines_have_their_words_filled_in),
		cmocka_unit_test(known_engine_gives_way_to_a_section),
	};

	return cmocka_run_group_tests(tests, make_secret, drop_secret);
}
