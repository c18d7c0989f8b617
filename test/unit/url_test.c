// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * url_test.c - proxies, places and DNS servers as people write them
 */
#include "conf/dns.h"
#include "conf/hop.h"
#include "conf/place.h"
#include "conf/url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** hop_of() - Parse from an exactly-sized block, so that ASan sees overruns */
static int hop_of(const char *text, struct hop *ret, struct fault *f)
{
	char *exact = strdup(text);
	int rc;

	assert_non_null(exact);
	rc = hop_parse(exact, ret, f);
	free(exact);
	return rc;
}

static struct hop hop_good(const char *text)
{
	struct hop h = { 0 };
	struct fault f = { 0 };

	if (hop_of(text, &h, &f) != 0)
		fail_msg("'%s' was refused: %s", text, f.text);
	return h;
}

static struct fault hop_bad(const char *text)
{
	struct hop h;
	struct fault f = { 0 };

	memset(&h, 0x5a, sizeof(h));
	if (hop_of(text, &h, &f) != -EINVAL)
		fail_msg("'%s' was taken", text);
	assert_int_equal(h.path[0], 0x5a); /* untouched */
	assert_int_not_equal(strlen(f.text), 0);
	return f;
}

static void schemes_have_their_kinds_and_ports(void **state)
{
	static const struct {
		const char *url;
		enum hop_kind kind;
		const char *host;
		uint16_t port;
		const char *label;
	} want[] = {
		{ "socks5://h", HOP_SOCKS5, "h", 1080, "socks5 h:1080" },
		{ "socks5h://h:1", HOP_SOCKS5, "h", 1, "socks5 h:1" },
		{ "SOCKS5://h", HOP_SOCKS5, "h", 1080, "socks5 h:1080" },
		{ "socks4a://h", HOP_SOCKS4A, "h", 1080, "socks4a h:1080" },
		{ "http://h", HOP_HTTP, "h", 8080, "http h:8080" },
		{ "http://h/", HOP_HTTP, "h", 8080, "http h:8080" },
		{ "https://h", HOP_HTTPS, "h", 443, "https h:443" },
		{ "http://10.0.0.1:65535", HOP_HTTP, "10.0.0.1", 65535,
		  "http 10.0.0.1:65535" },
		{ "socks5://[2001:DB8::1]:9050", HOP_SOCKS5, "2001:db8::1",
		  9050, "socks5 [2001:db8::1]:9050" },
		{ "socks5://h.example.org.:3", HOP_SOCKS5, "h.example.org", 3,
		  "socks5 h.example.org:3" },
		{ "direct://", HOP_DIRECT, "", 0, "direct" },
		{ "block://", HOP_BLOCK, "", 0, "block" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct hop h = hop_good(want[i].url);

		assert_int_equal(h.kind, want[i].kind);
		assert_string_equal(h.host, want[i].host);
		assert_int_equal(h.port, want[i].port);
		assert_string_equal(h.label, want[i].label);
		assert_false(h.has_auth);
		assert_int_equal(h.addr_count, 0);
	}
}

static void unix_sockets_are_paths(void **state)
{
	struct hop h = hop_good("socks5+unix:/run/a%20b.sock");

	(void)state;
	assert_string_equal(h.path, "/run/a b.sock");
	assert_int_equal(h.port, 0);
	assert_string_equal(h.label, "socks5 /run/a b.sock");
	h = hop_good("socks5+unix:///run/x?timeout=3");
	assert_string_equal(h.path, "/run/x");
	assert_int_equal(h.dial_s, 3);
	h = hop_good("socks5+unix:/run/%5b2J%b5");
	assert_string_equal(h.label, "socks5 /run/[2J\\xb5");
	(void)hop_bad("socks5+unix:run/x");
	(void)hop_bad("socks5+unix://host/x");
	(void)hop_bad("socks5+unix:");
	(void)hop_bad("socks5+unix:/");
	(void)hop_bad("socks5://");
}

static void unix_path_is_as_long_as_a_socket_allows(void **state)
{
	char url[200] = "socks5+unix:/";

	(void)state;
	memset(url + strlen(url), 'p', 106);
	assert_int_equal(strlen(hop_good(url).path), 107);
	strcat(url, "p");
	(void)hop_bad(url);
}

static void credentials_are_decoded(void **state)
{
	struct hop h = hop_good("socks5://us%65r:p%40ss%3A%2f@h:1");

	(void)state;
	assert_true(h.has_auth);
	assert_string_equal(h.user, "user");
	assert_string_equal(h.pass, "p@ss:/");
	h = hop_good("http://a:b:c@h"); /* a password may hold a colon */
	assert_string_equal(h.pass, "b:c");
	h = hop_good("socks5://a:b@c@h"); /* the last @ ends it */
	assert_string_equal(h.pass, "b@c");
	h = hop_good("socks5://alone@h");
	assert_string_equal(h.user, "alone");
	assert_string_equal(h.pass, "");
	h = hop_good("socks4a://id@h");
	assert_string_equal(h.user, "id");
}

static void impossible_credentials_are_refused(void **state)
{
	(void)state;
	(void)hop_bad("socks5://:p@h");
	(void)hop_bad("socks5://@h");
	(void)hop_bad("socks4a://u:p@h");
	(void)hop_bad("http://a%3Ab:p@h");
	(void)hop_bad("direct://u:p@");
	(void)hop_bad("socks5://a%0Ab:p@h");
	(void)hop_bad("socks5://a%00:p@h");
	(void)hop_bad("socks5://a%:p@h");
	(void)hop_bad("socks5://a%4:p@h");
	(void)hop_bad("socks5://a%4x:p@h");
	(void)hop_bad("socks5://a:p%@h");
}

static void credentials_over_255_bytes_are_refused(void **state)
{
	char url[600];
	char long_word[257];

	(void)state;
	memset(long_word, 'x', 256);
	long_word[256] = '\0';
	(void)snprintf(url, sizeof(url), "socks5://%.255s:%.255s@h", long_word,
		       long_word);
	assert_int_equal(strlen(hop_good(url).pass), 255);
	(void)snprintf(url, sizeof(url), "socks5://%s:p@h", long_word);
	(void)hop_bad(url);
	(void)snprintf(url, sizeof(url), "socks5://u:%s@h", long_word);
	assert_null(strstr(hop_bad(url).text, "xxxx"));
}

static void hosts_over_their_limits_are_refused(void **state)
{
	char url[400] = "socks5://";

	(void)state;
	memset(url + 9, 'a', 63);
	strcpy(url + 72, ".org");
	(void)hop_good(url);
	strcpy(url + 72, "a.org");
	assert_non_null(strstr(hop_bad(url).text, "63"));
	for (int i = 0; i < 64; i++)
		memcpy(url + 9 + 4 * i, "abc.", 4);
	strcpy(url + 9 + 252, "d"); /* 253 octets */
	assert_int_equal(strlen(hop_good(url).host), 253);
	strcat(url, "e");
	assert_non_null(strstr(hop_bad(url).text, "253"));
}

static void malformed_urls_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"//",
		"://h",
		"h",
		"h:1080",
		"127.0.0.1:1080",
		"socks5",
		"socks5:",
		"socks5:/h",
		"socks5:h:1080",
		"socks5://",
		"socks5:///",
		"socks5://:1080",
		"socks5://h:",
		"socks5://h:0",
		"socks5://h:65536",
		"socks5://h:99999999999999999999",
		"socks5://h:-1",
		"socks5://h:+1",
		"socks5://h:1080x",
		"socks5://h:10 80",
		"socks5://h/path",
		"socks5://h//",
		"socks5://h#x",
		"socks5://h?=",
		"socks5://a b",
		"socks5://a\tb",
		"socks5://a\nb",
		"socks5://h\x7f",
		"socks5://h\xc3\xa4.org",
		"socks5://a..b",
		"socks5://.a",
		"socks5://a..",
		"socks5://a/b@c",
		"socks5://a,b",
		"socks5://a%41",
		"socks5://::1",
		"socks5://::1:1080",
		"socks5://[::1",
		"socks5://[::1]1080",
		"socks5://[]:1",
		"socks5://[127.0.0.1]:1",
		"socks5://[fe80::1%25eth0]:1",
		"socks5://1.2.3",
		"socks5://300.1.1.1",
		"socks5://1.2.3.4.5",
		"socks5://12345",
		"sock5://h",
		"ftp://h",
		"socks4://h",
		"direct://h",
		"direct://h:1",
		"block://x",
		"direct",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		(void)hop_bad(bad[i]);
}

