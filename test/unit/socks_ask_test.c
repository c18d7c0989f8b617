// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks_ask_test.c - NAMES_RESOLVE: the last proxy looks names up
 */
#include "names_bench.h"

#include "names/forward.h"
#include "names/socks_ask.h"
#include "wire/socks5.h"

#define PROXY_CONNS 512

/** struct proxy - a SOCKS5 server that knows Tor's look-ups: the first label
 * of a name says what it answers; @asked counts, @open are under way */
static struct proxy {
	struct loop *loop;
	struct watch watch;
	struct addr addr;
	unsigned int asked;
	unsigned int open;
	unsigned int most;
	unsigned int count;
	struct proxy_conn {
		struct watch watch;
		bool is_greeted;
	} conn[PROXY_CONNS];
} proxy;

#define REPLY(fd, text) \
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1)

static void conn_close(struct proxy_conn *c)
{
	int fd = c->watch.fd;

	loop_unwatch(proxy.loop, &c->watch);
	fd_close(&fd);
	proxy.open--;
}

/** conn_answer() - Return: whether it was answered */
static bool conn_answer(int fd, uint8_t cmd, const struct dest *d)
{
	const char *name = d->name;

	proxy.asked++;
	if (!strncmp(name, "mute.", 5))
		return false;
	if (!strncmp(name, "gone.", 5))
		return true;
	if (!strncmp(name, "nx.", 3))
		REPLY(fd, "\5\4\0\0\0\0\0\0\0\0");
	else if (!strncmp(name, "odd.", 4))
		REPLY(fd, "\5\1\0\1\0\0\0\0\0\0");
	else if (!strncmp(name, "unknown.", 8))
		REPLY(fd, "\5\7\0\1\0\0\0\0\0\0");
	else if (!strncmp(name, "lease.", 6))
		REPLY(fd, "\5\0\0\1\306\22\5\5\0\0");
	else if (!strncmp(name, "six.", 4))
		REPLY(fd, "\5\0\0\4\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7\0\0");
	else if (cmd == SOCKS5_RESOLVE_PTR && d->addr.ip[3] == 9)
		REPLY(fd, "\5\0\0\3\3a b\0\0");
	else if (cmd == SOCKS5_RESOLVE_PTR)
		REPLY(fd, "\5\0\0\3\xbtor.example\0\0");
	else
		REPLY(fd, "\5\0\0\1\300\0\2\1\0\0");
	return true;
}

static void on_conn(struct watch *w, uint32_t events)
{
	struct proxy_conn *c = container_of(w, struct proxy_conn, watch);
	uint8_t buf[512];
	const ssize_t n = read(w->fd, buf, sizeof(buf));
	struct rd r;
	struct dest d;
	uint8_t cmd;

	(void)events;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	if (!c->is_greeted) {
		c->is_greeted = true;
		REPLY(w->fd, "\5\0");
		return;
	}
	r = rd_of(buf, (size_t)n);
	assert_int_equal(socks5_request_get(&r, &cmd, &d), 0);
	if (conn_answer(w->fd, cmd, &d))
		conn_close(c);
}

static void on_connect(struct watch *w, uint32_t events)
{
	const int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct proxy_conn *c = &proxy.conn[proxy.count];

	(void)events;
	if (fd < 0)
		return;
	assert_true(proxy.count++ < PROXY_CONNS);
	*c = (struct proxy_conn){ 0 };
	assert_int_equal(
		loop_watch(proxy.loop, &c->watch, fd, EPOLLIN, on_conn), 0);
	if (++proxy.open > proxy.most)
		proxy.most = proxy.open;
}

static struct bench *setup(void)
{
	struct bench *b = bench_new(NAMES_FAKE, false);
	const int fd =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	struct addr at = addr_from_ip4("\177\0\0\1", 0);
	socklen_t len = addr_to_sock(&at, &ss);

	proxy = (struct proxy){ .loop = &b->loop };
	assert_int_equal(bind(fd, (void *)&ss, len), 0);
	assert_int_equal(listen(fd, 256), 0);
	assert_int_equal(getsockname(fd, (void *)&ss, &len), 0);
	addr_from_sock(&at, &ss);
	assert_int_equal(
		loop_watch(&b->loop, &proxy.watch, fd, EPOLLIN, on_connect), 0);
	b->plan.names = NAMES_RESOLVE;
	b->plan.server_count = 0;
	b->plan.hop[0].addr[0] = at;
	b->plan.hop[0].addr_count = 1;
	b->plan.hop[0].port = at.port;
	way_fini(&b->way);
	assert_int_equal(way_init(&b->way, &b->loop, &b->plan), 0);
	bench_again(b);
	return b;
}

