/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * tool.h - run another program that knows a kernel facility better
 */
#include "base/fault.h"

#include <stdint.h>

/**
 * tool_run() - Run a program to its end; no shell is in between
 * @argv:   Its name, looked for where systems have programs, and arguments;
 *          NULL-terminated
 * @input:  Its standard input, borrowed; -1: none
 * @caps:   All the capabilities it has, and its children
 * @f:      Why not: -ENOENT with a hint when it is not installed, else with the
 *          first line that it wrote to its standard error
 *
 * Return: 0 or -errno
 */
int tool_run(const char *const argv[], int input, uint64_t caps,
	     struct fault *f);
