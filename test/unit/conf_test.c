// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conf_test.c - what a configuration may say, and all that is wrong with it
 */
#include "conf/conf.h"
#include "conf/owner.h"

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

#define GOOD_PROXY   "proxy \"p\" { url = \"socks5://h\" }\n"
#define GOOD_PROFILE "profile \"a\" { chain = {\"p\"} }\n"

/** read_into() - Judge one text, in a block of exactly its size */
static int read_into(struct conf *c, const char *text, size_t len,
		     enum conf_layer layer)
{
	char *block = malloc(len ? len : 1);

	assert_non_null(block);
	memcpy(block, text, len);
	conf_add_text(c, conf_new_file(c, "file", layer), block, len);
	free(block);
	return conf_finish(c);
}

static int read_text(struct conf *c, const char *text)
{
	conf_init(c, 1000);
	return read_into(c, text, strlen(text), LAYER_NAMED);
}

/** said() - All problems as lines "FILE:LINE: TEXT" */
static const char *said(const struct conf *c)
{
	static char all[65536];
	size_t used = 0;

	all[0] = '\0';
	for (const struct problem *p = c->problems.first; p; p = p->next) {
		char where[ORIGIN_TEXT];

		used += (size_t)snprintf(all + used, sizeof(all) - used,
					 "%s: %s\n", origin_text(&p->at, where),
					 p->text);
		assert_true(used < sizeof(all));
	}
	return all;
}

static void expect(const char *text, const char *problems)
{
	struct conf c;
	const int rc = read_text(&c, text);

	assert_string_equal(said(&c), problems);
	assert_int_equal(rc, problems[0] ? -EINVAL : 0);
	conf_fini(&c);
}

/** expect_word() - One problem, on this line, with this in it */
static void expect_word(const char *text, unsigned int line, const char *word)
{
	struct conf c;

	assert_int_equal(read_text(&c, text), -EINVAL);
	if (c.problems.count != 1 || c.problems.first->at.line != line ||
	    !strstr(c.problems.first->text, word))
		fail_msg("expected line %u, '%s', of:\n%s\ngot:\n%s", line,
			 word, text, said(&c));
	conf_fini(&c);
}

static void whole_example_is_taken(void **state)
{
	struct conf c;
	const struct section *s;

	(void)state;
	assert_int_equal(
		read_text(
			&c,
			"# comment\n// another\n/* a third\n one */\n"
			"proxy \"office\" { url = 'socks5://proxy.example'\n"
			"\tusername = \"me\"  udp = associate }\n"
			"proxy 'far' { url = \"https://far.example:8443\" }\n"
			"profile \"work\" {\n"
			"\tchain = {\"office\", \"http://10.0.0.7:3128\", "
			"far}\n"
			"\tdns = {\"tcp://9.9.9.9\"}\n"
			"\texpose = {\"127.0.0.1:5432\",}\n"
			"\tpublish = {\"127.0.0.1:8080:80\"}\n"
			"\tusers = {\"www-data\", \"@staff\"}\n"
			"\tautostart = yes  veth = False  guard = plain\n"
			"\thelper \"gost\" { command = {\"gost\", \"-L=:1\"}\n"
			"\t\tuser = \"nobody\"  restart = on-failure }\n"
			"}\n"
			"profile tor { chain = \"socks5://127.0.0.1:9050\"\n"
			"\tdns = fake  isolate = sandbox }\n"
			"defaults { autostart = true }\n"),
		0);
	s = conf_find(&c, SECTION_PROFILE, "work", LAYER_USER);
	assert_non_null(s);
	assert_int_equal(s->at.line, 8);
	assert_int_equal(s->set[PROFILE_CHAIN].count, 3);
	assert_string_equal(s->set[PROFILE_CHAIN].value[2].text, "far");
	assert_int_equal(s->set[PROFILE_CHAIN].at.line, 9);
	assert_int_equal(s->set[PROFILE_GUARD].at.line, 14);
	assert_string_equal(s->set[PROFILE_ISOLATE].value->text, "none");
	assert_null(s->set[PROFILE_ISOLATE].at.file);
	s = conf_find(&c, SECTION_PROFILE, "tor", LAYER_SYSTEM);
	assert_non_null(s);
	assert_string_equal(s->set[PROFILE_AUTOSTART].value->text, "true");
	assert_int_equal(s->set[PROFILE_AUTOSTART].at.line, 20);
	conf_fini(&c);
}