static void teardown(struct bench *b)
{
	int fd = proxy.watch.fd;

	names_free(b->names);
	b->names = NULL;
	assert_int_equal(b->way.dials, 0);
	for (unsigned int i = 0; i < proxy.count; i++)
		if (proxy.conn[i].watch.fd >= 0 && proxy.conn[i].watch.fn)
			conn_close(&proxy.conn[i]);
	loop_unwatch(&b->loop, &proxy.watch);
	fd_close(&fd);
	bench_free(b);
}

static void name_gets_its_real_address(void **state)
{
	struct bench *b = setup();
	const struct help_answer a = answer_to(b, "Www.example", DNS_A);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_NOERROR);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_memory_equal(a.data, "\300\0\2\1", 4);
	assert_int_equal(a.first.ttl, SOCKS_ASK_KNOWN_S);
	teardown(b);
}

static void both_families_share_a_look_up(void **state)
{
	struct bench *b = setup();
	struct help_answer a;

	(void)state;
	ask(b, "six.example", DNS_A);
	ask(b, "six.example", DNS_AAAA);
	turn_until(b, 2);
	a = answer_to(b, "six.example", DNS_AAAA);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_int_equal(a.first.type, DNS_AAAA);
	assert_rcode(b, "six.example", DNS_A, DNS_NOERROR);
	assert_int_equal(proxy.asked, 1);
	/* And one after the other. */
	a = answer_to(b, "www.example", DNS_A);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_rcode(b, "www.example", DNS_AAAA, DNS_NOERROR);
	assert_int_equal(proxy.asked, 2);
	teardown(b);
}

static void address_gets_its_name(void **state)
{
	struct bench *b = setup();
	const struct help_answer a =
		answer_to(b, "8.8.8.8.in-addr.arpa", DNS_PTR);

	(void)state;
	assert_int_equal(help_rcode(&a), DNS_NOERROR);
	assert_int_equal(a.count[DNS_ANSWER], 1);
	assert_int_equal(a.first.type, DNS_PTR);
	/* A name that is none is no answer; whole addresses only. */
	assert_rcode(b, "9.8.8.8.in-addr.arpa", DNS_PTR, DNS_SERVFAIL);
	assert_int_equal(proxy.asked, 2);
	assert_rcode(b, "8.8.8.in-addr.arpa", DNS_PTR, DNS_NOERROR);
	assert_rcode(b, "8.8.8.8.in-addr.arpa", DNS_TXT, DNS_NOERROR);
	assert_rcode(b, "1.1.168.192.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN);
	assert_int_equal(proxy.asked, 2);
	teardown(b);
}

static void failures_are_told_apart(void **state)
{
	struct bench *b = setup();

	(void)state;
	assert_rcode(b, "odd.example", DNS_A, DNS_SERVFAIL);
	assert_rcode(b, "unknown.example", DNS_A, DNS_SERVFAIL);
	assert_rcode(b, "gone.example", DNS_A, DNS_SERVFAIL);
	assert_rcode(b, "lease.example", DNS_A, DNS_SERVFAIL);
	assert_rcode(b, "www.example", DNS_TXT, DNS_NOERROR);
	teardown(b);
}

static void absence_is_believed_for_a_short_while(void **state)
{
	struct bench *b = setup();
	struct help_answer a;

	(void)state;
	a = answer_to(b, "nx.example", DNS_A);
	assert_int_equal(help_rcode(&a), DNS_NXDOMAIN);
	assert_true(a.has_soa);
	a = answer_to(b, "nx.example", DNS_AAAA);
	assert_int_equal(help_rcode(&a), DNS_NXDOMAIN);
	assert_int_equal(proxy.asked, 1);
	now_ms += SOCKS_ASK_ABSENT_S * 1000;
	turn_a_little(b);
	a = answer_to(b, "nx.example", DNS_A);
	assert_int_equal(proxy.asked, 2);
	teardown(b);
}

static void answers_age_and_are_asked_for_anew(void **state)
{
	struct bench *b = setup();
	struct help_answer a = answer_to(b, "www.example", DNS_A);

	(void)state;
	now_ms += 20000;
	turn_a_little(b);
	a = answer_to(b, "www.example", DNS_A);
	assert_int_equal(a.first.ttl, SOCKS_ASK_KNOWN_S - 20);
	assert_int_equal(proxy.asked, 1);
	now_ms += 40000;
	turn_a_little(b);
	a = answer_to(b, "www.example", DNS_A);
	assert_int_equal(a.first.ttl, SOCKS_ASK_KNOWN_S);
	assert_int_equal(proxy.asked, 2);
	teardown(b);
}

static void connections_have_a_cap_and_all_are_answered(void **state)
{
	struct bench *b = setup();
	char name[64];

	(void)state;
	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example", i);
		ask(b, name, DNS_A);
	}
	assert_int_equal(b->way.dials, SOCKS_ASK_DIALS);
	turn_until(b, 200);
	assert_int_equal(proxy.asked, 200);
	assert_in_range(proxy.most, 2, SOCKS_ASK_DIALS);
	teardown(b);
}

