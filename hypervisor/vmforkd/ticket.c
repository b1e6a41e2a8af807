// SPDX-License-Identifier: GPL-2.0-or-later
/* Tickets: the right to a number of clones, then the record of what became of them. */
#include "ticket.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "events.h"
#include "fork.h"
#include "guest.h"
#include "log.h"
#include "params.h"
#include "state.h"
#include "util.h"

struct ticket tickets[TICKETS_MAX];

static const char *const state_names[] = {
	[TICKET_FREE] = "free", [TICKET_GRANTED] = "granted", [TICKET_FORKING] = "forking",
	[TICKET_FORKED] = "forked",
};
static_assert(ARRAY_SIZE(state_names) == TICKET_STATES, "a name for every state");

static const uint8_t transitions[TICKET_STATES] = {
	[TICKET_FREE] = 1 << TICKET_GRANTED,
	[TICKET_GRANTED] = 1 << TICKET_FORKING | 1 << TICKET_FREE,
	[TICKET_FORKING] = 1 << TICKET_FORKED | 1 << TICKET_GRANTED | 1 << TICKET_FREE,
	[TICKET_FORKED] = 1 << TICKET_FREE,
};

static const uint8_t slot_transitions[SLOT_STATES] = {
	[SLOT_EMPTY] = 1 << SLOT_STANDBY | 1 << SLOT_ENDED,
	[SLOT_STANDBY] = 1 << SLOT_LOADING | 1 << SLOT_ENDED | 1 << SLOT_EMPTY,
	[SLOT_LOADING] = 1 << SLOT_LOADED | 1 << SLOT_ENDED,
	[SLOT_LOADED] = 1 << SLOT_LIVE | 1 << SLOT_ENDED,
	[SLOT_LIVE] = 1 << SLOT_ENDED,
};

const char *ticket_state_name(enum ticket_state s)
{
	return state_names[s];
}

bool ticket_transition_ok(enum ticket_state from, enum ticket_state to)
{
	return transitions[from] & (1U << to);
}

bool slot_transition_ok(enum slot_state from, enum slot_state to)
{
	return slot_transitions[from] & (1U << to);
}

void ticket_set_state(struct ticket *t, enum ticket_state s)
{
	assert(ticket_transition_ok(t->state, s));
	log_debug("ticket %" PRIu64 ": %s -> %s", t->handle, state_names[t->state], state_names[s]);
	t->state = s;
	state_changed();
}

void slot_set_state(struct ticket *t, struct slot *s, enum slot_state state)
{
	assert(slot_transition_ok(s->state, state));
	s->state = state;
	state_changed();
}

struct ticket *ticket_find(uint64_t handle)
{
	for_each_ticket(t)
		if (t->handle == handle)
			return t;
	return NULL;
}

struct ticket *ticket_of(const struct vm *vm, uint64_t handle)
{
	struct ticket *t = handle ? ticket_find(handle) : NULL;

	return t && t->parent == vm->handle && !t->closed ? t : NULL;
}

struct slot *ticket_slot(struct ticket *t, uint32_t id)
{
	return id >= 1 && id <= t->granted ? &t->slots[id - 1] : NULL;
}

static void ticket_free(struct ticket *t)
{
	params_drop(t);
	ticket_set_state(t, TICKET_FREE);
}

static void forget_oldest_record(void)
{
	struct ticket *oldest = NULL;

	for_each_ticket(t)
		if (!t->parent && t->state == TICKET_FORKED && ticket_all_ended(t) &&
		    (!oldest || t->handle < oldest->handle))
			oldest = t;
	if (oldest)
		ticket_free(oldest);
}

static struct ticket *empty_entry(void)
{
	for (struct ticket *t = tickets; t < tickets + TICKETS_MAX; t++)
		if (t->state == TICKET_FREE)
			return t;
	return NULL;
}

struct ticket *ticket_new(uint64_t handle, uint64_t parent, uint64_t family, unsigned int granted)
{
	struct ticket *t = empty_entry();

	if (!t) {
		forget_oldest_record();
		t = empty_entry();
	}
	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->handle = handle ? handle : core_new_handle();
	t->parent = parent;
	t->family = family;
	t->granted = granted;
	t->params = -1;
	ticket_set_state(t, TICKET_GRANTED);
	event_ticket("granted", t);
	return t;
}