static void environment_is_never_expanded(void **state)
{
	struct conf c;
	const struct section *s;

	(void)state;
	assert_int_equal(setenv("NSP_TEST", "socks5://leak", 1), 0);
	assert_int_equal(
		read_text(
			&c, GOOD_PROXY GOOD_PROFILE
			"profile b { chain = {p} helper h { command = {\n"
			"\"${NSP_TEST}\", '${NSP_TEST}', \"\\${NSP_TEST}\",\n"
			"\"\\\\${NSP_TEST}\", \"${NO:-x}$\", \"$${NSP_TEST}\","
			"\"$\\{NSP_TEST}\" } } }\n"
			"# ${NSP_TEST}\n"),
		-EINVAL);
	assert_string_equal(said(&c), "file:5: a backslash in double quotes "
				      "must be followed by one of \" \\ $ n "
				      "t\n");
	conf_fini(&c);
	assert_int_equal(
		read_text(&c, GOOD_PROXY GOOD_PROFILE
			  "profile b { chain = {p} helper h { command = {\n"
			  "\"${NSP_TEST}\", '${NSP_TEST}', \"\\${NSP_TEST}\",\n"
			  "\"\\\\${NSP_TEST}\", \"${NO:-x}$\", \"$${NSP_TEST}\""
			  " } } }\n"
			  "# ${NSP_TEST}\n"),
		0);
	s = conf_find(&c, SECTION_PROFILE, "b", LAYER_NAMED)->next;
	assert_int_equal(s->kind, SECTION_HELPER);
	assert_int_equal(s->set[HELPER_COMMAND].count, 6);
	for (int i = 0; i < 3; i++)
		assert_string_equal(s->set[HELPER_COMMAND].value[i].text,
				    "${NSP_TEST}");
	assert_string_equal(s->set[HELPER_COMMAND].value[3].text,
			    "\\${NSP_TEST}");
	assert_string_equal(s->set[HELPER_COMMAND].value[4].text, "${NO:-x}$");
	assert_string_equal(s->set[HELPER_COMMAND].value[5].text,
			    "$${NSP_TEST}");
	conf_fini(&c);
	expect_word("profile x { chain = ${NSP_TEST} }\n", 1, "quotes");
	expect_word("${NSP_TEST} { }\n", 1, "quotes");
	expect_word("profile ${NSP_TEST} { chain = 'direct://' }\n", 1,
		    "quotes");
	/* In a title, too. */
	expect("profile \"${NSP_TEST}\" { chain = 'direct://' }\n",
	       "file:1: profile '${NSP_TEST}' cannot be called so: it may hold "
	       "letters, digits and - _ . + @ only\n");
}

