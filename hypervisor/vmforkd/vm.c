// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of virtual machines. */
#include "vm.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "checkpoint.h"
#include "core.h"
#include "events.h"
#include "fork.h"
#include "guest.h"
#include "identity.h"
#include "keeper_client.h"
#include "log.h"
#include "names.h"
#include "options.h"
#include "runtime.h"
#include "state.h"
#include "ticket.h"
#include "util.h"
#include "vmlimits.h"
#include "watchdog.h"

struct vm vms[VMS_MAX];

static const char *const state_names[] = {
	[VM_FREE] = "free", [VM_STARTING] = "starting", [VM_STANDBY] = "standby",
	[VM_LOADED] = "loaded", [VM_RUNNING] = "running", [VM_FROZEN] = "frozen",
	[VM_DEAD] = "dead",
};
static_assert(ARRAY_SIZE(state_names) == VM_STATES, "a name for every state");

const char *vm_state_name(enum vm_state s)
{
	return state_names[s];
}

void vm_set_state(struct vm *vm, enum vm_state s)
{
	log_debug("%s: %s -> %s", vm->name, state_names[vm->state], state_names[s]);
	vm->state = s;
	if (vm->channel.j)
		vm->channel.j->vm_state = s;
	state_changed();
}

struct vm *vm_find(uint64_t handle)
{
	for_each_vm(vm)
		if (vm->handle == handle)
			return vm;
	return NULL;
}

bool vm_listed(const struct vm *vm)
{
	if (vm->state == VM_FREE || vm->state == VM_DEAD)
		return false;
	return !vm->clone ? !vm->ticket : vm->state == VM_RUNNING || vm->state == VM_FROZEN;
}

struct vm *vm_lookup(const char *name)
{
	uint64_t handle = name_handle(name);

	for_each_vm(vm) {
		if (!vm_listed(vm))
			continue;
		if (handle ? vm->handle == handle : !strcmp(vm->name, name))
			return vm;
	}
	return NULL;
}

unsigned int vm_count_clones(void)
{
	unsigned int n = 0;

	for_each_vm(vm)
		n += vm->ticket != 0;
	return n;
}

struct vm *vm_alloc(uint64_t handle)
{
	for (struct vm *vm = vms; vm < vms + VMS_MAX; vm++) {
		if (vm->state != VM_FREE)
			continue;
		memset(vm, 0, sizeof(*vm));
		vm->channel.fd = -1;
		vm->channel.journal_fd = -1;
		vm->handle = handle ? handle : core_new_handle();
		vm->state = VM_STARTING;
		vm->started = now_ns();
		snprintf(vm->dir, sizeof(vm->dir), "%.200s/vm/%" PRIu64, opt.runtime_dir,
			 vm->handle);
		return vm;
	}
	return NULL;
}

static void vm_free(struct vm *vm)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "vm%" PRIu64 ".*", vm->handle);
	core_drop_fds(prefix);
	network_detach(vm);
	channel_free(&vm->channel);
	runtime_remove_dir(vm->dir);
	cgroup_remove(vm->handle);
	vm->state = VM_FREE;
}

static int start(struct vm *vm, enum start_kind kind)
{
	static const struct limits none;
	int r;

	r = runtime_vm_dir(vm->dir);
	if (r == 0)
		r = channel_make(&vm->channel, vm);
	if (r == 0) {
		vm->channel.j->vm_state = VM_STARTING;
		r = network_attach(vm);
	}
	if (r == 0)
		r = cgroup_make(vm->handle, core.backend->own_limits ? &none : &vm->limits);
	if (r == 0)
		r = core.backend->start(vm, kind, vm->channel.fd, vm->channel.size);
	if (r < 0) {
		log_err("%s: does not start: %s", vm->name, strerror(-r));
		core.backend->destroy(vm);
		vm_free(vm);
	}
	state_changed();
	return r;
}

int vm_start_root(const struct vm_config *config, const struct limits *limits,
		  vm_started_fn fn, void *data, struct vm **ret_vm)
{
	struct vm *vm = vm_alloc(0);
	int r;

	if (!vm)
		return -ENOSPC;
	vm->config = *config;
	vm->limits = *limits;
	vm->family = core_new_handle();
	snprintf(vm->name, sizeof(vm->name), "%s", config->name);
	vm->started_fn = fn;
	vm->started_data = data;
	r = start(vm, START_ROOT);
	if (r == 0)
		*ret_vm = vm;
	return r;
}

int vm_start_standby(const struct vm_config *config, const struct ticket *t, uint32_t id,
		     struct vm **ret_vm)
{
	struct vm *vm = vm_alloc(0);
	int r;

	if (!vm)
		return -ENOSPC;
	vm->config = *config;
	vm->limits = t->limits;
	vm->family = t->family;
	vm->ticket = t->handle;
	vm->id = id;
	snprintf(vm->name, sizeof(vm->name), "vm%" PRIu64, vm->handle);
	snprintf(vm->config.name, sizeof(vm->config.name), "%s", vm->name);
	r = start(vm, START_STANDBY);
	if (r == 0)
		*ret_vm = vm;
	return r;
}

void vm_prepare(struct vm *vm)
{
	if (vm->preparing || vm->fork || vm->state != VM_RUNNING)
		return;
	vm->preparing = core.backend->prepare(vm) == 0;
}

void vm_unprepare(struct vm *vm)
{
	if (!vm->prepared || vm->preparing || vm->fork || vm->state != VM_RUNNING)
		return;
	vm->prepared = false;
	if (core.backend->unprepare)
		core.backend->unprepare(vm);
}

