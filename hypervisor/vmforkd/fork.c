// SPDX-License-Identifier: GPL-2.0-or-later
/* Forks: the steps from a request to running clones. */
#include "fork.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "core.h"
#include "events.h"
#include "fork_clones.h"
#include "identity.h"
#include "log.h"
#include "state.h"
#include "util.h"
#include "watchdog.h"

struct fork forks[FORKS_MAX];

static const char *const state_names[] = {
	[FORK_FREE] = "free", [FORK_READYING] = "readying",
	[FORK_CALLED] = "called", [FORK_FREEZING] = "freezing",
	[FORK_FAILING] = "failing", [FORK_RELEASING] = "releasing", [FORK_LOADING] = "loading",
	[FORK_RESUMING] = "resuming", [FORK_DONE] = "done",
};
static_assert(ARRAY_SIZE(state_names) == FORK_STATES, "a name for every state");

static const uint16_t transitions[FORK_STATES] = {
	[FORK_FREE] = 1 << FORK_READYING | 1 << FORK_FREEZING | 1 << FORK_LOADING,
	[FORK_READYING] = 1 << FORK_CALLED | 1 << FORK_DONE,
	[FORK_CALLED] = 1 << FORK_FREEZING | 1 << FORK_DONE,
	[FORK_FREEZING] = 1 << FORK_RELEASING | 1 << FORK_FAILING | 1 << FORK_DONE,
	[FORK_FAILING] = 1 << FORK_DONE,
	[FORK_RELEASING] = 1 << FORK_LOADING | 1 << FORK_DONE,
	[FORK_LOADING] = 1 << FORK_RESUMING | 1 << FORK_DONE,
	[FORK_RESUMING] = 1 << FORK_DONE,
	[FORK_DONE] = 1 << FORK_FREE,
};

const char *fork_state_name(enum fork_state s)
{
	return state_names[s];
}

bool fork_transition_ok(enum fork_state from, enum fork_state to)
{
	return transitions[from] & (1U << to);
}

void fork_set_state(struct fork *f, enum fork_state s)
{
	assert(fork_transition_ok(f->state, s));
	log_debug("fork of %s: %s -> %s", f->parent ? f->parent->name : "a checkpoint",
		  state_names[f->state], state_names[s]);
	f->state = s;
}

struct fork *fork_alloc(void)
{
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++) {
		if (f->state != FORK_FREE)
			continue;
		memset(f, 0, sizeof(*f));
		return f;
	}
	return NULL;
}

bool fork_uses(uint64_t checkpoint)
{
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		if (f->state != FORK_FREE && f->checkpoint == checkpoint)
			return true;
	return false;
}

bool fork_pausing(void)
{
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++)
		if ((f->state == FORK_FREEZING && !f->unprepared) ||
		    f->state == FORK_FAILING || f->state == FORK_RELEASING)
			return true;
	return false;
}

unsigned int fork_patience(unsigned int sec)
{
	return core.backend->patience > sec ? core.backend->patience : sec;
}

void fork_finish(struct fork *f, int err)
{
	struct ticket *t = f->ticket ? ticket_find(f->ticket) : NULL;

	fork_set_state(f, FORK_DONE);
	f->timer = sd_event_source_disable_unref(f->timer);
	if (f->parent && f->parent->fork == f)
		f->parent->fork = NULL;
	if (t && t->fork == f)
		t->fork = NULL;
	if (f->done)
		f->done(f, err, f->data);
	fork_set_state(f, FORK_FREE);
	state_changed();
	core_schedule();
}

void fork_answer_parent(struct vm *vm, int result, uint64_t checkpoint, uint32_t clones)
{
	struct fork_answer a = {
		.result = result,
		.clones = clones,
		.depth = vm->depth,
		.family = vm->family,
		.vm = vm->handle,
		.parent = vm->parent,
		.checkpoint = checkpoint,
	};

	channel_fork_answer(&vm->channel, &a);
}

static void set_stage(struct vm *vm, enum journal_stage stage, uint64_t ticket,
		      uint64_t checkpoint)
{
	struct journal *j = vm->channel.j;

	j->ticket = ticket;
	j->checkpoint = checkpoint;
	__atomic_store_n(&j->stage, stage, __ATOMIC_RELEASE);
}

