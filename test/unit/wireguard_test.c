// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * wireguard_test.c - what is taken from a WireGuard configuration
 */
#include "conf/wireguard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY	  "yEKXiJBhjCQFwGE/PwKU/Rpc2krwc5TghllaCjYupGE="
#define INTERFACE "[Interface]\nPrivateKey = " KEY "\nAddress = 10.0.0.2/24\n"
#define PEER	  "[Peer]\nPublicKey = " KEY "\n"

static struct wireguard got;

static int parse(const char *text, struct fault *f)
{
	char *copy = strdup(text);
	int rc;

	assert_non_null(copy);
	memset(&got, 0, sizeof(got));
	rc = wireguard_parse(copy, "x.conf", &got, f);
	free(copy);
	return rc;
}

static void bad(const char *text, const char *says)
{
	struct fault f = { 0 };

	assert_int_not_equal(parse(text, &f), 0);
	assert_non_null(strstr(f.text, says));
	assert_null(strstr(f.text, KEY));
}

static void test_what_wg_knows_is_copied_and_the_rest_is_ours(void **state)
{
	(void)state;
	assert_int_equal(parse("# a comment\r\n" INTERFACE
			       "address=fd00::2,10.0.1.2/32 # both\n"
			       "dns = 10.0.0.1, lan, fd00::1\nMTU = 1300\n"
			       "fwmark = 0xca6c\n" PEER
			       "allowedips = 10.0.9.9/16, ::/0\n"
			       "Endpoint = [2001:db8::1]:51820\n"
			       "PersistentKeepalive = off\n",
			       NULL),
			 0);
	assert_int_equal(got.address_count, 3);
	assert_int_equal(got.address[1].len, 128);
	assert_int_equal(got.allowed_count, 2);
	assert_int_equal(got.allowed[0].ip.ip[2], 0);
	assert_int_equal(got.allowed[0].ip.ip[1], 0);
	assert_int_equal(got.allowed[1].len, 0);
	assert_int_equal(got.dns_count, 2);
	assert_int_equal(got.dns[1].port, 53);
	assert_int_equal(got.mtu, 1300);
	assert_string_equal(got.conf, "[Interface]\nPrivateKey = " KEY "\n"
				      "FwMark = 0xca6c\n" PEER
				      "AllowedIPs = 10.0.9.9/16, ::/0\n"
				      "Endpoint = [2001:db8::1]:51820\n"
				      "PersistentKeepalive = off\n");
}

static void test_table_off_means_no_routes(void **state)
{
	(void)state;
	assert_int_equal(parse(INTERFACE "Table = off\n" PEER
					 "AllowedIPs = 0.0.0.0/0\n",
			       NULL),
			 0);
	assert_int_equal(got.allowed_count, 0);
	assert_non_null(strstr(got.conf, "AllowedIPs = 0.0.0.0/0"));
}

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
	(void)state;
	bad("", "x.conf:1: there is no [Interface]");
	bad(INTERFACE, "there is no [Peer]");
	bad(PEER INTERFACE, "x.conf:3: [Interface] comes before");
	bad(INTERFACE "[Peer]\nEndpoint = 1.2.3.4:5\n", "has no PublicKey");
	bad("[Interface]\nAddress = ::1\n" PEER, "x.conf:3: the [Interface]");
	bad("[Interface]\nPrivateKey = " KEY "\n" PEER, "has no Address");
	bad("PrivateKey = " KEY "\n", "x.conf:1: a section must come first");
	bad(INTERFACE "PrivateKey = " KEY "\n", "x.conf:4: it is there twice");
	bad(INTERFACE "nothing\n", "x.conf:4: write KEY = VALUE");
	bad(INTERFACE PEER "Address = ::1\n", "x.conf:6: a [Peer] knows no");
	bad(INTERFACE PEER "AllowedIPs = 10.0.0.0/33\n", "no IP/LENGTH");
	bad(INTERFACE PEER "AllowedIPs = [::1]/64\n", "no IP/LENGTH");
	bad(INTERFACE PEER "Endpoint = vpn.example:1\n", "not looked up");
	bad(INTERFACE PEER "Endpoint = 1.2.3.4\n", "port is missing");
	bad(INTERFACE "PostUp = true\n", "commands are not run");
	bad(INTERFACE "SaveConfig = true\n", "nothing is written back");
	bad(INTERFACE "[Server]\n", "[Interface] and [Peer]");
}

static void test_no_file_is_too_long_to_be_refused(void **state)
{
	const size_t size = 2 * WIREGUARD_CONF;
	char *text = calloc(1, size + 64);

	(void)state;
	assert_non_null(text);
	strcpy(text, INTERFACE PEER);
	while (strlen(text) < size)
		strcat(text, "PersistentKeepalive = 1\n");
	bad(text, "the file is too long");
	strcpy(text, INTERFACE PEER "AllowedIPs = ::1");
	for (int i = 0; i < WIREGUARD_ALLOWED; i++)
		strcat(text, ",::1");
	bad(text, "more than 256 networks");
	free(text);
}

static void test_the_files_name_is_the_interfaces(void **state)
{
	char link[IFNAMSIZ] = "";

	(void)state;
	assert_null(wireguard_link("/etc/wireguard/home.conf", link));
	assert_string_equal(link, "home");
	assert_non_null(wireguard_link("/etc/wireguard/home", link));
	assert_non_null(wireguard_link("/etc/wireguard/.conf", link));
	assert_non_null(wireguard_link("/e/0123456789abcdef.conf", link));
	assert_non_null(wireguard_link("/etc/wireguard/a b.conf", link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_wg_knows_is_copied_and_the_rest_is_ours),
		cmocka_unit_test(test_table_off_means_no_routes),
		cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(test_no_file_is_too_long_to_be_refused),
		cmocka_unit_test(test_the_files_name_is_the_interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
