// SPDX-License-Identifier: GPL-2.0
/* The channel's bitmaps: bit (n & 7) of byte (n >> 3). */
#include "bits.h"

/* bits first..7 of a byte, and bits 0..end-1 */
static u8 from_bit(u64 first)
{
	return (u8)(0xff << (first & 7));
}

static u8 below_bit(u64 end)
{
	return (u8)~(0xff << (end & 7));
}

u64 vmfork_bits_set(u8 *map, u64 limit, u64 first, u64 count)
{
	u64 end, begin_byte, end_byte;

	if (first >= limit || count == 0)
		return 0;
	if (count > limit - first)
		count = limit - first;
	end = first + count;
	begin_byte = first >> 3;
	end_byte = end >> 3;
	if (begin_byte == end_byte) {
		map[begin_byte] |= from_bit(first) & below_bit(end);
		return count;
	}
	map[begin_byte] |= from_bit(first);
	memset(map + begin_byte + 1, 0xff, end_byte - begin_byte - 1);
	if (end & 7)
		map[end_byte] |= below_bit(end);
	return count;
}
