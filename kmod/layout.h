/* SPDX-License-Identifier: GPL-2.0 */
/* What the host says about the channel: constants, message sizes, results. */
#ifndef VMFORK_LAYOUT_H
#define VMFORK_LAYOUT_H

#include "pure.h"

/** VMFORK_CLONES_MAX - largest ticket this module handles, whatever the host offers. */
#define VMFORK_CLONES_MAX	1024U

/** struct vmfork_layout - the region's constants, checked. */
struct vmfork_layout {
	u64 bitmap_bytes;
	u64 gfns;
	u64 host_features;
	u64 family;
	u64 vm;
	u32 clones_max;
};

/**
 * vmfork_layout_parse() - check the constants of a region.
 * @c:		a private copy of the region's first page
 * @mapped:	bytes that are mapped
 * Return: 0; -ENODEV not a vmfork channel; -EPROTO one that cannot be right.
 */
int vmfork_layout_parse(const struct vmfork_channel *c, u64 mapped, struct vmfork_layout *ret);

/** vmfork_layout_h2g_fits() - may a message of this type have this length? Unknown
 * types may have any. */
bool vmfork_layout_h2g_fits(u32 type, u32 len);

/** vmfork_layout_text() - a text of the host's, as printable ASCII with its NUL. */
void vmfork_layout_text(char to[VMFORK_WHY_MAX], const char from[VMFORK_WHY_MAX]);

/** vmfork_layout_result() - a result field as 0 or an errno fit for programs; else -EIO. */
int vmfork_layout_result(u32 field);

/** vmfork_layout_params_len() - bytes of parameters; 0 also for a length that cannot be. */
u32 vmfork_layout_params_len(const struct vmfork_clone_block *block);

/**
 * vmfork_layout_net() - what the host says of the network, for programs.
 * @net:	a private copy
 * @ret:	set on success only; unknown flags are left out
 * Return: 0; -ENODATA nothing is said; -EPROTO something that cannot be right.
 */
int vmfork_layout_net(const struct vmfork_channel_net *net, struct vmfork_net *ret);

#define VMFORK_LATE_NS	600000000000ULL

/**
 * vmfork_layout_realtime() - CLOCK_REALTIME as a clone should have it, in nanoseconds.
 * @answer:	the host's, of when it released the machine; 0: it does not know
 * @wall:	the hypervisor's wall clock now, or 0
 * A clone whose pages come one by one reads the answer late. Where the wall clock is ahead of it
 * by no more than VMFORK_LATE_NS that is how late; otherwise the two are of different opinions.
 */
u64 vmfork_layout_realtime(u64 answer, u64 wall);

/** enum vmfork_who - who goes on from the fork point. */
enum vmfork_who {
	VMFORK_WHO_PARENT,	/* also when nothing was forked */
	VMFORK_WHO_CLONE,
	VMFORK_WHO_UNKNOWN,	/* the answer is neither's: stop here */
};

/**
 * vmfork_layout_who() - which machine is this answer for?
 * @answer:	a private copy
 * @vm:		the handle of the machine that went into the fork point
 */
enum vmfork_who vmfork_layout_who(const struct vmfork_fork *answer, u64 vm);

#endif /* VMFORK_LAYOUT_H */
