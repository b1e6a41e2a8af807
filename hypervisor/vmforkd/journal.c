// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes in a VM's journal: what is under way, should the control role be killed. */
#include "journal.h"

struct journal_pending *pending_add(struct vm *vm, uint64_t cookie, uint32_t type)
{
	struct journal *j = vm->channel.j;

	for (unsigned int i = 0; i < JOURNAL_PENDING_MAX; i++) {
		struct journal_pending *p = &j->pending[i];

		if (p->type)
			continue;
		p->cookie = cookie;
		p->handle = 0;
		p->reply_at = 0;
		p->id = 0;
		p->tail = j->g2h_tail + vm->channel.advance;
		__atomic_store_n(&p->type, type, __ATOMIC_RELEASE);
		channel_done(vm);
		return p;
	}
	return NULL;
}

void pending_reply(struct vm *vm, struct journal_pending *p, int result, uint32_t granted,
		   uint64_t handle)
{
	__atomic_store_n(&p->reply_at, vm->channel.j->queue_head + 1, __ATOMIC_RELEASE);
	channel_reply(vm, p->cookie, result, granted, handle);
	__atomic_store_n(&p->type, 0, __ATOMIC_RELEASE);
}

static void pending_recover(struct vm *vm, struct journal_pending *p)
{
	struct journal *j = vm->channel.j;

	if ((int32_t)(p->tail - j->g2h_tail) > 0)
		channel_publish_tail(vm, p->tail);
	if (p->reply_at && j->queue_head >= p->reply_at)
		__atomic_store_n(&p->type, 0, __ATOMIC_RELEASE);
	p->reply_at = 0;
}

void relay_note(struct vm *from, const struct vm *to, const struct vm *clone, bool down,
		uint32_t unacked)
{
	struct journal *j = from->channel.j;

	j->relay.queue_at = to->channel.j->queue_head;
	j->relay.clone = clone->handle;
	j->relay.down = down;
	j->relay.unacked = unacked;
	j->relay.tail = j->g2h_tail + from->channel.advance;
	__atomic_store_n(&j->relay.to, to->handle, __ATOMIC_RELEASE);
}

void relay_note_count(const struct vm *from)
{
	const struct journal_relay *n = &from->channel.j->relay;
	struct vm *clone = vm_find(n->clone);
	struct journal *j = clone ? clone->channel.j : NULL;

	if (j)
		__atomic_store_n(n->down ? &j->down : &j->up, n->unacked, __ATOMIC_RELEASE);
}

void relay_note_drop(struct journal *j)
{
	if (j->relay.to)
		__atomic_store_n(&j->relay.to, 0, __ATOMIC_RELEASE);
}

/* A reader that is no more has read it, for all that anybody can tell. */
static bool passed_on(const struct journal_relay *n)
{
	const struct vm *to = vm_find(n->to);

	return !to || !to->channel.j || to->channel.j->queue_head != n->queue_at;
}

void journal_recover(struct vm *vm)
{
	struct journal *j = vm->channel.j;

	if (!j)
		return;
	if (j->relay.to && passed_on(&j->relay)) {
		relay_note_count(vm);
		channel_publish_tail(vm, j->relay.tail);
	}
	relay_note_drop(j);
	for (unsigned int i = 0; i < JOURNAL_PENDING_MAX; i++)
		if (j->pending[i].type)
			pending_recover(vm, &j->pending[i]);
}
