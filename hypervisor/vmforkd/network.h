/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of machines: shut until a clone's identity is complete. */
#ifndef VMFORKD_NETWORK_H
#define VMFORKD_NETWORK_H

struct vm;

/**
 * network_shut() - nothing that @vm sends leaves, nothing reaches it.
 *
 * Called before a held clone runs, and again when it is taken over after a restart:
 * more than once does no harm. What has to go over QMP is ordered before resume().
 * Return: 0, or a negative errno: the clone is not run.
 */
int network_shut(struct vm *vm);

/** network_opened_fn - @err 0, or a negative errno: the clone is ended. */
typedef void (*network_opened_fn)(struct vm *vm, int err);

/**
 * network_open() - its identity is complete; open already does no harm.
 *
 * @done is called exactly once, from inside or later from the event loop, when the
 * link is up; not at all if the machine ends before.
 */
void network_open(struct vm *vm, network_opened_fn done);

#endif /* VMFORKD_NETWORK_H */
