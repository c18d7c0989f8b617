/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <stdio.h>

/**
 * json_text() - Write a string as JSON (RFC 8259, 7), with its quotes
 * @to:    Stream
 * @text:  UTF-8; bytes that are none become U+FFFD
 */
void json_text(FILE *to, const char *text);
