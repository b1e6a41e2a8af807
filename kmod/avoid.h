/* SPDX-License-Identifier: GPL-2.0 */
/* Avoidance: what a clone need not fetch, one policy for each reason why. */
#ifndef VMFORK_AVOID_H
#define VMFORK_AVOID_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/percpu-defs.h>
#include <linux/types.h>

#include <linux/vmfork.h>

/**
 * DOC: Avoidance policies
 *
 * A policy knows of pages whose contents do not matter and sets their bits in one of
 * the channel's bitmaps. It is a file of its own, with a module parameter of its name
 * that switches it, at run time too, and a folder of its name in sysfs.
 *
 *   free_set      at the fork point: free pages, into the bitmap "free set"
 *   free_hook     in a clone: pages as they are freed, into "avoid"
 *   io_overwrite  in a clone: pages that a block read will overwrite, into "avoid"
 *
 * A bit of "avoid" is never cleared, so whoever sets one answers for the page until it
 * has been written for the first time from then on: whatever is read from it before may
 * be what the parent had there, or zeros, and the next moment the other of the two (once
 * it was forked again). After the first write the bit means nothing any more.
 *
 * The hooks stay registered as long as their policy is on, in parents too: a clone begins
 * within stop_machine(), where no kernel text can be patched. All they do in a machine
 * that is no clone is to find that vmfork_avoid_mark() has nowhere to mark.
 */
struct vmfork_avoid_counts {
	u64 pages;	/* bits set */
	u64 events;	/* times that it set any */
};

/**
 * struct vmfork_avoid_policy - one heuristic.
 * @name:	of its parameter and of its folder in sysfs
 * @feature:	VMFORK_FEATURE_*
 * @hazards:	VMFORK_HAZARD_* that forbid it
 * @enable:	begin to watch, or NULL; may sleep. Return: 0 or a negative errno
 * @disable:	no more marks after it has returned
 * @counts:	since the module was loaded
 * @on:		wanted by its parameter
 * @watching:	@enable has succeeded
 */
struct vmfork_avoid_policy {
	const char *name;
	u64 feature;
	u64 hazards;
	int (*enable)(void);
	void (*disable)(void);
	struct vmfork_avoid_counts __percpu *counts;
	bool on;
	bool watching;
};

extern struct vmfork_avoid_policy vmfork_free_set;
extern struct vmfork_avoid_policy vmfork_free_hook;
extern struct vmfork_avoid_policy vmfork_io_overwrite;

/** VMFORK_AVOID_PARAM() - the module parameter that switches @_policy. */
#define VMFORK_AVOID_PARAM(_name, _policy, _text)				\
	module_param_cb(_name, &vmfork_avoid_param_ops, &(_policy), 0644);	\
	__MODULE_PARM_TYPE(_name, "bool");					\
	MODULE_PARM_DESC(_name, _text)

extern const struct kernel_param_ops vmfork_avoid_param_ops;

/** vmfork_avoid_hazards() - VMFORK_HAZARD_* of this kernel, as booted. */
u64 vmfork_avoid_hazards(void);

/** vmfork_avoid_features() - VMFORK_FEATURE_* of the policies that are in force. */
u64 vmfork_avoid_features(void);

/** vmfork_avoid_in_force() - is it on, watching, and no hazard in the way? */
bool vmfork_avoid_in_force(const struct vmfork_avoid_policy *policy);

/** vmfork_avoid_count() - add to a policy's counts; not preemptible. */
void vmfork_avoid_count(const struct vmfork_avoid_policy *policy, u64 pages);

/** vmfork_avoid_total() - a policy's counts over all CPUs. */
struct vmfork_avoid_counts vmfork_avoid_total(const struct vmfork_avoid_policy *policy);

/* The bitmap to mark in: NULL but in a clone that has a channel. */
struct vmfork_avoid_bitmap {
	unsigned long *words;
	u64 gfns;
};

extern struct vmfork_avoid_bitmap *vmfork_avoid_marking;

void vmfork_avoid_mark_in(const struct vmfork_avoid_bitmap *b,
			  const struct vmfork_avoid_policy *policy, unsigned long pfn,
			  unsigned long count);

/**
 * vmfork_avoid_mark() - while they are absent here, these pages' contents do not matter.
 * In a machine that is no clone it does nothing, at once. Any context, not preemptible.
 * @pfn, @count: pages; those outside of the bitmap are left out
 */
static inline void vmfork_avoid_mark(const struct vmfork_avoid_policy *policy, unsigned long pfn,
				     unsigned long count)
{
	const struct vmfork_avoid_bitmap *b = READ_ONCE(vmfork_avoid_marking);

	if (likely(!b))
		return;
	/* single pages are most of what is freed, and most were freed before */
	if (count == 1 && pfn < b->gfns && test_bit(pfn, b->words))
		return;
	vmfork_avoid_mark_in(b, policy, pfn, count);
}

/** vmfork_avoid_attach() - there is a channel.
 * @map:	its bitmap "avoid", of @gfns bits
 * @clone:	this machine is a clone, of a module that was loaded before this one */
void vmfork_avoid_attach(u8 *map, u64 gfns, bool clone);

/** vmfork_avoid_begin() - this machine has become a clone; the fork point only. */
void vmfork_avoid_begin(void);

/** vmfork_avoid_detach() - the channel goes: no more marks after it has returned. */
void vmfork_avoid_detach(void);

int vmfork_avoid_init(void);
void vmfork_avoid_exit(void);

#endif /* VMFORK_AVOID_H */
