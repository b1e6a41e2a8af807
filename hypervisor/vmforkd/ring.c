// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages in the rings of the channel: arithmetic on copied indices. */
#include "ring.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define SIZE VMFORK_CHANNEL_RING_SIZE

static void copy_out(const uint8_t *ring, uint32_t at, void *buf, uint32_t len)
{
	uint32_t off = at % SIZE, first = len < SIZE - off ? len : SIZE - off;

	memcpy(buf, ring + off, first);
	memcpy((uint8_t *)buf + first, ring, len - first);
}

int ring_get(const uint8_t *ring, uint32_t head, uint32_t tail, struct vmfork_msg *ret_msg,
	     void *payload)
{
	uint32_t avail = head - tail, len;
	struct vmfork_msg m;

	if (avail == 0)
		return 0;
	if (avail > SIZE || avail % 8 || avail < sizeof(m))
		return -EBADMSG;
	copy_out(ring, tail, &m, sizeof(m));
	len = le32toh(m.len);
	if (len > RING_PAYLOAD_MAX || ring_record(len) > avail)
		return -EBADMSG;
	copy_out(ring, tail + sizeof(m), payload, len);
	ret_msg->type = le32toh(m.type);
	ret_msg->len = len;
	ret_msg->cookie = le64toh(m.cookie);
	return (int)ring_record(len);
}

int ring_room(uint32_t head, uint32_t tail)
{
	uint32_t used = head - tail;

	if (used > SIZE)
		return -EBADMSG;
	return (int)(SIZE - used);
}

void ring_put(uint8_t *ring, uint32_t head, const void *buf, uint32_t len)
{
	uint32_t off = head % SIZE, first = len < SIZE - off ? len : SIZE - off;

	memcpy(ring + off, buf, first);
	memcpy(ring, (const uint8_t *)buf + first, len - first);
}
