// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dnsproxy_test.c - from words behind "dnsproxy" to its command
 */
#include "conf/dns.h"
#include "conf/dns_stamp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** struct made - a command, and what it was made with */
struct made {
	struct dns_wish wish;
	struct plan plan;
	struct dnsproxy_command command;
	struct fault f;
	char text[4096];
};

/** made_of() - The command of words that are separated by '|' */
static int made_of(struct made *m, enum hop_kind last, const char *words)
{
	char copy[2048];
	int rc;

	*m = (struct made){ .plan.hop_count = 1, .plan.hop[0].kind = last };
	(void)snprintf(copy, sizeof(copy), "dnsproxy|%s", words);
	for (char *at = strtok(copy, "|"); at; at = strtok(NULL, "|")) {
		rc = dns_parse(at, &m->wish, &m->f);
		if (rc < 0)
			return rc;
	}
	assert_int_equal(m->wish.mode, NAMES_PROGRAM);
	rc = dnsproxy_check(&m->wish.program, &m->f);
	if (rc == 0)
		rc = dnsproxy_command(&m->wish.program, &m->plan, &m->command,
				      &m->f);
	if (rc < 0)
		return rc;
	for (unsigned int i = 3; i < m->command.argc; i++) {
		strcat(m->text, m->command.argv[i]);
		strcat(m->text, "|");
	}
	assert_null(m->command.argv[m->command.argc]);
	return 0;
}

static void expect(enum hop_kind last, const char *words, const char *command)
{
	struct made *m = malloc(sizeof(*m));

	assert_non_null(m);
	if (made_of(m, last, words) < 0)
		fail_msg("'%s': %s", words, m->f.text);
	assert_string_equal(m->text, command);
	free(m);
}

static void expect_fault(enum hop_kind last, const char *words,
			 const char *says)
{
	struct made *m = malloc(sizeof(*m));

	assert_non_null(m);
	if (made_of(m, last, words) == 0)
		fail_msg("'%s' became %s", words, m->text);
	if (!strstr(m->f.text, says))
		fail_msg("'%s': %s", words, m->f.text);
	free(m);
}

static void plain_servers_get_aliases(void **state)
{
	static const char *const forms[] = {
		"9.9.9.9",
		"9.9.9.9:53",
		"udp://9.9.9.9",
		"udp://9.9.9.9:53",
		"sdns://AAAAAAAAAAAABzkuOS45Ljk",
	};
	struct made *m = malloc(sizeof(*m));
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		expect(HOP_DIRECT, forms[i],
		       "--upstream=udp://198.18.0.2:5300|");
	expect(HOP_DIRECT, "tcp://9.9.9.9",
	       "--upstream=tcp://198.18.0.2:5300|");
	assert_non_null(m);
	assert_int_equal(made_of(m, HOP_DIRECT,
				 "2620:fe::fe|tcp://1.1.1.1|[2620:fe::fe]:53|"
				 "bootstrap=8.8.8.8|1.1.1.1"),
			 0);
	assert_string_equal(m->text, "--bootstrap=udp://198.18.0.2:5300|"
				     "--upstream=udp://198.18.0.2:5301|"
				     "--upstream=tcp://198.18.0.2:5302|"
				     "--upstream=udp://198.18.0.2:5301|"
				     "--upstream=udp://198.18.0.2:5302|");
	assert_int_equal(m->plan.alias_count, 3);
	assert_string_equal(addr_text(&m->plan.alias[0], text), "8.8.8.8:53");
	assert_string_equal(addr_text(&m->plan.alias[1], text),
			    "[2620:fe::fe]:53");
	free(m);
}

static void others_go_as_they_were_written(void **state)
{
	static const char words[] =
		"--cache|tls://9.9.9.9|https://u:p@1.1.1.1:8443/dns?x=y|"
		"quic://[2620:fe::fe]:784|h3://9.9.9.9/q|9.9.9.9:5353|"
		"udp://127.0.0.1:5353";

	(void)state;
	expect(HOP_DIRECT, words,
	       "--cache|--upstream=tls://9.9.9.9|"
	       "--upstream=https://u:p@1.1.1.1:8443/dns?x=y|"
	       "--upstream=quic://[2620:fe::fe]:784|--upstream=h3://9.9.9.9/q|"
	       "--upstream=9.9.9.9:5353|--upstream=udp://127.0.0.1:5353|");
}

static void domains_keep_their_servers(void **state)
{
	(void)state;
	expect(HOP_DIRECT,
	       "tls://9.9.9.9|[/a.org/b.org/]10.0.0.53 tcp://10.0.0.54",
	       "--upstream=tls://9.9.9.9|--upstream=[/a.org/b.org/]"
	       "udp://198.18.0.2:5300 tcp://198.18.0.2:5301|");
	expect(HOP_DIRECT, "tls://9.9.9.9|[/x/]#",
	       "--upstream=tls://9.9.9.9|--upstream=[/x/]#|");
	expect_fault(HOP_DIRECT, "[/x/]9.9.9.9", "for every name");
	expect_fault(HOP_DIRECT, "9.9.9.9|[/x/]", "host is missing");
	expect_fault(HOP_DIRECT, "9.9.9.9|[/x/]9.9.9.9 tls://9.9.9.9:53",
		     "port 53");
	expect_fault(HOP_DIRECT, "9.9.9.9|[/x/]tls://dns.example",
		     "nobody is named");
}