static void options_belong_to_their_schemes(void **state)
{
	struct hop h = hop_good("https://h?insecure&timeout=600");

	(void)state;
	assert_true(h.insecure);
	assert_int_equal(h.dial_s, 600);
	assert_string_equal(hop_good("direct://?dev=tun0").dev, "tun0");
	assert_string_equal(hop_good("direct://?dev=tun0").label,
			    "direct by tun0");
	assert_false(hop_good("https://h").insecure);
	assert_true(hop_good("socks5://me:pw@h?eager").eager);
	(void)hop_bad("socks4a://h?eager");
	(void)hop_bad("socks5://h?eager=1");
	assert_true(hop_good("https://h?insecure&fresh").fresh);
	(void)hop_bad("socks5://h?fresh=1");
	(void)hop_bad("direct://?fresh");
	(void)hop_bad("http://h?insecure");
	(void)hop_bad("https://h?insecure=1");
	(void)hop_bad("socks5://h?timeout");
	(void)hop_bad("socks5://h?timeout=");
	(void)hop_bad("socks5://h?timeout=0");
	(void)hop_bad("socks5://h?timeout=601");
	(void)hop_bad("socks5://h?timeout=1s");
	(void)hop_bad("socks5://h?dev=tun0");
	(void)hop_bad("direct://?dev=");
	(void)hop_bad("direct://?dev=a/b");
	(void)hop_bad("direct://?dev=0123456789abcdef");
	(void)hop_bad("block://?timeout=3");
}

