/* SPDX-License-Identifier: GPL-2.0 */
/* The free set: pages whose contents do not matter at the fork point. */
#ifndef VMFORK_FREESET_H
#define VMFORK_FREESET_H

#include <linux/types.h>

/** vmfork_freeset_fill() - set the bits of all free pages; the fork point only.
 * @map:	all zeros, @gfns bits
 * Return: how many were set. */
u64 vmfork_freeset_fill(u8 *map, u64 gfns);

#endif /* VMFORK_FREESET_H */
