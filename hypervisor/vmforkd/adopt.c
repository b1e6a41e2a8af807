// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking machines over from a control role that was killed. */
#include "adopt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "checkpoint.h"
#include "core.h"
#include "fork.h"
#include "guest.h"
#include "identity.h"
#include "journal.h"
#include "keeper_client.h"
#include "log.h"
#include "pager_client.h"
#include "params.h"
#include "state.h"
#include "ticket.h"
#include "vmlimits.h"
#include "watchdog.h"

/**
 * DOC: Adoption
 *
 * Three records outlive the control role: the state file (what objects there are;
 * a little old perhaps), each VM's journal (never old), the keeper's list of
 * children and descriptors (never old). Where they differ, the younger one wins:
 *
 *   process gone		the VM ended meanwhile: vm_gone(), with what its journal
 *				says of the reason; its last messages are delivered
 *   not RUNNING or FROZEN	a stand-by or a half-loaded clone (or a root that was
 *				being started): killed
 *   fork block TAKEN		not answered: the guest is told -EIO, nothing was forked,
 *				its ticket is GRANTED again; resumed if it stands still
 *   journal ANSWERED		answered: the ticket is FORKED; clones that do not run are
 *				LOST. This is why nothing of a clone may run before the
 *				state file knows it (state_save_now() in fork.c)
 *   pending requests		answered -EIO, a ticket made for one is closed; KILL is
 *				answered when it is fulfilled, REPORT is carried out again.
 *				Those whose answer is queued already are done
 *				(journal_recover())
 *   a message half relayed	passed on once (the same)
 *   GRANTED tickets		get new stand-bys; those of the host are closed, the one
 *				who asked cannot be told any more
 */

static bool vm_exists(uint64_t handle)
{
	return vm_find(handle) != NULL;
}

static bool checkpoint_exists(uint64_t handle)
{
	return checkpoint_find(handle) != NULL;
}

static bool worth_keeping(const struct vm *vm)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "vm%" PRIu64 ".", vm->handle);
	return vm->channel.j && keeper_has_child(prefix) &&
		(vm->channel.j->vm_state == VM_RUNNING || vm->channel.j->vm_state == VM_FROZEN) &&
		(vm->clone || !vm->ticket);
}

static void drop_vm(struct vm *vm)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "vm%" PRIu64 ".", vm->handle);
	vm_note_end(vm, VMFORK_LOST, EIO, "%s", keeper_has_child(prefix) ?
		    "vmforkd was restarted and could not take it over" :
		    "its process ended while vmforkd was restarted");
	keeper_kill_children(prefix);
	vm_gone(vm, 0);
}

static void take_checkpoints(json_t *a)
{
	json_t *v;
	size_t i;

	json_array_foreach(a, i, v) {
		struct checkpoint *cp = checkpoint_from_json(v);
		json_t *b = json_object_get(v, "backend");

		if (!cp || (cp->complete && b && core.backend->checkpoint_adopt(cp, b) == 0))
			continue;
		cp->complete = false;
		cp->name[0] = '\0';
	}
}

/* The slot of a clone that runs, whatever the file says of it. */
static void settle_slot(struct ticket *t, uint32_t id)
{
	struct slot *s = &t->slots[id - 1];
	struct vm *vm = s->vm ? vm_find(s->vm) : NULL;

	if (vm && vm->state != VM_DEAD && vm->clone)
		s->state = SLOT_LIVE;
	else if (s->state != SLOT_ENDED)
		slot_ended(t, id, vm ? vm->reason : VMFORK_LOST, vm ? vm->status : EIO,
			   vm ? vm->why : "vmforkd was restarted before it ran");
}

static void settle_forked(struct ticket *t)
{
	t->state = TICKET_FORKING;
	for (uint32_t id = 1; id <= t->granted; id++)
		settle_slot(t, id);
	t->state = TICKET_FORKED;
	params_drop(t);
}

static void settle_granted(struct ticket *t)
{
	struct vm *parent = t->parent ? vm_find(t->parent) : NULL;

	t->state = TICKET_GRANTED;
	t->checkpoint = 0;
	for (uint32_t i = 0; i < t->granted; i++)
		t->slots[i] = (struct slot){ .state = SLOT_EMPTY };
	if (!parent)
		ticket_close(t);
	else if (!t->closed)
		ticket_standbys(t, &parent->config);
}

/* Did the guest hear that this ticket is used? The journal and the block know. */
static bool was_answered(const struct ticket *t)
{
	struct vm *parent = t->parent ? vm_find(t->parent) : NULL;
	const struct journal *j = parent ? parent->channel.j : NULL;

	if (t->state == TICKET_FORKED)
		return true;
	if (j && j->stage != STAGE_NONE && j->ticket == t->handle)
		return j->stage == STAGE_ANSWERED &&
			channel_fork_state(&parent->channel) != VMFORK_FORK_TAKEN;
	return t->state == TICKET_FORKING;
}

