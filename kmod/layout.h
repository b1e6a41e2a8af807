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
