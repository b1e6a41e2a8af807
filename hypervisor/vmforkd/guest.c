// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests ask for over their channels. */
#include "guest.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "checkpoint.h"
#include "core.h"
#include "fork.h"
#include "journal.h"
#include "log.h"
#include "policy.h"
#include "relay.h"
#include "state.h"
#include "util.h"

#define MESSAGES_PER_ROUND 256

static void got_hello(struct vm *vm, const struct g2h *m)
{
	struct journal *j = vm->channel.j;

	vm_forget_objects(vm);
	memset(j->pending, 0, sizeof(j->pending));
	j->hello = m->hello;
	j->state = CHANNEL_READY;
	log_info("%s: module ready, kernel %s, %u vCPUs", vm->name, j->hello.release,
		 j->hello.cpus);
	state_changed();
}

/* Note a request; NULL: too many at once, it was refused. */
static struct journal_pending *note(struct vm *vm, const struct g2h *m)
{
	struct journal_pending *p = pending_add(vm, m->cookie, m->type);

	if (!p)
		channel_reply(vm, m->cookie, -EBUSY, 0, 0);
	return p;
}

static void got_ticket(struct vm *vm, const struct g2h *m)
{
	struct journal_pending *p = note(vm, m);
	unsigned int granted = 0;
	struct ticket *t;
	int r;

	if (!p)
		return;
	r = policy_grant(vm->name, &vm->config, m->grant.clones,
			 m->grant.flags & VMFORK_TICKET_EXACT, &granted);
	if (r < 0) {
		pending_reply(vm, p, r, 0, 0);
		return;
	}
	t = ticket_new(0, vm->handle, vm->family, granted);
	if (!t) {
		pending_reply(vm, p, -ENOSPC, 0, 0);
		return;
	}
	p->handle = t->handle;
	ticket_standbys(t, &vm->config);
	vm_prepare(vm);
	state_save_now();
	pending_reply(vm, p, 0, granted, t->handle);
}

static void create_done(struct fork *f, int err, void *data)
{
}

static void got_create_clones(struct vm *vm, const struct g2h *m)
{
	struct journal_pending *p = note(vm, m);
	struct ticket *t = ticket_of(vm, m->ticket.ticket);
	struct checkpoint *cp = checkpoint_find(m->ticket.checkpoint);
	int r;

	if (!p)
		return;
	p->handle = m->ticket.ticket;
	if (!t || !cp || cp->family != vm->family || !cp->complete)
		r = -ENOENT;
	else if (t->state != TICKET_GRANTED)
		r = -EBUSY;
	else
		r = fork_create(cp, t, create_done, NULL);
	if (r == 0)
		state_save_now();	/* the guest takes its ticket for used from here on */
	pending_reply(vm, p, r, r == 0 ? t->granted : 0, r == 0 ? t->handle : 0);
}

static void got_kill(struct vm *vm, const struct g2h *m)
{
	struct journal_pending *p = note(vm, m);
	struct ticket *t = ticket_of(vm, m->ticket.ticket);
	int r;

	if (!p)
		return;
	r = t ? ticket_kill(t, m->ticket.id) : -ECHILD;
	if (r < 0) {
		pending_reply(vm, p, r, 0, 0);
		return;
	}
	p->handle = m->ticket.ticket;
	p->id = m->ticket.id;
	guest_check_kills(vm);
}

void guest_check_kills(struct vm *vm)
{
	struct journal *j = vm->channel.j;

	for (unsigned int i = 0; j && i < JOURNAL_PENDING_MAX; i++) {
		struct journal_pending *p = &j->pending[i];
		struct ticket *t;

		if (p->type != VMFORK_G2H_KILL || !p->handle)
			continue;
		t = ticket_of(vm, p->handle);
		if (!t || ticket_kill_done(t, p->id))
			pending_reply(vm, p, 0, 0, 0);
	}
}

static void got_open(struct vm *vm, const struct g2h *m)
{
	struct journal_pending *p = note(vm, m);
	struct checkpoint *cp = checkpoint_named(m->name);
	int r = 0;

	if (!p)
		return;
	if (!cp || cp->family != vm->family || !cp->complete)
		r = -ENOENT;
	else
		r = vm_ref_get(vm, cp->handle);
	state_changed();
	pending_reply(vm, p, r, 0, r == 0 ? cp->handle : 0);
}

