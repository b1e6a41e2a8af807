/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in a clone: run the command, send its output home, end the machine. */
#ifndef WRAPPER_CLONE_H
#define WRAPPER_CLONE_H

#include "jobs.h"
#include "options.h"

/**
 * DOC: Messages between vmfork(1) in the parent and in a clone
 *
 * Tags; bytes unless said otherwise. To the parent: what the command writes, what
 * --get brings. To the clone, in this order: the number of its job (with a queue),
 * an archive (with --put) up to its end, stdin (with --stdin) up to its end. A clone
 * knows from its own memory which of these will come.
 */
enum tag {
	TAG_OUT = 1,
	TAG_ERR = 2,
	TAG_GET = 3,		/* of a tar archive */
	TAG_JOB = 16,		/* uint32_t: index of its argument set */
	TAG_PUT = 17,		/* of a tar archive */
	TAG_PUT_END = 18,	/* one byte, no matter which */
	TAG_STDIN = 19,
	TAG_STDIN_END = 20,	/* one byte, no matter which */
};

/** struct plan - what a clone is to do, as the parent knew before the fork. */
struct plan {
	const struct options *o;
	const struct jobs *jobs;	/* with a queue: one of these, else NULL */
	char **argv;
};

/**
 * clone_run() - do what @plan says in this clone and end the clone.
 * @vm:		/dev/vmfork
 * @link:	ticket or checkpoint by which this clone talks to its parent; where
 *		nobody listens (a clone made from the host) output goes to this
 *		process's own stdout and stderr
 *
 * The command runs as a child in a session of its own, with stdin from /dev/null or
 * from the parent. Its parent forwards what it writes, which is the flow control as
 * well: it reads no more than the parent takes. When the command has ended and every
 * copy of its stdout and stderr is closed, the clone ends with its status: whatever ran
 * vmfork(1) never goes on in a clone, also if vmfork(1) is killed there.
 */
void clone_run(int vm, int link, const struct plan *plan) __attribute__((noreturn));

/** clone_run_if_told() - the same in a clone of a checkpoint, with the command of its
 * parameters or else the recorded one. Returns if there is neither. */
void clone_run_if_told(int vm, int link, const struct plan *plan);

#endif /* WRAPPER_CLONE_H */
