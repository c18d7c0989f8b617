// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks5_test.c - SOCKS5 messages, both directions, limits and lies
 */
#include "wire_help.h"

#include "wire/socks5.h"

static struct {
	uint8_t octet;
	struct dest dest;
	struct addr addr;
	char user[256];
	char pass[256];
} got;

static int get_hello(struct rd *r)
{
	return socks5_hello_get(r, &got.octet);
}

static int get_choice(struct rd *r)
{
	return socks5_choice_get(r, &got.octet);
}

static int get_login(struct rd *r)
{
	/* Blocks of the promised size: a longer name would be seen. */
	char *user = malloc(256);
	char *pass = malloc(256);
	const int err = socks5_login_get(r, user, pass);

	if (!err) {
		strcpy(got.user, user);
		strcpy(got.pass, pass);
	}
	free(user);
	free(pass);
	return err;
}

static int get_verdict(struct rd *r)
{
	return socks5_verdict_get(r, &got.octet);
}

static int get_dest(struct rd *r)
{
	return socks5_dest_get(r, &got.dest);
}

static int get_request(struct rd *r)
{
	return socks5_request_get(r, &got.octet, &got.dest);
}

static int get_reply(struct rd *r)
{
	return socks5_reply_get(r, &got.octet, &got.addr);
}

static int get_found(struct rd *r)
{
	return socks5_found_get(r, &got.octet, &got.dest);
}

static int get_udp(struct rd *r)
{
	return socks5_udp_get(r, &got.dest);
}

static struct addr ip_of(const char *text, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse_ip(text, &a));
	a.port = port;
	return a;
}

static struct dest name_of(const char *name, uint16_t port)
{
	struct dest d = { .addr.port = port };

	strcpy(d.name, name);
	return d;
}

/** long_name() - A good name of @len octets (labels of 63) */
static void long_name(char *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = i % 64 == 63 ? '.' : 'a';
	if (len > 0 && to[len - 1] == '.')
		to[len - 1] = 'a';
	to[len] = '\0';
}

static void hello_offers_password_alone_with_credentials(void **state)
{
	uint8_t room[3];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_true(socks5_hello_put(&w, false));
	assert_memory_equal(room, "\5\1\0", 3);
	w = wr_of(room, sizeof(room));
	assert_true(socks5_hello_put(&w, true));
	assert_memory_equal(room, "\5\1\2", 3);
	w = wr_of(room, 2);
	assert_false(socks5_hello_put(&w, true));
}

static void hello_is_read(void **state)
{
	uint8_t all[257] = { 5, 255 };

	(void)state;
	help_whole_or_nothing(get_hello, HELP_MSG("\5\1\0"), -EAGAIN);
	assert_int_equal(got.octet, 1);
	help_whole_or_nothing(get_hello, HELP_MSG("\5\3\1\2\0"), -EAGAIN);
	assert_int_equal(got.octet, 3);
	help_whole_or_nothing(get_hello, HELP_MSG("\5\2\2\200"), -EAGAIN);
	assert_int_equal(got.octet, 2);
	help_whole_or_nothing(get_hello, HELP_MSG("\5\0"), -EAGAIN);
	assert_int_equal(got.octet, 0);
	memset(all + 2, 7, 255);
	help_whole_or_nothing(get_hello, all, sizeof(all), -EAGAIN);
	assert_int_equal(got.octet, 0);
	help_refused(get_hello, HELP_MSG("\4"), -EPROTO);
	help_refused(get_hello, HELP_MSG("GET / HTTP/1.1"), -EPROTO);
}

static void choice_and_verdict_are_read(void **state)
{
	uint8_t room[2];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_true(socks5_choice_put(&w, SOCKS5_AUTH_REFUSED));
	help_whole_or_nothing(get_choice, room, 2, -EAGAIN);
	assert_int_equal(got.octet, SOCKS5_AUTH_REFUSED);
	help_refused(get_choice, HELP_MSG("\1"), -EPROTO);
	help_refused(get_choice, HELP_MSG("HT"), -EPROTO);

	w = wr_of(room, sizeof(room));
	assert_true(socks5_verdict_put(&w, 9));
	assert_int_equal(room[0], 1);
	help_whole_or_nothing(get_verdict, room, 2, -EAGAIN);
	assert_int_equal(got.octet, 9);
	help_whole_or_nothing(get_verdict, HELP_MSG("\5\0"), -EAGAIN);
	assert_int_equal(got.octet, 0);
}

