/* SPDX-License-Identifier: GPL-2.0 */
/* Arithmetic of a channel ring: pure functions on indices and bytes. */
#ifndef VMFORK_RING_H
#define VMFORK_RING_H

#include "pure.h"

/** struct vmfork_ring_msg - head of a message, in host byte order. */
struct vmfork_ring_msg {
	u32 type;
	u32 len;
	u64 cookie;
};

/** VMFORK_RING_PAYLOAD_MAX - largest payload of any message. */
#define VMFORK_RING_PAYLOAD_MAX	(VMFORK_MSG_MAX + sizeof(struct vmfork_msg_data))

/** vmfork_ring_footprint() - bytes that a message with @len bytes of payload takes. */
u32 vmfork_ring_footprint(u32 len);

/** vmfork_ring_sane() - can these free-running indices be true? */
bool vmfork_ring_sane(u32 head, u32 tail);

/** vmfork_ring_room() - bytes that can be written; 0 for insane indices. */
u32 vmfork_ring_room(u32 head, u32 tail);

/** vmfork_ring_relieved() - did taking all from @from to @tail make the ring less than
 * half full? Then a producer may wait for just that. */
bool vmfork_ring_relieved(u32 head, u32 from, u32 tail);

/** vmfork_ring_write() - copy @n bytes to position @pos, wrapping around. */
void vmfork_ring_write(u8 *ring, u32 pos, const void *from, u32 n);

/** vmfork_ring_read() - copy @n bytes from position @pos, wrapping around. */
void vmfork_ring_read(const u8 *ring, u32 pos, void *to, u32 n);

/**
 * vmfork_ring_peek() - head of the message at @tail.
 * @ret: set on success only; its payload begins 16 bytes after @tail
 * Return: 0; -EAGAIN the ring is empty; -EPROTO the ring is corrupt.
 */
int vmfork_ring_peek(const u8 *ring, u32 head, u32 tail, struct vmfork_ring_msg *ret);

#endif /* VMFORK_RING_H */