static void all_problems_are_told_in_one_go(void **state)
{
	(void)state;
	expect("proxy \"p\" {\n"
	       "\turl = \"sock5://h\"\n"
	       "\tudp = asociate\n"
	       "\tpasswd = \"x\"\n"
	       "}\n"
	       "profile \"a\" {\n"
	       "\tchian = {\"p\"}\n"
	       "\tchain = {\"q\", \"socks5://h:99999\"}\n"
	       "\texpose = {\"127.0.0.1\", \"h:1\", \"h:x\"}\n"
	       "\tautostart = perhaps\n"
	       "\tpublish = \"99999:1\"\n"
	       "\tdns = {\"fake\", \"off\", \"udp://name\"}\n"
	       "\tcolour = { a, b }\n"
	       "}\n"
	       "profil \"b\" { chain = \"p\" bogus = 1 }\n"
	       "nonsense { x = 1 y { z = 2 } }\n"
	       "profile \"a\" { chain = {\"direct://\"} }\n",
	       "file:2: 'url': proxy 'sock5://h': unknown scheme; did you "
	       "mean 'socks5'? A proxy is one of socks5://HOST:PORT, "
	       "socks4a://..., http://..., https://..., socks5+unix:/PATH, "
	       "direct://, block://\n"
	       "file:3: 'udp' is one of associate|none, not 'asociate'; did "
	       "you mean 'associate'?\n"
	       "file:4: unknown option 'passwd'\n"
	       "file:7: unknown option 'chian'; did you mean 'chain'?\n"
	       "file:8: 'chain': proxy 'socks5://h:99999': the port must be a "
	       "number from 1 to 65535\n"
	       "file:8: no proxy or profile is called 'q'\n"
	       "file:9: 'expose': '127.0.0.1': the port is missing; write "
	       "HOST:PORT\n"
	       "file:9: 'expose': 'h:x': the port must be a number from 1 to "
	       "65535\n"
	       "file:10: 'autostart' is true or false, not 'perhaps'\n"
	       "file:11: 'publish': '99999:1': the port must be a number from "
	       "1 to 65535\n"
	       "file:12: 'dns': DNS 'udp://name': a DNS server is given by "
	       "its IP address; else fake, off, socks-resolve, "
	       "udp://IP[:PORT], "
	       "tcp://IP[:PORT]\n"
	       "file:12: 'dns': DNS 'off': it stands alone, or names server "
	       "after server\n"
	       "file:13: unknown option 'colour'\n"
	       "file:15: unknown section 'profil'; did you mean 'profile'?\n"
	       "file:15: unknown option 'bogus'\n"
	       "file:16: unknown section 'nonsense'\n"
	       "file:17: profile 'a' is defined twice; first in file:6\n");
}

static void unknown_words_get_a_suggestion(void **state)
{
	(void)state;
	expect("prxoy p { url = 'socks5://h' }\n" GOOD_PROFILE,
	       "file:1: unknown section 'prxoy'; did you mean 'proxy'?\n");
	expect(GOOD_PROXY "profile a { chian = {p} chain = p }\n",
	       "file:2: unknown option 'chian'; did you mean 'chain'?\n");
	expect(GOOD_PROXY "profile a { chain = p }\nchain = p\n",
	       "file:3: the option 'chain' stands inside a profile\n");
	expect(GOOD_PROXY "profile a { url = p chain = p }\n",
	       "file:2: the option 'url' stands inside a proxy\n");
	expect(GOOD_PROXY GOOD_PROFILE "helper x { command = a }\n",
	       "file:3: the section 'helper' stands inside a profile\n");
	expect(GOOD_PROXY GOOD_PROFILE "daemon { a = 1 b = { 2, 3 } }\n",
	       "file:3: unknown section 'daemon'\n");
	expect(GOOD_PROXY "profile a { chain = p helpr x { comand = a } }\n",
	       "file:2: unknown section 'helpr'; did you mean 'helper'?\n"
	       "file:2: unknown option 'comand'; did you mean 'command'?\n");
	expect("root { x = 1 }\n", "file:1: unknown section 'root'\n");
	expect("a { b { c = 1 } d = 2 }\nproxy p { url = 'socks5://h'\n"
	       "x { y = 1 } }\n",
	       "file:1: unknown section 'a'\nfile:3: unknown section 'x'\n");
}

static void engines_take_the_tun_one_way(void **state)
{
	(void)state;
	expect("engine e { command = {a, \"{proxy}\"} }\n",
	       "file:1: 'command': it says nowhere how the program gets the "
	       "TUN: {tun_fd}, or {tun}\n");
	expect("engine e { command = {\"{tun}\", \"fd:{tun_fd}\"} }\n",
	       "file:1: 'command': {tun_fd} and {tun} exclude each other\n");
	expect("engine e { command = {\"{tun}\", \"x{mut}\", \"{A}{}\"} }\n",
	       "file:1: 'command': '{mut}' stands for nothing; there are "
	       "{tun_fd}, {tun}, {proxy} and {mtu}\n");
	expect("engine e { }\n", "file:1: engine 'e' has no 'command'\n");
	expect("engine e { command = \"{tun}\" user = root }\n",
	       "file:1: 'user': 'root': helpers and engines run as ordinary "
	       "users, "
	       "never as root\n");
	expect(GOOD_PROXY "profile a { chain = p engine = tun2sock }\n",
	       "file:2: 'engine': there is no engine 'tun2sock'; did you mean "
	       "'tun2socks'?\n");
	expect(GOOD_PROXY "profile a { chain = p veth = yes\n"
			  "engine = tun2socks }\n",
	       "file:3: 'engine' and 'veth = true' exclude each other\n");
	expect(GOOD_PROXY "profile a { chain = p engine = e }\n"
			  "engine e { command = \"{tun}\" }\n",
	       "");
}