static void settle_tickets(void)
{
	for_each_ticket(t) {
		if (was_answered(t))
			settle_forked(t);
		else
			settle_granted(t);
	}
}

static void answer_pending(struct vm *vm)
{
	struct journal *j = vm->channel.j;

	for (unsigned int i = 0; i < JOURNAL_PENDING_MAX; i++) {
		struct journal_pending *p = &j->pending[i];
		struct ticket *t;

		if (!p->type || p->type == VMFORK_G2H_KILL || p->type == VMFORK_G2H_REPORT)
			continue;
		t = p->type == VMFORK_G2H_TICKET ? ticket_of(vm, p->handle) : NULL;
		if (t)
			ticket_close(t);
		pending_reply(vm, p, -EIO, 0, 0);
	}
	guest_check_kills(vm);
}

void adopt_vm_found(struct vm *vm, int running)
{
	int r;

	if (!vm->adopted)
		return;
	vm->adopted = false;
	watchdog_stop(vm);
	if (vm->reason) {
		vm_end_as_noted(vm);
		return;
	}
	if (channel_fork_state(&vm->channel) == VMFORK_FORK_TAKEN) {
		log_warn("%s: its fork was cut short: it is told that nothing was forked",
			 vm->name);
		fork_answer_parent(vm, -EIO, 0, 0);
	}
	vm->channel.j->stage = STAGE_NONE;
	vm_set_state(vm, running ? VM_RUNNING : VM_FROZEN);
	identity_adopt(vm);
	expiry_adopt(vm);
	if (vm->ending)
		return;
	r = running ? 0 : core.backend->resume(vm);
	if (r < 0) {
		vm_end(vm, VMFORK_LOST, -r, "it could not be resumed: %s", strerror(-r));
		return;
	}
	if (!running)
		watchdog_start(vm, "resume");
	answer_pending(vm);
	core.backend->kick(vm);	/* the last bell may not have been rung */
	log_info("%s: taken over, %s", vm->name, running ? "running" : "resumed");
	guest_rang(vm);
}

static void take_vm(struct vm *vm, json_t *backend_state)
{
	int r = -EIO;

	if (backend_state && worth_keeping(vm)) {
		vm->adopted = true;
		vm->state = vm->channel.j->vm_state;
		r = core.backend->adopt(vm, backend_state);
	}
	if (r == 0)
		watchdog_start(vm, "adopt");
	if (r < 0) {
		vm->adopted = false;
		if (vm->clone || !vm->ticket)
			log_warn("%s: cannot be taken over: ended", vm->name);
		drop_vm(vm);
	}
}

static void take_vms(json_t *a)
{
	json_t *v;
	size_t i;

	/* every one has its channel before one of them ends: its parent is told */
	json_array_foreach(a, i, v) {
		struct vm *vm = vm_from_json(v);

		if (vm && vm_take_back(vm) < 0)
			log_err("%s: its channel is lost", vm->name);
	}
	for_each_vm(vm)
		journal_recover(vm);
}

static void adopt_vms(json_t *a)
{
	json_t *v;
	size_t i;

	json_array_foreach(a, i, v) {
		struct vm *vm = vm_find((uint64_t)json_integer_value(json_object_get(v, "handle")));

		if (vm)
			take_vm(vm, json_object_get(v, "backend"));
	}
}

static void take_tickets(json_t *a)
{
	json_t *v;
	size_t i;

	json_array_foreach(a, i, v)
		if (!ticket_from_json(v))
			log_err("a ticket of the state file makes no sense");
}

/* "vm12.x", "cp12.x" and "t12.x" of objects that are no more. */
static void drop_fd(const char *name, void *data)
{
	uint64_t handle;
	bool known;

	if (!strncmp(name, "vm", 2))
		known = vm_exists(keeper_child_handle(name));
	else if (sscanf(name, "cp%" SCNu64 ".", &handle) == 1)
		known = checkpoint_exists(handle);
	else if (sscanf(name, "t%" SCNu64 ".", &handle) == 1)
		known = ticket_find(handle) != NULL;
	else
		known = false;
	if (!known)
		core_drop_fds(name);
}

void adopt_all(json_t *state)
{
	core.adopting = true;
	take_vms(json_object_get(state, "vms"));
	take_checkpoints(json_object_get(state, "checkpoints"));
	take_tickets(json_object_get(state, "tickets"));
	adopt_vms(json_object_get(state, "vms"));
	settle_tickets();
	keeper_kill_strangers(vm_exists);
	pager_forget_unknown(checkpoint_exists, vm_exists);
	cgroup_sweep(vm_exists);
	keeper_each_fd("vm", drop_fd, NULL);
	keeper_each_fd("cp", drop_fd, NULL);
	keeper_each_fd("t", drop_fd, NULL);
	core.adopting = false;
	state_save_now();
	core_schedule();
}