/* Whom the guest's request belongs to: a fork in FREE or CALLED state, or an error. */
static int claim(struct vm *vm, const struct fork_request *q, struct fork **ret_fork)
{
	struct fork *f;
	struct ticket *t;

	if (q->kind == VMFORK_FORK_HOST) {
		for (f = forks; f < forks + FORKS_MAX; f++)
			if (f->state == FORK_CALLED && f->parent == vm && f->cookie == q->ticket) {
				*ret_fork = f;
				return 0;
			}
		return -ECANCELED;
	}
	f = fork_alloc();
	if (!f)
		return -EAGAIN;
	if (q->kind == VMFORK_FORK_TICKET) {
		t = ticket_of(vm, q->ticket);
		if (!t)
			return -ENOENT;
		if (t->state != TICKET_GRANTED)
			return -EBUSY;
		f->ticket = t->handle;
	}
	memcpy(f->name, q->name, sizeof(f->name));
	*ret_fork = f;
	return 0;
}

static int freeze(struct vm *vm, const struct fork *f)
{
	int r = core.backend->freeze(vm, checkpoint_find(f->checkpoint));

	vm->prepared = false;
	if (r == 0)
		watchdog_start(vm, "freeze");
	return r;
}

/* Up to freeze(); an error means that the machine never stood still. */
static int begin(struct vm *vm, struct fork *f, const struct fork_request *q)
{
	struct ticket *t = f->ticket ? ticket_find(f->ticket) : NULL;
	struct checkpoint *cp;
	int r;

	r = checkpoint_new(vm, f->name, &cp);
	if (r < 0)
		return r;
	cp->agent = q->agent;
	cp->agent_ms = q->agent_ms;
	f->parent = vm;
	f->checkpoint = cp->handle;
	f->timer = sd_event_source_disable_unref(f->timer);
	fork_set_state(f, FORK_FREEZING);
	vm->fork = f;
	set_stage(vm, STAGE_TAKEN, f->ticket, cp->handle);
	if (t) {
		t->fork = f;
		ticket_set_state(t, TICKET_FORKING);
	}
	f->unprepared = vm->preparing;
	if (f->unprepared)
		watchdog_start(vm, "prepare");
	else
		r = freeze(vm, f);
	if (r == 0 && q->free_pages && checkpoint_keep_free_set(cp, vm) < 0)
		log_warn("%s: no room for the free set: clones fetch free pages too", vm->name);
	return r;
}

static void not_forked(struct fork *f, int err)
{
	struct checkpoint *cp = checkpoint_find(f->checkpoint);
	struct ticket *t = f->ticket ? ticket_find(f->ticket) : NULL;

	log_warn("%s: not forked: %s", f->parent->name, strerror(-err));
	f->err = err;
	if (cp) {
		cp->name[0] = '\0';
		cp->complete = false;
	}
	f->checkpoint = 0;
	if (t)
		ticket_set_state(t, TICKET_GRANTED);
	set_stage(f->parent, STAGE_NONE, 0, 0);
}

/* A guest takes its request back after a while if nobody has taken it: prepare() may last longer. One
 * that spins until it is answered had better take it back. */
static bool must_wait(const struct vm *vm)
{
	return vm->fork || (vm->preparing && !core.backend->runs_on);
}

void fork_rang(struct vm *vm)
{
	struct fork_request q;
	struct vmfork_fork block;
	struct fork *f = NULL;
	int r;

	if (must_wait(vm) ||
	    channel_fork_state(&vm->channel) != VMFORK_FORK_REQUESTED ||
	    !channel_fork_take(&vm->channel, &block))
		return;
	vm->times = (struct fork_times){ .rang = now_ns() };
	r = fork_request_parse(&block, vm->channel.gfns, &q);
	if (r == 0 && !channel_ready(&vm->channel))
		r = -EIO;
	if (r == 0 && identity_held(vm))
		r = -EAGAIN;
	if (r == 0 && vm_unforkable(vm))
		r = -EOPNOTSUPP;
	if (r == 0)
		r = claim(vm, &q, &f);
	if (r == 0)
		r = begin(vm, f, &q);
	if (r == 0)
		return;
	if (f && f->state == FORK_FREEZING)
		not_forked(f, r);
	fork_answer_parent(vm, r, 0, 0);
	if (f && f->state != FORK_FREE)
		fork_finish(f, r);
}