static void syntax_is_told_with_its_line(void **state)
{
	(void)state;
	expect_word("proxy \"p\" {\n url = \"socks5://h\n}\n", 2, "not closed");
	expect_word("proxy 'p {\n}\n", 1, "not closed");
	expect_word(GOOD_PROXY "profile a {\n chain = p\n", 2, "never closed");
	expect_word(GOOD_PROXY "}\n", 2, "too many");
	expect_word("/* x\n\n", 1, "comment is never closed");
	expect_word(GOOD_PROXY "\nprofile a { chain = }\n", 3, "unexpected");
	expect_word(GOOD_PROXY "profile a { chain {p} }\n", 2, "equal sign");
	expect_word(GOOD_PROXY "profile a { chain = {p p} }\n", 2,
		    "unexpected");
	expect_word(GOOD_PROXY "profile a { chain = ", 2, "never closed");
	expect_word(GOOD_PROXY "profile a { chain += {p} }\n", 2,
		    "means nothing");
	expect_word(GOOD_PROXY "profile a (b)\n", 2, "means nothing");
	expect_word("'proxy' p { url = 'socks5://h' }\n", 1, "value stands");
	expect_word("proxy p { url = \"a\tb\\q\" }\n", 1, "backslash");
	expect("profile a { b {{{{{{{{{ } }",
	       "file:1: the braces are nested too deep\n");
}

static void strange_bytes_are_refused(void **state)
{
	struct conf c;

	(void)state;
	conf_init(&c, 0);
	assert_int_equal(read_into(&c, "proxy\0x", 7, LAYER_NAMED), -EINVAL);
	assert_string_equal(said(&c), "file:1: '\\x00x' means nothing here; "
				      "texts with such characters stand in "
				      "quotes\n");
	conf_fini(&c);
	conf_init(&c, 0);
	assert_int_equal(read_into(&c, "a = '\\\0'", 8, LAYER_NAMED), -EINVAL);
	conf_fini(&c);
	expect_word("profile a { chain = \"direct://\" users = \"a\001\" }\n",
		    1, "control character (0x01)");
	expect_word("\xef\xbb\xbfproxy p { url = 'socks5://h' }\n", 1,
		    "\\xef\\xbb\\xbf");
	expect("", "");
	expect("\r\n\r\n", "");
	expect("profile a {\r\n chain = 'direct://'\r\n}\r\n", "");
}

static void names_have_rules(void **state)
{
	static const char *const bad[] = {
		"",	 ".hidden",  "..",
		"a/b",	 "/etc",     "a b",
		"-flag", "a\\nb",    "a:b",
		"a,b",	 "\xc3\xa4", "a2345678901234567890123456789012",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "\nprofile \"%s\" { chain = \"direct://\" }\n",
			       bad[i]);
		expect_word(text, 2, "cannot be called so");
	}
	expect("profile { chain = \"direct://\" }\n",
	       "file:1: profile '' cannot be called so: it is empty\n");
	expect("profile \"a234567890123456789012345678901\" "
	       "{ chain = \"direct://\" }\n",
	       "");
	expect("defaults x { }\n",
	       "file:1: 'defaults' has no name: there is one of it\n");
}

static void nothing_is_said_twice(void **state)
{
	(void)state;
	expect(GOOD_PROXY "proxy p { url = 'http://h' }\n",
	       "file:2: proxy 'p' is defined twice; first in file:1\n");
	expect("profile p { chain = 'direct://' } "
	       "profile p { chain = 'direct://' }\n",
	       "file:1: profile 'p' is defined twice; first in file:1\n");
	expect(GOOD_PROXY "profile a {\nchain = p\nchain = {p, p} }\n",
	       "file:3: 'chain' is set here, and again further down\n");
	expect("defaults { veth = true }\ndefaults { dns = off }\n", "");
	expect("defaults { veth = true }\ndefaults { veth = true }\n",
	       "file:2: the default of 'veth' is set twice; first in file:1\n");
	expect(GOOD_PROXY "profile a { chain = p helper h { command = x }\n"
			  "helper h { command = y } }\n"
			  "profile b { chain = p helper h { command = x } }\n",
	       "file:3: helper 'h' is defined twice; first in file:2\n");
	expect(GOOD_PROXY "profile p { chain = p }\n", "");
}

