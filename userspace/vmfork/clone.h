/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in a clone: run the command, send its output home, end the machine. */
#ifndef WRAPPER_CLONE_H
#define WRAPPER_CLONE_H

/* tags of the messages from clone to parent */
#define STREAM_OUT	1
#define STREAM_ERR	2

/**
 * clone_run() - run @argv in this clone and end the clone with its status.
 * @vm:		/dev/vmfork
 * @link:	ticket or checkpoint by which this clone talks to its parent; where
 *		nobody listens (a clone made from the host) output goes to this
 *		process's own stdout and stderr
 *
 * The command runs as a child in a session of its own, with stdin from /dev/null and
 * VMFORK_ID, VMFORK_CLONES and VMFORK_FAMILY in its environment. This process stays
 * to forward what it writes, which is the flow control as well: it reads no more than
 * the parent takes. When the command has ended and every copy of its stdout and
 * stderr is closed, the clone ends: whatever ran vmfork(1) never goes on in a clone.
 */
void clone_run(int vm, int link, char **argv) __attribute__((noreturn));

#endif /* WRAPPER_CLONE_H */
