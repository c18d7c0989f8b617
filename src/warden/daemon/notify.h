/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * notify.h - what a service manager wants to hear (sd_notify(3))
 */
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/**
 * struct notify - the service manager, if one started us
 * @sock:      To send by; -1 when nobody listens, and then nothing is sent
 * @pulse_ms:  How often it wants to hear that we live; 0: never
 * @said:      The last status, which is not sent twice
 * @is_deaf:   The last message did not arrive, which is told once
 */
struct notify {
	int sock;
	struct sockaddr_un at;
	socklen_t len;
	uint64_t pulse_ms;
	char said[80];
	bool is_deaf;
};

/**
 * notify_take() - Take what the environment says, out of it
 * @ret:  Result; notify_fini() ends it
 * @f:    Why not: one of the variables makes no sense
 *
 * NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are gone afterwards, so that
 * no child of ours speaks for us.
 *
 * Return: 0 or -errno
 */
int notify_take(struct notify *ret, struct fault *f);

/** notify_fini() - Send nothing more */
void notify_fini(struct notify *n);

/** notify_ready() - All is set up, at the start or after a reload */
void notify_ready(struct notify *n);

/** notify_reloading() - A reload begins; notify_ready() ends it */
void notify_reloading(struct notify *n);

/** notify_stopping() - The end begins */
void notify_stopping(struct notify *n);

/** notify_alive() - The loop turns; to be called each @n->pulse_ms */
void notify_alive(struct notify *n);

/**
 * notify_count() - Tell how many sandboxes there are, when that has changed
 * @n:      Manager
 * @up:     Those that are up
 * @count:  All
 */
void notify_count(struct notify *n, size_t up, size_t count);

/**
 * notify_address() - Where NOTIFY_SOCKET points to
 * @text:     "/path", or "@name" for an abstract socket
 * @ret:      Address
 * @ret_len:  Of @ret
 *
 * Return: 0, -EAFNOSUPPORT for what is neither, or -ENAMETOOLONG
 */
int notify_address(const char *text, struct sockaddr_un *ret,
		   socklen_t *ret_len);

/**
 * notify_pulse() - How often a watchdog wants to hear from us
 * @usec:  WATCHDOG_USEC; NULL: there is no watchdog
 * @pid:   WATCHDOG_PID, whom it is for; NULL: whoever reads it
 * @self:  Our pid
 * @ret:   Half of the watchdog's patience in ms, at least 1; 0: it is not ours
 *
 * Return: 0, or -EINVAL when one of them is no number
 */
int notify_pulse(const char *usec, const char *pid, pid_t self, uint64_t *ret);

/** notify_put_count() - "STATUS=3 sandboxes up", or "STATUS=2 of 3 ..." */
void notify_put_count(size_t up, size_t count, char *to, size_t size);

/** notify_put_reloading() - With the time at which it began, which tells the
 * manager from which reload a later READY=1 comes */
void notify_put_reloading(uint64_t now_usec, char *to, size_t size);
