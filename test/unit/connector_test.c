// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * connector_test.c - a worker and its connector, which is a child here
 */
#include "dial_toy.h"

#include "bus/channel.h"
#include "dial/connector.h"
#include "dial/connector_own.h"
#include "dial/connector_serve.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MANY (5 * CONNECTOR_BATCH + 3)

/* What was asked for, and what came of it */
struct wish_end {
	int told;
	int fd;
	struct connector_ask *ask;
};

struct scene {
	struct connector_line line; /* until connector_new() has it */
	struct connector *connector;
	struct plan plan;
	pid_t pid;
	int inner;
	struct addr inner_at;
	int listener;
	struct addr at;
	int losses;
};

static struct scene scene; /* large */

static void told(void *ctx, int fd)
{
	struct wish_end *e = ctx;

	e->told++;
	e->fd = fd;
	e->ask = NULL;
}

static void lost(void *ctx)
{
	((struct scene *)ctx)->losses++;
}

/** scene_fork() - A connector that leads to a listener of ours, and answers by
 * one socket */
static void scene_fork(struct scene *c)
{
	struct connector_line far;
	int *const near[] = { &c->line.ask, &c->line.wait };
	int *const other[] = { &far.ask, &far.wait };

	for (unsigned int i = 0; i < 2; i++) {
		int pair[2];

		assert_int_equal(channel_pair(pair), 0);
		*near[i] = pair[0];
		*other[i] = pair[1];
	}
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		const struct connector_book b = connector_book_of(&c->plan);

		for (unsigned int i = 0; i < 2; i++)
			fd_close(near[i]);
		connector_serve(&b, &far, &c->inner, 1);
		_exit(0);
	}
	for (unsigned int i = 0; i < 2; i++)
		fd_close(other[i]);
}

static struct scene *scene_begin(void)
{
	struct scene *c = &scene;

	*c = (struct scene){ 0 };
	c->listener = toy_listen(&c->at);
	c->inner = toy_bind(AF_INET, SOCK_DGRAM, &c->inner_at);
	c->plan.hop_count = 1;
	c->plan.hop[0].kind = HOP_SOCKS5;
	c->plan.hop[0].addr[0] = c->at;
	c->plan.hop[0].addr_count = 1;
	scene_fork(c);
	c->connector = connector_new(&toy_loop, &c->line, lost, c);
	assert_non_null(c->connector);
	return c;
}

/* It ends by itself when the worker does. */
static void scene_end(struct scene *c)
{
	int status;

	connector_free(c->connector);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	fd_close(&c->listener);
	fd_close(&c->inner);
	toy_turn();
}

static struct outer_wish wish_to(const struct addr *to)
{
	return (struct outer_wish){
		.by = OUTER_BY_PLAN,
		.kind = OUTER_TCP,
		.to = *to,
	};
}

static void ask(struct scene *c, struct wish_end *e, const struct addr *to)
{
	const struct outer_wish w = wish_to(to);

	*e = (struct wish_end){ .fd = -1 };
	assert_int_equal(connector_ask(c->connector, &w, told, e, &e->ask), 0);
	assert_int_equal(e->told, 0);
}

static void expect_told(struct wish_end *e)
{
	for (int i = 0; i < TOY_TURNS && !e->told; i++)
		toy_wait();
	assert_int_equal(e->told, 1);
}

