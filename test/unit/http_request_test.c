// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http_request_test.c - requests of clients, read and passed on
 */
#include "wire_help.h"

#include "wire/http.h"

#include <stdio.h>

static struct http_request req; /* its target pointer dangles after help_get */

static int get_request(struct rd *r)
{
	return http_request_get(r, &req);
}

static void request_for_a_tunnel_is_read(void **state)
{
	struct addr v6;

	(void)state;
	help_whole_or_nothing(get_request,
			      HELP_MSG("CONNECT Example.ORG.:443 HTTP/1.1\r\n"
				       "Host: other\r\nA:\r\n\r\n"),
			      -EAGAIN);
	assert_true(req.is_connect);
	assert_false(req.has_auth);
	assert_string_equal(req.to.name, "example.org");
	assert_int_equal(req.to.addr.port, 443);
	assert_int_equal(req.method_len, 7);
	help_whole_or_nothing(get_request,
			      HELP_MSG("CONNECT [2001:db8::1]:443 HTTP/1.0\n"
				       "\n"),
			      -EAGAIN);
	assert_true(addr_parse_ip("2001:db8::1", &v6));
	assert_true(addr_same_host(&req.to.addr, &v6));
	assert_string_equal(req.to.name, "");
}

static void request_with_absolute_target_is_read(void **state)
{
	static const char head[] = "GET http://a.b/p?q=/ HTTP/1.1\n\n";
	uint8_t *block = help_block(head, strlen(head));
	struct rd r = rd_of(block, strlen(head));

	(void)state;
	assert_int_equal(http_request_get(&r, &req), 0);
	assert_false(req.is_connect);
	assert_int_equal(req.target_len, 6);
	assert_memory_equal(req.target, "/p?q=/", 6);
	assert_int_equal(req.method_len, 3);
	assert_string_equal(req.to.name, "a.b");
	assert_int_equal(req.to.addr.port, 80);
	free(block);
	help_whole_or_nothing(get_request,
			      HELP_MSG("GET HTTP://a:8080 HTTP/1.1\n\n"),
			      -EAGAIN);
	assert_int_equal(req.target_len, 0);
	assert_int_equal(req.to.addr.port, 8080);
	help_whole_or_nothing(get_request,
			      HELP_MSG("GET http://[::1]?x HTTP/1.1\n\n"),
			      -EAGAIN);
	assert_int_equal(req.target_len, 2);
	assert_int_equal(req.to.addr.port, 80);
	help_whole_or_nothing(get_request,
			      HELP_MSG("GET http://a:/ HTTP/1.1\n\n"), -EAGAIN);
	assert_int_equal(req.to.addr.port, 80);
}

static void request_for_other_targets_is_refused(void **state)
{
	static const char *const bad[] = {
		"GET /",
		"GET *",
		"GET https://a/",
		"GET http:///",
		"GET a:80",
		"GET http://u@a/",
		"GET http://u:p@a/",
		"GET http://a:0/",
		"GET http://a:65536/",
		"GET http://a:x/",
		"GET http://a:-1/",
		"GET http://a%20/",
		"GET http://[1.2.3.4]/",
		"GET http://[::1/",
		"GET http://[::1]a/",
		"GET http://::1/",
		"GET http://[]/",
		"CONNECT a",
		"CONNECT a:",
		"CONNECT :80",
		"CONNECT a:0",
		"CONNECT a:65536",
		"CONNECT ::1:80",
		"CONNECT [::1]",
		"CONNECT [::1]80",
		"CONNECT a:80:80",
		"CONNECT a b.c:80/",
		"CONNECT http://a:80",
		"CONNECT a:00000080",
		"connect a:80",
	};
	char head[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const bool has_space = strchr(strchr(bad[i], ' ') + 1, ' ');

		(void)snprintf(head, sizeof(head), "%s HTTP/1.1\r\n\r\n",
			       bad[i]);
		help_refused(get_request, head, strlen(head),
			     has_space ? -EPROTO : -EOPNOTSUPP);
	}
}