void fork_prepared(struct vm *vm)
{
	struct fork *f = vm->fork;
	int r;

	if (!f || f->state != FORK_FREEZING || !f->unprepared)
		return;
	f->unprepared = false;
	watchdog_stop(vm);
	r = freeze(vm, f);
	if (r == 0)
		return;
	not_forked(f, r);
	fork_answer_parent(vm, r, 0, 0);
	fork_finish(f, r);
}

static void answer_and_resume(struct fork *f, int result)
{
	struct ticket *t = f->ticket ? ticket_find(f->ticket) : NULL;
	int r;

	fork_answer_parent(f->parent, result, result ? 0 : f->checkpoint, t ? t->granted : 0);
	r = core.backend->resume(f->parent);
	if (r < 0) {
		log_err("%s: does not go on: %s", f->parent->name, strerror(-r));
		vm_end(f->parent, VMFORK_LOST, -r, "it could not be resumed: %s", strerror(-r));
		return;
	}
	watchdog_start(f->parent, "resume");
}

void fork_frozen(struct vm *vm, int err)
{
	struct fork *f = vm->fork;
	struct checkpoint *cp = f ? checkpoint_find(f->checkpoint) : NULL;

	if (!f || f->state != FORK_FREEZING)
		return;
	watchdog_stop(vm);
	vm_set_state(vm, VM_FROZEN);
	if (err) {
		fork_set_state(f, FORK_FAILING);
		not_forked(f, err);
		answer_and_resume(f, err);
		return;
	}
	/* a guest that stops by its suspend path has none before */
	if (cp->free_set < 0 && channel_free_pages(&vm->channel) &&
	    checkpoint_keep_free_set(cp, vm) < 0)
		log_warn("%s: no room for the free set: clones fetch free pages too", vm->name);
	cp->complete = true;
	cp->stopped = vm->times.stopped;
	vm->forks++;
	f->fork_no = vm->forks;
	cp->forks = vm->forks;
	if (!f->ticket && !f->cookie)
		vm_ref_get(vm, cp->handle);	/* the guest's descriptor */
	fork_set_state(f, FORK_RELEASING);
	set_stage(vm, STAGE_ANSWERED, f->ticket, cp->handle);
	answer_and_resume(f, 0);
}

void fork_resumed(struct vm *vm, int err)
{
	struct fork *f = vm->fork;

	if (err) {
		log_err("%s: does not go on: %s", vm->name, strerror(-err));
		vm_end(vm, VMFORK_LOST, -err, "it could not be resumed: %s", strerror(-err));
		return;
	}
	vm_set_state(vm, VM_RUNNING);
	if (!vm->times.resumed)
		vm->times.resumed = now_ns();
	if (!f)
		return;
	vm->fork = NULL;
	if (f->state == FORK_FAILING) {
		fork_finish(f, f->err);
		return;
	}
	if (f->state != FORK_RELEASING)
		return;
	log_info("%s: forked, stood still for %.1f ms", vm->name,
		 (double)(vm->times.resumed - vm->times.stopped) / 1e6);
	fork_parent_runs(f);
}

/* The parent is over the fork point (or has ended since): clones, if any. */
void fork_parent_runs(struct fork *f)
{
	struct checkpoint *cp = checkpoint_find(f->checkpoint);
	struct vm *vm = f->parent;

	event_checkpoint("made", cp);
	if (f->ticket)
		fork_clones_begin(f);
	state_save_now();
	f->saved = true;
	if (vm && vm->channel.j)
		set_stage(vm, STAGE_NONE, 0, 0);
	if (!f->ticket)
		fork_finish(f, 0);
}

void fork_parent_gone(struct vm *vm)
{
	for (struct fork *f = forks; f < forks + FORKS_MAX; f++) {
		if (f->state == FORK_FREE || f->parent != vm)
			continue;
		if (f->state <= FORK_CALLED) {
			fork_finish(f, -ESRCH);
		} else if (f->state == FORK_FREEZING) {
			not_forked(f, -ESRCH);
			fork_finish(f, -ESRCH);
		} else if (f->state == FORK_FAILING) {
			fork_finish(f, f->err);
		} else if (f->state == FORK_RELEASING) {
			fork_parent_runs(f);
		}
		if (f->state != FORK_FREE)
			f->parent = NULL;
	}
	vm->fork = NULL;
}