static void a_socket_comes_that_connects(void **state)
{
	struct scene *c = scene_begin();
	struct wish_end e;
	int peer;

	(void)state;
	ask(c, &e, &c->at);
	expect_told(&e);
	assert_true(e.fd >= 0);
	assert_int_equal(fcntl(e.fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(e.fd, F_GETFL) & O_NONBLOCK);
	peer = toy_accept(c->listener);
	assert_int_equal(send(e.fd, "it", 2, 0), 2);
	toy_expect(peer, "it", 2);
	fd_close(&peer);
	fd_close(&e.fd);
	scene_end(c);
}

/* row: U25 */
static void other_places_are_refused(void **state)
{
	struct scene *c = scene_begin();
	struct addr other = c->at;
	struct outer_wish w;
	struct wish_end e[3];
	int fd;

	(void)state;
	other.port = (uint16_t)(other.port ^ 1);
	ask(c, &e[0], &other);
	ask(c, &e[1], &c->at);
	ask(c, &e[2], &other);
	for (int i = 0; i < 3; i++)
		expect_told(&e[i]);
	assert_int_equal(e[0].fd, -EACCES);
	assert_true(e[1].fd >= 0);
	assert_int_equal(e[2].fd, -EACCES);
	w = wish_to(&other);
	assert_int_equal(connector_wait(c->connector, &w), -EACCES);
	w = wish_to(&c->at);
	fd = connector_wait(c->connector, &w);
	assert_true(fd >= 0);
	fd_close(&fd);
	fd_close(&e[1].fd);
	assert_int_equal(c->losses, 0);
	scene_end(c);
}

static void many_come_in_the_order_of_asking(void **state)
{
	static struct wish_end e[MANY];
	struct scene *c = scene_begin();
	struct addr other = c->at;

	(void)state;
	other.port = (uint16_t)(other.port ^ 1);
	for (int i = 0; i < MANY; i++)
		ask(c, &e[i], i % 3 ? &c->at : &other);
	for (int i = 0; i < MANY; i++) {
		expect_told(&e[i]);
		if (i % 3)
			assert_true(e[i].fd >= 0);
		else
			assert_int_equal(e[i].fd, -EACCES);
		if (e[i].fd >= 0)
			fd_close(&e[i].fd);
	}
	scene_end(c);
}

/** callers() - How many have connected by now, and are let go */
static int callers(int listener)
{
	int count = 0;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		fd_close(&fd);
		count++;
	}
	return count;
}

/* A worker that stands still must not use up what its user may have under way
 * (unix(7), ETOOMANYREFS). */
static void few_are_on_their_way_at_once(void **state)
{
	static struct wish_end e[MANY];
	struct scene *c = scene_begin();
	int peers = 0;

	(void)state;
	assert_int_equal(listen(c->listener, MANY), 0);
	for (int i = 0; i < MANY; i++)
		ask(c, &e[i], &c->at);
	toy_turn(); /* they go out, and nothing is read */
	for (int i = 0; i < TOY_TURNS && peers < CONNECTOR_BATCH; i++) {
		(void)usleep(1000);
		peers += callers(c->listener);
	}
	(void)usleep(100000); /* time for those that must not come */
	peers += callers(c->listener);
	assert_in_range(peers, CONNECTOR_BATCH, 4 * CONNECTOR_BATCH);
	for (int i = 0; i < MANY; i++) {
		expect_told(&e[i]);
		fd_close(&e[i].fd);
	}
	scene_end(c);
}

static void what_is_forgotten_is_closed(void **state)
{
	struct scene *c = scene_begin();
	struct wish_end e[3];
	char got;
	int peer;

	(void)state;
	for (int i = 0; i < 3; i++)
		ask(c, &e[i], &c->at);
	connector_forget(e[0].ask);
	toy_turn();
	connector_forget(e[1].ask);
	expect_told(&e[2]);
	assert_true(e[2].fd >= 0);
	assert_int_equal(e[0].told + e[1].told, 0);
	/* The first was never asked for. */
	peer = toy_accept(c->listener);
	toy_settle();
	assert_int_equal(recv(peer, &got, 1, 0), 0);
	fd_close(&peer);
	peer = toy_accept(c->listener);
	assert_int_equal(recv(peer, &got, 1, 0), -1);
	fd_close(&peer);
	fd_close(&e[2].fd);
	scene_end(c);
}

