/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * connector_serve.h - the connector's end
 */
#include "dial/connector.h"
#include "dial/connector_book.h"

/**
 * connector_serve() - Make sockets until the worker has ended
 * @b:      Where they may lead
 * @line:   The connector's ends, blocking; borrowed
 * @inner:  Sockets inside that it may send by
 * @count:  Of @inner
 *
 * Safe though the worker may be hostile: what it says are fixed structs, and
 * it gets nothing but a socket that leads to a place of @b.
 */
void connector_serve(const struct connector_book *b,
		     const struct connector_line *line, const int *inner,
		     unsigned int count);
