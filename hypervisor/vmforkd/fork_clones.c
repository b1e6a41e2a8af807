// SPDX-License-Identifier: GPL-2.0-or-later
/* The second half of a fork: from a checkpoint to running clones. */
#include "fork_clones.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>

#include "core.h"
#include "events.h"
#include "identity.h"
#include "log.h"
#include "names.h"
#include "params.h"
#include "state.h"
#include "util.h"
#include "vmlimits.h"
#include "watchdog.h"

/* The free set of the checkpoint is what the clone need not fetch to begin with. */
static void copy_avoid(struct vm *vm, const struct checkpoint *cp)
{
	size_t n = vm->channel.bitmap_bytes;
	void *p;

	if (cp->free_set < 0 || cp->free_set_bytes != n)
		return;
	p = mmap(NULL, n, PROT_READ, MAP_SHARED, cp->free_set, 0);
	if (p == MAP_FAILED)
		return;
	memcpy(channel_avoid(&vm->channel), p, n);
	munmap(p, n);
}

static void become(struct vm *vm, struct fork *f, struct ticket *t, const struct checkpoint *cp)
{
	vm->clone = true;
	vm->parent = cp->vm;
	vm->checkpoint = cp->handle;
	vm->depth = cp->depth + 1;
	vm->clones = t->granted;
	vm->epoch = f->parent ? cp->stopped : now_ns();
	clone_name(vm->name, sizeof(vm->name), cp->vm_name, f->fork_no, vm->id, vm->handle);
	vm->channel.j->hello = cp->hello;
	copy_avoid(vm, cp);
	network_become(vm, cp);
}

static void load(struct fork *f, struct ticket *t, struct slot *s, struct vm *vm)
{
	struct checkpoint *cp = checkpoint_find(f->checkpoint);
	int r;

	become(vm, f, t, cp);
	f->saved = false;
	memcpy(s->name, vm->name, sizeof(s->name));
	slot_set_state(t, s, SLOT_LOADING);
	r = core.backend->load(vm, cp);
	if (r < 0)
		vm_end(vm, VMFORK_LOST, -r, "load failed: %s", strerror(-r));
}

static int give_params(const struct ticket *t, struct vm *vm)
{
	static uint8_t buf[VMFORK_PARAMS_MAX];
	int n = params_get(t, vm->id, buf);

	if (n < 0)
		return n;
	channel_give_params(&vm->channel, buf, (uint32_t)n);
	return 0;
}

/* All that must be so before the clone's first instruction. */
static int make_ready(const struct ticket *t, struct vm *vm)
{
	const struct checkpoint *cp = checkpoint_find(vm->checkpoint);
	int r = give_params(t, vm);

	if (r < 0)
		return r;
	expiry_begin(vm, t->parent ? vm_find(t->parent) : NULL);
	if (vm->limits.no_network)
		r = network_shut(vm);
	if (r == 0 && !cp->agent) {
		network_run_unheard(vm);
		return 0;
	}
	r = r ? r : identity_hold(vm, cp->agent_ms);
	if (r < 0)
		vm_note_end(vm, VMFORK_UNIDENTIFIED, -r, "its network cannot be shut: %s",
			    strerror(-r));
	return r;
}

static void run(struct ticket *t, struct slot *s, struct vm *vm)
{
	struct fork_answer a = {
		.id = vm->id,
		.clones = t->granted,
		.depth = vm->depth,
		.family = vm->family,
		.vm = vm->handle,
		.parent = vm->parent,
		.checkpoint = vm->checkpoint,
	};
	int r = make_ready(t, vm);

	vm->channel.j->state = CHANNEL_READY;
	if (r == 0) {
		channel_fork_answer(&vm->channel, &a);
		r = core.backend->resume(vm);
	}
	if (r < 0)
		vm_end(vm, VMFORK_LOST, -r, "it could not be resumed: %s", strerror(-r));
	else
		watchdog_start(vm, "resume");
}

static unsigned int count(const struct ticket *t, enum slot_state state)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < t->granted; i++)
		n += t->slots[i].state == state;
	return n;
}

static void over(struct fork *f, struct ticket *t)
{
	log_info("ticket %" PRIu64 ": %u of %u clones run", t->handle, count(t, SLOT_LIVE),
		 t->granted);
	ticket_set_state(t, TICKET_FORKED);
	params_drop(t);
	event_ticket("forked", t);
	fork_finish(f, 0);
}

static void resume_all(struct fork *f, struct ticket *t)
{
	fork_set_state(f, FORK_RESUMING);
	f->timer = sd_event_source_disable_unref(f->timer);
	if (!f->saved)
		state_save_now();
	for (uint32_t i = 0; i < t->granted; i++) {
		struct slot *s = &t->slots[i];
		struct vm *vm = s->state == SLOT_LOADED ? vm_find(s->vm) : NULL;

		if (vm && !vm->ending)
			run(t, s, vm);
	}
}

