/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/*
 * broken.h - deliberate faults, for builds of the laboratory alone
 *
 * Each is one line somewhere, and must turn a test red (tools/lab). Which one a
 * build has is fixed when it is configured; in an ordinary build all are
 * constant-false, and nothing of them is compiled.
 */
#include "base/broken_which.h" /* NSPROXY_BROKEN and NSPROXY_BROKEN_MARK */

enum broken {
	BROKEN_NONE,
	BROKEN_DIRECT,	  /* the worker dials all by the host's own routes */
	BROKEN_RULE,	  /* the gate's listener may be called by number */
	BROKEN_ADVERTS,	  /* router advertisements are heard inside */
	BROKEN_COVERS,	  /* the host's resolver files and sockets are seen */
	BROKEN_RENAMES,	  /* what was renamed outside is not covered again */
	BROKEN_FILTER,	  /* the program has no system call filter */
	BROKEN_WIDTH,	  /* the filter looks at more bits than the kernel */
	BROKEN_CAPS,	  /* the program keeps its capabilities */
	BROKEN_NUMBER,	  /* ids are given by a process's number */
	BROKEN_STDFILES,  /* any file may be the standard input */
	BROKEN_FDS,	  /* descriptors are left open for the command */
	BROKEN_NEAR,	  /* callers from inside a sandbox are served */
	BROKEN_STRANGERS, /* who may not enter may */
	BROKEN_LOCKDOWN,  /* the worker has no system call filter */
	BROKEN_KIND,	  /* the worker has a server's system call filter */
	BROKEN_RELAY,	  /* a proxy says where datagrams go */
	BROKEN_BOOK,	  /* leases are not noted for the next worker */
	BROKEN_FSYNC,	  /* the state is not flushed to the disk */
};

/** broken() - Is this a build with that fault? */
#define broken(what) (NSPROXY_BROKEN == (what))