static void request_of_garbage_is_refused(void **state)
{
	(void)state;
	help_refused(get_request, HELP_MSG("\x16\3\1"), -EPROTO);
	help_refused(get_request, HELP_MSG("\n"), -EPROTO);
	help_refused(get_request, HELP_MSG("GET\n\n"), -EPROTO);
	help_refused(get_request, HELP_MSG("GET http://a/\n\n"), -EPROTO);
	help_refused(get_request, HELP_MSG(" http://a/ HTTP/1.1\n\n"), -EPROTO);
	help_refused(get_request, HELP_MSG("G[T http://a/ HTTP/1.1\n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("GET http://a/ HTTP/2.0\n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("CONNECT a:1 HTTP/1.1 \n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("CONNECT a:1 HTTP/1.1\nA : b\n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("CONNECT a:1 HTTP/1.1\n A: b\n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("CONNECT a:1 HTTP/1.1\nA\n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("CONNECT a:1 HTTP/1.1\n:b\n\n"),
		     -EPROTO);
	help_refused(get_request, HELP_MSG("CONNECT a:1 HTTP/1.1\nA: \0"),
		     -EPROTO);
}

static void request_credentials_are_decoded(void **state)
{
	static const struct {
		const char *value;
		const char *user; /* NULL: counts as none */
		const char *pass;
	} cases[] = {
		{ "Basic dTpw", "u", "p" },
		{ "bASIC   dTpwOnE=  ", "u", "p:q" },
		{ "Basic Og==", "", "" },
		{ "Basic dXA=", NULL, NULL }, /* "up": no colon */
		{ "Basic dTpw=", NULL, NULL },
		{ "Basic dToA", NULL, NULL }, /* "u:\0" */
		{ "Basic", NULL, NULL },
		{ "Basic ", NULL, NULL },
		{ "Bearer dTpw", NULL, NULL },
		{ "dTpw", NULL, NULL },
	};
	char head[128];
	size_t taken;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(head, sizeof(head),
			       "CONNECT a:1 HTTP/1.1\r\n"
			       "proxy-authorization:%s\r\n\r\n",
			       cases[i].value);
		assert_int_equal(
			help_get(get_request, head, strlen(head), &taken), 0);
		assert_int_equal(req.has_auth, cases[i].user != NULL);
		assert_string_equal(req.user,
				    cases[i].user ? cases[i].user : "");
		assert_string_equal(req.pass,
				    cases[i].pass ? cases[i].pass : "");
	}
}

static void request_is_rewritten_for_the_origin(void **state)
{
	static const struct {
		const char *head;
		const char *want;
	} cases[] = {
		{ "GET http://A.b:81/p?q HTTP/1.1\r\nHost: lie\r\n"
		  "Proxy-Authorization: Basic dTpw\r\nX-A: 1\r\n"
		  "PROXY-CONNECTION: keep-alive\r\nkeep-alive: 5\r\n"
		  "Connection: keep-alive\r\nConnection-Id: 7\r\n\r\n",
		  "GET /p?q HTTP/1.1\r\nHost: A.b:81\r\nX-A: 1\r\n"
		  "Connection-Id: 7\r\nConnection: close\r\n\r\n" },
		{ "POST http://a HTTP/1.0\nContent-Length: 3\n\n",
		  "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\n"
		  "Connection: close\r\n\r\n" },
		{ "GET http://[::1]?x HTTP/1.1\r\n\r\n",
		  "GET /?x HTTP/1.1\r\nHost: [::1]\r\n"
		  "Connection: close\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len = strlen(cases[i].head);
		const size_t want_len = strlen(cases[i].want);
		uint8_t *head = help_block(cases[i].head, len);
		uint8_t *room = malloc(want_len);
		struct rd r = rd_of(head, len);
		struct wr w = wr_of(room, want_len);

		assert_true(want_len <= len + 64);
		assert_int_equal(http_request_get(&r, &req), 0);
		assert_true(http_request_rewrite(&w, head, len, &req));
		assert_int_equal(wr_used(&w), want_len);
		assert_memory_equal(room, cases[i].want, want_len);
		for (size_t small = 0; small < want_len; small++) {
			w = wr_of(room, small);
			assert_false(http_request_rewrite(&w, head, len, &req));
		}
		free(room);
		free(head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_for_a_tunnel_is_read),
		cmocka_unit_test(request_with_absolute_target_is_read),
		cmocka_unit_test(request_for_other_targets_is_refused),
		cmocka_unit_test(request_of_garbage_is_refused),
		cmocka_unit_test(request_credentials_are_decoded),
		cmocka_unit_test(request_is_rewritten_for_the_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
