/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * gate_own.h - what the files of the gate share: gate.c (SYNs come in),
 * gate_flow.c (one flow) and gate_accept.c (sockets come in). Nobody else
 * includes this.
 */
#include "flow/gate.h"
#include "flow/relay_http.h"

enum flow_state {
	FLOW_DIALING, /* SYN held; .dial is alive; ends by dial's deadline */
	FLOW_GIVEN,   /* SYN given back; .outer is alive; GATE_GIVEN_MS */
	FLOW_SILENT,  /* dial timed out; GATE_SILENT_MS */
	FLOW_OPEN,    /* .relay or .http is alive, not in the map; as long as it
			 lives */
	FLOW_STATES
};

struct flow_key {
	struct addr src;
	struct addr dst;
};

struct flow {
	struct map_node node;
	struct list open_node;
	struct gate *gate;
	struct flow_key key;
	enum flow_state state;
	struct timer timer;
	struct dial *dial;
	struct stream outer;
	struct relay *relay;
	struct relay_http *http;
	bool forwards;
	uint8_t syn[PACKET_SYN_ROOM];
	uint8_t syn_len;
	uint32_t isn;
};

/** flow_find() - The flow of this key that waits, or NULL */
struct flow *flow_find(struct gate *g, const struct flow_key *key);

/** flow_begin() - Hold a SYN and dial. Return: 0, -EAGAIN when there are too
 * many dials, or -errno for gate_refuse() */
int flow_begin(struct gate *g, const struct flow_key *key,
	       const struct packet *syn, struct way *way);

/** flow_again() - A SYN for a flow that waits already */
void flow_again(struct flow *f, const struct packet *syn);

/** flow_open() - Pair an accepted socket with its dial */
void flow_open(struct flow *f, int fd);

/** flow_bury() - Free a flow in any state; the relay must be gone or ended */
void flow_bury(struct flow *f);

/**
 * gate_refuse() - Make the program's connect() fail with this error
 *
 * -ETIMEDOUT has no packet: the kernel itself ends connect() so, soon after
 * our own deadline (tcp_syn_retries in the sandbox fits it).
 */
void gate_refuse(struct gate *g, int err, const struct packet *syn);

/** gate_reset() - Close an inner socket so that the program sees a reset */
void gate_reset(int fd);

/** gate_accept_given() - Take the connection that the kernel has made of a SYN
 * just given back: it does so while that is written. Where it has not, the
 * listener tells */
void gate_accept_given(struct gate *g, uint16_t family);

/** gate_accept_rest() - Take all that the listeners have */
void gate_accept_rest(struct gate *g);

/** gate_close() - Hear the listeners no more */
void gate_close(struct gate *g);
