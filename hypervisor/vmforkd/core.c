// SPDX-License-Identifier: GPL-2.0-or-later
/* The core's side of backend.h: events, accessors, deferred clean-up. */
#include "core.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "adopt.h"
#include "cgroup.h"
#include "checkpoint.h"
#include "events.h"
#include "fork.h"
#include "guest.h"
#include "identity.h"
#include "last_words.h"
#include "log.h"
#include "state.h"
#include "ticket.h"
#include "util.h"
#include "vmlimits.h"
#include "waiters.h"
#include "watchdog.h"

struct core core;

#define RETRY_USEC 100000

static sd_event_source *deferred;
static sd_event_source *retry;
static bool retrying;

uint64_t core_new_handle(void)
{
	return core.next_handle++;
}

static bool vm_exists(uint64_t handle)
{
	return vm_find(handle) != NULL;
}

void core_reap(void)
{
	for_each_vm(vm)
		if (vm->state == VM_DEAD)
			vm_destroy(vm);
	tickets_reap();
	checkpoints_reap();
	if (cgroup_left())
		cgroup_sweep(vm_exists);
}

static void read_on(void)
{
	for_each_vm(vm)
		if (vm->channel.again && vm->state == VM_RUNNING)
			guest_rang(vm);
}

static int run_deferred(sd_event_source *s, void *data)
{
	read_on();
	core_reap();
	waiters_check();
	state_save_if_changed();
	return 0;
}

void core_schedule(void)
{
	if (core.adopting)
		return;
	if (!deferred) {
		if (sd_event_add_defer(core.loop, &deferred, run_deferred, NULL) < 0)
			return;
		sd_event_source_set_priority(deferred, SD_EVENT_PRIORITY_IDLE);
	}
	sd_event_source_set_enabled(deferred, SD_EVENT_ONESHOT);
}

static void started(struct vm *vm, int err)
{
	vm_started_fn fn = vm->started_fn;
	char said[SAID_MAX];

	if (err) {
		last_words_hypervisor(vm, said, sizeof(said));
		if (!said[0])
			snprintf(said, sizeof(said), "%s", strerror(-err));
		log_err("%s: does not start: %s", vm->name, said);
		vm_note_end(vm, VMFORK_LOST, -err, "it could not be started: %s", said);
		vm->started_fn = NULL;
		if (fn)
			fn(vm, err, vm->started_data);
		vm_gone(vm, 0);
		return;
	}
	if (!vm->ticket)
		expiry_begin(vm, NULL);
	vm_set_state(vm, vm->ticket ? VM_STANDBY : VM_RUNNING);
	if (vm->ticket) {
		fork_clone_changed(vm);
		return;
	}
	log_info("%s: runs (%s)", vm->name, core.backend->name);
	vm->started_fn = NULL;
	event_vm("started", vm);
	if (fn)
		fn(vm, 0, vm->started_data);
	guest_rang(vm);
}

static void loaded(struct vm *vm, int err)
{
	if (err) {
		log_err("%s: cannot be loaded: %s", vm->name, strerror(-err));
		vm_end(vm, VMFORK_LOST, -err, "load failed: %s", strerror(-err));
		return;
	}
	vm->times.loaded = vm->times.loaded ? vm->times.loaded : now_ns();
	vm_set_state(vm, VM_LOADED);
	fork_clone_changed(vm);
}

static void resumed(struct vm *vm, int err)
{
	watchdog_stop(vm);
	if (vm->state != VM_LOADED) {
		fork_resumed(vm, err);
	} else if (err) {
		log_err("%s: does not go on: %s", vm->name, strerror(-err));
		vm_end(vm, VMFORK_LOST, -err, "it could not be resumed: %s", strerror(-err));
	} else {
		if (!vm->times.resumed)
			vm->times.resumed = now_ns();
		vm->started = vm->times.resumed;
		vm_set_state(vm, VM_RUNNING);
		fork_clone_changed(vm);
	}
	if (vm->state == VM_RUNNING)
		guest_rang(vm);
}

static void panicked(struct vm *vm)
{
	char said[VMFORK_WHY_MAX];
	bool sure;

	log_warn("%s: its kernel panicked or was reset", vm->name);
	sure = last_words(vm, said, sizeof(said));
	vm_note_end(vm, identity_held(vm) ? VMFORK_UNIDENTIFIED : VMFORK_LOST, EIO,
		    "its kernel panicked%s%s%s", sure ? "" : " or was reset", said[0] ? ": " : "",
		    said);
}