static void mistypes_are_guessed(void **state)
{
	(void)state;
	assert_non_null(strstr(hop_bad("sock5://h").hint, "'socks5'"));
	assert_non_null(strstr(hop_bad("htps://h").hint, "'https'"));
	assert_non_null(strstr(hop_bad("ftp://h").hint, "socks5://"));
	assert_non_null(strstr(hop_bad("socks4://h").hint, "socks4a"));
	assert_non_null(
		strstr(hop_bad("https://h?insecur").hint, "'insecure'"));
	assert_non_null(
		strstr(hop_bad("https://h?colour=1").hint, "timeout=SECONDS"));
}

static void faults_never_show_a_password(void **state)
{
	static const char *const bad[] = {
		"socks5://user:sEcret@h:0",	"socks5://user:sEcret@h:99999",
		"sock5://user:sEcret@h:1",	"socks5://user:sEcret/x@h:1",
		"socks5://user:sEcret?x@h:1",	"socks5://user:sEcret#x@h:1",
		"socks5://user:a@sEcret@h:0",	"socks5://user:sEcret",
		"socks5://user:12sEcret/",	"user:sEcret@h:1",
		"socks5://user:sEcret\x01@h:1", "socks5://user:sEcret%zz@h:1",
		"socks5://sEcret@h:0",		"socks5:user:sEcret@h:1",
		"socks4a://user:sEcret@h",	"https://user:sEcret@h?nope",
		"direct://user:sEcret@",	"mumble:sEcret",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct fault f = hop_bad(bad[i]);

		if (strstr(f.text, "sEcret") || strstr(f.hint, "sEcret"))
			fail_msg("'%s' gave away: %s | %s", bad[i], f.text,
				 f.hint);
		if (!strstr(f.text, "***"))
			fail_msg("'%s' is not shown: %s", bad[i], f.text);
	}
	assert_non_null(strstr(hop_bad("socks5://user:x@host:0").text,
			       "socks5://user:***@host:0"));
}

static void mask_fits_any_room(void **state)
{
	char url[3000];
	char to[URL_SHOWN];

	(void)state;
	for (size_t len = 0; len < sizeof(url) - 1; len += 13) {
		memset(url, '\x01', len);
		url[len] = '\0';
		assert_true(strlen(url_mask(to, sizeof(to), url)) < sizeof(to));
		for (size_t size = 32; size < 64; size++) {
			char *small = malloc(size);

			assert_non_null(small);
			(void)url_mask(small, size, url);
			if (len > 4)
				url[len / 2] = '@';
			(void)url_mask(small, size, url);
			assert_true(strlen(small) < size);
			free(small);
		}
	}
}

static void chains_are_lists(void **state)
{
	struct plan p = { 0 };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(chain_parse(&p, "socks5://a,http://b:1", &f), 0);
	assert_int_equal(chain_parse(&p, "https://u:p@c", &f), 0);
	assert_int_equal(p.hop_count, 3);
	assert_string_equal(p.hop[2].host, "c");
	assert_int_equal(chain_check(&p, &f), 0);
	assert_int_equal(chain_parse(&p, "socks5://d,", &f), -EINVAL);
	assert_int_equal(chain_parse(&p, ",socks5://d", &f), -EINVAL);
	assert_int_equal(chain_parse(&p, "", &f), -EINVAL);
	assert_int_equal(chain_parse(&p, "socks5://d,nonsense", &f), -EINVAL);
	assert_int_equal(p.hop_count, 3);
}

static void chains_have_an_end(void **state)
{
	struct plan p = { 0 };
	struct fault f = { 0 };

	(void)state;
	for (int i = 0; i < PLAN_HOPS; i++)
		assert_int_equal(chain_parse(&p, "socks5://a", &f), 0);
	assert_int_equal(chain_parse(&p, "socks5://a", &f), -E2BIG);
	assert_int_equal(p.hop_count, PLAN_HOPS);
}

