/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of machines: shut until a clone's identity is complete. */
#ifndef VMFORKD_NETWORK_H
#define VMFORKD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

struct vm;
struct vm_config;
struct checkpoint;

/**
 * DOC: A machine's network
 *
 * "none"; "user": QEMU's user-mode network, the same addresses in every machine, seen by
 * nobody; "bridge": a tap in its family's bridge (network_family.h), addresses that are
 * functions of its place in the family.
 *
 * A machine gets its place before it is started: a stand-by too, so that its tap can be
 * made then. From there on:
 *
 *   root VM   OPEN
 *   stand-by  SHUT -> clone: OPEN when its agent has reported (network_open())
 *                     without an agent: "user" is opened when it runs; "bridge" stays
 *                     shut, as it would speak with its parent's addresses, unless
 *                     vmforkd was told otherwise (--net-without-agent)
 *                     with limits.no_network: never
 *
 * SHUT is a tap that is down, or a link of QEMU's that is off on the host's side, which
 * what the guest's saved state says of its own side does not change.
 */

/** struct vm_net - a machine's place in its family's network.
 * @used:	it has one: with "bridge" only
 * @index:	0 the root VM, else unique among those alive
 * @seen:	index that the addresses which the guest still uses belong to
 * @open:	the link was opened
 * @unheard:	a clone without agent whose link stays shut
 */
struct vm_net {
	bool used;
	unsigned int slot;
	unsigned int index;
	unsigned int seen;
	bool open;
	bool unheard;
};

/** network_check() - can a machine have this network here? -errno and @why if not. */
int network_check(const struct vm_config *config, char *why, size_t len);
/** network_attach() - before @vm is started: place, and what the root VM is told. */
int network_attach(struct vm *vm);
/** network_become() - @vm is about to be a clone of @cp: what it is told. */
void network_become(struct vm *vm, const struct checkpoint *cp);
/** network_run_unheard() - @vm is a clone that no agent will report for, about to run. */
void network_run_unheard(struct vm *vm);
/** network_detach() - @vm is gone; with the last one of its family the bridge goes. */
void network_detach(struct vm *vm);

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

/**
 * network_adopt() - @vm, which is not held, was taken over after a restart.
 *
 * @identified: its agent has reported, which the state file may be too old to know.
 */
void network_adopt(struct vm *vm, bool identified);

/** network_to_json() - for state.json and for people. NULL: nothing to say. */
json_t *network_to_json(const struct vm *vm);
json_t *network_describe(const struct vm *vm);
/** network_from_json() - at adoption, before the VM is known to be worth keeping. */
void network_from_json(struct vm *vm, const json_t *o);

#endif /* VMFORKD_NETWORK_H */
