/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages in the rings of the channel: arithmetic on copied indices. */
#ifndef VMFORKD_RING_H
#define VMFORKD_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vmfork.h>
#include <linux/vmfork_channel.h>

#define RING_PAYLOAD_MAX	(VMFORK_MSG_MAX + sizeof(struct vmfork_msg_data))
#define RING_RECORD_MAX		(sizeof(struct vmfork_msg) + RING_PAYLOAD_MAX)

/** ring_record() - bytes that a message with @len bytes of payload takes. */
static inline uint32_t ring_record(uint32_t len)
{
	return (uint32_t)((sizeof(struct vmfork_msg) + len + 7) & ~(uint64_t)7);
}

/**
 * ring_get() - copy the next message out of @ring.
 * @head, @tail: as read once; @head is hostile, @tail our own
 * @ret_msg:	its head, in host order
 * @payload:	RING_PAYLOAD_MAX bytes
 * Return: bytes to advance the tail by, 0: no message, -EBADMSG: rubbish.
 */
int ring_get(const uint8_t *ring, uint32_t head, uint32_t tail, struct vmfork_msg *ret_msg,
	     void *payload);

/** ring_relieved() - did taking all from @from to @tail make the ring less than half
 * full? Then its producer may wait for just that. */
static inline bool ring_relieved(uint32_t head, uint32_t from, uint32_t tail)
{
	return head - from >= VMFORK_CHANNEL_RING_SIZE / 2 &&
		head - tail < VMFORK_CHANNEL_RING_SIZE / 2;
}

/** ring_room() - bytes free; @tail is hostile. -EBADMSG: rubbish. */
int ring_room(uint32_t head, uint32_t tail);

/** ring_put() - write @len bytes (a whole number of records) at @head. */
void ring_put(uint8_t *ring, uint32_t head, const void *buf, uint32_t len);

#endif /* VMFORKD_RING_H */