static int check_of(const char *text)
{
	struct plan p = { 0 };
	struct fault f = { 0 };

	assert_int_equal(chain_parse(&p, text, &f), 0);
	return chain_check(&p, &f);
}

static bool udp_of(const char *text)
{
	struct plan p = { 0 };
	struct fault f = { 0 };

	assert_int_equal(chain_parse(&p, text, &f), 0);
	return chain_has_udp(&p);
}

static void direct_and_block_have_their_places(void **state)
{
	(void)state;
	assert_int_equal(check_of("direct://"), 0);
	assert_int_equal(check_of("direct://?dev=t0"), 0);
	assert_int_equal(check_of("block://"), 0);
	assert_int_equal(check_of("direct://?dev=t0,socks5://a"), 0);
	assert_int_equal(check_of("direct://,socks5://a"), -EINVAL);
	assert_int_equal(check_of("socks5://a,direct://"), -EINVAL);
	assert_int_equal(check_of("socks5://a,direct://?dev=t0"), -EINVAL);
	assert_int_equal(check_of("socks5://a,block://"), -EINVAL);
	assert_int_equal(check_of("block://,socks5://a"), -EINVAL);
	assert_true(udp_of("direct://"));
	assert_true(udp_of("socks5://a"));
	assert_true(udp_of("direct://?dev=t0,socks5://a"));
	assert_false(udp_of("http://a"));
	assert_false(udp_of("block://"));
	assert_false(udp_of("socks5://a,socks5://b"));
}

static void host_port_needs_both(void **state)
{
	char host[NAME_MAX_LEN + 1];
	struct fault f = { 0 };
	uint16_t port = 0;

	(void)state;
	assert_int_equal(host_port_parse("[::1]:443", host, &port, &f), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 443);
	assert_int_equal(host_port_parse("db:5432", host, &port, &f), 0);
	assert_string_equal(host, "db");
	assert_int_equal(host_port_parse("db", host, &port, &f), -EINVAL);
	assert_int_equal(host_port_parse(":1", host, &port, &f), -EINVAL);
	assert_int_equal(host_port_parse("db:", host, &port, &f), -EINVAL);
	assert_int_equal(host_port_parse("db:0", host, &port, &f), -EINVAL);
	assert_int_equal(host_port_parse("::1:4", host, &port, &f), -EINVAL);
	assert_int_equal(host_port_parse("", host, &port, &f), -EINVAL);
	assert_string_equal(host, "db"); /* untouched by failures */
	assert_int_equal(port, 5432);
}