static void login_keeps_the_limits(void **state)
{
	char user[258];
	char pass[258];
	uint8_t room[513];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	memset(user, 'u', sizeof(user));
	memset(pass, 'p', sizeof(pass));
	user[255] = pass[255] = '\0';
	assert_true(socks5_login_put(&w, user, pass));
	assert_int_equal(wr_used(&w), 513);
	help_whole_or_nothing(get_login, room, sizeof(room), -EAGAIN);
	assert_string_equal(got.user, user);
	assert_string_equal(got.pass, pass);

	w = wr_of(room, sizeof(room) - 1);
	assert_false(socks5_login_put(&w, user, pass));
	w = wr_of(room, sizeof(room));
	assert_false(socks5_login_put(&w, "", pass));
	user[255] = 'u';
	user[256] = '\0';
	w = wr_of(room, sizeof(room));
	assert_false(socks5_login_put(&w, user, "p"));
	w = wr_of(room, sizeof(room));
	assert_false(socks5_login_put(&w, "p", user));
	w = wr_of(room, sizeof(room));
	assert_true(socks5_login_put(&w, "u", ""));
	assert_memory_equal(room, "\1\1u\0", 4);
}

static void login_with_lies_is_refused(void **state)
{
	(void)state;
	help_whole_or_nothing(get_login, HELP_MSG("\1\0\0"), -EAGAIN);
	help_refused(get_login, HELP_MSG("\5"), -EPROTO);
	help_refused(get_login, HELP_MSG("\1\2a\0"), -EPROTO);
	help_refused(get_login, HELP_MSG("\1\2ab\2a\0"), -EPROTO);
}

static void dest_goes_both_ways(void **state)
{
	struct dest d[4] = {
		{ .addr = ip_of("192.0.2.7", 443) },
		{ .addr = ip_of("2001:db8::7", 65535) },
		name_of("example.org", 80),
		name_of("x", 1),
	};
	uint8_t room[SOCKS5_REPLY_MAX];
	char longest[254];
	struct wr w;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		w = wr_of(room, sizeof(room));
		assert_true(socks5_dest_put(&w, &d[i]));
		help_whole_or_nothing(get_dest, room, wr_used(&w), -EAGAIN);
		assert_memory_equal(&got.dest, &d[i], sizeof(d[i]));
		for (size_t cut = 0; cut < wr_used(&w); cut++) {
			struct wr small = wr_of(room, cut);

			assert_false(socks5_dest_put(&small, &d[i]));
		}
	}
	long_name(longest, 253);
	d[0] = name_of(longest, 9);
	w = wr_of(room, sizeof(room));
	assert_true(socks5_dest_put(&w, &d[0]));
	help_whole_or_nothing(get_dest, room, wr_used(&w), -EAGAIN);
	assert_string_equal(got.dest.name, longest);
}

static void dest_without_address_is_zero(void **state)
{
	const struct dest none = { .addr.port = 5 };
	uint8_t room[7];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_true(socks5_dest_put(&w, &none));
	assert_memory_equal(room, "\1\0\0\0\0\0\5", 7);
}

static void dest_names_are_cleaned(void **state)
{
	const struct addr v4 = ip_of("192.0.2.1", 80);
	const struct addr v6 = ip_of("2001:db8::1", 80);

	(void)state;
	help_whole_or_nothing(get_dest, HELP_MSG("\3\4Ab.C\0P"), -EAGAIN);
	assert_string_equal(got.dest.name, "ab.c");
	help_whole_or_nothing(get_dest, HELP_MSG("\3\4aB.C\0P"), -EAGAIN);
	help_whole_or_nothing(get_dest, HELP_MSG("\3\4a_b.\0P"), -EAGAIN);
	assert_string_equal(got.dest.name, "a_b");
	help_whole_or_nothing(get_dest, HELP_MSG("\3\011192.0.2.1\0P"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v4));
	assert_string_equal(got.dest.name, "");
	help_whole_or_nothing(get_dest, HELP_MSG("\3\012192.0.2.1.\0P"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v4));
	help_whole_or_nothing(get_dest, HELP_MSG("\3\0132001:db8::1\0P"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v6));
	help_whole_or_nothing(get_dest, HELP_MSG("\3\015[2001:db8::1]\0P"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v6));
}

static void dest_mapped_v6_is_v4(void **state)
{
	const struct addr v4 = ip_of("127.0.0.1", 80);

	(void)state;
	help_whole_or_nothing(get_dest,
			      HELP_MSG("\4\0\0\0\0\0\0\0\0\0\0\377\377\177\0"
				       "\0\1\0P"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v4));
	help_whole_or_nothing(get_dest, HELP_MSG("\3\020::ffff:127.0.0.1\0P"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v4));
}

