/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * mint_msg.h - what a worker and the keeper say about sockets born inside
 *
 * One SOCK_SEQPACKET message each way, answers in the order of asking. A
 * worker may find answers there that the one before it asked for. A keeper may
 * be of an older binary than its worker: the plan's magic is raised with these.
 */
#include <stdint.h>

/** struct mint_ask - I want one that connects to this port of loopback
 * @id:      Of the wish
 * @family:  AF_INET: to 127.0.0.1, AF_INET6: to ::1 */
struct mint_ask {
	uint64_t id;
	uint16_t family;
	uint16_t port;
};

/** struct mint_word - It comes with this
 * @id:   Of the wish
 * @err:  0 and it is connecting; or -errno and it does not come */
struct mint_word {
	uint64_t id;
	int32_t err;
};
