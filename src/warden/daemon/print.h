/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * print.h - lines to standard error, which may be stuck
 */
#include "daemon/line.h"

/**
 * struct print - how to write there
 * @for_systemd:  It is systemd's journal, which wants priorities
 * @unwritten:    Lines that it has not taken since the last it took
 */
struct print {
	bool for_systemd;
	unsigned int unwritten;
};

/** print_init() - Find out what standard error is */
void print_init(struct print *p);

/** print_line() - Write a line, if that can be done at once; else it is
 * counted, and the next one that is written tells how many were not */
void print_line(struct print *p, const struct line *l);