static void without_udp_it_is_tcp_or_nothing(void **state)
{
	(void)state;
	expect(HOP_HTTP,
	       "9.9.9.9|dns.example:5353|1.1.1.1:54|127.0.0.1:54|"
	       "bootstrap=9.9.9.9",
	       "--bootstrap=tcp://198.18.0.2:5300|"
	       "--upstream=tcp://198.18.0.2:5300|"
	       "--upstream=tcp://dns.example:5353|"
	       "--upstream=tcp://1.1.1.1:54|--upstream=127.0.0.1:54|");
	expect_fault(HOP_HTTP, "quic://9.9.9.9", "needs UDP");
	expect_fault(HOP_HTTP, "h3://9.9.9.9/q", "needs UDP");
}

static void what_needs_a_name_needs_somebody_to_ask(void **state)
{
	static const char *const named[] = {
		"tls://dns.example",
		"https://dns.example/q",
		"quic://dns.example",
		"dns.example:5353",
		"tcp://dns.example:5353",
		/* DoH, no address, dns.example, /q */
		"sdns://AgAAAAAAAAAAAAALZG5zLmV4YW1wbGUCL3E",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		char with[128];

		expect_fault(HOP_DIRECT, named[i], "nobody is named");
		(void)snprintf(with, sizeof(with), "%s|bootstrap=tls://9.9.9.9",
			       named[i]);
		expect_fault(HOP_DIRECT, "bootstrap=tls://dns.example",
			     "its IP address");
		(void)snprintf(with, sizeof(with), "bootstrap=9.9.9.9|%s",
			       named[i]);
		struct made *m = malloc(sizeof(*m));

		assert_non_null(m);
		assert_int_equal(made_of(m, HOP_DIRECT, with), 0);
		free(m);
	}
	/* DoH, 9.9.9.9, dns.example, /q */
	expect(HOP_DIRECT,
	       "sdns://AgAAAAAAAAAABzkuOS45LjkAC2Rucy5leGFtcGxlAi9x",
	       "--upstream=sdns://AgAAAAAAAAAABzkuOS45LjkAC2Rucy5leGFtcGxlAi9x"
	       "|");
}

static void what_would_loop_is_refused(void **state)
{
	static const struct {
		const char *words;
		const char *says;
	} bad[] = {
		{ "dns.example", "given by its IP address" },
		{ "udp://dns.example", "given by its IP address" },
		{ "tls://9.9.9.9:53", "port 53" },
		{ "https://9.9.9.9:53/q", "port 53" },
		{ "127.0.0.1:5399", "sandbox's own" },
		{ "[::1]:5399", "sandbox's own" },
		{ "198.18.0.2", "sandbox's own" },
		{ "tcp://[2001:2::1]:99", "sandbox's own" },
		{ "0.0.0.0", "no address" },
		{ "9.9.9.9 8.8.8.8", "no valid name" },
		{ "9.9.9.9\x7f", "characters" },
		{ "--upstream=9.9.9.9", "options" },
		{ "-l", "options" },
		{ "sdns://", "stamp" },
		{ "sdns://!!", "stamp" },
		{ "sdns://BQ", "stamp" },
		{ "bootstrap=", "host is missing" },
		{ "bootstrap=[/x/]9.9.9.9", "bracket" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_fault(HOP_DIRECT, bad[i].words, bad[i].says);
}

static void torn_stamps_are_none(void **state)
{
	static const char whole[] =
		"AgAAAAAAAAAABzkuOS45LjkAC2Rucy5leGFtcGxlAi9x";
	char text[sizeof(whole)];
	struct dns_stamp s;

	(void)state;
	assert_true(dns_stamp_read(whole, &s));
	assert_string_equal(s.addr, "9.9.9.9");
	assert_string_equal(s.host, "dns.example");
	/* The path, which is passed over, may be missing. */
	for (size_t len = 0; len < 40; len++) {
		memcpy(text, whole, len);
		text[len] = '\0';
		assert_false(dns_stamp_read(text, &s));
	}
}

static void it_goes_first(void **state)
{
	struct dns_wish w = { 0 };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(dns_parse("9.9.9.9", &w, &f), 0);
	assert_int_equal(dns_parse("dnsproxy", &w, &f), -EINVAL);
	assert_int_equal(dns_parse("dnsproxy", &(struct dns_wish){ 0 }, &f), 0);
	w = (struct dns_wish){ 0 };
	assert_int_equal(dns_parse("dnsproxy=rel", &w, &f), -EINVAL);
	assert_int_equal(dns_parse("dnsproxy=/a/b,tls://9.9.9.9", &w, &f), 0);
	assert_string_equal(w.program.program, "/a/b");
	assert_int_equal(dns_check("tls://9.9.9.9", &f), 0);
	assert_int_equal(dns_check("tls://9.9.9.9:53", &f), -EINVAL);
	assert_non_null(strstr(f.text, "port 53"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_servers_get_aliases),
		cmocka_unit_test(others_go_as_they_were_written),
		cmocka_unit_test(domains_keep_their_servers),
		cmocka_unit_test(without_udp_it_is_tcp_or_nothing),
		cmocka_unit_test(what_needs_a_name_needs_somebody_to_ask),
		cmocka_unit_test(what_would_loop_is_refused),
		cmocka_unit_test(torn_stamps_are_none),
		cmocka_unit_test(it_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
