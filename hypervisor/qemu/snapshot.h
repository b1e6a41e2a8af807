/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshot process: frozen memory, and nothing else. */
#ifndef VMFORK_RAMLIB_SNAPSHOT_H
#define VMFORK_RAMLIB_SNAPSHOT_H

#include <poll.h>
#include <sys/types.h>

/** SNAPSHOTS_MAX - of one VM at a time. */
#define SNAPSHOTS_MAX 256

/**
 * snapshot_hold() - what the child of a fork does: closes all but @lifeline, waits
 * until the lifeline's other end is gone, exits. Async-signal-safe calls only: the
 * other threads of QEMU, and the locks they held, are not there.
 */
void snapshot_hold(int lifeline) __attribute__((noreturn));

/** struct snapshots - living ones, by pidfd, so that they are reaped at their end. */
struct snapshots {
	struct pollfd pidfd[SNAPSHOTS_MAX];
	pid_t pid[SNAPSHOTS_MAX];
	unsigned int n;
};

/** snapshots_add() - -ENFILE when full: ask before forking. */
int snapshots_room(const struct snapshots *s);
void snapshots_add(struct snapshots *s, pid_t pid);

/** snapshots_reap() - wait(2) for those that have ended; never for QEMU's children. */
void snapshots_reap(struct snapshots *s);

#endif /* VMFORK_RAMLIB_SNAPSHOT_H */