const char *vm_unforkable(const struct vm *vm)
{
	return core.backend->unforkable && vm->backend ? core.backend->unforkable(vm) : NULL;
}

enum vmfork_reason reason_known(uint64_t n)
{
	return n <= VMFORK_UNIDENTIFIED ? (enum vmfork_reason)n : VMFORK_LOST;
}

static void note_end(struct vm *vm, enum vmfork_reason reason, int status, const char *why,
		     va_list args)
{
	struct journal *j = vm->channel.j;

	if (vm->reason)
		return;
	vsnprintf(vm->why, sizeof(vm->why), why, args);
	vm->reason = reason;
	vm->status = status;
	if (!j)
		return;
	memcpy(j->why, vm->why, sizeof(j->why));
	j->status = status;
	__atomic_store_n(&j->reason, reason, __ATOMIC_RELEASE);
}

void vm_note_end(struct vm *vm, enum vmfork_reason reason, int status, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	note_end(vm, reason, status, why, args);
	va_end(args);
}

int vm_take_back(struct vm *vm)
{
	int r = channel_take(&vm->channel, vm);

	if (r < 0)
		return r;
	vm->reason = reason_known(vm->channel.j->reason);
	vm->status = vm->channel.j->status;
	snprintf(vm->why, sizeof(vm->why), "%.*s", VMFORK_WHY_MAX - 1, vm->channel.j->why);
	return 0;
}

void vm_end(struct vm *vm, enum vmfork_reason reason, int status, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	note_end(vm, reason, status, why, args);
	va_end(args);
	vm_end_as_noted(vm);
}

void vm_end_as_noted(struct vm *vm)
{
	int r;

	/* at adoption what is noted is enough: adopt_vm_found() looks at it */
	if (vm->ending || vm->state == VM_DEAD || core.adopting)
		return;
	vm->ending = true;
	watchdog_stop(vm);
	identity_over(vm);
	expiry_over(vm);
	r = core.backend->kill(vm);
	if (r < 0) {
		if (r != -ESRCH)	/* it has no process (any more) */
			log_warn("%s: cannot be killed by its backend: %s", vm->name, strerror(-r));
		vm_gone(vm, 0);
	}
}

/* Nobody said so before: the end of its process is all that is known. */
static void note_process(struct vm *vm, int ws)
{
	if (!vm->reason && WIFSIGNALED(ws) && cgroup_killed(vm->handle)) {
		if (vm->limits.memory_mib)
			vm_note_end(vm, VMFORK_OUT_OF_MEMORY, 0,
				    "it wanted more than its %u MiB of memory", vm->limits.memory_mib);
		else
			vm_note_end(vm, VMFORK_LOST, ENOMEM, "the host ran out of memory");
	}
	if (WIFSIGNALED(ws))
		vm_note_end(vm, VMFORK_LOST, EIO, "its process was killed by signal %d",
			    WTERMSIG(ws));
	else
		vm_note_end(vm, VMFORK_LOST, EIO, "its process ended with status %d",
			    WEXITSTATUS(ws));
}

static void say_end(const struct vm *vm)
{
	if (vm->reason == VMFORK_EXITED || vm->reason == VMFORK_KILLED)
		log_info("%s: ended", vm->name);
	else
		log_warn("%s: ended: %s", vm->name, vm->why);
}

void vm_gone(struct vm *vm, int wait_status)
{
	struct ticket *t = vm->ticket ? ticket_find(vm->ticket) : NULL;
	vm_started_fn fn = vm->started_fn;

	if (vm->state == VM_DEAD)
		return;
	watchdog_stop(vm);
	identity_over(vm);
	expiry_over(vm);
	guest_drain(vm);
	note_process(vm, wait_status);
	say_end(vm);
	if (vm_listed(vm))
		event_vm("ended", vm);
	vm_set_state(vm, VM_DEAD);
	vm->started_fn = NULL;
	if (fn)
		fn(vm, -EIO, vm->started_data);
	if (t && !core.adopting)
		slot_ended(t, vm->id, vm->reason, vm->status, vm->why);
	fork_clone_changed(vm);
	fork_parent_gone(vm);
	vm_forget_objects(vm);
	core_schedule();
}

void vm_destroy(struct vm *vm)
{
	char prefix[32];

	if (vm->backend)
		core.backend->destroy(vm);
	snprintf(prefix, sizeof(prefix), "vm%" PRIu64 ".", vm->handle);
	keeper_kill_children(prefix);
	vm_free(vm);
}

int vm_ref_get(struct vm *vm, uint64_t checkpoint)
{
	struct vm_ref *empty = NULL;

	for (struct vm_ref *r = vm->refs; r < vm->refs + VM_REFS_MAX; r++) {
		if (r->count && r->checkpoint == checkpoint) {
			r->count++;
			return 0;
		}
		if (!r->count && !empty)
			empty = r;
	}
	if (!empty)
		return -EMFILE;
	*empty = (struct vm_ref){ checkpoint, 1 };
	return 0;
}

void vm_ref_put(struct vm *vm, uint64_t checkpoint)
{
	for (struct vm_ref *r = vm->refs; r < vm->refs + VM_REFS_MAX; r++)
		if (r->count && r->checkpoint == checkpoint) {
			r->count--;
			state_changed();
			return;
		}
}

void vm_forget_objects(struct vm *vm)
{
	for_each_ticket(t)
		if (t->parent == vm->handle)
			ticket_close(t);
	memset(vm->refs, 0, sizeof(vm->refs));
	core_schedule();
}