static void powered_off(struct vm *vm)
{
	if (identity_held(vm))
		vm_note_end(vm, VMFORK_UNIDENTIFIED, EIO, "it powered off before its agent reported");
	else
		vm_note_end(vm, VMFORK_EXITED, 0, "%s", "");
}

static void io_error(struct vm *vm, int err)
{
	if (vm->io_error == err)
		return;
	vm->io_error = err;
	if (err)
		log_err("%s: stands still until its disk can be written: %s", vm->name,
			strerror(-err));
	else
		log_info("%s: goes on: its disk can be written again", vm->name);
	event_vm(err ? "io-error" : "goes-on", vm);
}

void core_event(struct vm *vm, enum vm_event ev, int err, int arg)
{
	if (vm->state == VM_DEAD || vm->state == VM_FREE)
		return;
	switch (ev) {
	case VM_EV_STARTED:
		started(vm, err);
		break;
	case VM_EV_PREPARED:
		vm->preparing = false;
		vm->prepared = !err;
		fork_prepared(vm);
		core_schedule();
		guest_rang(vm);
		break;
	case VM_EV_PROGRESS:
		watchdog_again(vm);
		fork_clone_gets_on(vm);
		break;
	case VM_EV_FROZEN:
		fork_frozen(vm, err);
		break;
	case VM_EV_RESUMED:
		resumed(vm, err);
		break;
	case VM_EV_LOADED:
		loaded(vm, err);
		break;
	case VM_EV_ADOPTED:
		adopt_vm_found(vm, arg);
		break;
	case VM_EV_RANG:
		guest_rang(vm);
		break;
	case VM_EV_POWEROFF:
		powered_off(vm);
		break;
	case VM_EV_PANIC:
		panicked(vm);
		break;
	case VM_EV_IO_ERROR:
		io_error(vm, err);
		break;
	case VM_EV_DEAD:
		vm_gone(vm, arg);
		break;
	}
}

static int run_retry(sd_event_source *s, uint64_t usec, void *data)
{
	retrying = false;
	for_each_vm(vm)
		if (vm->state == VM_RUNNING && channel_queued(&vm->channel))
			channel_flush(vm);
	read_on();
	return 0;
}

void core_retry(void)
{
	if (retrying)
		return;
	retrying = true;
	retry = sd_event_source_disable_unref(retry);
	if (sd_event_add_time_relative(core.loop, &retry, CLOCK_MONOTONIC, RETRY_USEC, 0, run_retry,
				       NULL) < 0)
		retrying = false;
}

const struct vm_config *vm_config(const struct vm *vm)
{
	return &vm->config;
}

uint64_t vm_handle(const struct vm *vm)
{
	return vm->handle;
}

const char *vm_dir(const struct vm *vm)
{
	return vm->dir;
}

const struct vm *vm_origin(const struct vm *vm)
{
	const struct ticket *t = vm->ticket ? ticket_find(vm->ticket) : NULL;

	return t && t->parent ? vm_find(t->parent) : NULL;
}

bool vm_is_clone(const struct vm *vm)
{
	return vm->clone;
}

void *vm_channel(const struct vm *vm)
{
	return vm->channel.map;
}

void *vm_backend(const struct vm *vm)
{
	return vm->backend;
}

void vm_set_backend(struct vm *vm, void *priv)
{
	vm->backend = priv;
}

struct fork_times *vm_times(struct vm *vm)
{
	return &vm->times;
}

uint64_t checkpoint_handle(const struct checkpoint *cp)
{
	return cp->handle;
}

struct vm *checkpoint_vm(const struct checkpoint *cp)
{
	return vm_find(cp->vm);
}

const struct vm_config *checkpoint_config(const struct checkpoint *cp)
{
	return &cp->config;
}

void *checkpoint_backend(const struct checkpoint *cp)
{
	return cp->backend;
}

void checkpoint_set_backend(struct checkpoint *cp, void *priv)
{
	cp->backend = priv;
}

void core_save(void)
{
	state_save_now();
}

struct sd_event *core_loop(void)
{
	return core.loop;
}

int core_image_dir(void)
{
	return core.image_dir;
}