static void load_ready(struct fork *f, struct ticket *t)
{
	for (uint32_t i = 0; i < t->granted; i++) {
		struct slot *s = &t->slots[i];
		struct vm *vm = s->state == SLOT_STANDBY ? vm_find(s->vm) : NULL;

		if (vm && vm->state == VM_STANDBY && !vm->ending)
			load(f, t, s, vm);
	}
}

/* Go on as far as the slots allow. */
static void step(struct fork *f)
{
	struct ticket *t = ticket_find(f->ticket);
	bool done = false;

	if (f->stepping)
		return;
	f->stepping = true;
	if (f->state == FORK_LOADING) {
		load_ready(f, t);
		if (count(t, SLOT_STANDBY) + count(t, SLOT_LOADING) == 0) {
			done = count(t, SLOT_LOADED) == 0;
			if (!done)
				resume_all(f, t);
		}
	}
	if (f->state == FORK_RESUMING)
		done = count(t, SLOT_LOADED) == 0;
	f->stepping = false;
	if (done)
		over(f, t);
}

static unsigned int load_patience(void)
{
	return fork_patience(FORK_LOAD_SEC);
}

static int load_timed_out(sd_event_source *src, uint64_t usec, void *data)
{
	struct fork *f = data;
	struct ticket *t = ticket_find(f->ticket);

	for (uint32_t i = 0; i < t->granted; i++) {
		struct slot *s = &t->slots[i];
		struct vm *vm;

		if (s->state != SLOT_STANDBY && s->state != SLOT_LOADING)
			continue;
		vm = vm_find(s->vm);
		log_warn("ticket %" PRIu64 ": clone %u is not ready, none got on for %u s: given up",
			 t->handle, i + 1, load_patience());
		if (vm)
			vm_end(vm, VMFORK_LOST, ETIMEDOUT, "load failed: none got on for %u s",
			       load_patience());
	}
	return 0;
}

/* Many clones share a host's processors: the limit is for the step of one of them. */
void fork_clone_gets_on(struct vm *vm)
{
	struct ticket *t = vm->ticket ? ticket_find(vm->ticket) : NULL;
	struct fork *f = t ? t->fork : NULL;

	if (f && f->state == FORK_LOADING && f->timer)
		sd_event_source_set_time_relative(f->timer, load_patience() * 1000000ULL);
}

void fork_clones_begin(struct fork *f)
{
	struct ticket *t = ticket_find(f->ticket);
	struct checkpoint *cp = checkpoint_find(f->checkpoint);

	fork_set_state(f, FORK_LOADING);
	t->checkpoint = f->checkpoint;
	if (sd_event_add_time_relative(core.loop, &f->timer, CLOCK_MONOTONIC,
				       load_patience() * 1000000ULL, 0, load_timed_out, f) < 0)
		log_warn("ticket %" PRIu64 ": no time limit", t->handle);
	f->stepping = true;
	load_ready(f, t);
	if (!t->closed)
		ticket_standbys(t, &cp->config);
	for (uint32_t id = 1; id <= t->granted; id++)
		if (t->slots[id - 1].state == SLOT_EMPTY)
			slot_ended(t, id, VMFORK_LOST, t->slots[id - 1].status,
				   t->slots[id - 1].why);
	f->stepping = false;
	step(f);
}

int fork_create(struct checkpoint *cp, struct ticket *t, fork_done_fn done, void *data)
{
	struct fork *f = fork_alloc();
	struct vm *vm = vm_find(cp->vm);

	if (!f)
		return -EAGAIN;
	f->ticket = t->handle;
	f->checkpoint = cp->handle;
	f->done = done;
	f->data = data;
	cp->forks++;
	if (vm) {
		vm->forks = vm->forks > cp->forks ? vm->forks + 1 : cp->forks;
		cp->forks = vm->forks;
	}
	f->fork_no = cp->forks;
	t->fork = f;
	ticket_set_state(t, TICKET_FORKING);
	fork_clones_begin(f);
	return 0;
}

void fork_clone_changed(struct vm *vm)
{
	struct ticket *t = vm->ticket ? ticket_find(vm->ticket) : NULL;
	struct slot *s = t ? ticket_slot(t, vm->id) : NULL;

	if (!s || s->vm != vm->handle)
		return;
	if (s->state == SLOT_LOADING && vm->state == VM_LOADED) {
		slot_set_state(t, s, SLOT_LOADED);
	} else if (s->state == SLOT_LOADED && vm->state == VM_RUNNING) {
		slot_set_state(t, s, SLOT_LIVE);
		event_vm("started", vm);
	}
	fork_clone_gets_on(vm);
	if (t->fork && t->fork->state == FORK_READYING)
		fork_call_guest(t->fork);
	else if (t->fork && (t->fork->state == FORK_LOADING || t->fork->state == FORK_RESUMING))
		step(t->fork);
}