static void chains_are_followed(void **state)
{
	(void)state;
	expect(GOOD_PROXY "profile a { chain = b }\nprofile b { chain = c }\n"
			  "profile c { chain = {p, a} }\n",
	       "file:2: the chain of 'b' comes back to itself: a loop\n"
	       "file:3: the chain of 'c' comes back to itself: a loop\n"
	       "file:4: the chain of 'a' comes back to itself: a loop\n");
	expect("profile a { chain = a }\n",
	       "file:1: the chain of 'a' comes back to itself: a loop\n");
	expect("proxy office { url = 'socks5://h' }\n"
	       "profile a { chain = ofice }\nprofile b { chain = other }\n",
	       "file:2: no proxy or profile is called 'ofice'; did you mean "
	       "'office'?\n"
	       "file:3: no proxy or profile is called 'other'\n");
	expect("profile a { chain = {} }\nprofile b { }\n",
	       "file:1: profile 'a' has no 'chain'; to go out without a proxy "
	       "say \"direct://\"\n"
	       "file:2: profile 'b' has no 'chain'; to go out without a proxy "
	       "say \"direct://\"\n");
	expect("profile a { chain = {'direct://', 'socks5://h'} }\n",
	       "file:1: 'chain': direct:// stands alone; in a chain leave it "
	       "out\n");
	expect(GOOD_PROXY "profile a { chain = {p,p,p,p,p,p,p,p,p} }\n",
	       "file:2: a chain has at most 8 proxies\n");
	expect(GOOD_PROXY "profile a { chain = {p,p,p,p,p,p,p,p} }\n", "");
	expect_word("profile z { chain = {} }\n" GOOD_PROXY
		    "profile a { chain = {z,z,z,z,z,z,z,z,z,z,z,z,z,z,z,p} }\n",
		    1, "has no 'chain'");
}

static void wholes_must_make_sense(void **state)
{
	(void)state;
	expect("proxy p { udp = none }\n", "file:1: proxy 'p' has no 'url'\n");
	expect("proxy p { url = 'http://h' udp = none }\n",
	       "file:1: 'udp' is for socks5 proxies; others carry none\n");
	expect("proxy p { url = 'socks5://u:w@h' username = x }\n",
	       "file:1: the URL holds a user name, and 'username' is set as "
	       "well; one of the two must go\n");
	expect("proxy p { url = 'http://h' username = 'a:b' }\n",
	       "file:1: 'username': a user name with ':' cannot be sent (RFC "
	       "7617)\n");
	expect("proxy p { url = {'http://h', 'http://i'} }\n",
	       "file:1: 'url' takes one value, not a list\n");
	expect("profile a { chain = 'direct://' dns = fake }\n",
	       "file:1: 'dns = fake' needs a proxy that takes names; the chain "
	       "of 'a' goes out directly\n");
	expect("profile a { chain = 'http://h' dns = socks-resolve }\n",
	       "file:1: 'dns = socks-resolve' needs a last proxy that is a "
	       "socks5 one, as Tor's\n");
	expect("profile a { chain = 'http://h' isolate = sandbox }\n",
	       "file:1: 'isolate = sandbox' needs a last proxy that is a "
	       "socks5 one without a user name\n");
	expect("profile a { chain = 'direct://'\n"
	       "publish = {'80:80', '127.0.0.1:80:81', '81:80'} }\n",
	       "file:2: 'publish': port 80 of the host is taken by file:2\n");
	expect("profile a { chain = 'direct://' publish = '80:1' autostart = "
	       "on }\n"
	       "profile b { chain = 'direct://' publish = '0.0.0.0:80:1' "
	       "autostart = on }\n"
	       "profile c { chain = 'direct://' publish = '80:1' }\n",
	       "file:2: 'publish': port 80 of the host is taken by file:1\n");
	expect("profile a { chain = 'direct://'\n"
	       "expose = {'h:1', 'h:1'}\ndns = {off, '1.1.1.1'} }\n",
	       "file:2: 'expose' stands in the list twice\n"
	       "file:3: 'dns': DNS '1.1.1.1': 'fake', 'off' and "
	       "'socks-resolve' stand alone\n");
	expect("profile a { chain = 'direct://' helper h { } }\n",
	       "file:1: helper 'h' has no 'command'\n");
	expect("profile a { chain = 'direct://' helper h { command = x\n"
	       "user = root } }\n",
	       "file:2: 'user': 'root': helpers and engines run as ordinary "
	       "users, "
	       "never as root\n");
	expect("profile a { chain = 'direct://' users = {'@', 'a b'} }\n",
	       "file:1: 'users': '@': write a user, or @ and a group\n"
	       "file:1: 'users': 'a b': that is no name of a user or group\n");
}

