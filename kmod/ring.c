// SPDX-License-Identifier: GPL-2.0
/* Arithmetic of a channel ring: pure functions on indices and bytes. */
#include "ring.h"

#define RING_SIZE	VMFORK_CHANNEL_RING_SIZE
#define RING_MASK	(RING_SIZE - 1)
#define RING_ALIGN	8U

static_assert((RING_SIZE & RING_MASK) == 0, "indices run freely: a power of two");
static_assert(sizeof(struct vmfork_msg) % RING_ALIGN == 0, "a payload follows its head");

u32 vmfork_ring_footprint(u32 len)
{
	return ((u32)sizeof(struct vmfork_msg) + len + RING_ALIGN - 1) & ~(RING_ALIGN - 1);
}

bool vmfork_ring_sane(u32 head, u32 tail)
{
	return head - tail <= RING_SIZE && head % RING_ALIGN == 0 && tail % RING_ALIGN == 0;
}

u32 vmfork_ring_room(u32 head, u32 tail)
{
	return vmfork_ring_sane(head, tail) ? RING_SIZE - (head - tail) : 0;
}

bool vmfork_ring_relieved(u32 head, u32 from, u32 tail)
{
	return head - from >= RING_SIZE / 2 && head - tail < RING_SIZE / 2;
}

void vmfork_ring_write(u8 *ring, u32 pos, const void *from, u32 n)
{
	u32 at = pos & RING_MASK;
	u32 first = n < RING_SIZE - at ? n : RING_SIZE - at;

	memcpy(ring + at, from, first);
	memcpy(ring, (const u8 *)from + first, n - first);
}

void vmfork_ring_read(const u8 *ring, u32 pos, void *to, u32 n)
{
	u32 at = pos & RING_MASK;
	u32 first = n < RING_SIZE - at ? n : RING_SIZE - at;

	memcpy(to, ring + at, first);
	memcpy((u8 *)to + first, ring, n - first);
}

int vmfork_ring_peek(const u8 *ring, u32 head, u32 tail, struct vmfork_ring_msg *ret)
{
	struct vmfork_msg msg;
	u32 used = head - tail;
	u32 len;

	if (!vmfork_ring_sane(head, tail))
		return -EPROTO;
	if (used == 0)
		return -EAGAIN;
	if (used < sizeof(msg))
		return -EPROTO;
	vmfork_ring_read(ring, tail, &msg, sizeof(msg));
	len = le32_to_cpu(msg.len);
	if (len > VMFORK_RING_PAYLOAD_MAX || vmfork_ring_footprint(len) > used)
		return -EPROTO;
	ret->type = le32_to_cpu(msg.type);
	ret->len = len;
	ret->cookie = le64_to_cpu(msg.cookie);
	return 0;
}
