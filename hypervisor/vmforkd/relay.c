// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages between a parent and its clones, and their flow control. */
#include "relay.h"

#include <endian.h>
#include <errno.h>

#include "journal.h"
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

/* The one way to pass on: note, queue, count. The caller's caller takes the message. */
static void pass_on(struct vm *from, struct vm *to, struct vm *clone, bool down, uint32_t unacked,
		    const struct g2h *m)
{
	bool up = from == clone && to != clone;
	uint64_t ticket = up ? htole64(clone->ticket) : 0;
	uint32_t id = up ? htole32(clone->id) : 0;

	relay_note(from, to, clone, down, unacked);
	if (m->type == VMFORK_G2H_DATA) {
		struct vmfork_msg_data d = { ticket, id, htole32(m->data.tag) };

		channel_queue(to, VMFORK_H2G_DATA, 0, &d, sizeof(d), m->data.bytes, m->data.len);
	} else {
		struct vmfork_msg_credit c = { ticket, id, htole32(m->credit.bytes) };

		channel_queue(to, VMFORK_H2G_CREDIT, 0, &c, sizeof(c), NULL, 0);
	}
	relay_note_count(from);
}

/* Nobody reads: it is swallowed, so that the writer does not wait for ever. */
static void swallow(struct vm *from, uint32_t len)
{
	struct g2h back = { .type = VMFORK_G2H_CREDIT, .credit.bytes = len };

	pass_on(from, from, from, false, from->channel.j->up, &back);
}

static int data_up(struct vm *from, const struct g2h *m, struct vm **ret_to)
{
	struct vm *to = reader_of(from);
	uint32_t unacked = from->channel.j->up;
	int r = window_send(&unacked, m->data.len);

	if (r < 0)
		return r;
	*ret_to = to ? to : from;
	if (to)
		pass_on(from, to, from, false, unacked, m);
	else
		swallow(from, m->data.len);
	return 0;
}

int relay_data(struct vm *from, const struct g2h *m, struct vm **ret_to)
{
	uint32_t unacked;
	struct vm *to;
	int r;

	if (m->data.ticket == 0)
		return from->clone && m->data.id == 0 ? data_up(from, m, ret_to) : -EBADMSG;
	to = clone_of(from, m->data.ticket, m->data.id);
	if (!to)
		return 0;	/* it has ended: EXITED is on its way */
	unacked = to->channel.j->down;
	r = window_send(&unacked, m->data.len);
	if (r < 0)
		return r;
	*ret_to = to;
	pass_on(from, to, to, true, unacked, m);
	return 0;
}

static int credit_up(struct vm *from, const struct g2h *m, struct vm **ret_to)
{
	struct vm *to = reader_of(from);
	uint32_t unacked = from->channel.j->down;
	int r;

	if (!to)
		return 0;	/* whoever sent it will send nothing more */
	r = window_credit(&unacked, m->credit.bytes);
	if (r < 0)
		return r;
	*ret_to = to;
	pass_on(from, to, from, true, unacked, m);
	return 0;
}

int relay_credit(struct vm *from, const struct g2h *m, struct vm **ret_to)
{
	uint32_t unacked;
	struct vm *to;
	int r;

	if (m->credit.ticket == 0)
		return from->clone && m->credit.id == 0 ? credit_up(from, m, ret_to) : -EBADMSG;
	to = clone_of(from, m->credit.ticket, m->credit.id);
	if (!to)
		return 0;
	unacked = to->channel.j->up;
	r = window_credit(&unacked, m->credit.bytes);
	if (r < 0)
		return r;
	*ret_to = to;
	pass_on(from, to, to, false, unacked, m);
	return 0;
}

bool relay_blocked(const struct vm *vm)
{
	struct vm *to = vm->clone ? reader_of(vm) : NULL;

	return to && channel_queued(&to->channel) > JOURNAL_QUEUE_HIGH;
}