static void helpers_have_limits(void **state)
{
	char text[8192];
	size_t used;

	(void)state;
	expect("profile a { chain = 'direct://' helper h { command = x\n"
	       "ready = 'localhost:80' } helper i { command = x\n"
	       "ready = '127.0.0.1' } }\n",
	       "file:2: 'ready': 'localhost:80': write ADDRESS:PORT with an IP "
	       "address to listen on\n"
	       "file:3: 'ready': '127.0.0.1': the port is missing; write "
	       "HOST:PORT\n");
	used = (size_t)snprintf(text, sizeof(text),
				"profile a { chain = 'direct://'\n");
	for (int i = 0; i < 9; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "helper h%d { command = x }\n", i);
	(void)snprintf(text + used, sizeof(text) - used, "}\n");
	expect(text, "file:10: profile 'a' has more than 8 helpers\n");
	(void)snprintf(text, sizeof(text),
		       "profile a { chain = 'direct://' helper h {\n"
		       "command = {'%04094d', ''} } }\n",
		       1);
	expect(text, "");
	(void)snprintf(text, sizeof(text),
		       "profile a { chain = 'direct://' helper h {\n"
		       "command = {'%04095d', ''} } }\n",
		       1);
	expect(text, "file:2: 'command' holds more than 4096 bytes\n");
}

static void secrets_are_never_told(void **state)
{
	struct conf c;

	(void)state;
	assert_int_equal(
		read_text(&c,
			  "proxy p { url = 'socks5://joe:hunter2@h:99999' }\n"
			  "profile a { chain = {'sock5://joe:hunter2@h',\n"
			  "'http://joe:hunter2@:1'} }\n"),
		-EINVAL);
	assert_null(strstr(said(&c), "hunter2"));
	conf_fini(&c);
}

static void layers_are_kept_apart(void **state)
{
	struct conf c;
	const char system[] = "proxy p { url = 'socks5://system' }\n"
			      "profile a { chain = p }\n"
			      "profile b { chain = mine }\n"
			      "defaults { veth = true }\n";
	const char user[] = "proxy p { url = 'socks5://user' }\n"
			    "proxy mine { url = 'socks5://mine' }\n"
			    "profile a { chain = p helper h { command = x\n"
			    "user = nobody } }\n";

	(void)state;
	conf_init(&c, 1000);
	conf_add_text(&c, conf_new_file(&c, "sys", LAYER_SYSTEM), system,
		      strlen(system));
	assert_int_equal(read_into(&c, user, strlen(user), LAYER_USER),
			 -EINVAL);
	assert_string_equal(
		said(&c),
		"sys:3: no proxy or profile is called 'mine'\n"
		"file:4: 'user' is for the system's files: helpers of your "
		"own profiles run as you\n");
	assert_string_equal(
		conf_find(&c, SECTION_PROXY, "p", LAYER_USER)->at.file->path,
		"file");
	assert_string_equal(
		conf_find(&c, SECTION_PROXY, "p", LAYER_SYSTEM)->at.file->path,
		"sys");
	assert_string_equal(conf_find(&c, SECTION_PROFILE, "a", LAYER_USER)
				    ->set[PROFILE_VETH]
				    .value->text,
			    "false");
	assert_null(conf_find(&c, SECTION_PROXY, "mine", LAYER_SYSTEM));
	conf_fini(&c);
}

