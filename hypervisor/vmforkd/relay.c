// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages between a parent and its clones, and their flow control. */
#include "relay.h"

#include <endian.h>
#include <errno.h>

#include "ticket.h"

int window_send(uint32_t *unacked, uint32_t len)
{
	if (len > VMFORK_WINDOW || *unacked > VMFORK_WINDOW - len)
		return -EBADMSG;
	*unacked += len;
	return 0;
}

int window_credit(uint32_t *unacked, uint32_t bytes)
{
	if (bytes > *unacked)
		return -EBADMSG;
	*unacked -= bytes;
	return 0;
}

static void send_data(struct vm *to, uint64_t ticket, uint32_t id, uint32_t tag,
		      const void *bytes, uint32_t len)
{
	struct vmfork_msg_data m = { htole64(ticket), htole32(id), htole32(tag) };

	channel_queue(to, VMFORK_H2G_DATA, 0, &m, sizeof(m), bytes, len);
}

static void send_credit(struct vm *to, uint64_t ticket, uint32_t id, uint32_t bytes)
{
	struct vmfork_msg_credit m = { htole64(ticket), htole32(id), htole32(bytes) };

	channel_queue(to, VMFORK_H2G_CREDIT, 0, &m, sizeof(m), NULL, 0);
}

/* The parent that reads what clone @vm sends, or NULL: nobody does. */
static struct vm *reader_of(const struct vm *vm)
{
	struct ticket *t = vm->ticket ? ticket_find(vm->ticket) : NULL;
	struct vm *parent = t && !t->closed && t->parent ? vm_find(t->parent) : NULL;

	return parent && channel_ready(&parent->channel) ? parent : NULL;
}

/* The clone behind a parent's (ticket, id), or NULL: it has ended. */
static struct vm *clone_of(const struct vm *parent, uint64_t ticket, uint32_t id)
{
	struct ticket *t = ticket_of(parent, ticket);
	struct slot *s = t ? ticket_slot(t, id) : NULL;
	struct vm *vm;

	if (!s || s->state == SLOT_EMPTY || s->state == SLOT_ENDED)
		return NULL;
	vm = vm_find(s->vm);
	return vm && vm->state != VM_DEAD && vm->channel.j ? vm : NULL;
}

static int data_up(struct vm *from, uint32_t tag, const void *bytes, uint32_t len,
		   struct vm **ret_to)
{
	struct vm *to = reader_of(from);
	int r = window_send(&from->channel.j->up, len);

	if (r < 0)
		return r;
	*ret_to = to ? to : from;
	if (to) {
		send_data(to, from->ticket, from->id, tag, bytes, len);
		return 0;
	}
	/* nobody reads: swallow it, so that the writer does not wait for ever */
	window_credit(&from->channel.j->up, len);
	send_credit(from, 0, 0, len);
	return 0;
}

int relay_data(struct vm *from, uint64_t ticket, uint32_t id, uint32_t tag, const void *bytes,
	       uint32_t len, struct vm **ret_to)
{
	struct vm *to;
	int r;

	if (ticket == 0)
		return from->clone && id == 0 ? data_up(from, tag, bytes, len, ret_to) :
			-EBADMSG;
	to = clone_of(from, ticket, id);
	if (!to)
		return 0;	/* it has ended: EXITED is on its way */
	r = window_send(&to->channel.j->down, len);
	*ret_to = to;
	if (r == 0)
		send_data(to, 0, 0, tag, bytes, len);
	return r;
}

int relay_credit(struct vm *from, uint64_t ticket, uint32_t id, uint32_t bytes,
		 struct vm **ret_to)
{
	struct vm *to;
	int r;

	if (ticket == 0) {
		if (!from->clone || id)
			return -EBADMSG;
		r = window_credit(&from->channel.j->down, bytes);
		to = reader_of(from);
		*ret_to = to;
		if (r == 0 && to)
			send_credit(to, from->ticket, from->id, bytes);
		return r;
	}
	to = clone_of(from, ticket, id);
	if (!to)
		return 0;
	r = window_credit(&to->channel.j->up, bytes);
	*ret_to = to;
	if (r == 0)
		send_credit(to, 0, 0, bytes);
	return r;
}

bool relay_blocked(const struct vm *vm)
{
	struct vm *to = vm->clone ? reader_of(vm) : NULL;

	return to && channel_queued(&to->channel) > JOURNAL_QUEUE_HIGH;
}
