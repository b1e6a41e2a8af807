// SPDX-License-Identifier: GPL-2.0-or-later
/* The messages of a VM's channel: the rings, what is still to be sent. */
#include "channel.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core.h"
#include "guest.h"
#include "journal.h"
#include "log.h"
#include "vm.h"

bool channel_ready(const struct channel *ch)
{
	return ch->j && ch->j->state == CHANNEL_READY;
}

uint64_t channel_queued(const struct channel *ch)
{
	return ch->j ? ch->j->queue_head - ch->j->queue_tail : 0;
}

static void queue_write(struct journal *j, const void *buf, uint32_t len, uint64_t at)
{
	uint32_t off = at % JOURNAL_QUEUE, first = JOURNAL_QUEUE - off;

	if (first > len)
		first = len;
	memcpy(j->queue + off, buf, first);
	memcpy(j->queue, (const uint8_t *)buf + first, len - first);
}

static void queue_read(const struct journal *j, void *buf, uint32_t len)
{
	uint32_t off = j->queue_tail % JOURNAL_QUEUE, first = JOURNAL_QUEUE - off;

	if (first > len)
		first = len;
	memcpy(buf, j->queue + off, first);
	memcpy((uint8_t *)buf + first, j->queue, len - first);
}

int channel_queue(struct vm *vm, enum vmfork_msg_type type, uint64_t cookie, const void *payload,
		  uint32_t len, const void *more, uint32_t more_len)
{
	struct vmfork_msg head = { htole32(type), htole32(len + more_len), htole64(cookie) };
	uint32_t record = ring_record(len + more_len);
	struct journal *j = vm->channel.j;
	uint64_t at;

	if (!j || j->state == CHANNEL_BROKEN || vm->state == VM_DEAD)
		return -EPIPE;
	if (channel_queued(&vm->channel) + record > JOURNAL_QUEUE) {
		channel_break(vm, "the guest does not read what it is sent");
		return -EPIPE;
	}
	at = j->queue_head;
	queue_write(j, &head, sizeof(head), at);
	queue_write(j, payload, len, at + sizeof(head));
	if (more_len)
		queue_write(j, more, more_len, at + sizeof(head) + len);
	__atomic_store_n(&j->queue_head, at + record, __ATOMIC_RELEASE);
	return 0;
}

int channel_send(struct vm *vm, enum vmfork_msg_type type, uint64_t cookie, const void *payload,
		 uint32_t len, const void *more, uint32_t more_len)
{
	int r = channel_queue(vm, type, cookie, payload, len, more, more_len);

	if (r == 0)
		channel_flush(vm);
	return r;
}

void channel_reply(struct vm *vm, uint64_t cookie, int result, uint32_t granted, uint64_t handle)
{
	struct vmfork_msg_reply m = {
		.result = htole32((uint32_t)result),
		.granted = htole32(granted),
		.handle = htole64(handle),
	};

	channel_send(vm, VMFORK_H2G_REPLY, cookie, &m, sizeof(m), NULL, 0);
}

/* Give the pages of a queue that has run empty back. Its positions run on. */
static void queue_trim(struct channel *ch)
{
	struct journal *j = ch->j;

	if (j->queue_head != j->queue_tail || j->queue_head - ch->trimmed < (1U << 20))
		return;
	ch->trimmed = j->queue_head;
	if (fallocate(ch->journal_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      sizeof(struct journal), JOURNAL_QUEUE) < 0)
		log_debug("journal: %m");
}

void channel_flush(struct vm *vm)
{
	struct vmfork_channel *h = channel_head(&vm->channel);
	struct journal *j = vm->channel.j;
	uint8_t record[RING_RECORD_MAX + 8];
	bool wrote, was_long;

	if (!channel_ready(&vm->channel) || (vm->state != VM_RUNNING && vm->state != VM_FROZEN))
		return;
	/* an earlier control role may have been killed just before it said so */
	wrote = le32toh(h->h2g.head) != (uint32_t)j->queue_tail;
	was_long = channel_queued(&vm->channel) > JOURNAL_QUEUE_HIGH;
	while (j->queue_tail != j->queue_head) {
		uint32_t tail = le32toh(__atomic_load_n(&h->h2g.tail, __ATOMIC_ACQUIRE)), len;
		uint32_t at = (uint32_t)j->queue_tail;
		int room = ring_room(at, tail);

		if (room < 0) {
			channel_break(vm, "its tail of the ring to the guest is impossible");
			return;
		}
		queue_read(j, record, sizeof(struct vmfork_msg));
		len = ring_record(le32toh(((struct vmfork_msg *)record)->len));
		if ((uint32_t)room < len) {
			core_retry();
			break;
		}
		queue_read(j, record, len);
		ring_put(vm->channel.map + VMFORK_CHANNEL_H2G, at, record, len);
		__atomic_store_n(&j->queue_tail, j->queue_tail + len, __ATOMIC_RELEASE);
		wrote = true;
	}
	if (wrote) {
		__atomic_store_n(&h->h2g.head, htole32((uint32_t)j->queue_tail), __ATOMIC_RELEASE);
		core.backend->kick(vm);
	}
	if (was_long && channel_queued(&vm->channel) <= JOURNAL_QUEUE_HIGH)
		core_schedule();	/* its clones are read again */
	queue_trim(&vm->channel);
}

int channel_next(struct vm *vm, struct g2h *ret_msg, uint8_t *payload)
{
	struct vmfork_channel *h = channel_head(&vm->channel);
	uint32_t head = le32toh(__atomic_load_n(&h->g2h.head, __ATOMIC_ACQUIRE));
	struct vmfork_msg m;
	int n;

	n = ring_get(vm->channel.map + VMFORK_CHANNEL_G2H, head, vm->channel.j->g2h_tail, &m,
		     payload);
	if (n == 0)
		return 0;
	if (n < 0 || g2h_parse(&m, payload, ret_msg) < 0) {
		channel_break(vm, n < 0 ? "impossible ring positions or message size" :
			      "a message that makes no sense");
		return -EBADMSG;
	}
	vm->channel.advance = (uint32_t)n;
	return 1;
}

void channel_publish_tail(struct vm *vm, uint32_t tail)
{
	__atomic_store_n(&vm->channel.j->g2h_tail, tail, __ATOMIC_RELEASE);
	__atomic_store_n(&channel_head(&vm->channel)->g2h.tail, htole32(tail), __ATOMIC_SEQ_CST);
}

void channel_done(struct vm *vm)
{
	uint32_t advance = vm->channel.advance;
	struct journal *j = vm->channel.j;
	uint32_t from = j->g2h_tail;

	vm->channel.advance = 0;
	if (advance && j->state != CHANNEL_BROKEN) {
		channel_publish_tail(vm, from + advance);
		if (ring_relieved(le32toh(channel_head(&vm->channel)->g2h.head), from,
				  from + advance))
			vm->channel.relieved = true;
	}
	relay_note_drop(j);
}

void channel_break(struct vm *vm, const char *why)
{
	if (vm->channel.j->state == CHANNEL_BROKEN)
		return;
	log_warn("%s: channel is broken: %s; the machine runs on without it", vm->name, why);
	vm->channel.j->state = CHANNEL_BROKEN;
	guest_broken(vm);
}
