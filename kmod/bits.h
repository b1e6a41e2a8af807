/* SPDX-License-Identifier: GPL-2.0 */
/* The channel's bitmaps: bit (n & 7) of byte (n >> 3). */
#ifndef VMFORK_BITS_H
#define VMFORK_BITS_H

#include "pure.h"

/**
 * vmfork_bits_set() - set @count bits from bit @first, as far as @limit.
 * @limit: bits that the map has; what lies beyond is left out
 * Return: how many bits were set.
 */
u64 vmfork_bits_set(u8 *map, u64 limit, u64 first, u64 count);

#endif /* VMFORK_BITS_H */