static void presets_are_below_all(void **state)
{
	static const char *const text[] = {
		[LAYER_PRESET] = "proxy p { url = 'socks5://preset' }\n"
				 "profile a { chain = p }\n"
				 "profile b { chain = p }\n"
				 "profile c { chain = p }\n",
		[LAYER_SYSTEM] = "proxy p { url = 'socks5://system' }\n"
				 "profile b { chain = p }\n"
				 "profile c { chain = a }\n"
				 "defaults { veth = true }\n",
		[LAYER_USER] = "profile c { chain = b }\n",
	};
	static const struct {
		const char *name;
		enum conf_layer asked;
		enum conf_layer want;
	} cases[] = {
		{ "a", LAYER_PRESET, LAYER_PRESET },
		{ "a", LAYER_USER, LAYER_PRESET },
		{ "b", LAYER_PRESET, LAYER_PRESET },
		{ "b", LAYER_USER, LAYER_SYSTEM },
		{ "c", LAYER_SYSTEM, LAYER_SYSTEM },
		{ "c", LAYER_USER, LAYER_USER },
	};
	const struct section *s;
	struct conf c;

	(void)state;
	conf_init(&c, 1000);
	for (unsigned int i = 0; i <= LAYER_USER; i++)
		conf_add_text(&c, conf_new_file(&c, "file", i), text[i],
			      strlen(text[i]));
	assert_int_equal(conf_finish(&c), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = conf_find(&c, SECTION_PROFILE, cases[i].name,
			      cases[i].asked);
		assert_int_equal(s->at.file->layer, cases[i].want);
	}
	/* The system's defaults are the system's. */
	s = conf_find(&c, SECTION_PROFILE, "a", LAYER_USER);
	assert_string_equal(s->set[PROFILE_VETH].value->text, "false");
	conf_fini(&c);
}

static void many_unknown_words_end(void **state)
{
	char text[8192] = "";
	struct conf c;

	(void)state;
	for (int i = 0; i < 200; i++)
		(void)sprintf(text + strlen(text), "word%dx = %d\n", i, i);
	assert_int_equal(read_text(&c, text), -EINVAL);
	assert_in_range(c.problems.count, 64, 65);
	conf_fini(&c);
}

/* --- owners and modes; as root they need no file of another user's */

static void owners_are_checked(void **state)
{
	struct stat st = { .st_mode = S_IFREG | 0644, .st_uid = 1000 };

	(void)state;
	assert_int_equal(owner_check(&st, LAYER_SYSTEM, 0, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_SYSTEM, 1000, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_USER, 1000, NULL), 0);
	assert_int_equal(owner_check(&st, LAYER_USER, 1001, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_NAMED, 0, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_NAMED, 1000, NULL), 0);
	assert_int_equal(owner_check(&st, LAYER_PRESET, 0, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_PRESET, 1000, NULL), 0);
	assert_int_equal(owner_check(&st, LAYER_PRESET, 1001, NULL), -EPERM);
	st.st_mode = S_IFREG | 0664;
	assert_int_equal(owner_check(&st, LAYER_USER, 1000, NULL), 0);
	st.st_mode = S_IFREG | 0646;
	assert_int_equal(owner_check(&st, LAYER_USER, 1000, NULL), -EPERM);
	st.st_uid = 0;
	st.st_mode = S_IFREG | 0644;
	assert_int_equal(owner_check(&st, LAYER_SYSTEM, 1000, NULL), 0);
	assert_int_equal(owner_check(&st, LAYER_USER, 1000, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_NAMED, 1000, NULL), 0);
	assert_int_equal(owner_check(&st, LAYER_PRESET, 1000, NULL), 0);
	st.st_mode = S_IFREG | 0664;
	assert_int_equal(owner_check(&st, LAYER_PRESET, 1000, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_SYSTEM, 1000, NULL), -EPERM);
	assert_int_equal(owner_check(&st, LAYER_NAMED, 1000, NULL), -EPERM);
}

/** put() - Write a file; its path is @name below the test's directory */
static const char *put(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("NSP_DIR"), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
	return path;
}