void ticket_standbys(struct ticket *t, const struct vm_config *config)
{
	for (uint32_t id = 1; id <= t->granted; id++) {
		struct slot *s = &t->slots[id - 1];
		struct vm *vm;
		int r;

		if (s->state != SLOT_EMPTY)
			continue;
		r = vm_start_standby(config, t, id, &vm);
		if (r < 0) {
			s->reason = VMFORK_LOST;
			s->status = -r;
			snprintf(s->why, sizeof(s->why), "it could not be started: %s",
				 strerror(-r));
			continue;
		}
		s->vm = vm->handle;
		slot_set_state(t, s, SLOT_STANDBY);
	}
}

unsigned int ticket_live(const struct ticket *t)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < t->granted; i++)
		n += t->slots[i].state >= SLOT_LOADING && t->slots[i].state <= SLOT_LIVE;
	return n;
}

unsigned int ticket_ready(const struct ticket *t)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < t->granted; i++) {
		const struct slot *s = &t->slots[i];
		const struct vm *vm = s->state == SLOT_STANDBY ? vm_find(s->vm) : NULL;

		n += vm && vm->state == VM_STANDBY;
	}
	return n;
}

bool ticket_all_ended(const struct ticket *t)
{
	for (uint32_t i = 0; i < t->granted; i++)
		if (t->slots[i].state != SLOT_ENDED)
			return false;
	return true;
}

/* Nothing is forked as far as the parent can tell. */
static bool before_fork(const struct ticket *t)
{
	return t->state == TICKET_GRANTED || (t->fork && t->fork->state < FORK_LOADING);
}

void slot_ended(struct ticket *t, uint32_t id, enum vmfork_reason reason, int status,
		const char *why)
{
	struct slot *s = ticket_slot(t, id);
	struct vm *parent = t->parent ? vm_find(t->parent) : NULL;

	if (!s || s->state == SLOT_ENDED)
		return;
	s->reason = reason;
	s->status = status;
	if (why != s->why)
		snprintf(s->why, sizeof(s->why), "%s", why);
	if (before_fork(t)) {
		if (s->state == SLOT_STANDBY)
			slot_set_state(t, s, SLOT_EMPTY);
		s->vm = 0;
		return;
	}
	slot_set_state(t, s, SLOT_ENDED);
	if (parent && !t->closed) {
		guest_exited(parent, t, id);
		guest_check_kills(parent);
	}
	event_ticket("exit", t);
}

int ticket_kill(struct ticket *t, uint32_t id)
{
	struct slot *one = id ? ticket_slot(t, id) : NULL;

	if (id && (!one || one->state == SLOT_ENDED || t->state == TICKET_GRANTED))
		return -ECHILD;
	if (t->state == TICKET_GRANTED)
		return 0;
	for (uint32_t i = 1; i <= t->granted; i++) {
		struct slot *s = &t->slots[i - 1];
		struct vm *vm = s->state == SLOT_ENDED ? NULL : vm_find(s->vm);

		if ((!id || id == i) && vm)
			vm_end(vm, VMFORK_KILLED, 0, "killed by its parent");
	}
	return 0;
}

bool ticket_kill_done(struct ticket *t, uint32_t id)
{
	struct slot *s = id ? ticket_slot(t, id) : NULL;

	if (t->state == TICKET_GRANTED)
		return true;
	return s ? s->state == SLOT_ENDED : ticket_all_ended(t);
}

void ticket_close(struct ticket *t)
{
	if (t->closed)
		return;
	t->closed = true;
	for (uint32_t i = 0; i < t->granted; i++) {
		struct vm *vm = t->slots[i].vm ? vm_find(t->slots[i].vm) : NULL;

		if (vm && vm->ticket == t->handle)
			vm_end(vm, VMFORK_KILLED, 0, "its ticket was closed");
	}
	event_ticket("closed", t);
	state_changed();
	core_schedule();
}

static bool over(const struct ticket *t)
{
	for (uint32_t i = 0; i < t->granted; i++)
		if (t->slots[i].state != SLOT_ENDED && t->slots[i].state != SLOT_EMPTY)
			return false;
	return !t->fork;
}

/* Is there a ticket that a fork of @vm may use yet, its own or the host's? */
static bool waits(const struct vm *vm)
{
	for_each_ticket(t)
		if (t->state == TICKET_GRANTED && !t->closed &&
		    (t->parent == vm->handle || (t->fork && t->fork->parent == vm)))
			return true;
	return false;
}

void tickets_reap(void)
{
	unsigned int records = 0;

	for_each_ticket(t) {
		if (t->closed && over(t))
			ticket_free(t);
		else if (!t->parent && t->state == TICKET_FORKED && ticket_all_ended(t))
			records++;
	}
	while (records-- > HOST_RECORDS_MAX)
		forget_oldest_record();
	for_each_vm(vm)
		if (vm->prepared && !waits(vm))
			vm_unprepare(vm);
}