static void publish_has_two_ports(void **state)
{
	struct plan_publish p = { 0 };
	struct fault f = { 0 };
	char text[ADDR_TEXT];
	static const char *const bad[] = {
		"",	     "80",	":80",		 "80:",
		"a:80",	     "0:80",	"80:0",		 "80:65536",
		"::1:80:80", "h:80:80", "[::1]:80",	 "1.2.3.4:80",
		"80:80 ",    ":80:80",	"224.0.0.1:1:1",
	};

	(void)state;
	assert_int_equal(publish_parse("8080:80", &p, &f), 0);
	assert_string_equal(addr_text(&p.host, text), "127.0.0.1:8080");
	assert_int_equal(p.inner_port, 80);
	assert_int_equal(publish_parse("[::1]:8080:80", &p, &f), 0);
	assert_string_equal(addr_text(&p.host, text), "[::1]:8080");
	assert_int_equal(publish_parse("0.0.0.0:1:65535", &p, &f), 0);
	assert_string_equal(addr_text(&p.host, text), "0.0.0.0:1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (publish_parse(bad[i], &p, &f) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(p.inner_port, 65535);
}

static void proto_port_takes_two_protocols(void **state)
{
	static const char *const bad[] = { "",	    "80",      "tcp",
					   "tcp:",  "tcp:0",   "udp:65536",
					   "TCP:1", "sctp:80", "tcp:80 " };
	struct fault f = { 0 };
	uint16_t port = 0;
	bool is_udp = true;

	(void)state;
	assert_int_equal(proto_port_parse("tcp:80", &is_udp, &port, &f), 0);
	assert_false(is_udp);
	assert_int_equal(port, 80);
	assert_int_equal(proto_port_parse("udp:65535", &is_udp, &port, &f), 0);
	assert_true(is_udp);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (proto_port_parse(bad[i], &is_udp, &port, &f) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(port, 65535);
}

static void dns_takes_words_or_servers(void **state)
{
	struct dns_wish w = { 0 };
	struct fault f = { 0 };
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(dns_parse("fake", &w, &f), 0);
	assert_int_equal(w.mode, NAMES_FAKE);
	assert_int_equal(dns_parse("off", &w, &f), -EINVAL);
	assert_int_equal(dns_parse("9.9.9.9", &w, &f), -EINVAL);
	w = (struct dns_wish){ 0 };
	assert_int_equal(dns_parse("off", &w, &f), 0);
	assert_int_equal(w.mode, NAMES_OFF);
	w = (struct dns_wish){ 0 };
	assert_int_equal(dns_parse("socks-resolve", &w, &f), 0);
	assert_int_equal(w.mode, NAMES_RESOLVE);
	assert_int_equal(dns_parse("9.9.9.9", &w, &f), -EINVAL);
	w = (struct dns_wish){ 0 };
	assert_int_equal(
		dns_parse("9.9.9.9,tcp://1.1.1.1:5353,2620:fe::fe", &w, &f), 0);
	assert_int_equal(dns_parse("udp://[::1]", &w, &f), 0);
	assert_int_equal(w.mode, NAMES_FORWARD);
	assert_int_equal(w.server_count, 4);
	assert_false(w.server[0].is_tcp);
	assert_true(w.server[1].is_tcp);
	assert_string_equal(addr_text(&w.server[1].addr, text), "1.1.1.1:5353");
	assert_string_equal(addr_text(&w.server[2].addr, text),
			    "[2620:fe::fe]:53");
	assert_string_equal(addr_text(&w.server[3].addr, text), "[::1]:53");
	assert_int_equal(dns_parse("8.8.8.8", &w, &f), -EINVAL); /* a fifth */
	assert_int_equal(w.server_count, 4);
}

static void dns_refuses_what_it_cannot_ask(void **state)
{
	static const char *const bad[] = {
		"",
		"fake,off",
		"fake,1.1.1.1",
		"1.1.1.1,socks-resolve",
		"socks-resolve://1.1.1.1",
		"1.1.1.1,fake",
		"on",
		"dns.quad9.net",
		"udp://",
		"udp://host",
		"tls://1.1.1.1",
		"https://1.1.1.1/dns-query",
		"1.1.1.1:0",
		"udp://1.1.1.1:99999",
		"1.1.1.1,",
		"udp://0.0.0.0",
		"udp://224.0.0.251",
		"udp://1.1.1.1/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dns_wish w = { 0 };
		struct fault f = { 0 };

		if (dns_parse(bad[i], &w, &f) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_false(w.is_set);
	}
}

static void host_servers_are_found(void **state)
{
	struct dns_wish w = { 0 };
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(dns_read_hosts("# none\nsearch a\n", &w), 0);
	assert_false(w.is_set);
	assert_int_equal(dns_read_hosts("nameserver 10.0.0.1\n"
					"#nameserver 10.0.0.2\n"
					"nameserver\tfe80::1%eth0\n"
					"nameservers 10.0.0.3\n"
					"nameserver \t ::1 # here\r\n"
					"nameserver",
					&w),
			 2);
	assert_string_equal(addr_text(&w.server[0].addr, text), "10.0.0.1:53");
	assert_string_equal(addr_text(&w.server[1].addr, text), "[::1]:53");
	assert_int_equal(w.mode, NAMES_FORWARD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schemes_have_their_kinds_and_ports),
		cmocka_unit_test(unix_sockets_are_paths),
		cmocka_unit_test(unix_path_is_as_long_as_a_socket_allows),
		cmocka_unit_test(credentials_are_decoded),
		cmocka_unit_test(impossible_credentials_are_refused),
		cmocka_unit_test(credentials_over_255_bytes_are_refused),
		cmocka_unit_test(hosts_over_their_limits_are_refused),
		cmocka_unit_test(malformed_urls_are_refused),
		cmocka_unit_test(options_belong_to_their_schemes),
		cmocka_unit_test(mistypes_are_guessed),
		cmocka_unit_test(faults_never_show_a_password),
		cmocka_unit_test(mask_fits_any_room),
		cmocka_unit_test(chains_are_lists),
		cmocka_unit_test(chains_have_an_end),
		cmocka_unit_test(direct_and_block_have_their_places),
		cmocka_unit_test(host_port_needs_both),
		cmocka_unit_test(publish_has_two_ports),
		cmocka_unit_test(proto_port_takes_two_protocols),
		cmocka_unit_test(dns_takes_words_or_servers),
		cmocka_unit_test(dns_refuses_what_it_cannot_ask),
		cmocka_unit_test(host_servers_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