static void dest_with_lies_is_refused(void **state)
{
	uint8_t msg[2 + 255 + 2] = { 3 };
	char name[256];

	(void)state;
	help_refused(get_dest, HELP_MSG("\2"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\0\0P"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\1.\0P"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\3a\0b\0P"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\3a b\0P"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\3a\r\n\0P"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\4a..b\0P"), -EPROTO);
	help_refused(get_dest, HELP_MSG("\3\3a..\0P"), -EPROTO);

	for (size_t len = 253; len <= 255; len++) {
		size_t taken;

		long_name(name, len);
		if (len == 254)
			name[253] = '.';
		msg[1] = (uint8_t)len;
		memcpy(msg + 2, name, len);
		memcpy(msg + 2 + len, "\0P", 2);
		assert_int_equal(help_get(get_dest, msg, len + 4, &taken),
				 len == 255 ? -EPROTO : 0);
	}
}

static void request_goes_both_ways(void **state)
{
	const struct dest d = name_of("example.onion", 443);
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_true(socks5_request_put(&w, SOCKS5_CONNECT, &d));
	help_whole_or_nothing(get_request, room, wr_used(&w), -EAGAIN);
	assert_int_equal(got.octet, SOCKS5_CONNECT);
	assert_memory_equal(&got.dest, &d, sizeof(d));

	help_whole_or_nothing(get_request, HELP_MSG("\5\377\7\1\1\2\3\4\0P"),
			      -EAGAIN);
	assert_int_equal(got.octet, 0xff);
	help_refused(get_request, HELP_MSG("\5\1\0\2"), -EAFNOSUPPORT);
	help_refused(get_request, HELP_MSG("\4"), -EPROTO);
	help_refused(get_request, HELP_MSG("\5\1\0\3\1 \0P"), -EPROTO);
}

static void reply_goes_both_ways(void **state)
{
	const struct addr v4 = ip_of("192.0.2.7", 1080);
	const struct addr v6 = ip_of("2001:db8::7", 1080);
	const struct addr none = { 0 };
	uint8_t room[SOCKS5_REPLY_MAX];
	uint8_t longest[SOCKS5_REPLY_MAX] = { 5, 0, 0, 3, 255 };
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_true(socks5_reply_put(&w, SOCKS5_OK, &v4));
	help_whole_or_nothing(get_reply, room, wr_used(&w), -EAGAIN);
	assert_true(addr_equal(&got.addr, &v4));

	w = wr_of(room, sizeof(room));
	assert_true(socks5_reply_put(&w, SOCKS5_REFUSED, &v6));
	help_whole_or_nothing(get_reply, room, wr_used(&w), -EAGAIN);
	assert_int_equal(got.octet, SOCKS5_REFUSED);
	assert_true(addr_equal(&got.addr, &v6));

	w = wr_of(room, 10);
	assert_true(socks5_reply_put(&w, SOCKS5_OK, &none));
	assert_memory_equal(room, "\5\0\0\1\0\0\0\0\0\0", 10);
	w = wr_of(room, 9);
	assert_false(socks5_reply_put(&w, SOCKS5_OK, &none));

	help_whole_or_nothing(get_reply, longest, sizeof(longest), -EAGAIN);
	assert_int_equal(got.addr.family, AF_UNSPEC);
	help_whole_or_nothing(get_reply, HELP_MSG("\5\1\0\3\0\0\7"), -EAGAIN);
	assert_int_equal(got.addr.port, 7);
	help_refused(get_reply, HELP_MSG("\5\0\0\0"), -EPROTO);
	help_refused(get_reply, HELP_MSG("H"), -EPROTO);
}

static void datagram_header_leaves_the_payload(void **state)
{
	const struct dest d = { .addr = ip_of("192.0.2.7", 53) };
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));
	struct rd r;

	(void)state;
	assert_true(socks5_udp_put(&w, &d));
	assert_int_equal(wr_used(&w), 10);
	help_whole_or_nothing(get_udp, room, wr_used(&w), -EPROTO);
	wr_text(&w, "data");
	r = rd_of(room, wr_used(&w));
	assert_int_equal(socks5_udp_get(&r, &got.dest), 0);
	assert_int_equal(rd_left(&r), 4);
	assert_memory_equal(r.at, "data", 4);

	help_refused(get_udp, HELP_MSG("\0\0\1\1\1\2\3\4\0P"), -EOPNOTSUPP);
	help_refused(get_udp, HELP_MSG("\0\0\0\2\1\2\3\4\0P"), -EPROTO);
	help_whole_or_nothing(get_udp, HELP_MSG("\1\2\0\3\1a\0P"), -EPROTO);
	assert_string_equal(got.dest.name, "a");
}

