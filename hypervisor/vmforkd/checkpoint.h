/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checkpoints: immutable instants of machines, and for how long they are kept. */
#ifndef VMFORKD_CHECKPOINT_H
#define VMFORKD_CHECKPOINT_H

#include "vm.h"

/**
 * DOC: How long a checkpoint lives
 *
 * While one of these holds; nothing is counted, checkpoint_used() looks:
 *   - it has a name
 *   - a guest holds a descriptor of it (struct vm_ref)
 *   - a living VM was made from it (its absent pages come from there)
 *   - a higher checkpoint was made of a VM that was made from it (@lower)
 *   - a fork that is under way uses it
 */
#define CHECKPOINTS_MAX	512

struct checkpoint {
	bool used;
	bool complete;		/* freeze() succeeded */
	bool agent;		/* its clones are held until they REPORT */
	uint32_t agent_ms;	/* in that time */
	uint64_t handle;
	uint64_t family;
	uint64_t vm;		/* of which machine */
	uint64_t lower;		/* checkpoint that machine was made from, or 0 */
	uint32_t depth;		/* of that machine */
	uint32_t forks;		/* for names, once that machine is gone */
	char name[VMFORK_NAME_MAX];	/* or empty */
	char vm_name[VM_NAME_MAX];
	struct vm_config config;
	struct limits limits;	/* of its machine: its clones have them too */
	uint32_t net_seen;	/* struct vm_net.seen of that machine */
	struct channel_hello hello;
	uint64_t created;	/* CLOCK_REALTIME, ns */
	uint64_t stopped;	/* CLOCK_MONOTONIC, ns: its machine stood still */
	int free_set;		/* memfd: the free set, or -1 */
	size_t free_set_bytes;
	void *backend;
};

extern struct checkpoint checkpoints[CHECKPOINTS_MAX];
#define for_each_checkpoint(c) \
	for (struct checkpoint *c = checkpoints; c < checkpoints + CHECKPOINTS_MAX; c++) \
		if (c->used)

struct checkpoint *checkpoint_find(uint64_t handle);
struct checkpoint *checkpoint_named(const char *name);
struct checkpoint *checkpoint_lookup(const char *name_or_handle);
/** checkpoint_new() - of @vm, which is about to be frozen. @name may be "".
 * -EEXIST: the name is taken; -ENOSPC: the table is full. */
int checkpoint_new(struct vm *vm, const char *name, struct checkpoint **ret_cp);
struct checkpoint *checkpoint_alloc(uint64_t handle);
/** checkpoint_keep_free_set() - copy the VM's free set, for its clones to begin with. */
int checkpoint_keep_free_set(struct checkpoint *cp, const struct vm *vm);
bool checkpoint_used(const struct checkpoint *cp);
unsigned int checkpoint_clones(const struct checkpoint *cp);
void checkpoint_free(struct checkpoint *cp);
/** checkpoints_reap() - free all that nothing uses, the highest first. */
void checkpoints_reap(void);

#endif /* VMFORKD_CHECKPOINT_H */