static void got_exit(struct vm *vm, const struct g2h *m)
{
	if (!vm->clone) {
		channel_break(vm, "EXIT of a root machine");
		return;
	}
	log_info("%s: exits with status %d", vm->name, m->exit.status);
	vm_end(vm, VMFORK_EXITED, m->exit.status);
}

static struct vm *relayed;	/* whom the last message was passed on to */

static int dispatch(struct vm *vm, const struct g2h *m)
{
	struct ticket *t;

	if (m->type != VMFORK_G2H_HELLO && !channel_ready(&vm->channel))
		return -EBADMSG;
	if ((m->type == VMFORK_G2H_DATA || m->type == VMFORK_G2H_EXIT) && !vm->first_result)
		vm->first_result = now_ns();
	switch (m->type) {
	case VMFORK_G2H_HELLO:
		got_hello(vm, m);
		break;
	case VMFORK_G2H_TICKET:
		got_ticket(vm, m);
		break;
	case VMFORK_G2H_CREATE_CLONES:
		got_create_clones(vm, m);
		break;
	case VMFORK_G2H_KILL:
		got_kill(vm, m);
		break;
	case VMFORK_G2H_CLOSE_TICKET:
		t = ticket_of(vm, m->ticket.ticket);
		if (t)
			ticket_close(t);
		break;
	case VMFORK_G2H_OPEN_CHECKPOINT:
		got_open(vm, m);
		break;
	case VMFORK_G2H_CLOSE_CHECKPOINT:
		vm_ref_put(vm, m->ticket.checkpoint);
		core_schedule();
		break;
	case VMFORK_G2H_EXIT:
		got_exit(vm, m);
		break;
	case VMFORK_G2H_DATA:
		return relay_data(vm, m, &relayed);
	case VMFORK_G2H_CREDIT:
		return relay_credit(vm, m, &relayed);
	case VMFORK_G2H_FORK_REFUSED:
		fork_refused(vm, m->refused.cookie, m->refused.result);
		break;
	default:
		return -EBADMSG;
	}
	return 0;
}

/* Return: true if the ring is empty (or dead) now. */
static bool read_messages(struct vm *vm, unsigned int max)
{
	static uint8_t payload[RING_PAYLOAD_MAX];
	unsigned int n;
	struct g2h m;

	for (n = 0; n < max && vm->channel.j && vm->channel.j->state != CHANNEL_BROKEN; n++) {
		if (channel_next(vm, &m, payload) <= 0)
			break;
		relayed = NULL;
		if (dispatch(vm, &m) < 0)
			channel_break(vm, "a message that is not allowed");
		channel_done(vm);
		if (relayed)
			channel_flush(relayed);
	}
	if (vm->channel.relieved && vm->state == VM_RUNNING)
		core.backend->kick(vm);
	vm->channel.relieved = false;
	return n < max;
}

void guest_rang(struct vm *vm)
{
	vm->channel.again = false;
	if (vm->state != VM_RUNNING || !vm->channel.map)
		return;
	if (vm->channel.j->state != CHANNEL_BROKEN) {
		if (relay_blocked(vm)) {
			vm->channel.again = true;
			core_retry();
		} else if (!read_messages(vm, MESSAGES_PER_ROUND)) {
			vm->channel.again = true;
			core_schedule();
		}
		channel_flush(vm);
	}
	if (vm->state == VM_RUNNING)
		fork_rang(vm);
	if (vm->clone)
		channel_wipe_seed(&vm->channel);
}

void guest_drain(struct vm *vm)
{
	if (vm->channel.map && channel_ready(&vm->channel))
		read_messages(vm, VMFORK_CHANNEL_RING_SIZE / sizeof(struct vmfork_msg));
}

void guest_broken(struct vm *vm)
{
	memset(vm->channel.j->pending, 0, sizeof(vm->channel.j->pending));
	vm_forget_objects(vm);
	state_changed();
}

void guest_exited(struct vm *parent, const struct ticket *t, uint32_t id)
{
	const struct slot *s = &t->slots[id - 1];
	struct vmfork_msg_exited m = {
		.ticket = htole64(t->handle),
		.id = htole32(id),
		.reason = htole32(s->reason),
		.status = htole32((uint32_t)s->status),
	};

	channel_send(parent, VMFORK_H2G_EXITED, 0, &m, sizeof(m), NULL, 0);
}