static void a_silent_proxy_costs_patience_and_no_more(void **state)
{
	struct bench *b = setup();
	char name[64];

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "mute.n%d.example", i);
		ask(b, name, DNS_A);
	}
	turn_a_little(b);
	assert_int_equal(b->got, 0);
	now_ms += FORWARD_TRY_MS;
	turn_a_little(b);
	now_ms += FORWARD_SOCKS_MS;
	turn_until(b, 100);
	/* Those under way end with their dials, the others at once. */
	now_ms += DIAL_MS;
	turn_a_little(b);
	assert_int_equal(b->way.dials, 0);
	assert_int_equal(answer_to(b, "www.example", DNS_A).count[DNS_ANSWER],
			 1);
	assert_int_equal(proxy.asked, SOCKS_ASK_DIALS + 1);
	teardown(b);
}

static void old_answers_make_room(void **state)
{
	struct socks_ask s;
	struct bench *b = setup();
	struct dns_query q = { .type = DNS_A, .class = DNS_CLASS_IN };
	struct ask a = { .q = &q };
	char name[64];

	(void)state;
	assert_int_equal(socks_ask_init(&s, &b->way), 0);
	for (int i = 0; i < SOCKS_ASK_LOOKS; i++) {
		(void)snprintf(name, sizeof(name), "mute.n%d.example", i);
		assert_true(dns_name_of_text(name, &q.name));
		assert_int_equal(socks_ask_start(&s, &a), 0);
		socks_ask_forget(&a);
	}
	assert_true(dns_name_of_text("one-more.example", &q.name));
	assert_int_equal(socks_ask_start(&s, &a), -ENOBUFS);
	now_ms += DIAL_MS;
	turn_a_little(b);
	assert_int_equal(socks_ask_start(&s, &a), 0);
	socks_ask_fini(&s);
	teardown(b);
}

static void hidden_names_get_leases(void **state)
{
	struct bench *b = setup();

	(void)state;
	assert_leased(b, "abcdefgh234567.onion");
	assert_int_equal(proxy.asked, 0);
	teardown(b);
}

static void one_family_is_not_asked_for(void **state)
{
	struct bench *b = setup();

	(void)state;
	b->plan.want_v6 = false;
	bench_again(b);
	assert_rcode(b, "www.example", DNS_AAAA, DNS_NOERROR);
	assert_int_equal(proxy.asked, 0);
	teardown(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_gets_its_real_address),
		cmocka_unit_test(both_families_share_a_look_up),
		cmocka_unit_test(address_gets_its_name),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(absence_is_believed_for_a_short_while),
		cmocka_unit_test(answers_age_and_are_asked_for_anew),
		cmocka_unit_test(connections_have_a_cap_and_all_are_answered),
		cmocka_unit_test(a_silent_proxy_costs_patience_and_no_more),
		cmocka_unit_test(old_answers_make_room),
		cmocka_unit_test(hidden_names_get_leases),
		cmocka_unit_test(one_family_is_not_asked_for),
	};

	log_init("", LOG_LEVEL_ERR); /* the warnings are expected */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