static void look_ups_are_asked_for(void **state)
{
	const struct dest name = name_of("tor.example", 0);
	const struct dest addr = { .addr = ip_of("192.0.2.7", 0) };
	uint8_t room[SOCKS5_REPLY_MAX];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_true(socks5_request_put(&w, SOCKS5_RESOLVE, &name));
	assert_int_equal(wr_used(&w), 18);
	assert_memory_equal(room, "\5\xf0\0\3\13tor.example\0\0", 18);
	w = wr_of(room, sizeof(room));
	assert_true(socks5_request_put(&w, SOCKS5_RESOLVE_PTR, &addr));
	assert_memory_equal(room, "\5\xf1\0\1\xc0\0\2\7\0\0", 10);
}

static void found_is_an_address_or_a_name(void **state)
{
	const struct addr v4 = ip_of("192.0.2.7", 0);
	uint8_t longest[SOCKS5_REPLY_MAX] = { 5, 0, 0, 3, 255 };

	(void)state;
	help_whole_or_nothing(get_found, HELP_MSG("\5\0\0\1\xc0\0\2\7\0\0"),
			      -EAGAIN);
	assert_true(addr_equal(&got.dest.addr, &v4));
	assert_string_equal(got.dest.name, "");

	help_whole_or_nothing(get_found,
			      HELP_MSG("\5\0\0\3\14Tor.eXample.\0\0"), -EAGAIN);
	assert_string_equal(got.dest.name, "tor.example");
	assert_int_equal(got.dest.addr.family, AF_UNSPEC);

	long_name((char *)longest + 5, 253);
	longest[4] = 253;
	help_whole_or_nothing(get_found, longest, 260, -EAGAIN);
	assert_int_equal(strlen(got.dest.name), 253);
}

static void found_names_that_are_none_are_empty(void **state)
{
	(void)state;
	help_whole_or_nothing(get_found, HELP_MSG("\5\0\0\3\0\0\0"), -EAGAIN);
	assert_string_equal(got.dest.name, "");
	help_whole_or_nothing(get_found, HELP_MSG("\5\0\0\3\3a b\0\0"),
			      -EAGAIN);
	assert_string_equal(got.dest.name, "");
	help_whole_or_nothing(get_found, HELP_MSG("\5\0\0\3\3a\0b\0\0"),
			      -EAGAIN);
	assert_string_equal(got.dest.name, "");
	/* An address in letters is no name of an address. */
	help_whole_or_nothing(get_found,
			      HELP_MSG("\5\0\0\3\x9"
				       "192.0.2.1\0\0"),
			      -EAGAIN);
	assert_string_equal(got.dest.name, "");
	assert_int_equal(got.dest.addr.family, AF_UNSPEC);
}

static void tors_failures_have_no_address_type(void **state)
{
	(void)state;
	help_whole_or_nothing(get_found, HELP_MSG("\5\4\0\0\0\0\0\0\0\0"),
			      -EAGAIN);
	assert_int_equal(got.octet, SOCKS5_HOST_UNREACHABLE);
	assert_int_equal(got.dest.addr.family, AF_UNSPEC);
	help_whole_or_nothing(get_reply, HELP_MSG("\5\1\0\0\0\0\0\0\0\0"),
			      -EAGAIN);
	help_refused(get_found, HELP_MSG("\5\0\0\0\0\0\0\0\0\0"), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_offers_password_alone_with_credentials),
		cmocka_unit_test(hello_is_read),
		cmocka_unit_test(choice_and_verdict_are_read),
		cmocka_unit_test(login_keeps_the_limits),
		cmocka_unit_test(login_with_lies_is_refused),
		cmocka_unit_test(dest_goes_both_ways),
		cmocka_unit_test(dest_without_address_is_zero),
		cmocka_unit_test(dest_names_are_cleaned),
		cmocka_unit_test(dest_mapped_v6_is_v4),
		cmocka_unit_test(dest_with_lies_is_refused),
		cmocka_unit_test(request_goes_both_ways),
		cmocka_unit_test(reply_goes_both_ways),
		cmocka_unit_test(look_ups_are_asked_for),
		cmocka_unit_test(found_is_an_address_or_a_name),
		cmocka_unit_test(found_names_that_are_none_are_empty),
		cmocka_unit_test(tors_failures_have_no_address_type),
		cmocka_unit_test(datagram_header_leaves_the_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