static void expect_secret(const char *text, int rc, const char *what)
{
	char secret[256];
	struct fault f = { 0 };

	assert_int_equal(secret_read(put("secret", text, 0600), LAYER_NAMED,
				     getuid(), secret, &f),
			 rc);
	assert_string_equal(secret, what);
	assert_null(strstr(f.text, "hunter2"));
}

static void passwords_are_one_line(void **state)
{
	char longest[260];
	char secret[256];

	(void)state;
	expect_secret("hunter2", 0, "hunter2");
	expect_secret("hunter2\n", 0, "hunter2");
	expect_secret("hunter2\r\n", 0, "hunter2");
	expect_secret(" hunter2 \n", 0, " hunter2 ");
	expect_secret("hunter2\nmore", -EINVAL, "");
	expect_secret("", -EINVAL, "");
	expect_secret("\n", -EINVAL, "");
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	expect_secret(longest, -EINVAL, "");
	longest[255] = '\0';
	expect_secret(longest, 0, longest);
	assert_int_equal(secret_read(put("s", "x", 0604), LAYER_NAMED, getuid(),
				     secret, NULL),
			 -EPERM);
	assert_int_equal(
		secret_read("/no/such", LAYER_NAMED, getuid(), secret, NULL),
		-ENOENT);
	assert_int_equal(
		secret_read("/dev/null", LAYER_NAMED, getuid(), secret, NULL),
		-EINVAL);
}

static void directories_are_read_in_order(void **state)
{
	const char *dir = getenv("NSP_DIR");
	char path[300];
	struct conf c;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/conf.d", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)put("nsproxy.conf", GOOD_PROXY, 0644);
	(void)put("conf.d/20.conf", "profile c { chain = p }\n", 0644);
	(void)put("conf.d/10.conf", "profile b { chain = p }\n", 0644);
	(void)put("conf.d/.30.conf", "nonsense {", 0644);
	(void)put("conf.d/40.conf~", "nonsense {", 0644);
	conf_init(&c, getuid());
	conf_add_dir(&c, dir, LAYER_USER);
	assert_int_equal(conf_finish(&c), 0);
	assert_int_equal(c.file_count, 3);
	assert_non_null(strstr(c.file[1]->path, "/conf.d/10.conf"));
	conf_fini(&c);

	(void)put("conf.d/20.conf", "profile c { chain = p2 }\nx", 0666);
	conf_init(&c, getuid());
	conf_add_dir(&c, dir, LAYER_USER);
	conf_add_dir(&c, "/no/such/directory", LAYER_SYSTEM);
	assert_int_equal(conf_finish(&c), -EINVAL);
	assert_int_equal(c.problems.count, 3);
	assert_non_null(strstr(said(&c), "20.conf: everybody may write it"));
	assert_non_null(strstr(said(&c), "20.conf:2: premature end of file"));
	assert_non_null(strstr(said(&c), "20.conf:2: unknown option 'x'"));
	conf_fini(&c);
}

static int make_dir(void **state)
{
	static char dir[] = "/tmp/nsproxy-conf-XXXXXX";

	(void)state;
	return mkdtemp(dir) && setenv("NSP_DIR", dir, 1) == 0 ? 0 : -1;
}

static int drop_dir(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r '%s'",
		       getenv("NSP_DIR"));
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_example_is_taken),
		cmocka_unit_test(environment_is_never_expanded),
		cmocka_unit_test(all_problems_are_told_in_one_go),
		cmocka_unit_test(unknown_words_get_a_suggestion),
		cmocka_unit_test(engines_take_the_tun_one_way),
		cmocka_unit_test(syntax_is_told_with_its_line),
		cmocka_unit_test(strange_bytes_are_refused),
		cmocka_unit_test(names_have_rules),
		cmocka_unit_test(nothing_is_said_twice),
		cmocka_unit_test(chains_are_followed),
		cmocka_unit_test(wholes_must_make_sense),
		cmocka_unit_test(helpers_have_limits),
		cmocka_unit_test(secrets_are_never_told),
		cmocka_unit_test(layers_are_kept_apart),
		cmocka_unit_test(presets_are_below_all),
		cmocka_unit_test(many_unknown_words_end),
		cmocka_unit_test(owners_are_checked),
		cmocka_unit_test(passwords_are_one_line),
		cmocka_unit_test(directories_are_read_in_order),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