static void a_worker_that_may_have_no_more_goes_on(void **state)
{
	struct scene *c = scene_begin();
	const struct outer_wish w = wish_to(&c->at);
	struct rlimit was;
	struct rlimit now;
	struct wish_end e;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = (struct rlimit){ 0, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	ask(c, &e, &c->at);
	expect_told(&e);
	assert_int_equal(e.fd, -EMFILE);
	assert_int_equal(connector_wait(c->connector, &w), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	ask(c, &e, &c->at);
	expect_told(&e);
	assert_true(e.fd >= 0);
	fd_close(&e.fd);
	assert_int_equal(c->losses, 0);
	scene_end(c);
}

/* row: K05 */
static void a_dead_one_is_lost_once(void **state)
{
	struct scene *c = scene_begin();
	const struct outer_wish w = wish_to(&c->at);
	struct connector_ask *never;
	struct wish_end e;

	(void)state;
	assert_int_equal(kill(c->pid, SIGKILL), 0);
	ask(c, &e, &c->at);
	for (int i = 0; i < TOY_TURNS && !c->losses; i++)
		toy_wait();
	assert_int_equal(c->losses, 1);
	assert_int_equal(e.told, 0);
	assert_int_equal(connector_wait(c->connector, &w), -EPIPE);
	assert_int_equal(connector_ask(c->connector, &w, told, &e, &never),
			 -EPIPE);
	assert_int_equal(c->losses, 1);
	scene_end(c);
}

static void who_waits_hears_of_its_death(void **state)
{
	struct scene *c = scene_begin();
	const struct outer_wish w = wish_to(&c->at);

	(void)state;
	assert_int_equal(kill(c->pid, SIGKILL), 0);
	assert_true(connector_wait(c->connector, &w) < 0);
	assert_int_equal(c->losses, 1);
	scene_end(c);
}

static void it_sends_by_sockets_inside_alone(void **state)
{
	struct scene *c = scene_begin();
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct addr to, from;
	char got[8];
	int heard = toy_bind(AF_INET, SOCK_DGRAM, &to);

	(void)state;
	/* A number that means the listener there, and one that means nothing */
	connector_say(c->connector, c->listener, &c->inner_at, &to, "no", 2);
	connector_say(c->connector, 999, &c->inner_at, &to, "no", 2);
	connector_say(c->connector, c->inner, &c->inner_at, &to, "yes", 3);
	for (int i = 0; i < TOY_TURNS; i++) {
		if (recvfrom(heard, got, sizeof(got), MSG_PEEK, (void *)&ss,
			     &len) >= 0)
			break;
		toy_wait();
	}
	assert_int_equal(recv(heard, got, sizeof(got), 0), 3);
	assert_memory_equal(got, "yes", 3);
	addr_from_sock(&from, &ss);
	assert_true(addr_equal(&from, &c->inner_at));
	fd_close(&heard);
	scene_end(c);
}

/** ends_by() - Does a connector end that hears this? */
static void ends_by(const void *msg, size_t len)
{
	struct scene *c = &scene;
	int status;

	*c = (struct scene){ .inner = -1 };
	scene_fork(c);
	assert_int_equal(send(c->line.ask, msg, len, 0), len);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fd_close(&c->line.ask);
	fd_close(&c->line.wait);
}

static void nonsense_ends_it(void **state)
{
	struct connector_wishes m = { .kind = CONNECTOR_ASK, .count = 1 };
	const size_t one = offsetof(struct connector_wishes, wish[1]);
	static const struct connector_words words = { .kind = CONNECTOR_SAY };

	(void)state;
	ends_by("x", 1);
	ends_by(&words, offsetof(struct connector_words, data) - 1);
	ends_by(&m, sizeof(m.kind));
	ends_by(&m, one - 1);
	ends_by(&m, one + 1);
	m.count = 2;
	ends_by(&m, one);
	m.count = 0;
	ends_by(&m, offsetof(struct connector_wishes, wish));
	m.count = 0x40000001;
	ends_by(&m, one);
	m.count = CONNECTOR_BATCH + 1;
	ends_by(&m, sizeof(m));
	m = (struct connector_wishes){ .kind = CONNECTOR_SAY + 1, .count = 1 };
	ends_by(&m, one);
}

#define T(f) cmocka_unit_test_setup_teardown(f, toy_setup, toy_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_socket_comes_that_connects),
		T(other_places_are_refused),
		T(many_come_in_the_order_of_asking),
		T(few_are_on_their_way_at_once),
		T(what_is_forgotten_is_closed),
		T(a_worker_that_may_have_no_more_goes_on),
		T(a_dead_one_is_lost_once),
		T(who_waits_hears_of_its_death),
		T(it_sends_by_sockets_inside_alone),
		T(nonsense_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
